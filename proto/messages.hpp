#pragma once
// The messages of wire.md as plain values: what the stages fill and the codec encodes. Any thread; no generated code here.
// Reused from message to message so that a steady state allocates nothing.
#include "proto/reading.hpp"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace gwatt::proto {

inline constexpr std::uint32_t schema_version = 1;

enum class Stream : std::uint8_t { catalog, status, live, data, burst, ack, rollup };

enum class ClockState : std::uint8_t { unsynchronised = 0, holdover = 1, ntp = 2, ptp = 3 };

// One instant on both scales. bound: |true UTC - utc| at most; 0 unknown.
struct ClockPair {
    Monotonic monotonic;
    Utc utc;
    ClockState state = ClockState::unsynchronised;
    Duration offset{};
    Duration bound{};
};

struct Header {
    std::uint32_t schema = schema_version;
    std::uint64_t boot = 0;      // random per start of the agent
    std::uint64_t sequence = 0;  // per boot and stream, from 1, without holes
    std::uint64_t catalog = 0;   // content hash of the catalog that this message is read with
    ClockPair clock;
};

// Sensors with one period. `sensors` are indices [first, first + count) of the catalog.
struct RateGroup {
    Duration period{};
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    friend bool operator==(const RateGroup&, const RateGroup&) = default;
};

struct Catalog {
    Header header;  // header.catalog is the hash of everything below
    std::string site, agent;
    std::string hall, row, rack;  // location, for people and for grouping
    double rating_watts = 0;      // of the rack; 0 not said
    std::string software;         // "gwatt-agent 0.1.0"
    std::vector<Sensor> sensors;  // ordered by group
    std::vector<RateGroup> groups;
    std::vector<std::uint32_t> energy_points;  // sensors that Live speaks of, in Live's order; the rack's total first
};

enum class Presence : std::uint8_t { unspecified = 0, online = 1, offline = 2, controller_lost = 3 };
enum class BusState : std::uint8_t { starting = 0, ok = 1, degraded = 2, failed = 3, stopped = 4 };

struct BusStatus {
    std::string name, driver;
    BusState state = BusState::starting;
    std::uint32_t restarts = 0;
    std::string error;  // last one, for people; empty when ok
};

struct Status {
    Header header;
    Presence presence = Presence::online;
    std::string software;
    std::vector<BusStatus> buses;
};

// Unit of the small times of Live and Data on the wire: their rounding error is at most half of it. Finer costs bytes: at
// 1 us the scan offsets of a standard rack take as much room as a tenth of its samples.
inline constexpr Duration default_time_step = std::chrono::milliseconds(1);

// Energy and power of the energy points over one interval, in Catalog::energy_points order. `points` may hold the first of
// them only: an agent may send the points of the rack's total more often than all.
struct Live {
    Header header;
    Monotonic start;
    Duration interval{};
    Duration time_step = default_time_step;  // as_of travels in whole steps
    struct Point {
        std::uint32_t epoch = 0;         // differences of the counters count within one epoch only
        std::uint64_t energy_mj = 0;     // millijoules measured since the epoch began
        std::uint64_t estimated_mj = 0;  // millijoules booked for time without readings, apart from energy_mj
        std::uint64_t estimated_low_mj = 0, estimated_high_mj = 0;  // bounds of estimated_mj; whole joules cost less
        std::uint64_t exported_mj = 0;                              // what flowed the other way (batteries)
        // W over the interval, in the sensor's steps on the wire; nothing if samples == 0 (decoded: NaN).
        double mean = 0, min = 0, max = 0;
        std::uint32_t samples = 0;
        Quality quality = Quality::good;  // worst of the interval
        Monotonic as_of;                  // time of the last sample in the counter
    };
    std::vector<Point> points;
};

// All samples of one rate group over `samples` grid points: sensor s (0 = the group's first) at grid point k stands at
// [s * samples + k]. Sample time = start + k * period + scan_offset[s] (+ an entry in off_grid). A value means nothing
// unless has_value(quality); decoded it is NaN then.
struct Data {
    Header header;
    std::uint32_t group = 0;
    Monotonic start;
    Duration period{};
    std::uint32_t samples = 0;  // per sensor
    std::vector<double> values;
    std::vector<Quality> quality;
    std::vector<Duration> scan_offset;  // per sensor; may be empty when all are zero (decoded: never empty)
    struct OffGrid {
        std::uint32_t cell = 0;  // s * samples + k
        Duration error{};        // added to the cell's time
    };
    std::vector<OffGrid> off_grid;  // by cell; only where a sample leaves the grid by more than `grid_bound`
    Duration grid_bound{};
    Duration time_step = default_time_step;  // scan_offset and off_grid travel in whole steps
};

// What the fleet program has taken without a hole, per stream of one boot (mode `confirmed`).
struct Ack {
    std::uint64_t boot = 0;
    struct Entry {
        Stream stream = Stream::data;
        std::uint64_t contiguous = 0;
    };
    std::vector<Entry> streams;
};

// A total of one scope over one window, mergeable by (scope, window, source).
struct Rollup {
    std::uint32_t schema = schema_version;
    std::string scope;  // "fleet", "site/x", "site/x/hall/y", ...
    Utc start;
    Duration window{};
    std::uint32_t version = 0;
    double watts = 0, watts_low = 0, watts_high = 0;
    double measured_joules = 0, estimated_joules = 0;
    std::uint32_t racks_expected = 0, racks_measured = 0, racks_held = 0, racks_estimated = 0, racks_missing = 0;
    Duration oldest{};
    Duration clock_bound{};
};

}  // namespace gwatt::proto
