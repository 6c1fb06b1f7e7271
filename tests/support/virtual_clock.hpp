#pragma once
// A Clock whose time only the test moves. Sleepers wake in the order of their times (equal times: in the order they went
// to sleep), and the io_context is drained between two of them, so a day of agents runs as fast as it computes and
// always the same way. One thread. The io_context must outlive the clock's calls; sleepers may outlive the clock.
#include "runtime/clock.hpp"

#include <cstddef>
#include <memory>

namespace gwatt::test {

class VirtualClock final : public runtime::Clock {
public:
    // Starts at a fixed instant: monotonic 1000 s, UTC 2026-01-01T00:00:00Z, synchronised by NTP within 1 ms.
    explicit VirtualClock(boost::asio::io_context& loop);
    ~VirtualClock() override;

    runtime::Monotonic now() const override { return now_; }
    runtime::Utc utc_now() const override { return utc_at_start_ + (now_ - start_); }
    runtime::ClockReading read() const override;
    boost::asio::awaitable<bool> sleep_until(runtime::Monotonic when) override;

    // Runs everything that is ready and everything that falls due in the coming `d`, then stands at now() + d.
    void advance(runtime::Duration d);
    void advance_to(runtime::Monotonic when);
    void settle();           // runs what is ready now, without moving the time
    bool advance_to_next();  // to the next sleeper's time; false if nobody sleeps
    std::size_t sleepers() const;

    // Dials.
    void step_utc(runtime::Duration d) { utc_at_start_ += d; }  // someone set the wall clock
    void stall(runtime::Duration d) { now_ += d; }  // the process stood still: time has passed and nobody ran
    void set_state(runtime::ClockState state, runtime::Duration offset, runtime::Duration bound);

private:
    struct Sleepers;
    bool wake_next(runtime::Monotonic until);

    boost::asio::io_context& loop_;
    runtime::Monotonic start_;
    runtime::Monotonic now_;
    runtime::Utc utc_at_start_;
    runtime::ClockState state_ = runtime::ClockState::ntp;
    runtime::Duration offset_{};
    runtime::Duration bound_;
    std::shared_ptr<Sleepers> sleepers_;  // shared: a coroutine frame may be destroyed after the clock
};

}  // namespace gwatt::test
