#include "agent/roster.hpp"

#include <algorithm>

namespace gwatt::agent {

namespace asio = boost::asio;

namespace {
constexpr Duration settle = 200ms;  // buses open one after the other: one catalog for all that come within this
}

Roster::Roster(asio::io_context& loop, runtime::Clock& clock, const AgentConfig& config, CatalogSink sink)
    : clock_(clock), config_(config), sink_(std::move(sink)), noted_(loop), changed_(loop) {}

void Roster::add(Bus& bus, const BusSection* section, Duration period) {
    members_.push_back({&bus, section, period});
    plan_.buses.emplace_back();
}

bool Roster::behind() const {
    return std::any_of(members_.begin(), members_.end(),
                       [](const Member& m) { return m.generation != m.bus->generation(); });
}

void Roster::rebuild() {
    std::vector<BusSensors> sensors;
    for (Member& member : members_) {
        member.generation = member.bus->generation();
        sensors.push_back({member.section, member.period, member.bus->sensors()});
    }
    CatalogPlan plan = build_catalog(config_, sensors);
    const bool news = version_ == 0 || plan.catalog.header.catalog != plan_.catalog.header.catalog;
    plan_ = std::move(plan);
    ++version_;
    if (news) sink_(plan_.catalog);
    changed_.tell();
}

asio::awaitable<void> Roster::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        if (!behind()) {
            const bool go_on = co_await noted_.wait();
            if (!go_on) co_return;
        }
        const bool go_on = co_await clock_.sleep_for(settle);
        if (!go_on) co_return;
        if (behind()) rebuild();
    }
}

}  // namespace gwatt::agent
