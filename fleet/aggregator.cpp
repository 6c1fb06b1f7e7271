#include "fleet/aggregator.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace gwatt::fleet {

using proto::Duration;

namespace {
constexpr std::int64_t future_seconds = 5;    // how far ahead of us a sample may lie
constexpr std::int64_t sleep_seconds = 7200;  // after a longer pause windows start anew
constexpr double held_accuracy = 0.1;         // relative
constexpr double declared_accuracy = 0.25;    // relative, of a guess in the site file

std::int64_t seconds_of(proto::Utc utc) {
    return std::chrono::floor<std::chrono::seconds>(utc).time_since_epoch().count();
}
std::int64_t whole_seconds(Duration d) { return std::chrono::ceil<std::chrono::seconds>(d).count(); }

RackLimits rack_limits(const AggregatorOptions& options, const Arrival& began) {
    RackLimits limits;
    limits.most_watts = options.most_watts;
    limits.hold = options.windows.hold;
    limits.watch_began = began.utc;
    return limits;
}

// A second is final when half of final_after has passed for the samples around it to lie in, and half for messages to be
// late in: then it does not matter in which order they came.
CurveLimits curve_limits(const AggregatorOptions& options) {
    return {options.windows.hold.count(), options.windows.final_after.count() / 2, options.most_watts};
}
}  // namespace

Aggregator::Aggregator(const AggregatorOptions& options, Inventory& inventory, const Arrival& began, WindowSink windows)
    : options_(options),
      limits_(rack_limits(options, began)),
      inventory_(inventory),
      now_(seconds_of(began.utc)),
      provisional_(false, now_, curve_limits(options), inventory, racks_, windows),
      final_(true, now_, curve_limits(options), inventory, racks_, windows) {
    track_new_racks();
}

// The inventory may have grown, here or elsewhere.
void Aggregator::track_new_racks() {
    while (racks_.size() < inventory_.racks().size()) racks_.push_back({RackState(limits_, groups_, books_), nullptr});
}

TrackedRack* Aggregator::rack_of(AgentIndex agent) {
    track_new_racks();
    const auto rack = inventory_.rack_of(agent);
    return rack ? &racks_[*rack] : nullptr;
}

void Aggregator::catalog(const Envelope& from, const proto::Catalog& message) {
    if (!inventory_.rack_of(from.agent)) {
        if (!options_.admit_unlisted) return;
        inventory_.add_unlisted(from.agent, message);
    }
    rack_of(from.agent)->state.learn(message, inventory_.racks()[*inventory_.rack_of(from.agent)].config.feeds);
}

void Aggregator::status(const Envelope& from, const proto::Status& message) {
    if (auto* rack = rack_of(from.agent)) rack->state.status(from, message);
}

void Aggregator::live(const Envelope& from, const proto::Live& message, const proto::Catalog&) {
    if (seconds_of(from.arrival.utc) > now_) tick(from.arrival);
    auto* rack = rack_of(from.agent);
    if (!rack) return;
    if (const auto sample = rack->state.live(from, message)) insert(*rack, *sample);
}

// Totals come from the counters in live messages; single samples add nothing to them.
void Aggregator::data(const Envelope&, const proto::Data&, const proto::Catalog&) {}

void Aggregator::insert(TrackedRack& rack, const CurveSample& sample) {
    const auto second = sample.time_ns / second_ns;
    if (sample.time_ns <= 0 || second < final_.next()) {
        ++books_.too_late_for_windows;
        return;
    }
    if (second > now_ + future_seconds) {
        ++books_.from_the_future;
        return;
    }
    if (!rack.curve)
        rack.curve = std::make_unique<RackCurve>(
            static_cast<std::size_t>(whole_seconds(options_.windows.final_after) + future_seconds + 4));
    rack.curve->insert(sample);
}

void Aggregator::tick(const Arrival& now) {
    track_new_racks();
    const auto second = seconds_of(now.utc);
    if (second <= now_) return;  // also when UTC was set back: windows wait until it has caught up
    if (second - now_ > sleep_seconds) {
        provisional_.skip_to(second - whole_seconds(options_.windows.provisional_after));
        final_.skip_to(second - whole_seconds(options_.windows.final_after));
    }
    now_ = second;
    provisional_.run_to(second - whole_seconds(options_.windows.provisional_after));
    final_.run_to(second - whole_seconds(options_.windows.final_after));
}

