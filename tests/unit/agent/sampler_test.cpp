#include "agent/sampler.hpp"

#include "agent/tasks.hpp"
#include "tests/support/fake_bus.hpp"
#include "tests/support/virtual_clock.hpp"
#include "tests/unit/agent/sensors.hpp"

#include <doctest/doctest.h>

#include <deque>

using namespace gwatt;
using namespace gwatt::agent;
using namespace gwatt::test;
using proto::Quality;

namespace {

struct Taken {
    runtime::Monotonic grid, at;
    bool realigned;
    std::vector<proto::Reading> readings;
};

struct Bench {
    explicit Bench(std::size_t buses = 1) : clock(loop), tasks(loop) {
        config.site = "s";
        config.name = "a";
        for (std::size_t i = 0; i < buses; ++i) config.buses.emplace_back().host.name = "bus" + std::to_string(i);
        roster.emplace(loop, clock, config, [this](const proto::Catalog&) { ++catalogs; });
        taken.resize(buses);
        for (std::size_t i = 0; i < buses; ++i) {
            bus.emplace_back(loop, clock, config.buses[i].host.name,
                             [](std::uint32_t s, runtime::Monotonic) { return 10.0 * s; });
            roster->add(bus[i], &config.buses[i]);
            samplers.emplace_back(clock, bus[i], *roster, i, [this, i](const Scan& scan) {
                taken[i].push_back(
                    {scan.grid, clock.now(), scan.realigned, {scan.readings.begin(), scan.readings.end()}});
            });
            tasks.spawn("sampler", samplers[i].run());
        }
        tasks.spawn("roster", roster->run());
    }
    ~Bench() {
        tasks.cancel();
        clock.settle();
    }
    void open(std::size_t i, std::vector<proto::Sensor> sensors) {
        bus[i].open(std::move(sensors));
        clock.advance(1s);  // the roster settles, the first point comes
    }
    std::size_t count(std::size_t i, Quality quality) const {
        std::size_t n = 0;
        for (const Taken& t : taken[i])
            for (const proto::Reading& r : t.readings) n += r.quality == quality;
        return n;
    }

    boost::asio::io_context loop;
    VirtualClock clock;
    AgentConfig config;
    std::size_t catalogs = 0;
    std::optional<Roster> roster;
    std::deque<FakeBus> bus;
    std::deque<Sampler> samplers;
    std::vector<std::vector<Taken>> taken;
    Tasks tasks;
};

}  // namespace

TEST_CASE("a bus without sensors is not read; once it has some, it is read at whole seconds of UTC") {
    Bench bench;
    bench.clock.advance(10s);
    CHECK(bench.bus[0].asked.empty());
    bench.open(0, {power_sensor("bus0.p")});
    bench.clock.advance(10s);
    CHECK(bench.bus[0].asked.size() >= 10);
    for (const auto& taken : bench.taken[0]) CHECK(taken.grid.time_since_epoch() % 1s == 0s);
}

TEST_CASE("every wanted sensor has a reading for every point, whatever the bus does") {
    Bench bench;
    bench.open(0, {power_sensor("bus0.a"), power_sensor("bus0.b")});
    bench.bus[0].left_out = 1;
    bench.clock.advance(3s);
    bench.bus[0].left_out = ~0u;
    bench.bus[0].failure = Quality::garbled;
    bench.clock.advance(3s);
    bench.bus[0].failure = Quality::good;
    bench.bus[0].hang = true;
    bench.clock.advance(3s);
    for (const auto& taken : bench.taken[0]) {
        REQUIRE(taken.readings.size() == 2);
        CHECK(taken.readings[0].sensor + taken.readings[1].sensor == 1);
    }
    CHECK(bench.count(0, Quality::not_read) == 3);
    CHECK(bench.count(0, Quality::garbled) == 6);
    CHECK(bench.count(0, Quality::timeout) >= 4);
    CHECK(bench.samplers[0].counters().no_value == 3 + 6 + bench.count(0, Quality::timeout));
}

