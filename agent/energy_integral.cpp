#include "agent/energy_integral.hpp"

#include <algorithm>

namespace gwatt::agent {
namespace {

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

void book(Joules& joules, double watts, double span) {
    if (watts >= 0)
        joules.measured += watts * span;
    else
        joules.exported -= watts * span;
}

}  // namespace

Joules& Joules::operator+=(const Joules& more) {
    measured += more.measured;
    exported += more.exported;
    estimated += more.estimated;
    estimated_low += more.estimated_low;
    estimated_high += more.estimated_high;
    return *this;
}

SplitArea split_trapezoid(double a, double b, double seconds) {
    const double whole = (a + b) / 2 * seconds;
    if (a >= 0 && b >= 0) return {whole, 0};
    if (a <= 0 && b <= 0) return {0, -whole};
    const double crossing = a / (a - b);  // part of the time before zero is crossed
    const double first = a * crossing / 2 * seconds, second = b * (1 - crossing) / 2 * seconds;
    return a > 0 ? SplitArea{first, -second} : SplitArea{second, -first};
}

double PowerIntegral::most_watts() const {
    return range_declared() ? std::max(limits_.range_max, seen_max_) : seen_max_;
}

// From the last sample's power to `watts`. In a gap what flowed the other way is booked as exported all the same: the
// wire has no estimated export, and leaving it out would be a hole without a mark.
Joules PowerIntegral::between(double watts, Duration span, bool gap) const {
    Joules joules;
    const double time = seconds(span);
    const SplitArea area = split_trapezoid(watts_, watts, time);
    joules.exported = area.below;
    if (!gap) {
        joules.measured = area.above;
        return joules;
    }
    const double low = range_declared() ? std::min(limits_.range_min, seen_min_) : seen_min_;
    joules.estimated = area.above;
    joules.estimated_low = std::max(0.0, low) * time;
    joules.estimated_high = std::max(0.0, most_watts()) * time;
    return joules;
}

std::optional<Joules> PowerIntegral::add(Monotonic time, double watts) {
    const Duration half = limits_.window / 2;
    if (!started_) {
        started_ = true;
        time_ = time;
        booked_ = time + half;
        watts_ = seen_min_ = seen_max_ = watts;
        return {};
    }
    if (time <= time_) {
        ++out_of_order_;
        return {};
    }
    seen_min_ = std::min(seen_min_, watts);
    seen_max_ = std::max(seen_max_, watts);
    Joules joules;
    const Monotonic own = std::max(time - half, booked_);  // where this sample's own window begins to count
    if (own > booked_) joules = between(watts, own - booked_, time - time_ > limits_.gap);
    const Monotonic end = std::max(time + half, booked_);
    if (end > own) book(joules, watts, seconds(end - own));
    time_ = time;
    booked_ = end;
    watts_ = watts;
    return joules;
}

Joules PowerIntegral::hold_until(Monotonic time) {
    Joules joules;
    if (!started_ || time <= booked_) return joules;
    joules = between(watts_, time - booked_, time - time_ > limits_.gap);
    booked_ = time;
    return joules;
}

}  // namespace gwatt::agent
