#include "fleet/rack_state.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace gwatt::fleet {

using proto::Duration;
using proto::Monotonic;
using namespace std::chrono_literals;

namespace {
constexpr std::size_t layouts_kept = 4, boots_kept = 8, breaks_kept = 8, slots_limit = 4096;
constexpr double most_lived_seconds = 3e9;  // a century; keeps times in range
constexpr Duration most_period = 1min;
constexpr Duration switch_after = 1min;  // of another cut being the better one
constexpr Duration watch_slack = 30s;    // a boot that began that little before us is ours to count from its start
constexpr double held_accuracy = 0.1;    // relative: what a last value may be off
constexpr double efficiency_half_width = psu_efficiency_bound / psu_efficiency;

// The quality is the worst of the interval: where some readings failed, the mean is of the others.
bool was_read(const proto::Live::Point& point) { return point.samples > 0 && std::isfinite(point.mean); }

// A live message may hold the first energy points alone.
bool speaks_of(const proto::Live& message, const Cut& cut) {
    return std::all_of(cut.terms.begin(), cut.terms.end(),
                       [&](const Term& term) { return term.point < message.points.size(); });
}

Duration period_of(const proto::Catalog& catalog, std::uint32_t sensor) {
    for (const auto& group : catalog.groups)
        if (sensor >= group.first && sensor - group.first < group.count)
            return std::clamp<Duration>(group.period, Duration{}, most_period);
    return {};
}

std::int64_t to_signed(std::uint64_t mj) { return static_cast<std::int64_t>(mj & ((std::uint64_t{1} << 62) - 1)); }
double modelled(double value) { return value / psu_efficiency; }
std::int64_t modelled_mj(std::int64_t mj) { return std::llround(modelled(static_cast<double>(mj))); }

std::uint32_t mixed(std::uint32_t sum, std::uint64_t value) {
    const std::uint64_t product = (sum ^ (value * 0x9e3779b97f4a7c15u)) * 0xff51afd7ed558ccdu;
    return static_cast<std::uint32_t>(product ^ product >> 32);
}
}  // namespace

std::uint32_t RackState::slot_of(const proto::Sensor& sensor) {
    const auto [at, fresh] =
        slot_index_.emplace(std::hash<std::string>{}(sensor.name), static_cast<std::uint32_t>(slots_.size()));
    if (fresh) slots_.emplace_back();
    return at->second;
}

void RackState::learn(const proto::Catalog& catalog, const std::vector<std::string>& feeds) {
    if (layout(catalog.header.catalog) || slots_.size() + catalog.energy_points.size() > slots_limit) return;
    if (layouts_.size() >= layouts_kept) layouts_.erase(layouts_.begin());
    auto& out = layouts_.emplace_back();
    out.catalog = catalog.header.catalog;
    for (const auto index : catalog.energy_points) {
        const auto& sensor = catalog.sensors[index];
        out.points.push_back({slot_of(sensor), groups_->of(sensor), period_of(catalog, index)});
    }
    out.cuts = cuts_of(catalog, feeds);
    for (const auto& cut : out.cuts) {
        std::uint32_t names = static_cast<std::uint32_t>(cut.terms.size());
        for (const auto& term : cut.terms) names = mixed(names, out.points[term.point].slot + 1u);
        out.names.push_back(names);
    }
    points_ = out.cuts.empty()
                  ? 0
                  : static_cast<std::uint32_t>(out.cuts.front().terms.size()) + out.cuts.front().feeds_missing;
}

const RackState::Layout* RackState::layout(std::uint64_t catalog) const {
    for (auto at = layouts_.rbegin(); at != layouts_.rend(); ++at)
        if (at->catalog == catalog) return &*at;
    return nullptr;
}

void RackState::status(const Envelope& from, const proto::Status& message) {
    if (from.history) return;
    // The will of an earlier start of the agent says nothing about the one that runs now.
    if (message.presence == proto::Presence::controller_lost && current_boot_ != 0 &&
        message.header.boot != current_boot_)
        return;
    lost_ = message.presence == proto::Presence::controller_lost;
}

// What is known of one start of the agent: how far its clocks are from ours.
RackState::Boot& RackState::boot_of(const Envelope& from, const proto::Header& header) {
    for (auto& boot : boots_)
        if (boot.id == header.boot) return boot;
    if (boots_.size() >= boots_kept) boots_.erase(boots_.begin());
    auto& boot = boots_.emplace_back();
    boot.id = header.boot;
    const auto skew = from.arrival.utc - header.clock.utc;
    const auto tolerance = limits_->clock_tolerance;
    // Old messages are late by nature: there only a time ahead of ours shows a bad clock.
    if (skew < -tolerance || (!from.history && skew > tolerance)) boot.shift = skew;
    return boot;
}

