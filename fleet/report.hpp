#pragma once
// What the aggregator says and outputs show: totals with all that must stand beside them, and windows. Plain values;
// a report lives until the next one is made.
#include "fleet/books.hpp"
#include "fleet/inventory.hpp"
#include "fleet/ledger.hpp"
#include "fleet/topology.hpp"
#include "proto/messages.hpp"

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

namespace gwatt::fleet {

// How a rack's power is known, now or in a window's second.
enum class State : std::uint8_t {
    measured,   // a reading not older than two periods
    held,       // the last reading, up to the hold time
    estimated,  // from peers, or declared in the site file
    missing,    // nothing is known: it is in no sum
};
inline constexpr std::size_t state_count = 4;
std::string_view state_name(State state);

struct Total {
    double watts = 0, low = 0, high = 0;  // high is infinite where a missing rack has no rating
    double random = 0, systematic = 0;    // standard uncertainties, W
    std::uint32_t racks = 0;              // expected
    std::array<std::uint32_t, state_count> racks_in{};
    std::array<double, state_count> watts_in{};             // of missing racks: rating, else last known power
    std::array<std::uint32_t, cut_level_count> racks_by{};  // measured racks by what their total stands on
    std::uint32_t controllers_lost = 0;                     // said by their will: that is not a rack without power
    std::uint32_t without_cut = 0;                          // their catalog has no point that covers the rack
    std::uint32_t clocks_off = 0;  // controllers whose UTC is too far from ours to place readings by
    std::uint32_t points = 0, points_measured = 0, points_assumed = 0;  // of the cuts; assumed: accuracy not stated
    proto::Duration oldest{};            // age of the oldest reading among measured and held racks
    proto::Duration clock_bound{};       // worst of the controllers that state one
    std::uint32_t clocks_unbounded = 0;  // controllers that state none
    // Since this program started. Estimated: booked by agents, and gaps between two starts of an agent.
    double measured_joules = 0, estimated_joules = 0, estimated_low = 0, estimated_high = 0;
    double unsettled_joules = 0;  // estimated for racks that are silent now; taken back if their counters return
};

enum class WindowSize : std::uint8_t { minute, quarter, hour };
inline constexpr std::array<std::int64_t, 3> window_seconds{60, 900, 3600};
std::string_view window_name(WindowSize size);  // "1m", "15m", "1h"

// Whole millijoules: the same messages in any order and number give the same bits.
struct WindowSum {
    std::int64_t measured_mj = 0;
    std::int64_t agent_mj = 0;  // booked by agents for time without readings
    std::int64_t held_mj = 0;
    std::int64_t peers_mj = 0;               // estimated here
    std::int64_t least_mj = 0, most_mj = 0;  // of a second: watts of the lowest and highest, times 1000
    std::int64_t seconds = 0;
    std::array<std::int64_t, state_count> rack_seconds{};

    std::int64_t sum() const { return measured_mj + agent_mj + held_mj + peers_mj; }
    double mean_watts() const {
        return seconds == 0 ? 0 : static_cast<double>(sum()) / 1e3 / static_cast<double>(seconds);
    }
    void merge(const WindowSum& other);
    friend bool operator==(const WindowSum&, const WindowSum&) = default;
};

struct Window {
    WindowSize size = WindowSize::minute;
    bool final = false;
    std::int64_t start = 0;       // UTC, seconds since 1970
    std::vector<WindowSum> sums;  // by scope
};

struct Report {
    proto::Utc now;
    std::vector<Total> totals;  // by scope
    const std::vector<Scope>* scopes = nullptr;
    Books books;
    PointBooks point_books;
    Ledger::Gaps gaps;
};

}  // namespace gwatt::fleet
