/* The promise between gwatt and a driver (a plugin that turns hardware into numbers). C11 and C++; a driver needs this
 * file and nothing else of ours. Edition 1 of version 1.
 *
 *   driver   the code: NAME.so, which exports one symbol, gwatt_driver_v1, that returns a constant table
 *   bus      one conversation that must be serial (a UART, an I2C adapter, a vendor library): one process each
 *   sensor   one number that the bus can give
 *
 * Every function is labelled with the states in which the host calls it. All calls of one bus come from one thread,
 * never two at a time, never after `close`, never from a signal handler.
 *
 *   [table]  before any open, at any time       [closed]  no open bus; a successful `open` leads to [open]
 *   [open]   an open bus                        [any]     the driver may call it while it is in one of its functions
 *
 * DUTIES. Each says what happens when it is broken, and whether gwatt-driver-check can tell ("check: yes/partly/no").
 *
 *  D1  Export gwatt_driver_v1 and no other symbol.
 *      Broken: not loaded (missing), or another plugin's or libc's symbol is hidden (others). check: yes
 *  D2  The table and all it points to are constant for the life of the process; name, version and the four functions
 *      are there.  Broken: not loaded. check: yes
 *  D3  A struct that begins with `size` carries the size that its writer knew; unused fields are zero.
 *      Broken: fields are read as something else. check: partly (a size below edition 1's is refused)
 *  D4  `open` refuses values it cannot use with GWATT_BAD_CONFIG, and names the option in error->option.
 *      Broken: the user searches in vain. check: no
 *  D5  `open` and `close` end within open_worst_ns and close_worst_ns of the table.
 *      Broken: the process is ended, the bus has no readings until the restart. check: yes
 *  D6  `read` ends by its deadline (plus read_overrun_ns, for a vendor call that cannot wait in `wait`).
 *      Broken: readings of that turn are `timeout`; the process is ended and started again. check: yes
 *  D7  Wait only in host->wait, never in sleep, poll or a blocking read; return soon when it says cancelled.
 *      Broken: a polite stop has to become SIGTERM, then SIGKILL. check: partly (a read is cancelled and timed)
 *  D8  After `read`, each wanted sensor has at least one sample: a value, or a no-value quality (16 and above).
 *      Broken: the host marks it `not_read` (result ok) or with the quality of the result. check: yes
 *  D9  No more samples than `capacity`; *used says how many. Indices are below `sensors`' count; several samples of
 *      one sensor are oldest first.  Broken: memory of the runner is overwritten (the bus dies), or samples are
 *      refused and counted. check: yes
 *  D10 A read error is "no value": never zero, never the last value, never NaN or infinity.
 *      Broken: NaN and infinity become `garbled` (no value) and are counted; zero and old values are believed: wrong
 *      energy. check: partly (NaN, infinity)
 *  D11 A sample's time is the middle of the measurement on host->now_ns's scale, not the time of the call.
 *      Broken: with a time in the future, older than two periods, or before the sensor's last one, the sample becomes
 *      `garbled` (no value) and is counted; with that of the last one again it is `stale`. check: partly
 *  D12 `value` is in the quantity's own unit (W, J, V, A, VA, degC, Hz, rpm, 1, m3/s, Pa, 1, C): no milli, no kilo.
 *      Broken: wrong by the factor; range_min and range_max make it suspect. check: partly (range)
 *  D13 A sensor's id matches [a-z0-9_.]+, is unique on the bus, and is the same after every `open`.
 *      Broken: duplicate ids: the bus is refused; changing ids: history is cut. check: yes
 *  D14 `sensors` does not talk to hardware, and answers the same until `read` has returned GWATT_CHANGED.
 *      Broken: values land on the wrong sensor. check: partly (asked twice, compared)
 *  D15 Whoever allocates, frees. After `close` nothing of the bus is left: memory, descriptors, threads.
 *      Broken: the runner grows; memory is limited by its unit, and a restart gives it back. check: yes (1000 opens)
 *  D16 What the driver returns by pointer lives until the next `sensors` or `close`; what the host passes lives for the
 *      call, except the gwatt_host, which lives until `close` returns.  Broken: undefined. check: no (try ASan)
 *  D17 Nothing is thrown across the table.  Broken: the process dies; the bus restarts. check: partly
 *  D18 Do not exit, abort, fork, exec, or install signal handlers.  Broken: as D17. check: partly (signal handlers)
 *  D19 Do not change locale, working directory, umask or environment.
 *      Broken: relative names and numbers are read differently afterwards. check: yes
 *  D20 Write nothing to stdout or stderr; use host->log.  Broken: lost: both are closed or journald's. check: yes
 *  D21 Only read: nothing here may change what the hardware does.
 *      Broken: whoever let gwatt into the rack has been lied to. check: no
 *  D22 Do not schedule, retry over turns, average, scale for display, or keep files: the host decides.
 *      Broken: two that decide, none that knows. check: no
 *  D23 One device of a bus that does not answer must not cost the others their turn: spend at most its share of the
 *      deadline on it, and try a silent one rarely.  Broken: all sensors of the bus time out with it. check: no
 *  D24 Text is UTF-8 and ends in NUL.  Broken: it is cut or cleaned. check: partly
 *  D25 Threads belong to the bus that started them, are joined by `close`, block all signals, and never call the host.
 *      Broken: undefined. check: partly (threads left after close)
 *
 * GROWTH. Nothing is ever removed or reordered. A struct that begins with `size` may get fields at its end; a reader
 * copies min(size, its own sizeof) into a zeroed struct of its own, so zero and NULL mean "not said, not able". Arrays of
 * such structs are stepped by the `size` of their first element. gwatt_sample, gwatt_value and gwatt_accuracy never
 * grow. A break is a new symbol, gwatt_driver_v2; one file may offer both. */
