#pragma once
// The stages from a received message to totals, put together: subscriber, ledger, aggregator over one inventory. What
// gwatt-fleet, its terminal view and the simulations run. Loop thread; neither copied nor moved.
#include "fleet/aggregator.hpp"
#include "fleet/config.hpp"
#include "fleet/ledger.hpp"
#include "fleet/subscriber.hpp"

namespace gwatt::fleet {

class Pipeline {
public:
    // began: from here on energy counts.
    Pipeline(const FleetConfig& config, const Arrival& began, WindowSink windows = {});
    Pipeline(const Pipeline&) = delete;
    Pipeline& operator=(const Pipeline&) = delete;

    void take(const runtime::ReceivedMessage& message, const Arrival& arrival) { subscriber_.take(message, arrival); }
    // About once a second: closes windows, gives up on what waited too long.
    void tick(const Arrival& now);
    // Valid until the next call.
    const Report& report(const Arrival& now);

    const Books& books() const { return books_; }
    const Inventory& inventory() const { return inventory_; }
    const Aggregator& aggregator() const { return aggregator_; }

private:
    Books books_;
    AgentTable agents_;
    Inventory inventory_;
    Aggregator aggregator_;
    Ledger ledger_;
    Subscriber subscriber_;
    Report report_;
};

inline Arrival arrival(const runtime::Clock& clock) { return {clock.now(), clock.utc_now()}; }

}  // namespace gwatt::fleet