TEST_CASE("a read ends before the next point, and a bus that hangs is asked again at each point") {
    Bench bench;
    bench.open(0, {power_sensor("bus0.p")});
    bench.bus[0].hang = true;
    const std::size_t before = bench.bus[0].asked.size();
    bench.clock.advance(20s);
    CHECK(bench.bus[0].asked.size() == before + 20);
    for (const auto& taken : bench.taken[0]) CHECK(taken.at - taken.grid < 1s);
    CHECK(bench.samplers[0].counters().skipped_points == 0);
}

TEST_CASE("a slow bus delays no other: the other's reads start at their points to the nanosecond") {
    Bench bench(2);
    bench.bus[0].delay = 930ms;
    bench.open(0, {power_sensor("bus0.p")});
    bench.open(1, {power_sensor("bus1.p")});
    bench.clock.advance(60s);
    for (const auto asked : bench.bus[1].asked) CHECK(asked.time_since_epoch() % 1s == 0s);
    CHECK(bench.samplers[1].lateness().most() == 0s);
    CHECK(bench.taken[1].size() >= 60);
    CHECK(bench.taken[0].size() >= 60);
}

TEST_CASE("sensors of several periods are read in one go where their points meet") {
    Bench bench;
    auto slow = power_sensor("bus0.t");
    slow.quantity = proto::Quantity::temperature;
    bench.open(0, {power_sensor("bus0.p"), slow});
    bench.clock.advance(60s);
    std::size_t both = 0;
    for (const auto& taken : bench.taken[0]) {
        const bool tenth = taken.grid.time_since_epoch() % 10s == 0s;
        CHECK(taken.readings.size() == (tenth ? 2 : 1));
        both += tenth;
    }
    CHECK(both == 6);
    CHECK(bench.bus[0].asked.size() == bench.taken[0].size());
}

TEST_CASE("values outside the plausible range are marked and kept, values that are no numbers are faults") {
    Bench bench;
    auto sensor = power_sensor("bus0.p");
    sensor.range_max = 5;
    sensor.range_min = -5;
    auto fine = sensor;
    fine.name = "bus0.q";
    fine.range_max = 1000;
    bench.open(0, {fine, sensor});  // sensor 1 reads 10 W
    CHECK(bench.count(0, Quality::suspect) == bench.taken[0].size());
    CHECK(bench.taken[0].back().readings[1].value == 10);
    CHECK(bench.count(0, Quality::good) == bench.taken[0].size());
    CHECK(bench.samplers[0].counters().suspect == bench.taken[0].size());
}

TEST_CASE("points that pass while the loop stands still come as readings that were not read") {
    Bench bench;
    bench.open(0, {power_sensor("bus0.p")});
    bench.clock.advance(3s);
    const std::size_t before = bench.taken[0].size();
    bench.clock.stall(4400ms);
    bench.clock.advance(2s);
    CHECK(bench.samplers[0].counters().skipped_points == 4);
    CHECK(bench.count(0, Quality::not_read) == 4);
    CHECK(bench.taken[0].size() >= before + 5);
    for (std::size_t i = 1; i < bench.taken[0].size(); ++i)
        CHECK(bench.taken[0][i].grid - bench.taken[0][i - 1].grid == 1s);
}

TEST_CASE("a new list of sensors makes a new catalog, and no reading of the old list is taken for one of the new") {
    Bench bench;
    bench.open(0, {power_sensor("bus0.a"), power_sensor("bus0.b")});
    bench.clock.advance(5s);
    CHECK(bench.catalogs == 1);
    bench.open(0, {power_sensor("bus0.b")});
    bench.clock.advance(5s);
    CHECK(bench.catalogs == 2);
    CHECK(bench.roster->catalog().sensors.size() == 1);
    CHECK(bench.taken[0].back().readings.size() == 1);
    bench.open(0, {power_sensor("bus0.b")});  // the same list again is no news
    bench.clock.advance(5s);
    CHECK(bench.catalogs == 2);
    CHECK(bench.taken[0].back().at > bench.clock.now() - 2s);
}

TEST_CASE("a bus whose sensors are all switched off is left alone") {
    Bench bench;
    SensorRule off;
    off.match = "*";
    off.enabled = false;
    bench.config.buses[0].rules.push_back(off);
    bench.open(0, {power_sensor("bus0.a")});
    bench.clock.advance(5s);
    CHECK(bench.bus[0].asked.empty());
}
