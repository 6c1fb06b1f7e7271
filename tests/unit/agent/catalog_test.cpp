#include "agent/catalog.hpp"

#include "tests/unit/agent/sensors.hpp"

#include <doctest/doctest.h>

using namespace gwatt;
using namespace gwatt::agent;
using namespace gwatt::test;

namespace {

proto::Sensor with(proto::Sensor sensor, proto::Quantity quantity) {
    sensor.quantity = quantity;
    return sensor;
}

AgentConfig config_of(std::size_t buses) {
    AgentConfig config;
    config.site = "s";
    config.name = "a";
    for (std::size_t i = 0; i < buses; ++i) config.buses.emplace_back().host.name = "bus" + std::to_string(i);
    return config;
}

}  // namespace

TEST_CASE("a pattern matches as a shell's does") {
    CHECK(glob_matches("*", ""));
    CHECK(glob_matches("psu?.*power", "psu0.input_power"));
    CHECK_FALSE(glob_matches("psu?.power", "psu10.power"));
    CHECK(glob_matches("*a*b*c", "xxaxxbxxbxc"));
    CHECK_FALSE(glob_matches("*a*b*c", "xxaxxbxxbx"));
    CHECK_FALSE(glob_matches("", "a"));
    CHECK(glob_matches("a", "a"));
    CHECK_FALSE(glob_matches(std::string(200, '*') + "b", std::string(2000, 'a')));
}

TEST_CASE("sensors are ordered by period, then by bus, and each period is a rate group") {
    AgentConfig config = config_of(2);
    config.buses[0].rules.push_back({.match = "fast",
                                     .line = 0,
                                     .period = 100ms,
                                     .enabled = {},
                                     .resolution = {},
                                     .point = {},
                                     .feed = {},
                                     .name = {},
                                     .label = {},
                                     .part_of = {}});
    const std::vector<proto::Sensor> first{
        power_sensor("bus0.p"), with(power_sensor("bus0.t"), proto::Quantity::temperature), power_sensor("bus0.fast")};
    const std::vector<proto::Sensor> second{power_sensor("bus1.p")};
    const BusSensors buses[] = {{&config.buses[0], {}, first}, {&config.buses[1], {}, second}};
    const CatalogPlan plan = build_catalog(config, buses);
    REQUIRE(plan.catalog.sensors.size() == 4);
    CHECK(plan.catalog.sensors[0].name == "bus0.fast");
    CHECK(plan.catalog.sensors[1].name == "bus0.p");
    CHECK(plan.catalog.sensors[2].name == "bus1.p");
    CHECK(plan.catalog.sensors[3].name == "bus0.t");
    REQUIRE(plan.catalog.groups.size() == 3);
    CHECK(plan.catalog.groups[1] == proto::RateGroup{1s, 1, 2});
    CHECK(plan.catalog.groups[2] == proto::RateGroup{10s, 3, 1});
    REQUIRE(plan.buses[0].size() == 3);
    CHECK(plan.buses[0][0].bus_index == 2);
    CHECK(plan.buses[1][0].catalog_index == 2);
    CHECK(plan.catalog.header.catalog == proto::catalog_hash(plan.catalog));
}

TEST_CASE("rules change what is published, the last one that matches wins, and what is off is not there") {
    AgentConfig config = config_of(1);
    SensorRule all, one, off;
    all.match = "*";
    all.feed = "A";
    all.resolution = 1.0;
    one.match = "p0";
    one.feed = "B";
    one.name = "main";
    one.point = proto::Point::rack_in;
    off.match = "p1";
    off.enabled = false;
    config.buses[0].rules = {all, one, off};
    const std::vector<proto::Sensor> sensors{power_sensor("bus0.p0"), power_sensor("bus0.p1"),
                                             power_sensor("bus0.p2", 2)};
    const BusSensors buses[] = {{&config.buses[0], {}, sensors}};
    const CatalogPlan plan = build_catalog(config, buses);
    REQUIRE(plan.catalog.sensors.size() == 2);
    CHECK(plan.catalog.sensors[0].name == "main");
    CHECK(plan.catalog.sensors[0].feed == "B");
    CHECK(plan.catalog.sensors[0].point == proto::Point::rack_in);
    CHECK(plan.catalog.sensors[0].resolution == 1);
    CHECK(plan.catalog.sensors[1].feed == "A");
    CHECK(plan.catalog.sensors[1].resolution == 2);  // never finer than the hardware
}

TEST_CASE("a configured name that is taken gives way to the driver's") {
    AgentConfig config = config_of(1);
    SensorRule a, b;
    a.match = "p0";
    b.match = "p1";
    a.name = b.name = "main";
    config.buses[0].rules = {a, b};
    const std::vector<proto::Sensor> sensors{power_sensor("bus0.p0"), power_sensor("bus0.p1")};
    const BusSensors buses[] = {{&config.buses[0], {}, sensors}};
    const CatalogPlan plan = build_catalog(config, buses);
    CHECK(plan.catalog.sensors[0].name == "main");
    CHECK(plan.catalog.sensors[1].name == "bus0.p1");
}

TEST_CASE("a place with a mean over a window and an instant has one joule counter, three phases have three") {
    auto instant = power_sensor("p.instant"), mean = power_sensor("p.mean");
    instant.part_of = mean.part_of = "p";
    mean.kind = proto::Kind::average;
    mean.window = 1s;
    CHECK(choose_energy_points(std::vector{instant, mean}) == std::vector<std::uint32_t>{1});
    mean.window = {};  // of unknown length: the instants are better
    CHECK(choose_energy_points(std::vector{instant, mean}) == std::vector<std::uint32_t>{0});
    auto l1 = instant, l2 = instant, l3 = instant;
    CHECK(choose_energy_points(std::vector{l1, l2, l3}) == std::vector<std::uint32_t>{0, 1, 2});
    auto peak = instant;
    peak.kind = proto::Kind::maximum;
    CHECK(choose_energy_points(std::vector{peak}).empty());
}

TEST_CASE("an energy counter belongs to the one power sensor of its place, feeds kept apart") {
    auto power = power_sensor("psu0");
    auto energy = energy_sensor("psu0.energy", "psu0");
    CHECK(accumulator_of(std::vector{power, energy}, 0) == 1u);
    CHECK(choose_energy_points(std::vector{power, energy}) == std::vector<std::uint32_t>{0});
    energy.feed = "B";
    CHECK_FALSE(accumulator_of(std::vector{power, energy}, 0));
    CHECK(choose_energy_points(std::vector{power, energy}) == std::vector<std::uint32_t>{0, 1});
    energy.feed = "";
    auto second = power;  // which of the two would it be?
    CHECK_FALSE(accumulator_of(std::vector{power, second, energy}, 0));
    CHECK(choose_energy_points(std::vector{power, second, energy}) == std::vector<std::uint32_t>{0, 1});
}
