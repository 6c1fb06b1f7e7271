#include "agent/energy.hpp"

#include "tests/unit/agent/sensors.hpp"

#include <doctest/doctest.h>

using namespace gwatt;
using namespace gwatt::agent;
using namespace gwatt::test;
using proto::Quality;
using runtime::Duration;
using runtime::Monotonic;

namespace {

const Monotonic t0{Duration(1000s)};

// Sensor 0: power of psu0 with a plausible range up to 1000 W. Sensor 1: the energy counter of the same place.
struct Bench {
    explicit Bench(double wraps_at = 0, double most_watts = 1000) : energy(1, 0s) {
        auto power = power_sensor("psu0");
        power.range_max = most_watts;
        energy.set_catalog(catalog_of({power, energy_sensor("psu0.energy", "psu0", wraps_at)}, 1s));
    }
    void give(std::uint32_t sensor, Duration at, double value, Quality quality = Quality::good) {
        const proto::Reading reading{t0 + at, value, sensor, quality};
        energy.take({&reading, 1});
    }
    void power(Duration at, double watts) { give(0, at, watts); }
    void counter(Duration at, double joules, Quality quality = Quality::good) { give(1, at, joules, quality); }
    proto::Live::Point point() {
        proto::Live::Point out;
        energy.fill(0, out);
        return out;
    }
    Energy energy;
};

}  // namespace

TEST_CASE("the device's energy counter is believed before the power samples beside it") {
    Bench bench;
    REQUIRE(bench.energy.size() == 1);
    for (int i = 0; i <= 10; ++i) {
        bench.power(i * 1s, 100);
        bench.counter(i * 1s, 5000 + i * 110);
    }
    const auto point = bench.point();
    CHECK(point.energy_mj == 1'100'000);
    CHECK(point.mean == 100);
    CHECK(point.samples == 11);
    CHECK(point.as_of == t0 + 10s);
}

TEST_CASE("a counter measures through a gap in which nobody read it") {
    Bench bench;
    bench.power(0s, 100);
    bench.counter(0s, 0);
    bench.power(60s, 900);
    bench.counter(60s, 7777);
    const auto point = bench.point();
    CHECK(point.energy_mj == 7'777'000);
    CHECK(point.estimated_mj == 0);
}

TEST_CASE("a wrap at the declared value is one, a return to zero that is not is a reset") {
    Bench wraps(65536);
    wraps.power(0s, 500);
    wraps.counter(0s, 65000);
    wraps.power(1s, 500);
    wraps.counter(1s, 65500);
    wraps.power(2s, 500);
    wraps.counter(2s, 464);
    CHECK(wraps.point().energy_mj == 1'000'000);
    CHECK(wraps.energy.counters().wraps == 1);
    Bench resets(65536);
    resets.power(0s, 500);
    resets.counter(0s, 20000);
    resets.power(1s, 500);
    resets.counter(1s, 20500);
    resets.power(2s, 500);
    resets.counter(2s, 10);  // 45,046 J in a second cannot be
    resets.power(3s, 500);
    resets.counter(3s, 510);
    CHECK(resets.energy.counters().resets == 1);
    CHECK(resets.energy.counters().wraps == 0);
    CHECK(resets.point().energy_mj == 1'500'000);  // the second in between from the power samples
}

TEST_CASE("a counter that jumps more than the power can explain is a reset, and its jump is not energy") {
    Bench bench;
    bench.power(0s, 500);
    bench.counter(0s, 100);
    bench.power(1s, 500);
    bench.counter(1s, 1e12);
    bench.power(2s, 500);
    bench.counter(2s, 1e12 + 500);
    CHECK(bench.point().energy_mj == 1'000'000);
    CHECK(bench.energy.counters().resets == 1);
}

TEST_CASE("a restart that the driver reports is a reset, even where the numbers look like progress") {
    Bench bench;
    bench.power(0s, 500);
    bench.counter(0s, 100);
    bench.power(1s, 500);
    bench.counter(1s, 300, Quality::restarted);
    CHECK(bench.point().energy_mj == 500'000);
    CHECK(bench.energy.counters().resets == 1);
}

TEST_CASE("so long without a reading that the counter may have wrapped twice: the samples are taken") {
    Bench bench(65536);
    bench.counter(0s, 0);
    for (int i = 0; i <= 100; ++i) bench.power(i * 1s, 400);
    bench.counter(100s, 40000);  // up to 125 kJ could have flowed
    CHECK(bench.energy.counters().resets <= 1);
    CHECK(bench.point().energy_mj == 40'000'000);
}

TEST_CASE("when the counter falls silent the power samples take over, and nothing is counted twice when it returns") {
    Bench bench;
    for (int i = 0; i <= 300; ++i) {
        bench.power(i * 1s, 100);
        if (i <= 10 || i >= 200) bench.counter(i * 1s, i * 100);
    }
    CHECK(bench.point().energy_mj == 30'000'000);
}

TEST_CASE("an energy counter without power beside it stands for itself, and gives its mean power") {
    Energy energy(1, 0s);
    energy.set_catalog(catalog_of({energy_sensor("meter.energy", "meter")}, 10s));
    REQUIRE(energy.size() == 1);
    for (int i = 0; i < 3; ++i) {
        const proto::Reading reading{t0 + i * 10s, i * 2500.0, 0, Quality::good};
        energy.take({&reading, 1});
    }
    const proto::Reading restarted{t0 + 30s, 0, 0, Quality::good};  // back to zero
    energy.take({&restarted, 1});
    proto::Live::Point point;
    energy.fill(0, point);
    CHECK(point.energy_mj == 5'000'000);
    CHECK(point.mean == 250);
    CHECK(point.estimated_mj == 2'500'000);  // the last known rate, as a guess
    CHECK(point.estimated_high_mj >= point.estimated_mj);
}
