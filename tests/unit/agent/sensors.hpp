#pragma once
// Catalogs for tests, in a few words.
#include "agent/catalog.hpp"
#include "proto/codec.hpp"

#include <string>
#include <vector>

namespace gwatt::test {

inline proto::Sensor power_sensor(std::string name, double resolution = 0.125) {
    proto::Sensor sensor;
    sensor.name = std::move(name);
    sensor.quantity = proto::Quantity::power;
    sensor.kind = proto::Kind::instant;
    sensor.point = proto::Point::psu_in;
    sensor.part_of = sensor.name;
    sensor.resolution = resolution;
    return sensor;
}

inline proto::Sensor energy_sensor(std::string name, std::string part_of, double wraps_at = 0) {
    proto::Sensor sensor = power_sensor(std::move(name), 1);
    sensor.part_of = std::move(part_of);
    sensor.quantity = proto::Quantity::energy;
    sensor.kind = proto::Kind::cumulative;
    sensor.wraps_at = wraps_at;
    return sensor;
}

// All sensors in one rate group.
inline proto::Catalog catalog_of(std::vector<proto::Sensor> sensors, runtime::Duration period) {
    proto::Catalog catalog;
    catalog.site = "s";
    catalog.agent = "a";
    catalog.sensors = std::move(sensors);
    catalog.groups.push_back({period, 0, static_cast<std::uint32_t>(catalog.sensors.size())});
    catalog.energy_points = agent::choose_energy_points(catalog.sensors);
    catalog.header.catalog = proto::catalog_hash(catalog);
    return catalog;
}

}  // namespace gwatt::test
