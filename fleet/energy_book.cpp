#include "fleet/energy_book.hpp"

#include <algorithm>

namespace gwatt::fleet {

namespace {
constexpr std::uint64_t largest_counter = std::uint64_t{1}
                                          << 56;  // 7.2e13 J: a megawatt for two years; sums of many stay in range
constexpr double slack_seconds = 2;               // of clocks and intervals, in checks of plausibility

std::uint64_t less(std::uint64_t a, std::uint64_t b) { return a > b ? a - b : 0; }

bool not_less(const EnergyTotals& later, const EnergyTotals& earlier) {
    return later.measured_mj >= earlier.measured_mj && later.estimated_mj >= earlier.estimated_mj &&
           later.exported_mj >= earlier.exported_mj;
}

bool in_range(const EnergyTotals& t) {
    return std::max({t.measured_mj, t.estimated_mj, t.estimated_low_mj, t.estimated_high_mj, t.exported_mj}) <
           largest_counter;
}

// Whether that much energy can flow in that time.
bool plausible(const EnergyTotals& energy, proto::Duration time, double most_watts) {
    const double most_mj = most_watts * 1e3 * (std::chrono::duration<double>(time).count() + slack_seconds);
    return static_cast<double>(energy.measured_mj) <= most_mj && static_cast<double>(energy.estimated_mj) <= most_mj &&
           static_cast<double>(energy.exported_mj) <= most_mj;
}
}  // namespace

EnergyTotals& EnergyTotals::operator+=(const EnergyTotals& other) {
    measured_mj += other.measured_mj;
    estimated_mj += other.estimated_mj;
    estimated_low_mj += other.estimated_low_mj;
    estimated_high_mj += other.estimated_high_mj;
    exported_mj += other.exported_mj;
    return *this;
}

EnergyTotals difference(const EnergyTotals& later, const EnergyTotals& earlier) {
    return {less(later.measured_mj, earlier.measured_mj), less(later.estimated_mj, earlier.estimated_mj),
            less(later.estimated_low_mj, earlier.estimated_low_mj),
            less(later.estimated_high_mj, earlier.estimated_high_mj), less(later.exported_mj, earlier.exported_mj)};
}

std::optional<PointReason> PointEnergy::take(const Sample& sample, double most_watts) {
    if (!in_range(sample.counters)) return PointReason::implausible_power;
    for (auto run = runs_.rbegin(); run != runs_.rend(); ++run)
        if (run->boot == sample.boot && run->epoch == sample.epoch) return extend(*run, sample, most_watts);
    for (const auto& key : forgotten_)
        if (key.boot == sample.boot && key.epoch == sample.epoch) return PointReason::forgotten_epoch;
    if (!plausible_start(sample, most_watts)) return PointReason::implausible_power;
    if (runs_.size() >= runs_kept) fold_oldest();
    runs_.push_back({sample.boot, sample.epoch, sample.boot_watched, ++touches_, sample.time, sample.time,
                     sample.counters, sample.counters});
    recompute();
    return {};
}

// A new epoch holds what has flowed since the last one that we know, at most.
bool PointEnergy::plausible_start(const Sample& sample, double most_watts) const {
    const Run* before = nullptr;
    for (const auto& run : runs_)
        if (run.boot == sample.boot && run.epoch < sample.epoch && (!before || run.epoch > before->epoch))
            before = &run;
    return !before ||
           (sample.time >= before->last && plausible(sample.counters, sample.time - before->last, most_watts));
}

std::optional<PointReason> PointEnergy::extend(Run& run, const Sample& sample, double most_watts) {
    const bool newly_watched = sample.boot_watched && !run.boot_watched;
    const auto& counters = sample.counters;
    if (sample.time >= run.last) {
        if (!not_less(counters, run.at_last)) return PointReason::counter_went_back;
        if (!plausible(difference(counters, run.at_last), sample.time - run.last, most_watts))
            return PointReason::implausible_power;
        total_ += difference(counters, run.at_last);  // the rest of the sum does not change
        run.last = sample.time;
        run.at_last = counters;
    } else if (sample.time < run.first) {
        if (!not_less(run.at_first, counters)) return PointReason::counter_went_back;
        if (!plausible(difference(run.at_first, counters), run.first - sample.time, most_watts))
            return PointReason::implausible_power;
        run.first = sample.time;
        run.at_first = counters;
        recompute();
    } else if (!not_less(counters, run.at_first) || !not_less(run.at_last, counters)) {
        return PointReason::counter_went_back;
    }
    run.touched = ++touches_;
    if (newly_watched) run.boot_watched = true, recompute();
    return {};
}

// A counter starts its epoch at zero. An epoch that began while we watched counts from there: it follows an earlier one
// of its boot, or its boot began under our eyes. Else it counts from the first that we saw.
EnergyTotals PointEnergy::contribution(const Run& run) const {
    bool watched = false;
    for (const auto& other : runs_)
        if (other.boot == run.boot && (other.boot_watched || other.epoch < run.epoch)) watched = true;
    return watched ? run.at_last : difference(run.at_last, run.at_first);
}

void PointEnergy::fold_oldest() {
    const auto oldest =
        std::min_element(runs_.begin(), runs_.end(), [](const Run& a, const Run& b) { return a.touched < b.touched; });
    folded_ += contribution(*oldest);
    const Key key{oldest->boot, oldest->epoch};
    if (forgotten_.size() < runs_kept) {
        forgotten_.push_back(key);
    } else {
        forgotten_[next_forgotten_] = key;
        next_forgotten_ = (next_forgotten_ + 1) % runs_kept;
    }
    // The next epoch of that boot still follows an earlier one.
    for (auto& run : runs_)
        if (run.boot == key.boot && run.epoch > key.epoch) run.boot_watched = true;
    runs_.erase(oldest);
}

void PointEnergy::recompute() {
    total_ = folded_;
    for (const auto& run : runs_) total_ += contribution(run);
}

}  // namespace gwatt::fleet
