#pragma once
// When to read: points of UTC that are whole multiples of a period, for several periods at once, found through one pair
// of the monotonic and the wall clock at a time. Pure arithmetic; any thread.
//
// A wall clock that is slewed moves the points along, never by more than half a period between two of them. A step of more
// than that is a re-alignment: the next point is a multiple again and at least half a period after the last one, so that
// none is run twice and nothing spins. Points that passed by more than a quarter of a period before anyone asked are
// skipped, and told.
#include "runtime/clock.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace gwatt::agent {

class SamplingGrid {
public:
    struct Period {
        runtime::Duration length{};
        runtime::Utc target{};      // the next point
        runtime::Monotonic when{};  // of the next point, as last computed
        runtime::Monotonic last{};  // when the last one was to be run
        bool started = false, ran = false;
        // Of the coming point:
        bool due = false, realigned = false;
        std::uint64_t skipped = 0;  // points between the last one and this
    };

    void set_periods(std::span<const runtime::Duration> lengths);

    // Plans the next point; at least one period is due at it.
    runtime::Monotonic plan(const runtime::ClockReading& now);
    // Of the planned point: the instant at which the next one of any period comes.
    runtime::Monotonic after() const;
    // It is too late to run the planned point: plan again.
    bool missed(runtime::Monotonic now) const;
    // The planned point is being run.
    void passed();

    std::span<const Period> periods() const { return periods_; }

private:
    static bool missed(const Period& period, runtime::Monotonic now);
    static void plan_one(Period& period, const runtime::ClockReading& now);
    std::vector<Period> periods_;
    runtime::Monotonic planned_{};
};

}  // namespace gwatt::agent
