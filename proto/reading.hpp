#pragma once
// The words that agent and fleet share: what a sensor is, what a reading is. Plain values, any thread.
#include <chrono>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gwatt::proto {

using Duration = std::chrono::nanoseconds;
using Monotonic = std::chrono::time_point<std::chrono::steady_clock, Duration>;
using Utc = std::chrono::sys_time<Duration>;

// What is measured; the unit follows from it (units.hpp) and is always the base unit. Numbers are those of driver.h and
// of the wire: never reused.
enum class Quantity : std::uint8_t {
    unspecified = 0,
    power = 1,
    energy = 2,
    voltage = 3,
    current = 4,
    apparent_power = 5,
    power_factor = 6,
    temperature = 7,
    frequency = 8,
    rotation = 9,
    ratio = 10,
    flow = 11,
    pressure = 12,
    humidity = 13,
    charge = 14,
    state = 15,
    count = 16,
};

enum class Kind : std::uint8_t { unspecified = 0, instant = 1, average = 2, minimum = 3, maximum = 4, cumulative = 5 };

// Where in the power path a sensor measures, from the utility down to the load.
enum class Point : std::uint8_t {
    unspecified = 0,
    utility = 1,
    feeder = 2,
    ups_out = 3,
    pdu_in = 4,
    rack_in = 5,
    psu_in = 6,
    psu_out = 7,
    busbar = 8,
    tray = 9,
    module = 10,
    gpu = 11,
    cpu = 12,
    memory = 13,
    cooling = 14,
    battery = 15,
};

// Batteries and BESS: which way power counts as positive. load: what flows in is consumed.
enum class Direction : std::uint8_t { load = 0, source = 1, both = 2 };

// Below 16 there is a value; from 16 on there is none.
enum class Quality : std::uint8_t {
    good = 0,
    stale = 1,
    suspect = 2,
    overflow = 3,
    restarted = 4,
    unavailable = 16,
    timeout = 17,
    garbled = 18,
    gone = 19,
    busy = 20,
    denied = 21,
    fault = 22,
    not_read = 23,
};
constexpr bool has_value(Quality q) { return static_cast<std::uint8_t>(q) < 16; }

// One value of one sensor at one time. 24 bytes. `value` means nothing unless has_value(quality).
struct Reading {
    Monotonic time;  // middle of the measurement
    double value = 0;
    std::uint32_t sensor = 0;  // index into the catalog
    Quality quality = Quality::good;
};
static_assert(sizeof(Reading) == 24);

using ReadingSink = std::function<void(std::span<const Reading>)>;

enum class AccuracyBasis : std::uint8_t { unspecified = 0, assumed = 1, data_sheet = 2, calibrated = 3 };

// Within [from, to) of the sensor's own unit the error is at most +-(relative * |value| + absolute).
struct AccuracyBand {
    double from = 0, to = 0;
    double relative = 0, absolute = 0;
    friend bool operator==(const AccuracyBand&, const AccuracyBand&) = default;
};

// A number that a bus can give, as published in the catalog.
struct Sensor {
    std::string name;     // `<bus>.<id>`, for example `shelf_a.psu0.input_power`
    std::string label;    // for people
    std::string part_of;  // place in the machine: `shelf_a.psu0`
    Quantity quantity = Quantity::unspecified;
    Kind kind = Kind::instant;
    Point point = Point::unspecified;
    std::string feed;  // "A", "B", ... or empty
    Direction direction = Direction::load;
    double resolution = 0;  // value = offset + n * resolution, n whole; 0 unknown (sent as a double)
    double offset = 0;
    Duration window{};                    // of average, minimum, maximum; 0 unknown
    Duration refresh{};                   // how often the hardware has something new; 0 unknown
    double wraps_at = 0;                  // cumulative: returns to zero here; 0 never
    double range_min = 0, range_max = 0;  // plausible; both 0: not said
    AccuracyBasis basis = AccuracyBasis::unspecified;
    std::vector<AccuracyBand> accuracy;
    friend bool operator==(const Sensor&, const Sensor&) = default;
};

}  // namespace gwatt::proto
