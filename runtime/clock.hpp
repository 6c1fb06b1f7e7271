#pragma once
// The one place where gwatt reads time. Monotonic and UTC are std::chrono types that do not mix. Used on the loop thread.
// A Clock must outlive every coroutine that sleeps on it. Two implementations: SystemClock here, VirtualClock in
// tests/support, where the test moves the time.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstdint>
#include <optional>

namespace gwatt::runtime {

using Duration = std::chrono::nanoseconds;
using Monotonic = std::chrono::time_point<std::chrono::steady_clock, Duration>;  // CLOCK_MONOTONIC
using Utc = std::chrono::sys_time<Duration>;                                     // CLOCK_REALTIME

// How far UTC can be trusted, from the kernel's NTP state (adjtimex(2)).
// holdover: synchronised earlier in this process's life, not now. ptp: see SystemClock.
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

    // Returns at or after `when`; false if the wait was cancelled (asio cancellation of the coroutine). A coroutine that
    // goes on after a cancellation must have said this_coro::throw_if_cancelled(false): its next co_await throws else.
    // Give the result a name: g++ 12 miscompiles `while (co_await ...)` and `if (co_await ...)`.
    virtual boost::asio::awaitable<bool> sleep_until(Monotonic when) = 0;
    boost::asio::awaitable<bool> sleep_for(Duration d) { return sleep_until(now() + d); }
};

// What adjtimex(2) says, in our units. The kernel lets maxerror grow by 500 ppm from what the time daemon last wrote
// and calls the clock unsynchronised at 16 s; its figure is as honest as the daemon's.
struct KernelClock {
    bool synchronised = false;
    Duration offset{};  // utc - true UTC
    Duration bound{};   // never zero
};

// result, status, offset, maxerror: adjtimex's return value and the fields of struct timex of the same names.
KernelClock kernel_clock(int result, int status, long offset, long maxerror);

// The state and bound for a reading, from the kernel's word now and the last time it was synchronised.
// In holdover the bound goes on growing at the kernel's 500 ppm from the last synchronised reading.
class ClockQuality {
public:
    explicit ClockQuality(ClockState source) : source_(source) {}
    void judge(ClockReading& reading, const KernelClock& kernel);

private:
    ClockState source_;
    std::optional<Monotonic> synchronised_at_;
    Duration bound_then_{};
};

// source: what disciplines the clock while the kernel calls it synchronised, ntp or ptp. The kernel does not know
// (phc2sys and an NTP daemon use the same call), so the configuration has to say so.
class SystemClock final : public Clock {
public:
    explicit SystemClock(boost::asio::io_context& loop, ClockState source = ClockState::ntp)
        : loop_(loop), quality_(source) {}
    Monotonic now() const override;
    Utc utc_now() const override;
    ClockReading read() const override;
    boost::asio::awaitable<bool> sleep_until(Monotonic when) override;

private:
    boost::asio::io_context& loop_;
    mutable ClockQuality quality_;
};

}  // namespace gwatt::runtime
