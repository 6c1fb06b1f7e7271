#pragma once
// For one set of wanted sensors: which units are asked, and which registers in which requests. Made once for each set the
// host asks for and kept, so that a turn allocates nothing. One bus, one thread.
#include "drivers/modbus/spans.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace gwatt::drivers::modbus {

struct Entry {
    std::uint32_t sensor;  // the host's index
    const profile::Sensor* what;
    bool given;  // in this turn
};

struct UnitPlan {
    std::uint32_t unit = 0;        // index
    std::vector<Entry> entries{};  // in the order of `places`
    std::vector<Place> places{};
    std::vector<Span> spans{};
    std::uint32_t holes_version = ~std::uint32_t{0};  // of the holes that `spans` were made with
    // of this turn:
    std::uint32_t next_span = 0;
    bool due = false;   // asked at all: its unit is not dormant
    bool over = false;  // nothing more to ask in this turn
    bool tried = false, answered = false;
    std::uint32_t given = 0;                         // entries
    gwatt_quality missing = GWATT_QUALITY_NOT_READ;  // why entries that are not given are not
};

struct Plan {
    std::vector<std::uint32_t> wanted;
    std::vector<UnitPlan> units;
    std::vector<std::uint32_t> counters;  // wanted sensors that are the bus's own counters: host's indices
    std::uint64_t used = 0;               // when last, for the cache
};

// The units of a bus as the plan sees them: unit u owns the host's sensors [first, first + profile's sensors).
struct UnitSensors {
    std::uint32_t first = 0;
    std::span<const profile::Sensor> sensors;
};

Plan make_plan(std::span<const std::uint32_t> wanted, std::span<const UnitSensors> units);

}  // namespace gwatt::drivers::modbus