#ifndef GWATT_DRIVER_H
#define GWATT_DRIVER_H

#include <stdint.h>

#define GWATT_EXPORT __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

#define GWATT_DRIVER_SYMBOL "gwatt_driver_v1"

/* Limits that the host keeps; what is beyond them is refused. */
enum {
    GWATT_MAX_OPTIONS = 64,
    GWATT_MAX_SENSORS = 4096,  /* of one bus */
    GWATT_MAX_SAMPLES = 16384, /* of one read */
    GWATT_MAX_TEXT = 1024,     /* bytes of any one text, without NUL; an id at most 128 */
    GWATT_MAX_BANDS = 16       /* accuracy bands of one sensor */
};

/* What a call says of the conversation; each is what the host does next. */
enum gwatt_result {
    GWATT_OK = 0,
    GWATT_TIMEOUT = 1,    /* nobody answered in time: next turn; three in a row: reopen with back-off */
    GWATT_GARBLED = 2,    /* an answer that is not one (CRC, framing): as timeout, counted apart */
    GWATT_GONE = 3,       /* the device or its node is not there: close, reopen with back-off */
    GWATT_BUSY = 4,       /* in use by someone else just now: skip this turn, nothing is wrong */
    GWATT_CHANGED = 5,    /* the list of sensors is another: the host asks `sensors` again; samples are not used */
    GWATT_DENIED = 6,     /* permission: long back-off, told once */
    GWATT_BAD_CONFIG = 7, /* never tried again; told with the option's name. From `open` only */
    GWATT_BUG = 8         /* the driver found itself wrong: close, stay closed until the configuration changes */
};

/* Of one sample. Below 16 there is a value; from 16 on there is none and `value` is ignored. */
enum gwatt_quality {
    GWATT_QUALITY_GOOD = 0,
    GWATT_QUALITY_STALE = 1,        /* the hardware gave an old value again */
    GWATT_QUALITY_SUSPECT = 2,      /* implausible or known to be unreliable here */
    GWATT_QUALITY_OVERFLOW = 3,     /* clamped at the end of the device's scale */
    GWATT_QUALITY_RESTARTED = 4,    /* cumulative: the counter began anew since the last sample */
    GWATT_QUALITY_UNAVAILABLE = 16, /* the device says it has no value */
    GWATT_QUALITY_TIMEOUT = 17,
    GWATT_QUALITY_GARBLED = 18,
    GWATT_QUALITY_GONE = 19,
    GWATT_QUALITY_BUSY = 20,
    GWATT_QUALITY_DENIED = 21,
    GWATT_QUALITY_FAULT = 22,   /* the device says the sensor is broken */
    GWATT_QUALITY_NOT_READ = 23 /* not tried in this turn */
};

/* Each with its one unit. */
enum gwatt_quantity {
    GWATT_QUANTITY_UNSPECIFIED = 0,
    GWATT_QUANTITY_POWER = 1,          /* W */
    GWATT_QUANTITY_ENERGY = 2,         /* J */
    GWATT_QUANTITY_VOLTAGE = 3,        /* V */
    GWATT_QUANTITY_CURRENT = 4,        /* A */
    GWATT_QUANTITY_APPARENT_POWER = 5, /* VA */
    GWATT_QUANTITY_POWER_FACTOR = 6,   /* 1 */
    GWATT_QUANTITY_TEMPERATURE = 7,    /* degC */
    GWATT_QUANTITY_FREQUENCY = 8,      /* Hz */
    GWATT_QUANTITY_ROTATION = 9,       /* rpm */
    GWATT_QUANTITY_RATIO = 10,         /* 1 */
    GWATT_QUANTITY_FLOW = 11,          /* m3/s */
    GWATT_QUANTITY_PRESSURE = 12,      /* Pa */
    GWATT_QUANTITY_HUMIDITY = 13,      /* 1, relative */
    GWATT_QUANTITY_CHARGE = 14,        /* C (ampere-seconds) */
    GWATT_QUANTITY_STATE = 15,         /* a device's own status word or number */
    GWATT_QUANTITY_COUNT = 16          /* 1, a number of events or things */
};