RackState::Timing RackState::timing(const Envelope&, const proto::Live& message, const Boot& boot) const {
    const auto& clock = message.header.clock;
    Timing out;
    out.upto = message.start + message.interval;
    out.to_utc = clock.utc.time_since_epoch() - clock.monotonic.time_since_epoch() + boot.shift;
    // Sequence numbers count from 1 without holes: so many intervals ago this start of the agent began.
    const double lived =
        static_cast<double>(message.header.sequence) * std::chrono::duration<double>(message.interval).count();
    out.lived = Duration(static_cast<std::int64_t>(std::min(lived, most_lived_seconds) * 1e9));
    const auto ended = proto::Utc(out.upto.time_since_epoch() + out.to_utc);
    out.boot_watched = out.lived <= ended - limits_->watch_began + watch_slack;
    return out;
}

std::optional<CurveSample> RackState::live(const Envelope& from, const proto::Live& message) {
    const auto* layout = this->layout(message.header.catalog);
    if (!layout || message.points.size() > layout->points.size()) return {};
    auto& boot = boot_of(from, message.header);
    const auto timing = this->timing(from, message, boot);
    take_counters(*layout, message, timing);
    boot.delay = std::min(boot.delay, from.arrival.monotonic - timing.upto);
    const auto sample = this->sample(*layout, message, timing);

    const bool newest = boot.id == current_boot_ ? timing.upto > last_upto_ : current_boot_ == 0 || !from.history;
    if (newest) {
        current_boot_ = boot.id;
        last_upto_ = timing.upto;
        if (!from.history) lost_ = false;
        clock_off_ = boot.shift != Duration{};
        bound_ =
            message.header.clock.state == proto::ClockState::unsynchronised ? Duration{} : message.header.clock.bound;
        power_delay_ = boot.delay;
        take_power(*layout, message, timing);
        if (sample) follow(*layout, *sample, timing, message.interval);
    }
    return sample;
}

void RackState::take_counters(const Layout& layout, const proto::Live& message, const Timing& timing) {
    const double most_mj = limits_->most_watts * 1e3 * (std::chrono::duration<double>(timing.lived).count() + 2);
    for (std::size_t i = 0; i < message.points.size(); ++i) {
        const auto& point = message.points[i];
        PointEnergy::Sample sample{
            message.header.boot,
            point.epoch,
            timing.upto,
            false,
            {point.energy_mj, point.estimated_mj, point.estimated_low_mj, point.estimated_high_mj, point.exported_mj}};
        sample.boot_watched = timing.boot_watched && static_cast<double>(point.energy_mj) <= most_mj &&
                              static_cast<double>(point.estimated_mj) <= most_mj;
        if (const auto refused = slots_[layout.points[i].slot].energy.take(sample, limits_->most_watts))
            books_->reject(*refused);
    }
}

// Slow sensors are silent in most messages: they count as read while their last reading is not older than two periods.
bool RackState::being_read(const PointRef& ref, const proto::Live::Point& point, const Timing& timing) const {
    return was_read(point) || (point.as_of != Monotonic{} && timing.upto - point.as_of <= 2 * ref.period);
}

