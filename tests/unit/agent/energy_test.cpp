#include "agent/energy.hpp"

#include "tests/unit/agent/sensors.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace gwatt;
using namespace gwatt::agent;
using namespace gwatt::test;
using proto::Quality;
using runtime::Duration;
using runtime::Monotonic;

namespace {

const Monotonic t0{Duration(1000s)};

struct Bench {
    explicit Bench(proto::Sensor sensor, Duration period = 1s, Duration gap = 0s) : energy(7, gap) {
        energy.set_catalog(catalog_of({std::move(sensor)}, period));
    }
    void sample(Duration at, double watts, Quality quality = Quality::good) {
        const proto::Reading reading{t0 + at, watts, 0, quality};
        energy.take({&reading, 1});
    }
    proto::Live::Point point() {
        proto::Live::Point out;
        energy.fill(0, out);
        return out;
    }
    Energy energy;
};

}  // namespace

TEST_CASE("samples between which power is linear give the trapezoid, in whole millijoules") {
    Bench bench(power_sensor("p"));
    bench.sample(0s, 100);
    bench.sample(1s, 200);
    bench.sample(1500ms, 200);
    const auto point = bench.point();
    CHECK(point.energy_mj == 150'000 + 100'000);
    CHECK(point.estimated_mj == 0);
    CHECK(point.epoch == 7);
    CHECK(point.as_of == t0 + 1500ms);
    CHECK(point.samples == 3);
    CHECK(point.min == 100);
    CHECK(point.max == 200);
    CHECK(point.mean == doctest::Approx(500.0 / 3));
    CHECK(bench.point().samples == 0);
}