enum gwatt_kind {
    GWATT_KIND_UNSPECIFIED = 0,
    GWATT_KIND_INSTANT = 1,
    GWATT_KIND_AVERAGE = 2,
    GWATT_KIND_MINIMUM = 3,
    GWATT_KIND_MAXIMUM = 4,
    GWATT_KIND_CUMULATIVE = 5
};

/* Where in the power path a sensor measures, from the utility down to the load. */
enum gwatt_point {
    GWATT_POINT_UNSPECIFIED = 0,
    GWATT_POINT_UTILITY = 1,
    GWATT_POINT_FEEDER = 2,
    GWATT_POINT_UPS_OUT = 3,
    GWATT_POINT_PDU_IN = 4,
    GWATT_POINT_RACK_IN = 5,
    GWATT_POINT_PSU_IN = 6,
    GWATT_POINT_PSU_OUT = 7,
    GWATT_POINT_BUSBAR = 8,
    GWATT_POINT_TRAY = 9,
    GWATT_POINT_MODULE = 10,
    GWATT_POINT_GPU = 11,
    GWATT_POINT_CPU = 12,
    GWATT_POINT_MEMORY = 13,
    GWATT_POINT_COOLING = 14,
    GWATT_POINT_BATTERY = 15
};

/* Batteries: which way power counts as positive. load: what flows in is consumed. */
enum gwatt_direction { GWATT_DIRECTION_LOAD = 0, GWATT_DIRECTION_SOURCE = 1, GWATT_DIRECTION_BOTH = 2 };

enum gwatt_basis {
    GWATT_BASIS_UNSPECIFIED = 0,
    GWATT_BASIS_ASSUMED = 1,
    GWATT_BASIS_DATA_SHEET = 2,
    GWATT_BASIS_CALIBRATED = 3
};

enum gwatt_log_level { GWATT_LOG_ERROR = 0, GWATT_LOG_WARNING = 1, GWATT_LOG_INFO = 2, GWATT_LOG_DEBUG = 3 };

enum gwatt_events { GWATT_WAIT_READ = 1, GWATT_WAIT_WRITE = 2 };
enum gwatt_wait_result {
    GWATT_WAIT_TIMEOUT = 0,
    GWATT_WAIT_READY = 1,    /* readable or writable, or in error: the next read or write says which */
    GWATT_WAIT_CANCELLED = 2 /* the host wants this call to end: return soon; the result is not used */
};

/* The host, as an open bus sees it. Lives from `open` until `close` has returned. */
typedef struct gwatt_host {
    uint32_t size;
    uint32_t reserved;
    void* self; /* first argument of the three */
    /* [any] CLOCK_MONOTONIC in nanoseconds (in tests: the test's time). */
    int64_t (*now_ns)(void* self);
    /* [any] Until fd is ready for `events`, or the deadline (now_ns scale) has come. fd -1 only waits.
       Returns enum gwatt_wait_result. A deadline in the past asks without waiting. */
    int32_t (*wait)(void* self, int32_t fd, int32_t events, int64_t deadline_ns);
    /* [any] One event, one line, constant text first. The host adds driver and bus, and silences repeats. */
    void (*log)(void* self, int32_t level, const char* text);
} gwatt_host;

/* In the host's memory; the driver fills it when the result is not GWATT_OK. */
typedef struct gwatt_error {
    uint32_t size;
    int32_t option; /* index of the option that is wrong, else -1 (as the host sets it) */
    char text[248]; /* for people: what was tried, what came back. Ends in NUL */
} gwatt_error;

enum gwatt_option_type {
    GWATT_TEXT = 1,
    GWATT_INTEGER = 2, /* decimal or 0x hexadecimal */
    GWATT_NUMBER = 3,
    GWATT_DURATION = 4, /* "250ms", "3.2s", "2min"; a bare number is refused */
    GWATT_BOOLEAN = 5,  /* true, false */
    GWATT_PATH = 6,     /* relative names are made absolute against the configuration file */
    GWATT_CHOICE = 7    /* one of `choices` */
};

/* Declares one option; constant. */
typedef struct gwatt_option {
    uint32_t size;
    uint32_t type;              /* enum gwatt_option_type */
    double minimum, maximum;    /* INTEGER, NUMBER, DURATION (seconds): bounds; both 0: none */
    const char* name;           /* [a-z0-9_]+ */
    const char* help;           /* one sentence */
    const char* default_text;   /* as the user would write it; NULL: none */
    const char* const* choices; /* CHOICE: ends in NULL */
    uint32_t required;          /* 1: must be given (then without default_text) */
    uint32_t reserved;
} gwatt_option;

