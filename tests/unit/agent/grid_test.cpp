#include "agent/sampler_grid.hpp"
#include "agent/sampler_lateness.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

using namespace gwatt::agent;
using namespace gwatt::runtime;
using namespace std::chrono_literals;

namespace {

// A monotonic and a wall clock that run apart as the test says.
struct Clocks {
    Monotonic monotonic{Duration(500s)};
    Utc utc{Duration(1'700'000'000s) + 300ms};
    ClockReading read() const { return {monotonic, utc, ClockState::ntp, {}, {}}; }
    void run(Duration d, double rate = 1) {
        monotonic += d;
        utc += Duration(static_cast<std::int64_t>(std::llround(static_cast<double>(d.count()) * rate)));
    }
    // Sleeps to the planned point and passes it.
    void run_to(SamplingGrid& grid, double rate = 1) {
        const Monotonic when = grid.plan(read());
        if (when > monotonic) run(when - monotonic, rate);
        realigned = grid.periods()[0].realigned;
        skipped = grid.periods()[0].skipped;
        grid.passed();
    }
    bool realigned = false;  // of the first period, at the last point
    std::uint64_t skipped = 0;
};

SamplingGrid grid_of(std::vector<Duration> lengths) {
    SamplingGrid grid;
    grid.set_periods(lengths);
    return grid;
}

}  // namespace

TEST_CASE("points are whole multiples of the period in UTC, and the first is in the future") {
    Clocks clocks;
    SamplingGrid grid = grid_of({1s});
    CHECK(grid.plan(clocks.read()) == clocks.monotonic + 700ms);
    clocks.run_to(grid);
    for (int i = 0; i < 100; ++i) {
        clocks.run(3ms);  // the read
        clocks.run_to(grid);
        CHECK(clocks.utc.time_since_epoch() % 1s == 0s);
    }
}

TEST_CASE("periods that meet at a point are due together, others are not") {
    Clocks clocks;
    clocks.utc = Utc(Duration(1'700'000'000s) - 100ms);
    SamplingGrid grid = grid_of({1s, 10s});
    clocks.run_to(grid);
    CHECK(grid.periods()[0].due);
    CHECK(grid.periods()[1].due);
    int both = 0;
    for (int i = 0; i < 100; ++i) {
        clocks.run_to(grid);
        CHECK(grid.periods()[0].due);
        both += grid.periods()[1].due;
    }
    CHECK(both == 10);
}

TEST_CASE("the deadline is the next point of any period") {
    Clocks clocks;
    clocks.utc = Utc(Duration(1'700'000'000s) - 100ms);
    SamplingGrid grid = grid_of({4s, 10s});
    const Monotonic first = grid.plan(clocks.read());
    CHECK(grid.after() == first + 4s);
    clocks.run_to(grid);
    clocks.run_to(grid);
    clocks.run_to(grid);
    CHECK(grid.plan(clocks.read()) == first + 10s);
    CHECK(grid.after() == first + 12s);
}

TEST_CASE("a wall clock that is slewed by 8 % moves the points along, none is run twice, none is missed") {
    for (double rate : {0.92, 1.0005, 1.08}) {
        Clocks clocks;
        SamplingGrid grid = grid_of({1s});
        std::vector<std::int64_t> seconds;
        for (int i = 0; i < 600; ++i) {
            clocks.run_to(grid, rate);
            clocks.run(5ms, rate);
            const auto& period = grid.periods()[0];
            CHECK_FALSE(clocks.realigned);
            CHECK(clocks.skipped == 0);
            seconds.push_back((period.target - Duration(1s)).time_since_epoch() / 1s);
        }
        for (std::size_t i = 1; i < seconds.size(); ++i) CHECK(seconds[i] == seconds[i - 1] + 1);
    }
}

TEST_CASE("after any step of the wall clock the next point is a multiple again, neither at once nor late") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    std::uniform_int_distribution<std::int64_t> step_ms(-100'000, 100'000);
    for (int i = 0; i < 2000; ++i) {
        Clocks clocks;
        SamplingGrid grid = grid_of({1s});
        for (int k = 0; k < 5; ++k) clocks.run_to(grid);
        const Monotonic last = clocks.monotonic;
        clocks.run(20ms);
        const Duration step = std::chrono::milliseconds(step_ms(random));
        CAPTURE(step.count());
        clocks.utc += step;
        clocks.run_to(grid);
        CHECK(clocks.monotonic - last >= 500ms);
        CHECK(clocks.monotonic - last <= 1500ms);
        CHECK(clocks.utc.time_since_epoch() % 1s == 0s);
        CHECK(clocks.realigned == (std::chrono::abs(step) > 500ms));
    }
}

TEST_CASE("points that passed while nobody asked are skipped and counted, a point just missed is still run") {
    Clocks clocks;
    SamplingGrid grid = grid_of({1s});
    clocks.run_to(grid);
    const Monotonic last = clocks.monotonic;
    clocks.run(3700ms);
    CHECK(grid.plan(clocks.read()) == last + 4s);
    CHECK(grid.periods()[0].skipped == 3);
    CHECK_FALSE(grid.periods()[0].realigned);
    clocks.run_to(grid);
    clocks.run(1200ms);
    CHECK(grid.plan(clocks.read()) == last + 5s);  // 200 ms late
    CHECK(grid.periods()[0].skipped == 0);
}

TEST_CASE("a point that came while the process stood still is not run late but skipped") {
    Clocks clocks;
    SamplingGrid grid = grid_of({1s, 10s});
    clocks.run_to(grid);
    const Monotonic point = grid.plan(clocks.read());
    CHECK_FALSE(grid.missed(point + 200ms));
    CHECK(grid.missed(point + 300ms));
    clocks.run(point + 600ms - clocks.monotonic);
    CHECK(grid.plan(clocks.read()) == point + 1s);
    CHECK(grid.plan(clocks.read()) == point + 1s);  // asked again, nothing is forgotten
    CHECK(grid.periods()[0].skipped == 1);
}

TEST_CASE("percentiles of lateness are right within an eighth, and never above the most") {
    Lateness lateness;
    CHECK(lateness.percentile(0.99) == 0s);
    for (int i = 1; i <= 1000; ++i) lateness.add(std::chrono::microseconds(i * 10));
    const auto near = [](Duration a, Duration b) { return a >= b && a <= b + b / 8 + 1us; };
    CHECK(near(lateness.percentile(0.5), 5ms));
    CHECK(near(lateness.percentile(0.99), 9900us));
    CHECK(lateness.percentile(1) == 10ms);
    CHECK(lateness.most() == 10ms);
    lateness.add(-5ms);
    CHECK(lateness.count() == 1001);
    lateness.add(10h);
    CHECK(lateness.percentile(1) > 60s);
}
