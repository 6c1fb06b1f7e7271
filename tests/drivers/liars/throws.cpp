// A C++ driver that lets an exception out across the table (duty D17).
#include "drivers/abi/driver.h"

#include <cstdint>

namespace {
struct Bus {
    const gwatt_host* host;
};
const gwatt_sensor only = {.size = sizeof(gwatt_sensor),
                           .quantity = GWATT_QUANTITY_POWER,
                           .kind = GWATT_KIND_INSTANT,
                           .point = 0,
                           .direction = 0,
                           .basis = 0,
                           .accuracy_count = 0,
                           .reserved = 0,
                           .window_ns = 0,
                           .refresh_ns = 0,
                           .resolution = 0,
                           .offset = 0,
                           .wraps_at = 0,
                           .range_min = 0,
                           .range_max = 0,
                           .id = "only",
                           .label = nullptr,
                           .part_of = nullptr,
                           .feed = nullptr,
                           .accuracy = nullptr,
                           .reserved_pointer = nullptr};
Bus bus;

std::int32_t open(const gwatt_host* host, const gwatt_value*, std::uint32_t, gwatt_bus** out, gwatt_error*) {
    bus.host = host;
    *out = reinterpret_cast<gwatt_bus*>(&bus);
    return GWATT_OK;
}
std::int32_t sensors(gwatt_bus*, const gwatt_sensor** list, std::uint32_t* count, gwatt_error*) {
    *list = &only;
    *count = 1;
    return GWATT_OK;
}
std::int32_t read(gwatt_bus*, const std::uint32_t*, std::uint32_t, gwatt_sample*, std::uint32_t, std::uint32_t*,
                  std::int64_t, gwatt_error*) {
    throw 1;
}
void close(gwatt_bus*) {}

const gwatt_driver table = {.size = sizeof(gwatt_driver),
                            .option_count = 0,
                            .open_worst_ns = 0,
                            .close_worst_ns = 0,
                            .name = "throws",
                            .version = "1",
                            .summary = "Throws.",
                            .options = nullptr,
                            .open = open,
                            .sensors = sensors,
                            .read = read,
                            .close = close,
                            .read_overrun_ns = 0};
}  // namespace

extern "C" GWATT_EXPORT const gwatt_driver* gwatt_driver_v1(void) { return &table; }
