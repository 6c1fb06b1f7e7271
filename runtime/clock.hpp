#pragma once
// The one place where gwatt reads time. Monotonic and UTC are std::chrono types that do not mix. Used on the loop thread.
// A Clock must outlive every coroutine that sleeps on it. Two implementations: SystemClock here, VirtualClock in
// tests/support, where the test moves the time.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>

namespace gwatt::runtime {

using Duration = std::chrono::nanoseconds;
using Monotonic = std::chrono::time_point<std::chrono::steady_clock, Duration>;  // CLOCK_MONOTONIC
using Utc = std::chrono::sys_time<Duration>;                                     // CLOCK_REALTIME

// How far UTC can be trusted, from the kernel's NTP state (adjtimex(2)).
enum class ClockState : std::uint8_t { unsynchronised, holdover, ntp, ptp };

// One instant on both scales, with the clock's state. bound: |true UTC - utc| is at most this; zero means unknown.
struct ClockReading {
    Monotonic monotonic;
    Utc utc;
    ClockState state = ClockState::unsynchronised;
    Duration offset{};  // the kernel's own estimate of utc - true UTC
    Duration bound{};
};

class Clock {
public:
    virtual ~Clock() = default;
    virtual Monotonic now() const = 0;
    virtual Utc utc_now() const = 0;
    virtual ClockReading read() const = 0;

    // Returns at or after `when`; false if the wait was cancelled (asio cancellation of the coroutine).
    virtual boost::asio::awaitable<bool> sleep_until(Monotonic when) = 0;
    boost::asio::awaitable<bool> sleep_for(Duration d) { return sleep_until(now() + d); }
};

class SystemClock final : public Clock {
public:
    explicit SystemClock(boost::asio::io_context& loop) : loop_(loop) {}
    Monotonic now() const override;
    Utc utc_now() const override;
    ClockReading read() const override;
    boost::asio::awaitable<bool> sleep_until(Monotonic when) override;

private:
    boost::asio::io_context& loop_;
};

}  // namespace gwatt::runtime