// Nothing where all is being read and nothing was read: the counters stand as they stood.
std::optional<CurveSample> RackState::sample(const Layout& layout, const proto::Live& message,
                                             const Timing& timing) const {
    CurveSample out;
    Monotonic latest = message.start;
    for (std::size_t c = 0; c < layout.cuts.size(); ++c) {
        const auto& cut = layout.cuts[c];
        if (!speaks_of(message, cut)) continue;
        auto& level = out.cuts[c];
        level.run = mixed(layout.names[c], message.header.boot);
        bool whole = cut.feeds_missing == 0 || layout.cuts.front().feeds_missing != 0;
        bool powered = true;
        double watts = 0;
        for (const auto& term : cut.terms) {
            const auto& point = message.points[term.point];
            const auto net = to_signed(point.energy_mj) - (term.both_ways ? to_signed(point.exported_mj) : 0);
            level.measured_mj += term.modelled ? modelled_mj(net) : net;
            level.estimated_mj +=
                term.modelled ? modelled_mj(to_signed(point.estimated_mj)) : to_signed(point.estimated_mj);
            level.run = mixed(level.run, point.epoch + std::uint64_t{1});
            if (!being_read(layout.points[term.point], point, timing))
                whole = false;
            else
                latest = std::max(latest, std::min(point.as_of, timing.upto));
            if (was_read(point))
                watts += term.modelled ? modelled(point.mean) : point.mean;
            else
                powered = false;
        }
        const auto bit = 1u << c;
        level.watts = static_cast<float>(watts);
        out.present = static_cast<std::uint8_t>(out.present | bit);
        if (whole) out.whole = static_cast<std::uint8_t>(out.whole | bit);
        if (powered) out.powered = static_cast<std::uint8_t>(out.powered | bit);
    }
    if (out.present == 0) return {};
    if (latest <= message.start && out.whole != 0) return {};
    if (latest <= message.start) latest = timing.upto;
    out.start_ns = (message.start.time_since_epoch() + timing.to_utc).count();
    out.time_ns = (latest.time_since_epoch() + timing.to_utc).count();
    return out;
}

bool RackState::take_power(const Layout& layout, const proto::Live& message, const Timing& timing) {
    for (std::size_t i = 0; i < message.points.size(); ++i) {
        if (!was_read(message.points[i])) continue;
        auto& slot = slots_[layout.points[i].slot];
        slot.watts = message.points[i].mean;
        slot.time = std::min(message.points[i].as_of, timing.upto);
        slot.boot = message.header.boot;
    }
    const Cut* best = nullptr;
    std::size_t best_missing = 0;
    for (const auto& cut : layout.cuts) {
        if (!speaks_of(message, cut)) continue;
        const auto missing =
            cut.feeds_missing +
            static_cast<std::size_t>(std::count_if(cut.terms.begin(), cut.terms.end(), [&](const Term& t) {
                return !being_read(layout.points[t.point], message.points[t.point], timing);
            }));
        if (!best || missing < best_missing) best = &cut, best_missing = missing;
    }
    return best && set_power(layout, *best, message, timing);
}

// Points that are not being read keep their last power for the hold time; those that have none count as the mean of the
// others of the cut, with all of that as error. False, and nothing changes, if no point is being read.
bool RackState::set_power(const Layout& layout, const Cut& cut, const proto::Live& message, const Timing& timing) {
    Power out;
    out.level = cut.level;
    double modelled_watts = 0;
    std::uint32_t unknown = cut.feeds_missing, known = 0;
    auto oldest = timing.upto;
    Duration slowest = message.interval;
    for (const auto& term : cut.terms) {
        const auto& ref = layout.points[term.point];
        const auto& slot = slots_[ref.slot];
        const bool fresh = being_read(ref, message.points[term.point], timing);
        if (slot.boot != message.header.boot || (!fresh && timing.upto - slot.time > limits_->hold)) {
            ++unknown;
            continue;
        }
        ++known;
        const auto accuracy = groups_->accuracy(ref.group, slot.watts);
        const double scale = term.modelled ? 1 / psu_efficiency : 1;
        out.watts += slot.watts * scale;
        if (term.modelled) modelled_watts += std::fabs(slot.watts) * scale;
        out.systematic.add(ref.group, accuracy.half_width * scale);
        if (fresh)
            ++out.points_measured, oldest = std::min(oldest, slot.time), slowest = std::max(slowest, ref.period);
        else
            out.systematic.add(MeterGroups::held, std::fabs(slot.watts) * scale * held_accuracy);
        out.points_assumed += accuracy.assumed ? 1 : 0;
    }
    if (out.points_measured == 0) return false;
    if (modelled_watts > 0) out.systematic.add(MeterGroups::efficiency, modelled_watts * efficiency_half_width);
    if (unknown > 0) {
        const double guess = out.watts / known * unknown;
        out.watts += guess;
        out.systematic.add(MeterGroups::held, std::fabs(guess));
    }
    if (!(std::fabs(out.watts) <= limits_->most_watts)) {
        books_->reject(PointReason::implausible_power);
        return false;
    }
    power_ = out;
    power_time_ = oldest;
    live_for_ = 2 * std::min(slowest, most_period) + std::min(message.interval, most_period);
    return true;
}

