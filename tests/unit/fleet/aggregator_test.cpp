#include "model_rack.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace gwatt;
using namespace gwatt::fleet;
using namespace gwatt::test;
using proto::Point;

namespace {
constexpr double silent = std::numeric_limits<double>::quiet_NaN();

ModelRack rack_of(const std::string& agent, double watts) {
    return ModelRack("s1", agent, {power_sensor("in", Point::rack_in)}, [watts](std::size_t, double) { return watts; });
}

RackConfig expected(const std::string& agent, double rating = 0) {
    RackConfig config;
    config.site = "s1";
    config.agent = config.rack = agent;
    config.hall = "h1";
    config.row = "w1";
    config.rating_watts = rating;
    return config;
}

std::uint32_t count(const Total& total, State state) { return total.racks_in[static_cast<std::size_t>(state)]; }

// Seconds [from, to) of every rack, each message on time.
void play(ModelFleet& fleet, std::vector<ModelRack>& racks, int from, int to) {
    for (int s = from; s < to; ++s)
        for (auto& rack : racks) fleet.take(rack.live_message(s), s + 1);
}

std::vector<ModelRack> three(ModelFleet& fleet) {
    std::vector<ModelRack> racks;
    racks.reserve(3);
    for (int i = 0; i < 3; ++i) {
        const auto name = "r" + std::to_string(i);
        fleet.expect(expected(name));
        racks.push_back(rack_of(name, 1000 * (i + 1)));
        fleet.take(racks.back().catalog_message(), 0);
    }
    return racks;
}
}  // namespace

