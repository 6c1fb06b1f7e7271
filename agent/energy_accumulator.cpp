#include "agent/energy_accumulator.hpp"

#include <chrono>

namespace gwatt::agent {
namespace {

// Devices refresh their counter every 0.1 to 1 s, so a reading may hold up to that much more or less time than its stamp
// says; and a meter and its counter may differ by their accuracy classes.
constexpr double refresh_slack_s = 1.0;
constexpr double accuracy_slack = 1.25;

}  // namespace

// What flowed between the last reading and this one, or nothing where that cannot be told. most_joules 0: not known.
std::optional<double> EnergyAccumulator::difference(double joules, double most_joules) const {
    double flowed = joules - joules_;
    if (flowed < 0) {
        if (!(wraps_at_ > 0)) return {};
        flowed += wraps_at_;
        // Without a bound on the power, a wrap is believed only from the upper half of the counter into the lower.
        if (most_joules == 0 && flowed > wraps_at_ / 2) return {};
    }
    if (flowed < 0) return {};
    if (most_joules > 0 && flowed > most_joules) return {};
    // Enough time for more than one wrap: the difference is ambiguous.
    if (wraps_at_ > 0 && most_joules >= wraps_at_) return {};
    return flowed;
}

EnergyAccumulator::Step EnergyAccumulator::add(runtime::Monotonic time, double joules, double most_watts,
                                               bool restarted) {
    if (!started_) {
        started_ = true;
        time_ = time;
        joules_ = joules;
        return {Outcome::first};
    }
    if (time <= time_) return {Outcome::out_of_order};
    const runtime::Duration span = time - time_;
    const double elapsed = std::chrono::duration<double>(span).count();
    const double most =
        most_watts > 0 ? most_watts * accuracy_slack * (elapsed + refresh_slack_s) + 2 * resolution_ : 0;
    const std::optional<double> flowed = restarted ? std::nullopt : difference(joules, most);
    if (flowed && joules < joules_) ++wraps_;
    if (!flowed) ++resets_;
    time_ = time;
    joules_ = joules;
    if (!flowed) return {Outcome::reset, 0, span};
    return {Outcome::added, *flowed, span};
}

}  // namespace gwatt::agent
