#include "fleet/energy_book.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>

using namespace gwatt;
using namespace gwatt::fleet;

namespace {
PointEnergy::Sample at(int second, std::uint64_t mj, std::uint32_t epoch = 0, std::uint64_t boot = 1,
                       bool watched = false) {
    return {boot, epoch, proto::Monotonic(std::chrono::seconds(second)), watched, {mj, 0, 0, 0, 0}};
}
constexpr double most = 1e6;
}  // namespace

TEST_CASE("energy counts from the first counter seen, where the epoch began before us") {
    PointEnergy point;
    CHECK_FALSE(point.take(at(10, 5'000'000), most));
    CHECK(point.total().measured_mj == 0);
    CHECK_FALSE(point.take(at(12, 5'200'000), most));
    CHECK(point.total().measured_mj == 200'000);
}

TEST_CASE("energy counts from zero, where the boot began while we watched") {
    PointEnergy point;
    point.take(at(10, 500'000, 0, 1, true), most);
    CHECK(point.total().measured_mj == 500'000);
}

TEST_CASE("differences count inside an epoch only, and the next epoch counts from zero") {
    PointEnergy point;
    point.take(at(10, 5'000'000), most);
    point.take(at(11, 5'100'000), most);
    CHECK_FALSE(point.take(at(12, 40'000, 1), most));
    CHECK(point.total().measured_mj == 140'000);
    CHECK_FALSE(point.take(at(13, 140'000, 1), most));
    CHECK(point.total().measured_mj == 240'000);
}

TEST_CASE("a new boot that we did not see begin adds nothing before its first counter") {
    PointEnergy point;
    point.take(at(10, 100'000, 0, 1), most);
    point.take(at(11, 200'000, 0, 1), most);
    point.take(at(500, 700'000, 0, 2), most);
    CHECK(point.total().measured_mj == 100'000);
    point.take(at(501, 800'000, 0, 2), most);
    CHECK(point.total().measured_mj == 200'000);
}

TEST_CASE("a counter that goes back is refused and takes nothing away") {
    PointEnergy point;
    point.take(at(10, 100'000), most);
    point.take(at(11, 300'000), most);
    CHECK(point.take(at(12, 200'000), most) == PointReason::counter_went_back);
    CHECK(point.total().measured_mj == 200'000);
    CHECK_FALSE(point.take(at(13, 400'000), most));
    CHECK(point.total().measured_mj == 300'000);
}

TEST_CASE("more energy than can flow is refused, in one epoch and at the start of the next") {
    PointEnergy point;
    point.take(at(10, 0), 1000);
    CHECK(point.take(at(11, 1'000'000'000), 1000) == PointReason::implausible_power);
    CHECK(point.take(at(12, 1'000'000'000, 1), 1000) == PointReason::implausible_power);
    CHECK(point.take(at(12, UINT64_MAX, 5), 1000) == PointReason::implausible_power);
    CHECK_FALSE(point.take(at(12, 2'000'000), 1000));
    CHECK(point.total().measured_mj == 2'000'000);
}

TEST_CASE("estimated energy stays apart from measured, with its bounds") {
    PointEnergy point;
    auto a = at(10, 100), b = at(20, 200);
    b.counters.estimated_mj = 50, b.counters.estimated_low_mj = 40, b.counters.estimated_high_mj = 70;
    point.take(a, most), point.take(b, most);
    CHECK(point.total() == EnergyTotals{100, 50, 40, 70, 0});
}

TEST_CASE(
    "any order and any duplication of the same counters gives the same total, and any loss inside loses nothing") {
    std::vector<PointEnergy::Sample> samples;
    std::uint64_t mj = 1'000'000;
    for (int s = 0; s < 300; ++s) {
        const std::uint32_t epoch = s < 100 ? 3 : s < 250 ? 4 : 7;
        if (s == 100 || s == 250) mj = 0;
        mj += 100'000 + static_cast<std::uint64_t>(s % 7) * 1000;
        samples.push_back(at(s, mj, epoch));
    }
    PointEnergy reference;
    for (const auto& s : samples) reference.take(s, most);
    for (unsigned seed = 1; seed <= 30; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        std::vector<PointEnergy::Sample> some;
        for (std::size_t i = 0; i < samples.size(); ++i) {
            const bool edge = i == 0 || i == 99 || i == 100 || i == 249 || i == 250 || i == 299;
            if (!edge && random() % 2 == 0) continue;
            some.push_back(samples[i]);
            if (random() % 3 == 0) some.push_back(samples[i]);
        }
        std::shuffle(some.begin(), some.end(), random);
        PointEnergy point;
        for (const auto& s : some) point.take(s, most);
        CHECK(point.total() == reference.total());
    }
}

TEST_CASE("memory of runs stays bounded and their energy is kept") {
    PointEnergy point;
    for (std::uint32_t epoch = 0; epoch < 100; ++epoch) {
        point.take(at(static_cast<int>(epoch) * 10, 100'000, epoch), most);
        point.take(at(static_cast<int>(epoch) * 10 + 5, 200'000, epoch), most);
    }
    CHECK(point.total().measured_mj == 100'000 + 99 * 200'000u);
    CHECK(point.take(at(1, 150'000, 83), most) == PointReason::forgotten_epoch);
}
