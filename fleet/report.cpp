#include "fleet/report.hpp"

#include <algorithm>

namespace gwatt::fleet {

std::string_view state_name(State state) {
    switch (state) {
        case State::measured: return "measured";
        case State::held: return "held";
        case State::estimated: return "estimated";
        case State::missing: return "missing";
    }
    return "missing";
}

std::string_view window_name(WindowSize size) {
    switch (size) {
        case WindowSize::minute: return "1m";
        case WindowSize::quarter: return "15m";
        case WindowSize::hour: return "1h";
    }
    return "1m";
}

void WindowSum::merge(const WindowSum& other) {
    if (other.seconds == 0) return;
    least_mj = seconds == 0 ? other.least_mj : std::min(least_mj, other.least_mj);
    most_mj = seconds == 0 ? other.most_mj : std::max(most_mj, other.most_mj);
    measured_mj += other.measured_mj;
    agent_mj += other.agent_mj;
    held_mj += other.held_mj;
    peers_mj += other.peers_mj;
    seconds += other.seconds;
    for (std::size_t i = 0; i < state_count; ++i) rack_seconds[i] += other.rack_seconds[i];
}

}  // namespace gwatt::fleet
