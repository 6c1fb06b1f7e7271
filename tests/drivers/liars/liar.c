/* A driver that keeps the promise but for one lie, chosen by -DLIE=lie_NAME: what gwatt-driver-check and driver_host are
 * tested against. Plain C11, as foreign drivers may be. */
#define _GNU_SOURCE
#include "drivers/abi/driver.h"

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum lie {
    lie_honest,
    lie_old_size,
    lie_larger_size,
    lie_too_small,
    lie_null_functions,
    lie_wrong_name,
    lie_sleeps,
    lie_spins,
    lie_crashes,
    lie_leaks,
    lie_keeps_descriptors,
    lie_floods,
    lie_prints,
    lie_garbage,
    lie_duplicate_ids,
    lie_bad_ids,
    lie_changing_ids,
    lie_overruns,
    lie_claims,
    lie_exports,
    lie_exits,
    lie_closes_socket,
    lie_scribbles,
    lie_handles_signals,
    lie_changes_directory,
    lie_changes_environment,
    lie_hangs_in_open,
    lie_no_bus,
    lie_huge_list,
    lie_null_list,
    lie_odd_result,
    lie_forks,
    lie_silent,
    lie_ignores_cancel,
    lie_slow_close
};

enum { sensors = 4 };

struct gwatt_bus {
    const gwatt_host* host;
    int opened;
    gwatt_sensor list[sensors];
    char ids[sensors][32];
};

static int opens;

static void sleep_ns(int64_t ns) {
    const struct timespec time = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};
    nanosleep(&time, NULL);
}

static void describe(gwatt_bus* bus) {
    for (uint32_t i = 0; i < sensors; ++i) {
        const uint32_t shown = LIE == lie_duplicate_ids ? 0 : i;
        const char* form = LIE == lie_bad_ids ? "PSU %u" : LIE == lie_changing_ids ? "psu%u.v%d" : "psu%u.power";
        snprintf(bus->ids[i], sizeof bus->ids[i], form, shown, bus->opened);
        bus->list[i] = (gwatt_sensor){.size = sizeof(gwatt_sensor),
                                      .quantity = GWATT_QUANTITY_POWER,
                                      .kind = GWATT_KIND_INSTANT,
                                      .resolution = 0.5,
                                      .range_max = 1000,
                                      .id = bus->ids[i]};
    }
}

static int32_t liar_open(const gwatt_host* host, const gwatt_value* values, uint32_t count, gwatt_bus** out,
                         gwatt_error* error) {
    (void)values, (void)count, (void)error;
    if (LIE == lie_hangs_in_open)
        for (;;) sleep_ns(1000000000);
    if (LIE == lie_no_bus) return GWATT_OK;
    gwatt_bus* bus = calloc(1, sizeof *bus);
    if (bus == NULL) return GWATT_BUG;
    bus->host = host;
    bus->opened = ++opens;
    describe(bus);
    *out = bus;
    return GWATT_OK;
}

static int32_t liar_sensors(gwatt_bus* bus, const gwatt_sensor** list, uint32_t* count, gwatt_error* error) {
    (void)error;
    *list = LIE == lie_null_list ? NULL : bus->list;
    *count = LIE == lie_huge_list ? 1000000 : sensors;
    return GWATT_OK;
}

/* What a driver does that is not what it says. */
static void misbehave(gwatt_bus* bus, int64_t deadline) {
    volatile uint64_t turns = 0;
    switch (LIE) {
        case lie_sleeps: sleep_ns(1500000000); break;
        case lie_spins:
            for (;;) ++turns;
        case lie_crashes: raise(SIGSEGV); break;
        case lie_floods:
            for (int i = 0; i < 100000; ++i) bus->host->log(bus->host->self, GWATT_LOG_ERROR, "a flood");
            break;
        case lie_prints:
            fputs("to stdout\n", stdout);
            fflush(stdout);
            fputs("to stderr\n", stderr);
            break;
        case lie_exits: exit(0);
        case lie_closes_socket: close(3); break;
        case lie_scribbles:
            for (int i = 0; i < 3; ++i) {
                if (write(3, "this is no frame at all, is it?", 31) < 0) return;
            }
            break;
        case lie_handles_signals: signal(SIGUSR1, SIG_IGN); break;
        case lie_changes_directory:
            if (chdir("/") != 0) return;
            break;
        case lie_changes_environment: setenv("LIAR", "1", 1); break;
        case lie_forks:
            if (fork() == 0) {
                sleep_ns(2000000000);
                _exit(0);
            }
            _exit(1);
        case lie_ignores_cancel:
            while (bus->host->now_ns(bus->host->self) < deadline - 20000000) sleep_ns(1000000);
            break;
        default: break;
    }
}

