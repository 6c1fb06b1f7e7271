#include "agent/self_device.hpp"

#include "agent/self_device_list.hpp"
#include "tests/unit/agent/house.hpp"

#include <doctest/doctest.h>

using namespace gwatt;
using namespace gwatt::agent;
using namespace gwatt::test;

namespace {

double value_of(const runtime::Counters& counters, std::string_view name, std::string_view label = {}) {
    double sum = 0;
    bool found = false;
    for (const auto& entry : counters.all())
        if (entry.name == name && (label.empty() || (!entry.labels.empty() && entry.labels[0].second == label))) {
            sum += static_cast<double>(*entry.value);
            found = true;
        }
    REQUIRE_MESSAGE(found, name);
    return sum;
}

}  // namespace

TEST_CASE("a counter's sensor is named after its labels and its name without the prefix") {
    const std::uint64_t value = 0;
    using Kind = runtime::Counters::Kind;
    CHECK(self_sensor_name({Kind::counter, "gwatt_agent_bus_timeouts_total", {{"bus", "shelf_a"}}, "", &value}) ==
          "agent.shelf_a.bus_timeouts_total");
    CHECK(self_sensor_name({Kind::gauge, "gwatt_agent_spool_bytes", {}, "", &value}) == "agent.spool_bytes");
    CHECK(self_sensor_name({Kind::gauge, "gwatt_mqtt_up", {}, "", &value}) == "agent.mqtt_up");
}

TEST_CASE("the agent's own counters are a device like any other, and the books in them balance through an outage") {
    House house;
    runtime::Counters counters;
    CounterList list(counters, house.clock);
    list.add("bus0", *house.bus[0]);
    list.add("bus0", *house.samplers[0]);
    list.add(house.energy);
    list.add(house.batcher);
    list.add(house.spool);
    list.add(house.publisher);
    SelfDevice self(house.loop, house.clock, counters, [&] { list.refresh(); });
    REQUIRE(self.sensors().size() == counters.all().size());
    house.roster.add(self, nullptr, 60s);
    Sampler own(house.clock, self, house.roster, 1, [&](const Scan& scan) {
        house.energy.take(scan.readings);
        house.batcher.take(scan);
    });
    house.reading.spawn("own", own.run());
    house.open(0, 3);
    house.clock.advance(200s);
    house.broker.set({.down = true});
    house.clock.advance(200s);
    house.broker.set({});
    house.clock.advance(200s);
    list.refresh();
    CHECK(value_of(counters, "gwatt_agent_readings_total") > 1700);
    CHECK(value_of(counters, "gwatt_agent_readings_total") ==
          value_of(counters, "gwatt_agent_samples_delivered_total") +
              value_of(counters, "gwatt_agent_samples_dropped_total") +
              value_of(counters, "gwatt_agent_spool_samples") + value_of(counters, "gwatt_agent_open_samples"));
    CHECK(value_of(counters, "gwatt_agent_bus_reads_total", "bus0") ==
          value_of(counters, "gwatt_agent_sampler_reads_total", "bus0"));
    const proto::Catalog& catalog = house.listener.catalogs.rbegin()->second;
    const auto& last = *std::find_if(house.listener.catalogs.begin(), house.listener.catalogs.end(),
                                     [](const auto& c) { return c.second.groups.size() == 2; });
    CHECK(last.second.groups[1].period == 60s);
    CHECK(last.second.groups[1].count == counters.all().size());
    CHECK(last.second.energy_points.size() == 3);
    CHECK(catalog.sensors.size() >= counters.all().size());
    bool seen = false;
    for (const auto& [sequence, data] : house.listener.datas) seen = seen || data.period == 60s;
    CHECK(seen);
}
