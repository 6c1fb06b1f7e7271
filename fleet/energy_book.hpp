#pragma once
// Energy of one measurement point from its joule counters: differences within one (boot, epoch) only. Takes counters in
// any order and any number of times with the same result: what counts is the earliest and the latest of each run.
// Measured energy and energy that the agent booked for time without readings stay apart. A value, bounded in size.
#include "fleet/books.hpp"
#include "proto/messages.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

namespace gwatt::fleet {

struct EnergyTotals {
    std::uint64_t measured_mj = 0;
    std::uint64_t estimated_mj = 0;  // with bounds:
    std::uint64_t estimated_low_mj = 0, estimated_high_mj = 0;
    std::uint64_t exported_mj = 0;

    EnergyTotals& operator+=(const EnergyTotals& other);
    friend bool operator==(const EnergyTotals&, const EnergyTotals&) = default;
};
EnergyTotals difference(const EnergyTotals& later, const EnergyTotals& earlier);  // 0 where it would be negative

class PointEnergy {
public:
    static constexpr std::size_t runs_kept = 16;

    struct Sample {
        std::uint64_t boot = 0;
        std::uint32_t epoch = 0;
        proto::Monotonic time;  // up to which the counters count, on the agent's clock
        bool boot_watched =
            false;  // this boot began while we were watching: what its first epoch holds is ours to count
        EnergyTotals counters;
    };
    // most_watts: more than any such point can draw. Why the sample was refused, or nothing.
    std::optional<PointReason> take(const Sample& sample, double most_watts);

    // Since the watch began.
    const EnergyTotals& total() const { return total_; }

private:
    struct Run {
        std::uint64_t boot;
        std::uint32_t epoch;
        bool boot_watched;
        std::uint64_t touched;
        proto::Monotonic first, last;
        EnergyTotals at_first, at_last;
    };
    bool plausible_start(const Sample& sample, double most_watts) const;
    std::optional<PointReason> extend(Run& run, const Sample& sample, double most_watts);
    EnergyTotals contribution(const Run& run) const;
    void fold_oldest();
    void recompute();

    std::vector<Run> runs_;
    EnergyTotals folded_, total_;
    struct Key {
        std::uint64_t boot = 0;
        std::uint32_t epoch = 0;
    };
    std::vector<Key> forgotten_;
    std::size_t next_forgotten_ = 0;
    std::uint64_t touches_ = 0;
};

}  // namespace gwatt::fleet
