#include "agent/sampler_grid.hpp"

#include <algorithm>

namespace gwatt::agent {

using runtime::ClockReading;
using runtime::Duration;
using runtime::Monotonic;
using runtime::Utc;

namespace {

constexpr Duration together = std::chrono::microseconds(1);  // points nearer than this are one

// The least multiple of `length` that is later than `utc`.
Utc multiple_after(Utc utc, Duration length) {
    const auto since = utc.time_since_epoch();
    const auto part = since % length;
    return Utc(since - part + (part < Duration::zero() ? Duration::zero() : length));
}

}  // namespace

void SamplingGrid::set_periods(std::span<const Duration> lengths) {
    periods_.clear();
    for (Duration length : lengths) periods_.push_back({.length = length});
}

bool SamplingGrid::missed(const Period& period, Monotonic now) { return now - period.when > period.length / 4; }

bool SamplingGrid::missed(Monotonic now) const {
    return std::any_of(periods_.begin(), periods_.end(), [&](const Period& p) { return p.due && missed(p, now); });
}

void SamplingGrid::plan_one(Period& period, const ClockReading& now) {
    const auto instant = [&](Utc utc) { return now.monotonic + (utc - now.utc); };
    if (!period.started) {
        period.started = true;
        period.target = multiple_after(now.utc, period.length);
    }
    period.when = instant(period.target);
    const Duration moved = period.when - (period.last + period.length);
    if (period.ran && std::chrono::abs(moved) > period.length / 2) {
        period.realigned = true;
        period.target = multiple_after(now.utc, period.length);
        period.when = instant(period.target);
        while (period.when - period.last < period.length / 2) {
            period.target += period.length;
            period.when += period.length;
        }
        return;
    }
    if (!missed(period, now.monotonic)) return;
    const std::int64_t points = (now.monotonic - period.when + period.length * 3 / 4) / period.length;
    period.skipped += static_cast<std::uint64_t>(points);
    period.target += period.length * points;
    period.when = instant(period.target);
}

Monotonic SamplingGrid::plan(const ClockReading& now) {
    planned_ = Monotonic::max();
    for (Period& period : periods_) {
        plan_one(period, now);
        planned_ = std::min(planned_, period.when);
    }
    for (Period& period : periods_) period.due = period.when - planned_ <= together;
    return planned_;
}

Monotonic SamplingGrid::after() const {
    Monotonic next = Monotonic::max();
    for (const Period& period : periods_) next = std::min(next, period.due ? period.when + period.length : period.when);
    return next;
}

void SamplingGrid::passed() {
    for (Period& period : periods_) {
        if (!period.due) continue;
        period.last = period.when;
        period.ran = true;
        period.target += period.length;
        period.realigned = false;
        period.skipped = 0;
    }
}

}  // namespace gwatt::agent