// Where the counters of the last message run on, they hold what flowed in between; else that stays estimated. The
// counters of a start of the agent that we watched hold all since it began.
void RackState::bound_gap(const CurveSample& sample, const Timing& timing) {
    bool runs_on = false;
    for (std::size_t i = 0; i < cut_limit; ++i)
        if ((sample.present & latest_.present & 1u << i) != 0 && sample.cuts[i].run == latest_.cuts[i].run)
            runs_on = true;
    if (!runs_on) {
        const auto end =
            timing.boot_watched ? std::min(sample.start_ns, sample.time_ns - timing.lived.count()) : sample.start_ns;
        settled_gap_mj_ += open_gap_mj_;
        if (breaks_.size() >= breaks_kept) breaks_.erase(breaks_.begin());
        breaks_.push_back({latest_.time_ns, end});
    }
    open_gap_mj_ = 0;
}

// Keeps the cumulative energy on the cut that is best, without jumping at every bad reading.
void RackState::follow(const Layout& layout, const CurveSample& sample, const Timing& timing, Duration interval) {
    bound_gap(sample, timing);
    latest_ = sample;
    if (layout.cuts.empty()) return;
    std::size_t best = 0;
    while (best < layout.cuts.size() && (sample.whole >> best & 1u) == 0) ++best;
    const auto standing = std::find(layout.names.begin(), layout.names.end(), standing_names_);
    if (standing_.empty() || standing == layout.names.end())
        return stand_on(layout, best < layout.cuts.size() ? best : 0);
    const bool better = best < layout.cuts.size() && layout.names[best] != standing_names_;
    better_for_ = better ? better_for_ + interval : Duration{};
    if (better_for_ > switch_after) stand_on(layout, best);
}

void RackState::book_gap(std::int64_t mj, std::int64_t second) {
    const auto begin = second * second_ns, end = begin + second_ns;
    const bool between_runs = std::any_of(breaks_.begin(), breaks_.end(),
                                          [&](const Break& b) { return end > b.begin_ns && begin < b.end_ns; });
    if (end > latest_.time_ns)
        open_gap_mj_ += mj;
    else if (between_runs)
        settled_gap_mj_ += mj;
}

void RackState::stand_on(const Layout& layout, std::size_t cut) {
    const bool first = standing_.empty();
    const auto before = energy();
    settled_ = {before.measured, before.estimated - static_cast<double>(settled_gap_mj_) / 1e3,
                before.low - static_cast<double>(settled_gap_mj_) / 1e3,
                before.high - static_cast<double>(settled_gap_mj_) / 1e3, 0};
    standing_.clear();
    for (const auto& term : layout.cuts[cut].terms)
        standing_.push_back({layout.points[term.point].slot, term.modelled, term.both_ways});
    standing_names_ = layout.names[cut];
    better_for_ = {};
    base_ = first ? Energy{} : energy_of(standing_);
}

RackState::Energy RackState::energy_of(const std::vector<SlotTerm>& terms) const {
    Energy out;
    for (const auto& term : terms) {
        const auto& total = slots_[term.slot].energy.total();
        const double scale = (term.modelled ? 1 / psu_efficiency : 1) / 1e3;
        out.measured += scale * static_cast<double>(total.measured_mj);
        if (term.both_ways) out.measured -= scale * static_cast<double>(total.exported_mj);
        out.estimated += scale * static_cast<double>(total.estimated_mj);
        out.low += scale * static_cast<double>(total.estimated_low_mj);
        out.high += scale * static_cast<double>(total.estimated_high_mj);
    }
    return out;
}

RackState::Energy RackState::energy() const {
    const auto now = energy_of(standing_);
    const double gap = static_cast<double>(settled_gap_mj_) / 1e3;
    return {settled_.measured + now.measured - base_.measured,
            settled_.estimated + now.estimated - base_.estimated + gap, settled_.low + now.low - base_.low + gap,
            settled_.high + now.high - base_.high + gap, static_cast<double>(open_gap_mj_) / 1e3};
}

RackState::Now RackState::now(Monotonic at) const {
    Now out;
    out.watts = power_.watts;
    if (power_.level == CutLevel::none) return out;
    out.age = std::max<Duration>(at - (power_time_ + power_delay_), Duration{});
    if (out.age <= live_for_)
        out.state = State::measured;
    else if (out.age <= limits_->hold)
        out.state = State::held;
    return out;
}

std::optional<Duration> RackState::clock_bound() const {
    if (bound_ == Duration{} || clock_off_) return {};
    return bound_;
}

}  // namespace gwatt::fleet