TEST_CASE("every scope's total is the sum of its racks, with interval and coverage") {
    ModelFleet fleet;
    auto racks = three(fleet);
    play(fleet, racks, 0, 10);
    for (const auto* scope : {"fleet", "site/s1", "site/s1/hall/h1", "site/s1/hall/h1/row/w1"}) {
        const auto& total = fleet.total(10.2, scope);
        CAPTURE(scope);
        CHECK(total.watts == doctest::Approx(6000));
        CHECK(total.racks == 3);
        CHECK(count(total, State::measured) == 3);
        CHECK(total.points_measured == 3);
        // 1 % of one model: rectangular, linear, times 2.
        CHECK(total.high - total.watts == doctest::Approx(2 * 60 / std::sqrt(3.0)).epsilon(0.001));
        CHECK(total.clock_bound == std::chrono::milliseconds(2));
        CHECK(total.measured_joules == doctest::Approx(60'000));
        CHECK(total.estimated_joules == 0);
    }
    CHECK(fleet.total(10.2, "site/s1/hall/h1/row/w1/rack/r2").watts == doctest::Approx(3000));
}

TEST_CASE("a silent rack is held, then estimated from its peers, shown apart, and never zero") {
    ModelFleet fleet;
    auto racks = three(fleet);
    play(fleet, racks, 0, 10);
    racks.pop_back();
    play(fleet, racks, 10, 20);
    const auto held = fleet.total(20.1);
    CHECK(count(held, State::measured) == 2);
    CHECK(count(held, State::held) == 1);
    CHECK(held.watts == doctest::Approx(6000));
    play(fleet, racks, 20, 60);
    const auto estimated = fleet.total(60.1);
    CHECK(count(estimated, State::estimated) == 1);
    CHECK(estimated.watts == doctest::Approx(3000 + 1500));
    CHECK(estimated.watts_in[static_cast<std::size_t>(State::estimated)] == doctest::Approx(1500));
    CHECK(estimated.high - estimated.low > held.high - held.low);
}

TEST_CASE("a rack that never spoke counts as expected; without peers it is missing and opens the interval upwards") {
    ModelFleet fleet;
    fleet.expect(expected("r0", 9000));
    const auto missing = fleet.total(5);
    CHECK(missing.racks == 1);
    CHECK(count(missing, State::missing) == 1);
    CHECK(missing.watts == 0);
    CHECK(missing.high == 9000);
    CHECK(missing.watts_in[static_cast<std::size_t>(State::missing)] == 9000);
    fleet.expect(expected("r1"));
    ModelFleet unknown;
    unknown.expect(expected("r1"));
    CHECK(std::isinf(unknown.total(5).high));
}

TEST_CASE("estimates follow ratings, and the site file's own estimate is used where there are no peers") {
    ModelFleet fleet;
    fleet.expect(expected("r0", 2000));
    fleet.expect(expected("big", 4000));
    auto lonely = expected("lonely");
    lonely.peers = "other";
    lonely.estimated_watts = 700;
    fleet.expect(lonely);
    std::vector<ModelRack> racks;
    racks.push_back(rack_of("r0", 1000));
    fleet.take(racks[0].catalog_message(), 0);
    play(fleet, racks, 0, 5);
    CHECK(fleet.total(5.1).watts == doctest::Approx(1000 + 2000 + 700));
    CHECK(count(fleet.total(5.1), State::estimated) == 2);
}

TEST_CASE("a lost controller is said to be lost until it is heard again, and an old will changes nothing") {
    ModelFleet fleet;
    auto racks = three(fleet);
    play(fleet, racks, 0, 5);
    const auto will = racks[0].status_message(proto::Presence::controller_lost);
    fleet.take(will, 5);
    CHECK(fleet.total(5.1).controllers_lost == 1);
    CHECK(count(fleet.total(5.1), State::measured) == 3);  // its last reading is still fresh
    play(fleet, racks, 5, 6);
    CHECK(fleet.total(6.1).controllers_lost == 0);
    racks[0].new_boot();
    play(fleet, racks, 6, 8);
    fleet.take(will, 8);
    CHECK(fleet.total(8.1).controllers_lost == 0);
}

TEST_CASE("AC and DC of the same nodes published together: the total is AC alone") {
    ModelFleet fleet;
    std::vector<ModelRack> racks;
    racks.emplace_back("s1", "n1", std::vector{power_sensor("ac", Point::rack_in), power_sensor("dc", Point::psu_out)},
                       [](std::size_t point, double) { return point == 0 ? 1015.4 : 1000.0; });
    fleet.take(racks[0].catalog_message(), 0);
    play(fleet, racks, 0, 20);
    const auto& total = fleet.total(20.1);
    CHECK(total.watts == doctest::Approx(1015.4));
    CHECK(total.measured_joules == doctest::Approx(20 * 1015.4));
    CHECK(total.racks_by[static_cast<std::size_t>(CutLevel::rack_in)] == 1);
}

TEST_CASE("where only PSU outputs are measured the loss model is applied, widens the interval and is named") {
    ModelFleet fleet;
    std::vector<ModelRack> racks;
    racks.emplace_back("s1", "n1", std::vector{power_sensor("dc", Point::psu_out)},
                       [](std::size_t, double) { return 940.0; });
    fleet.take(racks[0].catalog_message(), 0);
    play(fleet, racks, 0, 10);
    const auto& total = fleet.total(10.1);
    CHECK(total.watts == doctest::Approx(1000));
    CHECK(total.measured_joules == doctest::Approx(10'000));
    CHECK(total.racks_by[static_cast<std::size_t>(CutLevel::model)] == 1);
    CHECK(total.high - total.watts > 2 * 1000 * (0.03 / 0.94) / std::sqrt(3.0));
}

TEST_CASE("when the rack meter falls silent its PSUs carry the total, and energy goes on without a jump") {
    ModelFleet fleet;
    std::vector<ModelRack> racks;
    racks.emplace_back("s1", "n1",
                       std::vector{power_sensor("in", Point::rack_in), power_sensor("p.a", Point::psu_in, "p0", "A"),
                                   power_sensor("p.b", Point::psu_in, "p1", "B")},
                       [](std::size_t point, double s) { return point == 0 ? (s < 20 ? 1000.0 : silent) : 495.0; });
    fleet.take(racks[0].catalog_message(), 0);
    play(fleet, racks, 0, 30);
    CHECK(fleet.total(30.1).watts == doctest::Approx(990));
    CHECK(fleet.total(30.1).racks_by[static_cast<std::size_t>(CutLevel::psu_in)] == 1);
    double before = fleet.total(30.1).measured_joules;
    for (int s = 30; s < 300; ++s) {
        play(fleet, racks, s, s + 1);
        const double now = fleet.total(s + 1.1).measured_joules;
        CHECK(now >= before);
        CHECK(now - before < 2000);
        before = now;
    }
    // 20 s by the rack meter, about a minute lost before the PSUs are trusted, the rest by the PSUs.
    CHECK(before == doctest::Approx(20'000 + 219 * 990.0).epsilon(0.01));
}

TEST_CASE("half of all messages dropped, the rest duplicated and out of order: the energy is the same") {
    for (unsigned seed = 1; seed <= 10; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        ModelFleet fleet;
        auto rack = ModelRack("s1", "r0", {power_sensor("in", Point::rack_in)},
                              [](std::size_t, double s) { return 1000 + 500 * std::sin(s / 3); });
        fleet.take(rack.catalog_message(), 0);
        double truth = 0;
        std::vector<std::pair<double, Wire>> messages;
        for (int s = 0; s < 600; ++s) {
            truth += 1000 + 500 * std::sin(s / 3.0);
            const auto wire = rack.live_message(s);
            if (s != 599 && random() % 2 == 0) continue;
            for (unsigned copies = 1 + random() % 2; copies > 0; --copies)
                messages.emplace_back(s + 1 + random() % 20, wire);
        }
        std::stable_sort(messages.begin(), messages.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        for (const auto& [at, wire] : messages) fleet.take(wire, at);
        CHECK(fleet.total(640).measured_joules == doctest::Approx(truth).epsilon(1e-6));
        CHECK(fleet.books.balanced());
    }
}

TEST_CASE(
    "final windows are bit-identical whatever the order and number of the messages, provisional ones come first") {
    AggregatorOptions options;
    options.windows.final_after = std::chrono::minutes(2);
    std::vector<Window> reference;
    for (unsigned seed = 0; seed < 8; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        ModelFleet fleet(options);
        std::vector<std::pair<double, Wire>> messages;
        for (int i = 0; i < 4; ++i) {
            const auto name = "r" + std::to_string(i);
            fleet.expect(expected(name, 2000));
            auto rack = ModelRack("s1", name, {power_sensor("in", Point::rack_in)},
                                  [i](std::size_t, double s) { return 1000 + 300 * std::sin(s / (2 + i)); });
            fleet.take(rack.catalog_message(), 0);
            for (int s = 0; s < 960; ++s) {
                if (i == 3 && s > 300 && s < 420) {
                    rack.live_message(s);
                    continue;
                }  // silent for two minutes
                const auto wire = rack.live_message(s);
                if ((s * 7 + i) % 13 == 0) continue;  // lost, the same ones in each run
                messages.emplace_back(s + 1 + (seed == 0 ? 0 : random() % 58), wire);
                if (seed != 0 && random() % 4 == 0) messages.emplace_back(s + 1 + random() % 58, wire);
            }
        }
        std::stable_sort(messages.begin(), messages.end(),
                         [](const auto& a, const auto& b) { return a.first < b.first; });
        for (const auto& [at, wire] : messages) fleet.take(wire, at);
        fleet.report(1100);

        std::vector<Window> finals;
        for (const auto& w : fleet.windows)
            if (w.final) finals.push_back(w);
        REQUIRE(finals.size() == 16 + 1);  // minutes and a quarter of an hour
        if (seed == 0) reference = finals;
        for (std::size_t i = 0; i < finals.size(); ++i) {
            CHECK(finals[i].start == reference[i].start);
            CHECK(finals[i].sums == reference[i].sums);
        }
    }
    const auto& minute = reference[1].sums[0];
    CHECK(minute.seconds == 60);
    CHECK(minute.rack_seconds[static_cast<std::size_t>(State::measured)] == 240);
    const double truth = [] {
        double sum = 0;
        for (int i = 0; i < 4; ++i)
            for (int s = 60; s < 120; ++s) sum += 1000 + 300 * std::sin(s / (2.0 + i));
        return sum;
    }();
    CHECK(static_cast<double>(minute.sum()) / 1e3 == doctest::Approx(truth).epsilon(0.001));
    CHECK(minute.least_mj < minute.most_mj);
}

TEST_CASE("the windows of a quarter of an hour add up to the millijoule from their minutes") {
    ModelFleet fleet;
    auto racks = three(fleet);
    play(fleet, racks, 0, 1200);
    fleet.report(1200);
    std::int64_t minutes = 0, quarter = 0;
    for (const auto& w : fleet.windows) {
        if (!w.final || w.start >= day_one + 900) continue;
        (w.size == WindowSize::minute ? minutes : quarter) += w.sums[0].sum();
    }
    CHECK(quarter == minutes);
    CHECK(quarter == std::int64_t{900} * 6'000'000);
}

TEST_CASE("a rack that returns with its counters brings the energy of its silence, and the estimate is taken back") {
    ModelFleet fleet;
    auto racks = three(fleet);
    play(fleet, racks, 0, 100);
    for (int s = 100; s < 500; ++s) {
        for (int i = 0; i < 3; ++i) {
            const auto wire = racks[static_cast<std::size_t>(i)].live_message(s);
            if (i != 0) fleet.take(wire, s + 1);
        }
    }
    const auto silence = fleet.total(500.1, "site/s1/hall/h1/row/w1/rack/r0");
    CHECK(silence.measured_joules == doctest::Approx(100'000));
    CHECK(silence.unsettled_joules > 0);
    play(fleet, racks, 500, 510);
    const auto back = fleet.total(510.1, "site/s1/hall/h1/row/w1/rack/r0");
    CHECK(back.measured_joules == doctest::Approx(510'000));
    CHECK(back.unsettled_joules == 0);
    CHECK(back.estimated_joules == 0);
}

TEST_CASE("the time between two starts of an agent stays estimated, apart from what is measured") {
    ModelFleet fleet;
    auto racks = three(fleet);
    play(fleet, racks, 0, 100);
    std::vector<ModelRack> others;
    others.push_back(std::move(racks[1]));
    play(fleet, others, 100, 300);
    racks[0].new_boot();
    for (int s = 300; s < 600; ++s) {
        fleet.take(racks[0].live_message(s), s + 1);
        play(fleet, others, s, s + 1);
    }
    const auto total = fleet.total(600.1, "site/s1/hall/h1/row/w1/rack/r0");
    CHECK(total.measured_joules == doctest::Approx(400'000));
    // 30 s held at its own 1 kW, then its peer's 2 kW.
    CHECK(total.estimated_joules == doctest::Approx(30 * 1000 + 170 * 2000).epsilon(0.02));
    CHECK(total.unsettled_joules == 0);
}

TEST_CASE("a controller whose clock is hours off counts all the same, is placed by arrival, and is said to be off") {
    ModelFleet fleet;
    auto racks = three(fleet);
    racks[0].clock_error = -18'001;
    play(fleet, racks, 0, 300);
    const auto& total = fleet.total(300.1);
    CHECK(total.watts == doctest::Approx(6000));
    CHECK(total.clocks_off == 1);
    CHECK(total.measured_joules == doctest::Approx(300 * 6000.0));
    for (const auto& w : fleet.windows) {
        if (w.final && w.start == day_one + 60) CHECK(w.sums[0].sum() == doctest::Approx(60 * 6e6).epsilon(0.001));
    }
}

TEST_CASE("a point that is silent keeps its power for a while and is counted as not measured") {
    ModelFleet fleet;
    std::vector<ModelRack> racks;
    racks.emplace_back("s1", "n1",
                       std::vector{power_sensor("p0", Point::psu_in, "p0"), power_sensor("p1", Point::psu_in, "p1")},
                       [](std::size_t point, double s) { return point == 1 && s >= 10 ? silent : 500.0; });
    fleet.take(racks[0].catalog_message(), 0);
    play(fleet, racks, 0, 20);
    const auto& total = fleet.total(20.1);
    CHECK(total.watts == doctest::Approx(1000));
    CHECK(total.points == 2);
    CHECK(total.points_measured == 1);
    CHECK(total.high - total.low > 100);
}

TEST_CASE("a message from the future or from before the final windows counts its energy and touches no window") {
    ModelFleet fleet;
    auto racks = three(fleet);
    play(fleet, racks, 0, 10);
    auto late = racks[0].live_message(10);
    play(fleet, racks, 11, 400);
    fleet.take(late, 401);
    CHECK(fleet.aggregator.point_books().too_late_for_windows == 1);
    CHECK(fleet.total(401).measured_joules == doctest::Approx(400'000 + 2 * 399'000.0 + 3 * 399'000.0));
}

TEST_CASE(
    "sensors slower than the live messages are live between their readings, and their energy lies where it flowed") {
    ModelFleet fleet;
    std::vector<ModelRack> racks;
    racks.emplace_back("s1", "n1", std::vector{power_sensor("in", Point::rack_in)},
                       [](std::size_t, double s) { return static_cast<int>(s) % 5 == 4 ? 5000.0 : silent; });
    racks[0].catalog.groups[0].period = std::chrono::seconds(5);
    racks[0].seal();
    fleet.take(racks[0].catalog_message(), 0);
    play(fleet, racks, 0, 10);
    for (int s = 10; s < 400; ++s) {
        play(fleet, racks, s, s + 1);
        const auto& total = fleet.total(s + 1.1);
        REQUIRE(count(total, State::measured) == 1);
        REQUIRE(total.watts == doctest::Approx(5000));
    }
    for (const auto& w : fleet.windows) {
        if (!w.final || w.start != day_one + 60) continue;
        CHECK(w.sums[0].measured_mj == 60'000'000);  // 5 kJ every 5 s
        CHECK(w.sums[0].least_mj == 1'000'000);
        CHECK(w.sums[0].most_mj == 1'000'000);
    }
}

TEST_CASE("a reading that failed among good ones does not make a point silent") {
    ModelFleet fleet;
    auto rack = rack_of("r0", 1000);
    fleet.take(rack.catalog_message(), 0);
    for (int s = 0; s < 5; ++s) {
        rack.quality = proto::Quality::timeout;
        fleet.take(rack.live_message(s), s + 1);
    }
    CHECK(count(fleet.total(5.1), State::measured) == 1);
}

TEST_CASE(
    "a message that speaks of the first points alone is enough for the total, and the others count when they are "
    "told") {
    ModelFleet fleet;
    std::vector<ModelRack> racks;
    racks.emplace_back("s1", "n1",
                       std::vector{power_sensor("in", Point::rack_in), power_sensor("dc", Point::psu_out),
                                   power_sensor("g", Point::gpu)},
                       [](std::size_t point, double) { return point == 0 ? 1000.0 : 950.0; });
    fleet.take(racks[0].catalog_message(), 0);
    for (int s = 0; s < 200; ++s) {
        racks[0].most_points = s % 10 == 9 ? SIZE_MAX : 1;
        play(fleet, racks, s, s + 1);
    }
    const auto& total = fleet.total(200.1);
    CHECK(total.watts == doctest::Approx(1000));
    CHECK(total.measured_joules == doctest::Approx(200'000));
    CHECK(count(total, State::measured) == 1);
    for (const auto& w : fleet.windows)
        if (w.final && w.start == day_one) CHECK(w.sums[0].measured_mj == 60'000'000);
}
