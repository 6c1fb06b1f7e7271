#pragma once
// A device's own energy counter, read now and then: what has been added since the last reading, through wraps, and told
// apart from resets by plausibility. Pure arithmetic on values; any thread.
#include "runtime/clock.hpp"

#include <cstdint>
#include <optional>

namespace gwatt::agent {

class EnergyAccumulator {
public:
    // wraps_at: joules at which the device's counter returns to zero; 0 never. resolution: joules, 0 unknown.
    EnergyAccumulator(double wraps_at, double resolution) : wraps_at_(wraps_at), resolution_(resolution) {}

    enum class Outcome : std::uint8_t {
        first,         // nothing to compare with: the baseline is set
        added,         // `joules` flowed since the last reading
        reset,         // the counter started anew, or jumped: what flowed since the last reading is not known from it
        out_of_order,  // not later than the last reading: ignored
    };
    struct Step {
        Outcome outcome;
        double joules = 0;
        runtime::Duration span{};
    };

    // most_watts: more than this cannot have flowed (0: not known). restarted: the driver says that the counter did.
    Step add(runtime::Monotonic time, double joules, double most_watts, bool restarted);

    void forget() { started_ = false; }  // the next reading is a first one
    bool started() const { return started_; }
    runtime::Monotonic last_time() const { return time_; }
    std::uint64_t wraps() const { return wraps_; }
    std::uint64_t resets() const { return resets_; }

private:
    std::optional<double> difference(double joules, double most_joules) const;

    double wraps_at_, resolution_;
    bool started_ = false;
    runtime::Monotonic time_{};
    double joules_ = 0;
    std::uint64_t wraps_ = 0, resets_ = 0;
};

}  // namespace gwatt::agent
