/* A complete driver in C: a rack that always takes one kilowatt. */
#include "drivers/abi/driver.h"

#include <stddef.h>

struct gwatt_bus {
    const gwatt_host* host;
};

static struct gwatt_bus only;

static const gwatt_sensor sensors[] = {{.size = sizeof(gwatt_sensor),
                                        .quantity = GWATT_QUANTITY_POWER,
                                        .kind = GWATT_KIND_INSTANT,
                                        .point = GWATT_POINT_RACK_IN,
                                        .id = "input_power"}};

static int32_t constant_open(const gwatt_host* host, const gwatt_value* values, uint32_t count, gwatt_bus** bus,
                             gwatt_error* error) {
    (void)values, (void)count, (void)error;
    only.host = host;
    *bus = &only;
    return GWATT_OK;
}

static int32_t constant_sensors(gwatt_bus* bus, const gwatt_sensor** list, uint32_t* count, gwatt_error* error) {
    (void)bus, (void)error;
    *list = sensors;
    *count = 1;
    return GWATT_OK;
}

static int32_t constant_read(gwatt_bus* bus, const uint32_t* wanted, uint32_t n, gwatt_sample* samples,
                             uint32_t capacity, uint32_t* used, int64_t deadline_ns, gwatt_error* error) {
    (void)capacity, (void)deadline_ns, (void)error;
    for (*used = 0; *used < n; ++*used) {
        const gwatt_sample sample = {bus->host->now_ns(bus->host->self), 1000.0, wanted[*used], GWATT_QUALITY_GOOD};
        samples[*used] = sample;
    }
    return GWATT_OK;
}

static void constant_close(gwatt_bus* bus) { (void)bus; }

static const gwatt_driver table = {.size = sizeof(gwatt_driver),
                                   .name = "constant",
                                   .version = "1",
                                   .summary = "A rack that always takes one kilowatt.",
                                   .open = constant_open,
                                   .sensors = constant_sensors,
                                   .read = constant_read,
                                   .close = constant_close};

GWATT_EXPORT const gwatt_driver* gwatt_driver_v1(void) { return &table; }
