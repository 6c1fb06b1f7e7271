#pragma once
// From messages that count to totals: per rack, row, hall, site and fleet; now, and over windows of event time. Feed it
// messages in any order; call tick() about once a second. Loop thread; the inventory must outlive it. No sockets, no
// clock: time comes with the messages and the ticks.
#include "fleet/inventory.hpp"
#include "fleet/message_sink.hpp"
#include "fleet/rack_state.hpp"
#include "fleet/report.hpp"
#include "fleet/window_lane.hpp"

#include <optional>
#include <vector>

namespace gwatt::fleet {

struct AggregatorOptions {
    WindowConfig windows;
    double most_watts = 2e6;
    bool admit_unlisted = true;
};

class Aggregator final : public MessageSink {
public:
    // began: from here on energy counts.
    Aggregator(const AggregatorOptions& options, Inventory& inventory, const Arrival& began, WindowSink windows = {});

    Aggregator(const Aggregator&) = delete;
    Aggregator& operator=(const Aggregator&) = delete;

    void catalog(const Envelope& from, const proto::Catalog& message) override;
    void status(const Envelope& from, const proto::Status& message) override;
    void live(const Envelope& from, const proto::Live& message, const proto::Catalog& catalog) override;
    void data(const Envelope& from, const proto::Data& message, const proto::Catalog& catalog) override;

    // Closes the windows that are due.
    void tick(const Arrival& now);
    // The totals now, by scope; books are the caller's to add. Valid until the next call.
    const Report& report(const Arrival& now);

    const RackState& rack(RackIndex rack) const { return racks_[rack].state; }
    const PointBooks& point_books() const { return books_; }

private:
    TrackedRack* rack_of(AgentIndex agent);
    void track_new_racks();
    void insert(TrackedRack& rack, const CurveSample& sample);
    void estimate_missing(const Arrival& now);
    void add(RackIndex index, Total& total, ErrorSum& errors) const;
    void finish(Total& total, const ErrorSum& errors) const;

    AggregatorOptions options_;
    RackLimits limits_;
    Inventory& inventory_;
    MeterGroups groups_;
    PointBooks books_;
    std::vector<TrackedRack> racks_;
    std::int64_t now_;  // UTC second of the last tick
    WindowLane provisional_, final_;
    Peers peers_;
    struct RackNow {
        RackState::Now own;
        State state = State::missing;
        double watts = 0;
        std::optional<Peers::Estimate> estimate;
    };
    std::vector<RackNow> racks_now_;
    std::vector<ErrorSum> errors_;  // by scope
    Report report_;
};

}  // namespace gwatt::fleet