TEST_CASE("one missing sample is bridged as measured, a longer silence is booked apart as estimated, with bounds") {
    auto sensor = power_sensor("p");
    sensor.range_min = 50;
    sensor.range_max = 1000;
    Bench bench(sensor);
    bench.sample(0s, 100);
    bench.sample(2s, 100);
    CHECK(bench.point().energy_mj == 200'000);
    bench.sample(12s, 300);
    const auto point = bench.point();
    CHECK(point.energy_mj == 200'000);
    CHECK(point.estimated_mj == 2'000'000);
    CHECK(point.estimated_low_mj == 500'000);
    CHECK(point.estimated_high_mj == 10'000'000);
    CHECK(bench.energy.counters().gaps == 1);
}

TEST_CASE("without a declared range a gap is bounded by what was seen, which includes both of its ends") {
    Bench bench(power_sensor("p"));
    bench.sample(0s, 400);
    bench.sample(1s, 100);
    bench.sample(11s, 500);
    const auto point = bench.point();
    CHECK(point.estimated_mj == 3'000'000);
    CHECK(point.estimated_low_mj == 1'000'000);
    CHECK(point.estimated_high_mj == 5'000'000);
}

TEST_CASE("a configured gap is longer than two and a half periods or does nothing") {
    Bench patient(power_sensor("p"), 1s, 10s);
    patient.sample(0s, 100);
    patient.sample(10s, 100);
    CHECK(patient.point().energy_mj == 1'000'000);
    Bench hasty(power_sensor("p"), 1s, 1ms);
    hasty.sample(0s, 100);
    hasty.sample(2s, 100);
    CHECK(hasty.point().energy_mj == 200'000);
}

TEST_CASE("readings that are stale, suspect, overflown or without a value are no measurement") {
    for (Quality quality : {Quality::stale, Quality::suspect, Quality::overflow, Quality::timeout, Quality::not_read}) {
        Bench bench(power_sensor("p"));
        bench.sample(0s, 100);
        bench.sample(1s, 9999, quality);
        bench.sample(2s, 100);
        const auto point = bench.point();
        CHECK(point.energy_mj == 200'000);
        CHECK(point.samples == 2);
        CHECK(point.quality == quality);
        CHECK(bench.energy.counters().not_good == 1);
    }
}

TEST_CASE("a long stretch of stale readings is a gap") {
    Bench bench(power_sensor("p"));
    bench.sample(0s, 100);
    for (int i = 1; i < 10; ++i) bench.sample(i * 1s, 100, Quality::stale);
    bench.sample(10s, 100);
    const auto point = bench.point();
    CHECK(point.energy_mj == 0);
    CHECK(point.estimated_mj == 1'000'000);
}

TEST_CASE("duplicates and readings out of order are ignored and counted") {
    Bench bench(power_sensor("p"));
    bench.sample(1s, 100);
    bench.sample(2s, 100);
    bench.sample(2s, 700);
    bench.sample(1s, 700);
    bench.sample(3s, 100);
    const auto point = bench.point();
    CHECK(point.energy_mj == 200'000);
    CHECK(point.samples == 3);
    CHECK(bench.energy.counters().out_of_order == 2);
}

TEST_CASE("power that flows the other way is exported, never subtracted, and a crossing is split where it crosses") {
    Bench bench(power_sensor("p"));
    bench.sample(0s, 100);
    bench.sample(1s, -300);  // crosses zero at 0.25 s
    bench.sample(2s, -300);
    const auto point = bench.point();
    CHECK(point.energy_mj == 12'500);
    CHECK(point.exported_mj == 112'500 + 300'000);
}

TEST_CASE("a device's mean over a window counts mean times window, and only the time between windows is a trapezoid") {
    auto sensor = power_sensor("p");
    sensor.kind = proto::Kind::average;
    sensor.window = 1s;
    Bench tiles(sensor);  // windows meet: a step of the means is no ramp
    tiles.sample(500ms, 100);
    tiles.sample(1500ms, 300);
    tiles.sample(2500ms, 100);
    CHECK(tiles.point().energy_mj == 400'000);
    CHECK(tiles.point().as_of == t0 + 3s);
    Bench apart(sensor, 2s);  // one second of each two is covered
    apart.sample(500ms, 100);
    apart.sample(2500ms, 300);
    CHECK(apart.point().energy_mj == 200'000 + 300'000);
    Bench sliding(sensor, 100ms);  // windows overlap: each sample brings what is new
    for (int i = 0; i <= 100; ++i) sliding.sample(i * 100ms, 250);
    CHECK(sliding.point().energy_mj == 2'500'000);
}

TEST_CASE("millijoules never drift from the exact sum, whatever the power and the intervals") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    std::uniform_real_distribution<double> watts(0, 5000);
    std::uniform_int_distribution<std::int64_t> step(1'000'000, 1'100'000'000);
    Bench bench(power_sensor("p", 0));
    long double exact = 0;
    double last = watts(random);
    Duration at{};
    bench.sample(at, last);
    std::uint64_t before = 0;
    for (int i = 0; i < 300'000; ++i) {
        const Duration more(step(random));
        const double next = watts(random);
        at += more;
        bench.sample(at, next);
        exact += (static_cast<long double>(last) + next) / 2 * static_cast<long double>(more.count()) / 1e6L;
        last = next;
        if (i % 1000 != 0) continue;
        const auto now = bench.point().energy_mj;
        REQUIRE(now >= before);
        before = now;
    }
    const auto difference = static_cast<long double>(bench.point().energy_mj) - exact;
    CHECK(difference <= 0.01L);
    CHECK(difference > -1.01L);
}

TEST_CASE("measured and estimated energy together are the trapezoid over everything, gaps of 19 s among 2 s samples") {
    std::mt19937_64 random(1);
    std::uniform_real_distribution<double> watts(6000, 10000);
    Bench bench(power_sensor("p", 0), 2s);
    long double exact = 0;
    Duration at{};
    double last = 7000;
    bench.sample(at, last);
    for (int i = 1; i < 60; ++i) {
        const Duration more =
            i % 13 == 0 ? Duration(19s) : Duration(2s) + Duration(std::chrono::milliseconds(i * 37 % 90));
        at += more;
        const double next = watts(random);
        bench.sample(at, next);
        exact += (static_cast<long double>(last) + next) / 2 * static_cast<long double>(more.count()) / 1e6L;
        last = next;
    }
    const auto point = bench.point();
    CHECK(point.estimated_mj > 0);
    CHECK(std::abs(static_cast<long double>(point.energy_mj + point.estimated_mj) - exact) < 2.5L);
    CHECK(point.estimated_low_mj <= point.estimated_mj);
    CHECK(point.estimated_high_mj >= point.estimated_mj);
}

TEST_CASE("a point keeps its counter when the catalog changes around it, also while it is away") {
    Energy energy(3, 0s);
    const auto a = power_sensor("a"), b = power_sensor("b");
    energy.set_catalog(catalog_of({a, b}, 1s));
    const auto sample = [&](std::uint32_t sensor, Duration at, double watts) {
        const proto::Reading reading{t0 + at, watts, sensor, Quality::good};
        energy.take({&reading, 1});
    };
    sample(1, 0s, 100);
    sample(1, 1s, 100);
    energy.set_catalog(catalog_of({a}, 1s));
    energy.set_catalog(catalog_of({b, a}, 1s));
    sample(0, 2s, 100);
    proto::Live::Point point;
    energy.fill(0, point);
    CHECK(point.energy_mj == 200'000);
    CHECK(point.epoch == 3);
}

TEST_CASE("another thing under the same name starts a new epoch instead of going on") {
    Energy energy(3, 0s);
    auto sensor = power_sensor("a");
    energy.set_catalog(catalog_of({sensor}, 1s));
    sensor.point = proto::Point::gpu;
    energy.set_catalog(catalog_of({sensor}, 1s));
    proto::Live::Point point;
    energy.fill(0, point);
    CHECK(point.epoch == 4);
    CHECK(point.energy_mj == 0);
}

TEST_CASE("readings of sensors that are not in the catalog, and values that are not numbers, are harmless") {
    Bench bench(power_sensor("p"));
    const proto::Reading stranger{t0, 1, 17, Quality::good};
    bench.energy.take({&stranger, 1});
    bench.sample(0s, 100);
    bench.sample(1s, std::numeric_limits<double>::infinity());
    bench.sample(1s, std::numeric_limits<double>::quiet_NaN());
    bench.sample(2s, 100);
    CHECK(bench.point().energy_mj == 200'000);
}
