#pragma once
// Goes second by second over the racks' curves, a fixed time behind now, and makes windows: of a minute, of 15 minutes,
// of an hour. What it says of a second depends on the samples it finds there, not on how they came. Loop thread;
// inventory, racks and sink must outlive it.
#include "fleet/inventory.hpp"
#include "fleet/peers.hpp"
#include "fleet/rack_curve.hpp"
#include "fleet/rack_state.hpp"
#include "fleet/report.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace gwatt::fleet {

// A rack with what the stages keep of it.
struct TrackedRack {
    RackState state;
    std::unique_ptr<RackCurve> curve;  // made with the first sample
};

using WindowSink = std::function<void(const Window&)>;

class WindowLane {
public:
    // first: UTC second of its first step. books_gaps: energy of unknown seconds is booked with the racks (one lane only).
    WindowLane(bool final, std::int64_t first, const CurveLimits& limits, const Inventory& inventory,
               std::vector<TrackedRack>& racks, WindowSink sink);

    std::int64_t next() const { return next_; }  // second of the next step
    void run_to(std::int64_t second);            // steps over all seconds before `second`
    void skip_to(std::int64_t second);           // after a long sleep: seconds in between are in no window
    // Of the step before: for a look at a single second.
    const std::vector<WindowSum>& last_second() const { return second_; }

private:
    struct RackSecond {
        SecondEnergy energy;
        std::int64_t peers_mj = 0;
        State state = State::missing;
    };
    void step();
    void measure();
    void estimate();
    void sum();
    void close_windows();
    void close(WindowSize size);

    bool final_;
    std::int64_t next_;
    CurveLimits limits_;
    const Inventory& inventory_;
    std::vector<TrackedRack>& racks_;
    WindowSink sink_;
    Peers peers_;
    std::vector<RackCurve::Cursor> cursors_;  // by rack
    std::vector<RackSecond> rack_seconds_;    // by rack
    std::vector<WindowSum> second_;           // by scope
    std::array<Window, window_seconds.size()> open_;
};

}  // namespace gwatt::fleet