// Who measures, who holds; and what the silent ones probably draw.
void Aggregator::estimate_missing(const Arrival& now) {
    const auto& inventory = inventory_.racks();
    racks_now_.assign(racks_.size(), {});
    peers_.clear(inventory_.peer_groups());
    for (std::size_t i = 0; i < racks_.size(); ++i) {
        auto& rack = racks_now_[i];
        rack.own = racks_[i].state.now(now.monotonic);
        rack.state = rack.own.state;
        rack.watts = rack.own.watts;
        if (rack.state == State::measured)
            peers_.offer(inventory[i].peers, inventory[i].config.rating_watts, rack.watts);
    }
    for (std::size_t i = 0; i < racks_.size(); ++i) {
        auto& rack = racks_now_[i];
        if (rack.state != State::missing) continue;
        const auto& config = inventory[i].config;
        rack.estimate = peers_.estimate(inventory[i].peers, config.rating_watts);
        if (!rack.estimate && config.estimated_watts)
            rack.estimate = Peers::Estimate{*config.estimated_watts, 0, *config.estimated_watts * declared_accuracy};
        if (!rack.estimate) continue;
        rack.state = State::estimated;
        rack.watts = rack.estimate->watts;
    }
}

void Aggregator::add(RackIndex index, Total& total, ErrorSum& errors) const {
    const auto& rack = racks_now_[index];
    const auto& state = racks_[index].state;
    const auto& config = inventory_.racks()[index].config;
    ++total.racks;
    ++total.racks_in[static_cast<std::size_t>(rack.state)];
    total.points += state.points();
    if (state.controller_lost()) ++total.controllers_lost;
    if (state.without_cut()) ++total.without_cut;
    if (state.clock_off()) ++total.clocks_off;
    const auto energy = state.energy();
    total.measured_joules += energy.measured;
    total.estimated_joules += energy.estimated;
    total.estimated_low += energy.low;
    total.estimated_high += energy.high;
    total.unsettled_joules += energy.unsettled;

    if (rack.state == State::missing) {
        const double known = config.rating_watts > 0 ? config.rating_watts : rack.watts;
        total.watts_in[static_cast<std::size_t>(State::missing)] += known;
        total.high += config.rating_watts > 0 ? config.rating_watts : std::numeric_limits<double>::infinity();
        return;
    }
    total.watts += rack.watts;
    total.watts_in[static_cast<std::size_t>(rack.state)] += rack.watts;
    if (rack.state == State::estimated) {
        const bool declared = rack.estimate->spread == 0 && config.estimated_watts;
        errors.add_random(rack.estimate->spread);
        errors.add_systematic(declared ? MeterGroups::declared : MeterGroups::peers, rack.estimate->half_width);
        return;
    }
    for (const auto& share : state.power().systematic) errors.add_systematic(share.group, share.half_width);
    if (rack.state == State::held) errors.add_systematic(MeterGroups::held, std::fabs(rack.watts) * held_accuracy);
    if (rack.state == State::measured) {
        ++total.racks_by[static_cast<std::size_t>(state.power().level)];
        total.points_measured += state.power().points_measured;
    }
    total.points_assumed += state.power().points_assumed;
    total.oldest = std::max(total.oldest, rack.own.age);
    const auto bound = state.clock_bound();
    if (bound)
        total.clock_bound = std::max(total.clock_bound, *bound);
    else
        ++total.clocks_unbounded;
}

void Aggregator::finish(Total& total, const ErrorSum& errors) const {
    total.random = errors.random();
    total.systematic = errors.systematic();
    const double missing_high = total.high;
    total.low = total.watts - errors.expanded();
    total.high = total.watts + errors.expanded() + missing_high;
}

const Report& Aggregator::report(const Arrival& now) {
    track_new_racks();
    estimate_missing(now);
    const auto scopes = inventory_.scopes().size();
    report_.now = now.utc;
    report_.scopes = &inventory_.scopes();
    report_.point_books = books_;
    report_.totals.assign(scopes, {});
    errors_.resize(scopes);
    for (auto& errors : errors_) errors.clear();
    for (RackIndex i = 0; i < racks_.size(); ++i)
        for (const auto scope : inventory_.racks()[i].scopes)
            if (scope != no_scope) add(i, report_.totals[scope], errors_[scope]);
    for (std::size_t i = 0; i < scopes; ++i) finish(report_.totals[i], errors_[i]);
    return report_;
}

}  // namespace gwatt::fleet
