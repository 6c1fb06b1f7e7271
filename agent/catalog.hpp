#pragma once
// From what the buses can give and what the configuration says about it to the published catalog: which sensors, in
// which order, at which period, and which of them carry a joule counter. Plain values; any thread.
#include "agent/config.hpp"
#include "proto/messages.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace gwatt::agent {

// A catalog, and for each bus where its sensors went.
struct CatalogPlan {
    struct Slot {
        std::uint32_t bus_index = 0;  // into the bus's own sensors()
        std::uint32_t catalog_index = 0;
        Duration period{};
    };
    proto::Catalog catalog;                // header.catalog is set; the rest of the header is the sender's
    std::vector<std::vector<Slot>> buses;  // by bus, ordered by catalog index
};

struct BusSensors {
    const BusSection* section = nullptr;  // null: the agent's own device
    Duration period{};                    // where section is null
    std::span<const proto::Sensor> sensors;
};

// Sensors stand ordered by period (a rate group each), then by bus, then as the driver lists them. Where two sensors
// would have one name, the later keeps its driver's name.
CatalogPlan build_catalog(const AgentConfig& config, std::span<const BusSensors> buses);

// Power sensors that get a joule counter: instants and means. Where one place (part_of, point, feed) gives both a mean
// over a known window and an instant, the means only; of the same kind all (three phases are three sensors). Energy
// counters of a place without a power sensor stand for themselves.
std::vector<std::uint32_t> choose_energy_points(std::span<const proto::Sensor> sensors);

// The device's own energy counter for a power sensor: of the same place, where that has one of each.
std::optional<std::uint32_t> accumulator_of(std::span<const proto::Sensor> sensors, std::uint32_t power);

// * any text, ? any one byte.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace gwatt::agent
