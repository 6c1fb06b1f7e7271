#include "fleet/rack_curve.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>

using namespace gwatt::fleet;

namespace {
constexpr std::int64_t start = 1'700'000'000;

// At `seconds` after the start, with a counter of so many millijoules.
CurveSample sample(double seconds, std::int64_t mj, float watts = 100, std::uint32_t run = 1) {
    CurveSample s;
    s.time_ns = start * second_ns + std::llround(seconds * 1e9);
    s.start_ns = s.time_ns - second_ns;
    s.cuts[0] = {mj, 0, run, watts};
    s.present = s.whole = s.powered = 1;
    return s;
}
}  // namespace

TEST_CASE("the energy of seconds is the difference of the counters, to the millijoule") {
    RackCurve curve(100);
    RackCurve::Cursor cursor;
    std::int64_t mj = 0;
    for (int s = 0; s <= 30; ++s) curve.insert(sample(s + 0.37, mj += 100'003 + s));
    curve.second(start, cursor, {});
    std::int64_t sum = 0;
    for (int s = 1; s < 30; ++s) {
        const auto e = curve.second(start + s, cursor, {});
        CHECK(e.known_ns == second_ns);
        CHECK(e.measured_mj == doctest::Approx(100'003 + s).epsilon(0.001));
        sum += e.measured_mj;
    }
    // From 1 s to 30 s: the differences between, and the shares of the first and the last pair.
    double expected = 0;
    for (int s = 1; s <= 30; ++s) expected += (100'003 + s) * (s == 1 ? 0.37 : s == 30 ? 0.63 : 1.0);
    CHECK(std::fabs(static_cast<double>(sum) - expected) <= 2);
}

TEST_CASE("lost messages move no energy out of the span between their neighbours") {
    RackCurve curve(100);
    RackCurve::Cursor cursor;
    curve.insert(sample(0.5, 1000));
    curve.insert(sample(1.5, 101'000));
    curve.insert(sample(9.5, 901'000));
    curve.insert(sample(10.5, 1'001'000));
    std::int64_t sum = 0;
    for (int s = 1; s < 10; ++s) {
        const auto e = curve.second(start + s, cursor, {});
        CHECK(e.known_ns == second_ns);
        sum += e.measured_mj;
    }
    CHECK(sum == 900'000);
}

TEST_CASE("any order of the samples gives the same bits") {
    std::vector<CurveSample> samples;
    std::mt19937 random(1);
    std::int64_t mj = 0;
    for (int s = 0; s < 60; ++s) {
        mj += 50'000 + static_cast<std::int64_t>(random() % 1000);
        if (random() % 4 != 0) samples.push_back(sample(s + 0.1 + 0.001 * (random() % 700), mj));
    }
    std::vector<SecondEnergy> reference;
    for (unsigned seed = 0; seed < 20; ++seed) {
        std::shuffle(samples.begin(), samples.end(), std::mt19937(seed));
        RackCurve curve(100);
        RackCurve::Cursor cursor;
        for (const auto& s : samples) curve.insert(s), curve.insert(s);
        for (int s = 0; s < 60; ++s) {
            const auto e = curve.second(start + s, cursor, {});
            if (seed == 0) reference.push_back(e);
            CHECK(e.measured_mj == reference[static_cast<std::size_t>(s)].measured_mj);
            CHECK(e.held_mj == reference[static_cast<std::size_t>(s)].held_mj);
        }
    }
}

TEST_CASE("a silent rack holds its last power for the hold time and no longer") {
    RackCurve curve(100);
    RackCurve::Cursor cursor;
    curve.insert(sample(0, 0));
    curve.insert(sample(1, 100'000));
    CHECK(curve.second(start, cursor, {}).measured_mj == 100'000);
    std::int64_t held = 0;
    for (int s = 1; s < 60; ++s) {
        const auto e = curve.second(start + s, cursor, {});
        CHECK(e.measured_mj == 0);
        CHECK(e.known_ns + e.held_ns + e.unknown_ns() == second_ns);
        held += e.held_mj;
    }
    CHECK(held == 30 * 100'000);
}

TEST_CASE("where counters start anew, the message's own mean stands for its own interval") {
    RackCurve curve(100);
    RackCurve::Cursor cursor;
    curve.insert(sample(1, 100'000));
    curve.insert(sample(2, 200'000));
    curve.insert(sample(3, 7'000, 100, 2));  // another epoch
    curve.insert(sample(4, 107'000, 100, 2));
    std::int64_t sum = 0;
    for (int s = 1; s < 4; ++s) sum += curve.second(start + s, cursor, {}).measured_mj;
    CHECK(sum == 300'000);
}

TEST_CASE("when the best meter falls silent the next cut takes over") {
    RackCurve curve(100);
    RackCurve::Cursor cursor;
    for (int s = 0; s <= 10; ++s) {
        auto one = sample(s, s < 5 ? s * 100'000 : 400'000);
        one.cuts[1] = {s * 98'000, 0, 9, 98};
        one.present = 3;
        one.powered = 3;
        one.whole = s < 5 ? 3 : 2;
        curve.insert(one);
    }
    CHECK(curve.second(start + 2, cursor, {}).measured_mj == 100'000);
    CHECK(curve.second(start + 7, cursor, {}).measured_mj == 98'000);
}

TEST_CASE("a difference that no rack can draw is no energy, and one that goes back is none either") {
    RackCurve curve(100);
    RackCurve::Cursor cursor;
    curve.insert(sample(0, 0));
    curve.insert(sample(1, std::int64_t{1} << 60));
    curve.insert(sample(2, (std::int64_t{1} << 60) + 100'000));
    CHECK(curve.second(start, cursor, {}).measured_mj == 100'000);  // its own mean
    CHECK(curve.second(start + 1, cursor, {}).measured_mj == 100'000);
}
