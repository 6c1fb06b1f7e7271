#include "fleet/pipeline.hpp"

#include <utility>

namespace gwatt::fleet {

namespace {
SubscriberLimits subscriber_limits(const FleetConfig& config) {
    SubscriberLimits limits;
    limits.admit_unlisted = config.admit_unlisted;
    return limits;
}
}  // namespace

Pipeline::Pipeline(const FleetConfig& config, const Arrival& began, WindowSink windows)
    : agents_(config.agents_limit),
      aggregator_({config.windows, config.most_watts, config.admit_unlisted}, inventory_, began, std::move(windows)),
      ledger_(books_, aggregator_),
      subscriber_(subscriber_limits(config), agents_, books_, ledger_) {
    for (const auto& rack : config.racks)
        if (const auto agent = agents_.admit(rack.site, rack.agent)) inventory_.add(*agent, rack, true);
}

void Pipeline::tick(const Arrival& now) {
    subscriber_.expire(now.monotonic);
    aggregator_.tick(now);
}

const Report& Pipeline::report(const Arrival& now) {
    report_ = aggregator_.report(now);
    report_.books = books_;
    report_.gaps = ledger_.gaps();
    return report_;
}

}  // namespace gwatt::fleet
