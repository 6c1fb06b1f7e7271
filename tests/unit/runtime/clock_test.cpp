#include "runtime/clock.hpp"

#include <doctest/doctest.h>

#include <sys/timex.h>

using namespace std::chrono_literals;
using namespace gwatt::runtime;

namespace {

ClockReading at(Duration monotonic) {
    ClockReading reading;
    reading.monotonic = Monotonic(monotonic);
    return reading;
}

}  // namespace

TEST_CASE("the kernel's offset is read in nanoseconds or microseconds as its status says, and its sign is turned") {
    const KernelClock micro = kernel_clock(TIME_OK, STA_PLL, 250, 4000);
    CHECK(micro.synchronised);
    CHECK(micro.offset == -250us);  // 250 us still to be added: the clock is behind
    CHECK(micro.bound == 4250us);
    const KernelClock nano = kernel_clock(TIME_OK, STA_PLL | STA_NANO, -250, 4000);
    CHECK(nano.offset == 250ns);
    CHECK(nano.bound == 4ms + 250ns);
}

TEST_CASE("a clock is unsynchronised on TIME_ERROR, on STA_UNSYNC and when adjtimex itself fails") {
    CHECK_FALSE(kernel_clock(TIME_ERROR, 0, 0, 16'000'000).synchronised);
    CHECK_FALSE(kernel_clock(TIME_OK, STA_UNSYNC, 0, 16'000'000).synchronised);
    CHECK_FALSE(kernel_clock(-1, 0, 0, 0).synchronised);
    CHECK(kernel_clock(TIME_INS, 0, 0, 0).synchronised);  // a leap second ahead is not an error
}

TEST_CASE("a bound of zero from the time daemon is not believed: zero means unknown here") {
    CHECK(kernel_clock(TIME_OK, 0, 0, 0).bound == 1us);
    CHECK(kernel_clock(TIME_OK, 0, 0, -5).bound == 1us);
}

TEST_CASE("a clock never synchronised has no bound; one that was is in holdover and its bound grows by 500 ppm") {
    ClockQuality quality(ClockState::ntp);
    ClockReading reading = at(10s);
    quality.judge(reading, kernel_clock(TIME_ERROR, STA_UNSYNC, 0, 16'000'000));
    CHECK(reading.state == ClockState::unsynchronised);
    CHECK(reading.bound == 0ns);

    reading = at(20s);
    quality.judge(reading, kernel_clock(TIME_OK, 0, 0, 3000));
    CHECK(reading.state == ClockState::ntp);
    CHECK(reading.bound == 3ms);

    reading = at(1020s);
    quality.judge(reading, kernel_clock(TIME_ERROR, STA_UNSYNC, 777, 16'000'000));
    CHECK(reading.state == ClockState::holdover);
    CHECK(reading.offset == 0ns);
    CHECK(reading.bound == 3ms + 500ms);
}

TEST_CASE("a clock disciplined by PTP says so, as the configuration told it") {
    ClockQuality quality(ClockState::ptp);
    ClockReading reading = at(1s);
    quality.judge(reading, kernel_clock(TIME_OK, STA_NANO, 0, 1));
    CHECK(reading.state == ClockState::ptp);
}

TEST_CASE("a system reading's monotonic instant lies between two looks at the monotonic clock") {
    boost::asio::io_context loop;
    const SystemClock clock(loop);
    const Monotonic before = clock.now();
    const ClockReading reading = clock.read();
    CHECK(reading.monotonic >= before);
    CHECK(reading.monotonic <= clock.now());
    CHECK((reading.state == ClockState::unsynchronised) == (reading.bound == 0ns));
}
