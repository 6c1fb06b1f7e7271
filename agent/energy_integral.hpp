#pragma once
// Watts and time into joules, for one power sensor. Pure arithmetic on values; any thread. Times are monotonic.
//
// Good samples: the trapezoid between neighbours, exact for power that is linear in between; a sample that is the
// device's own mean over a window counts mean x window, and only the time between two windows is a trapezoid
// (power-domain reference 2.4). Time between two good samples longer than `gap` is booked as estimated: the trapezoid is
// then a guess, bounded by the plausible range (the declared one, else what was seen so far) times the gap.
#include "runtime/clock.hpp"

#include <cstdint>
#include <optional>

namespace gwatt::agent {

using runtime::Duration;
using runtime::Monotonic;

// Joules of one stretch of time, none of them negative.
struct Joules {
    double measured = 0;   // what flowed in the sensor's positive direction
    double exported = 0;   // what flowed the other way
    double estimated = 0;  // of the positive direction, in gaps
    double estimated_low = 0, estimated_high = 0;

    Joules& operator+=(const Joules& more);
    friend bool operator==(const Joules&, const Joules&) = default;
};

// What the trapezoid from a to b over `seconds` puts above zero and below it; exact also where it crosses.
struct SplitArea {
    double above = 0, below = 0;
};
SplitArea split_trapezoid(double a, double b, double seconds);

struct IntegralLimits {
    Duration gap{};                       // longer without a good sample is a gap
    Duration window{};                    // of a device's mean; zero: samples are instants
    double range_min = 0, range_max = 0;  // plausible watts; equal: not declared
};

class PowerIntegral {
public:
    explicit PowerIntegral(IntegralLimits limits = {}) : limits_(limits) {}

    // The energy since the last call, up to and with this sample. Nothing for the first one, and for one that is not
    // later than the last (counted).
    std::optional<Joules> add(Monotonic time, double watts);
    // The energy up to `time` at the last sample's power; the next sample books what comes after.
    Joules hold_until(Monotonic time);

    void set_limits(IntegralLimits limits) { limits_ = limits; }
    const IntegralLimits& limits() const { return limits_; }
    bool range_declared() const { return limits_.range_max > limits_.range_min; }
    bool started() const { return started_; }
    Monotonic booked_until() const { return booked_; }
    double last_watts() const { return watts_; }
    double most_watts() const;  // plausible, else seen; 0 where nothing is known
    std::uint64_t out_of_order() const { return out_of_order_; }

private:
    Joules between(double watts, Duration span, bool gap) const;

    IntegralLimits limits_;
    bool started_ = false;
    Monotonic time_{};    // of the last sample
    Monotonic booked_{};  // end of what has been booked: time_, the end of its window, or where it was held until
    double watts_ = 0;
    double seen_min_ = 0, seen_max_ = 0;
    std::uint64_t out_of_order_ = 0;
};

}  // namespace gwatt::agent