static gwatt_sample sample(const gwatt_bus* bus, uint32_t sensor) {
    gwatt_sample made = {bus->host->now_ns(bus->host->self), 100.0 + sensor, sensor, GWATT_QUALITY_GOOD};
    if (LIE != lie_garbage) return made;
    switch (sensor) {
        case 0: made.value = (double)NAN; break;
        case 1: made.sensor = 4000000; break;
        case 2: made.quality = 999; break;
        default: made.time_ns += (int64_t)1000000000 * 1000000; break;
    }
    return made;
}

static int32_t liar_read(gwatt_bus* bus, const uint32_t* wanted, uint32_t n, gwatt_sample* samples, uint32_t capacity,
                         uint32_t* used, int64_t deadline, gwatt_error* error) {
    (void)error;
    misbehave(bus, deadline);
    *used = 0;
    if (LIE == lie_odd_result) return 42;
    if (LIE == lie_silent) return GWATT_OK;
    for (uint32_t i = 0; i < n; ++i) samples[(*used)++] = sample(bus, wanted[i]);
    if (LIE == lie_overruns)
        while (*used <= capacity) samples[(*used)++] = sample(bus, wanted[0]);
    if (LIE == lie_claims) *used = capacity + 1000;
    return GWATT_OK;
}

static void liar_close(gwatt_bus* bus) {
    if (LIE == lie_keeps_descriptors && open("/dev/null", O_RDONLY) < 0) return;
    if (LIE == lie_slow_close) sleep_ns(400000000);
    if (LIE != lie_leaks) free(bus);
}

/* A host of another age: options and table with fields behind the ones that this edition knows. */
typedef struct {
    gwatt_driver known;
    uint64_t later[8];
} later_driver;
typedef struct {
    gwatt_option known;
    const char* later[4];
} later_option;
static const later_option options_of_later[] = {
    {{.size = sizeof(later_option), .type = GWATT_INTEGER, .name = "first", .help = "A number.", .default_text = "1"},
     {"x", 0, 0, 0}},
    {{.size = sizeof(later_option), .type = GWATT_TEXT, .name = "second", .help = "A text."}, {"x", 0, 0, 0}},
};

static const later_driver table = {
    {
        .size = LIE == lie_old_size      ? offsetof(gwatt_driver, read_overrun_ns)
                : LIE == lie_too_small   ? 24
                : LIE == lie_larger_size ? sizeof(later_driver)
                                         : sizeof(gwatt_driver),
        .option_count = LIE == lie_larger_size ? 2 : 0,
        .options = LIE == lie_larger_size ? &options_of_later[0].known : NULL,
        .open_worst_ns = 500000000,
        .close_worst_ns = LIE == lie_slow_close ? 100000000 : 500000000,
        .name = LIE == lie_wrong_name ? "somebody_else" : LIE_NAME,
        .version = "1",
        .summary = "Lies.",
        .open = liar_open,
        .sensors = liar_sensors,
        .read = LIE == lie_null_functions ? NULL : liar_read,
        .close = liar_close,
        .read_overrun_ns = LIE == lie_old_size ? -1 : 0, /* beyond its size: nobody may look at it */
    },
    {1, 2, 3, 4, 5, 6, 7, 8},
};

const gwatt_driver* gwatt_driver_v1(void) { return &table.known; }

__attribute__((visibility("default"))) int liars_own_symbol(void);
int liars_own_symbol(void) { return 0; }