/* The value of one option, in the order of declaration. 16 bytes everywhere, never grows. */
typedef struct gwatt_value {
    uint32_t type;  /* as declared */
    uint32_t given; /* 1: written by the user or a default; 0: absent, and the union is zero */
    union {
        const char* text; /* TEXT, PATH */
        int64_t integer;  /* INTEGER; DURATION in ns; BOOLEAN 0 or 1; CHOICE its index */
        double number;    /* NUMBER */
    } as;
} gwatt_value;

/* Within [from, to) the error is at most +-(relative * |value| + absolute). 32 bytes, never grows. */
typedef struct gwatt_accuracy {
    double from, to, relative, absolute;
} gwatt_accuracy;

typedef struct gwatt_sensor {
    uint32_t size;
    uint32_t quantity;  /* enum gwatt_quantity: the unit follows from it */
    uint32_t kind;      /* enum gwatt_kind */
    uint32_t point;     /* enum gwatt_point */
    uint32_t direction; /* enum gwatt_direction */
    uint32_t basis;     /* enum gwatt_basis, of `accuracy` */
    uint32_t accuracy_count;
    uint32_t reserved;
    int64_t window_ns;  /* AVERAGE, MINIMUM, MAXIMUM: over how long; 0 unknown, not instant */
    int64_t refresh_ns; /* how often the hardware has something new; 0 unknown */
    double resolution;  /* value = offset + n * resolution, n whole; 0 unknown */
    double offset;
    double wraps_at;  /* CUMULATIVE: where the counter returns to zero; 0 never */
    double range_min; /* plausible; outside, the host marks it suspect; both 0: not said */
    double range_max;
    const char* id;                 /* "psu0.input_power" */
    const char* label;              /* for people; NULL: the id */
    const char* part_of;            /* place in the machine: "shelf0.psu0"; NULL: not said */
    const char* feed;               /* "A", "B", ...; NULL: not said */
    const gwatt_accuracy* accuracy; /* accuracy_count bands, ascending */
    const void* reserved_pointer;
} gwatt_sensor;

/* 24 bytes without padding everywhere, never grows. */
typedef struct gwatt_sample {
    int64_t time_ns; /* middle of the measurement, now_ns scale; ignored when there is no value */
    double value;
    uint32_t sensor;  /* index into `sensors`' list */
    uint32_t quality; /* enum gwatt_quality */
} gwatt_sample;

typedef struct gwatt_bus gwatt_bus; /* the driver's own */

typedef struct gwatt_driver {
    uint32_t size;
    uint32_t option_count;
    int64_t open_worst_ns;  /* `open` ends within this; 0 is taken as 1 s; at most 60 s */
    int64_t close_worst_ns; /* `close` ends within this; 0 is taken as 1 s; at most 60 s */
    const char* name;       /* that of the file without .so */
    const char* version;
    const char* summary; /* one sentence: what it reads */
    const gwatt_option* options;

    /* [closed] -> [open]. Takes the conversation up; may talk to hardware. `count` values in the order of declaration.
       On GWATT_OK *bus is set; otherwise nothing is left behind and `close` is not called. */
    int32_t (*open)(const gwatt_host* host, const gwatt_value* values, uint32_t count, gwatt_bus** bus,
                    gwatt_error* error);
    /* [open] What can be read. Does not block. At least one sensor. */
    int32_t (*sensors)(gwatt_bus* bus, const gwatt_sensor** list, uint32_t* count, gwatt_error* error);
    /* [open] Fills the host's array for the wanted sensors (ascending, without repeats; n >= 1, capacity >= n). With
       another result than GWATT_OK the samples already there are used, unless it is GWATT_CHANGED or GWATT_BUG. */
    int32_t (*read)(gwatt_bus* bus, const uint32_t* wanted, uint32_t n, gwatt_sample* samples, uint32_t capacity,
                    uint32_t* used, int64_t deadline_ns, gwatt_error* error);
    /* [open] -> [closed]. Lets go; never fails. */
    void (*close)(gwatt_bus* bus);

    /* Optional from here on. */
    int64_t read_overrun_ns; /* how far a vendor call can carry `read` past its deadline; 0: not at all; at most 60 s */
} gwatt_driver;

/* [table] The one exported symbol. */
GWATT_EXPORT const gwatt_driver* gwatt_driver_v1(void);

#ifdef __cplusplus
}
static_assert(sizeof(gwatt_sample) == 24 && sizeof(gwatt_value) == 16 && sizeof(gwatt_accuracy) == 32, "fixed layouts");
#else
_Static_assert(sizeof(gwatt_sample) == 24 && sizeof(gwatt_value) == 16 && sizeof(gwatt_accuracy) == 32,
               "fixed layouts");
#endif

#endif
