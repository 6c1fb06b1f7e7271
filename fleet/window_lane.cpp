#include "fleet/window_lane.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace gwatt::fleet {

namespace {
State state_of(const SecondEnergy& e) {
    const auto unknown = e.unknown_ns();
    if (e.known_ns >= e.held_ns && e.known_ns >= unknown)
        return e.estimated_mj > e.measured_mj ? State::estimated : State::measured;
    return e.held_ns >= unknown ? State::held : State::missing;
}
}  // namespace

WindowLane::WindowLane(bool final, std::int64_t first, const CurveLimits& limits, const Inventory& inventory,
                       std::vector<TrackedRack>& racks, WindowSink sink)
    : final_(final), next_(first), limits_(limits), inventory_(inventory), racks_(racks), sink_(std::move(sink)) {
    for (std::size_t i = 0; i < open_.size(); ++i) {
        open_[i].size = static_cast<WindowSize>(i);
        open_[i].final = final;
    }
}

void WindowLane::run_to(std::int64_t second) {
    while (next_ < second) step();
}

void WindowLane::skip_to(std::int64_t second) {
    if (second <= next_) return;
    for (auto& window : open_) window.sums.clear();
    next_ = second;
}

void WindowLane::step() {
    cursors_.resize(racks_.size());
    rack_seconds_.assign(racks_.size(), {});
    second_.assign(inventory_.scopes().size(), {});
    measure();
    estimate();
    sum();
    ++next_;
    close_windows();
}

void WindowLane::measure() {
    for (std::size_t i = 0; i < racks_.size(); ++i) {
        if (!racks_[i].curve) continue;
        auto& second = rack_seconds_[i];
        second.energy = racks_[i].curve->second(next_, cursors_[i], limits_);
        second.state = state_of(second.energy);
    }
}

// For the time of the second in which nothing is known of a rack: its peers, else the site file, else it is missing.
void WindowLane::estimate() {
    const auto& inventory = inventory_.racks();
    const bool needed = std::any_of(rack_seconds_.begin(), rack_seconds_.end(),
                                    [](const RackSecond& s) { return s.energy.unknown_ns() > 0; });
    if (needed) {
        peers_.clear(inventory_.peer_groups());
        for (std::size_t i = 0; i < racks_.size(); ++i) {
            const auto& e = rack_seconds_[i].energy;
            if (rack_seconds_[i].state != State::measured || e.known_ns != second_ns) continue;
            peers_.offer(inventory[i].peers, inventory[i].config.rating_watts,
                         static_cast<double>(e.measured_mj + e.estimated_mj) / 1e3);
        }
    }
    for (std::size_t i = 0; i < racks_.size(); ++i) {
        auto& second = rack_seconds_[i];
        const auto unknown = second.energy.unknown_ns();
        if (unknown > 0) {
            const auto guess = peers_.estimate(inventory[i].peers, inventory[i].config.rating_watts);
            const auto watts = guess ? std::optional(guess->watts) : inventory[i].config.estimated_watts;
            if (watts) {
                second.peers_mj = std::llround(*watts * static_cast<double>(unknown) * 1e-6);
                if (second.state == State::missing) second.state = State::estimated;
            }
        }
        const auto gap = second.energy.held_mj + second.peers_mj;
        if (final_ && gap != 0) racks_[i].state.book_gap(gap, next_);
    }
}

void WindowLane::sum() {
    const auto& inventory = inventory_.racks();
    for (std::size_t i = 0; i < racks_.size(); ++i) {
        const auto& rack = rack_seconds_[i];
        for (const auto scope : inventory[i].scopes) {
            if (scope == no_scope) continue;
            auto& to = second_[scope];
            to.measured_mj += rack.energy.measured_mj;
            to.agent_mj += rack.energy.estimated_mj;
            to.held_mj += rack.energy.held_mj;
            to.peers_mj += rack.peers_mj;
            ++to.rack_seconds[static_cast<std::size_t>(rack.state)];
        }
    }
    for (auto& scope : second_) {
        scope.seconds = 1;
        scope.least_mj = scope.most_mj = scope.sum();
    }
}

void WindowLane::close_windows() {
    auto& minute = open_[0];
    minute.sums.resize(second_.size());
    for (std::size_t i = 0; i < second_.size(); ++i) minute.sums[i].merge(second_[i]);
    if (next_ % window_seconds[0] != 0) return;
    for (std::size_t w = 1; w < open_.size(); ++w) {
        open_[w].sums.resize(minute.sums.size());
        for (std::size_t i = 0; i < minute.sums.size(); ++i) open_[w].sums[i].merge(minute.sums[i]);
    }
    for (std::size_t w = 0; w < open_.size(); ++w)
        if (next_ % window_seconds[w] == 0) close(static_cast<WindowSize>(w));
}

void WindowLane::close(WindowSize size) {
    auto& window = open_[static_cast<std::size_t>(size)];
    window.start = next_ - window_seconds[static_cast<std::size_t>(size)];
    if (sink_) sink_(window);
    window.sums.assign(window.sums.size(), {});
}

}  // namespace gwatt::fleet
