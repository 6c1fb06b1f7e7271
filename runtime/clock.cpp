#include "runtime/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/timex.h>

#include <algorithm>
#include <cstdlib>

namespace gwatt::runtime {

namespace asio = boost::asio;
using std::chrono::microseconds;
using std::chrono::nanoseconds;

namespace {

// MAXFREQ of the kernel's NTP code, the rate at which it lets maxerror grow between updates.
constexpr int drift_ppm = 500;
// systemd-timesyncd writes maxerror = 0 at each update; no clock on the network is that good.
constexpr Duration least_bound = microseconds(1);

}  // namespace

// offset: what the kernel has still to add to the clock (linux kernel/time/ntp.c, second_overflow), so the clock is
// behind true time by it.
KernelClock kernel_clock(int result, int status, long offset, long maxerror) {
    KernelClock clock;
    clock.synchronised = result >= 0 && result != TIME_ERROR && (status & STA_UNSYNC) == 0;
    const Duration to_add = (status & STA_NANO) != 0 ? Duration(nanoseconds(offset)) : Duration(microseconds(offset));
    clock.offset = -to_add;
    clock.bound = std::max(least_bound, Duration(microseconds(std::max(maxerror, 0L))) + std::chrono::abs(to_add));
    return clock;
}

void ClockQuality::judge(ClockReading& reading, const KernelClock& kernel) {
    if (kernel.synchronised) {
        reading.state = source_;
        reading.offset = kernel.offset;
        reading.bound = kernel.bound;
        synchronised_at_ = reading.monotonic;
        bound_then_ = kernel.bound;
        return;
    }
    reading.offset = Duration::zero();
    if (!synchronised_at_) {
        reading.state = ClockState::unsynchronised;
        reading.bound = Duration::zero();
        return;
    }
    reading.state = ClockState::holdover;
    reading.bound = bound_then_ + (reading.monotonic - *synchronised_at_) / 1'000'000 * drift_ppm;
}

Monotonic SystemClock::now() const { return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now()); }

Utc SystemClock::utc_now() const { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

// UTC is read between two monotonic readings and belongs to their middle: half of what a pre-emption costs.
ClockReading SystemClock::read() const {
    timex state{};
    const int result = ::adjtimex(&state);
    const KernelClock kernel = kernel_clock(result, state.status, state.offset, state.maxerror);
    ClockReading reading;
    const Monotonic before = now();
    reading.utc = utc_now();
    reading.monotonic = before + (now() - before) / 2;
    quality_.judge(reading, kernel);
    return reading;
}

asio::awaitable<bool> SystemClock::sleep_until(Monotonic when) {
    asio::steady_timer timer(loop_, when);
    auto [error] = co_await timer.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return !error;
}

}  // namespace gwatt::runtime
