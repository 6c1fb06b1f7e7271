#include "agent/publisher.hpp"

#include "proto/topics.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>

namespace gwatt::agent {

namespace asio = boost::asio;
using runtime::Backoff;
using runtime::Delivery;
using runtime::Monotonic;

namespace {

constexpr std::uint32_t most_refusals = 3;
constexpr auto live_expiry = std::chrono::seconds(60);
constexpr Duration longest_wait = 10s;  // a missed wake-up costs no more than this

const char* lane_name(Lane lane) {
    switch (lane) {
        case Lane::live: return "live";
        case Lane::data: return "data";
        case Lane::backlog_live: return "history/live";
        case Lane::backlog_data: return "history/data";
    }
    return "";
}

}  // namespace

Publisher::Publisher(asio::io_context& loop, runtime::Clock& clock, const runtime::Logger& log, runtime::Mqtt& link,
                     Spool& spool, Identity identity, const PublishConfig& config, Announcer::StatusSource buses)
    : loop_(loop),
      clock_(clock),
      link_(link),
      spool_(spool),
      config_(config),
      announcer_(clock, log, link, std::move(identity), std::move(buses)),
      wake_(loop),
      quota_(1s, 60s, announcer_.identity().boot + 2),
      lost_(100ms, 30s, announcer_.identity().boot + 3),
      denied_(log, clock, "the broker does not let us publish"),
      unfit_(log, clock, "the broker will not take a message; it is dropped"),
      crowded_(log, clock, "the broker is full") {
    const std::uint64_t seed = announcer_.identity().boot + 4;
    for (std::size_t i = 0; i < lanes; ++i)
        lane_.push_back({{}, Backoff(30s, 15min, seed + i), Backoff(5s, 15min, seed + lanes + i)});
}

void Publisher::set_catalog(const proto::Catalog& catalog) {
    announcer_.set_catalog(catalog);
    wake_.tell();
}

asio::awaitable<void> Publisher::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        if (link_.connected()) {
            if (announcer_.due() && !finishing_) co_await announcer_.announce();
            while (send_next()) {}
        }
        const bool go_on = co_await wake_.wait_until(clock_, next_wake());
        if (!go_on) co_return;
    }
}

asio::awaitable<void> Publisher::watch() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        const bool go_on = co_await link_.changed();
        if (!go_on) co_return;
        wake_.tell();
    }
}

std::array<bool, lanes> Publisher::allowed_lanes() const {
    const Monotonic now = clock_.now();
    std::array<bool, lanes> allowed{};
    for (std::size_t i = 0; i < lanes; ++i) {
        const bool paced = i >= 2 && !finishing_ && now < backlog_at_;
        allowed[i] = now >= hold_until_ && now >= lane_[i].parked_until && !paced;
    }
    return allowed;
}

Monotonic Publisher::next_wake() const {
    const Monotonic now = clock_.now();
    Monotonic next = now + longest_wait;
    const auto consider = [&](Monotonic t) {
        if (t > now) next = std::min(next, t);
    };
    consider(hold_until_);
    consider(backlog_at_);
    consider(announcer_.next_look());
    for (const LaneState& lane : lane_) consider(lane.parked_until);
    return next;
}

bool Publisher::send_next() {
    // Without room the link wakes us; without a catalog nobody could read what we send.
    if (!announcer_.catalog_told() || !link_.has_room() || counters_.in_flight >= link_.limits().window) return false;
    const auto taken = spool_.take(allowed_lanes());
    if (!taken) return false;
    const Record& record = *taken->record;
    const bool history = taken->lane == Lane::backlog_live || taken->lane == Lane::backlog_data;
    runtime::Publication publication;
    publication.topic = proto::topic(announcer_.identity().site, announcer_.identity().agent, record.stream, history);
    publication.payload = record.payload;
    publication.content_type = proto::content_type(record.stream);
    if (taken->lane == Lane::live) publication.expiry = live_expiry;
    if (history) {
        ++counters_.history;
        backlog_at_ = std::max(backlog_at_, clock_.now()) + Duration(1s) / std::max(config_.history_rate, 1u);
    }
    ++counters_.in_flight;
    asio::co_spawn(loop_, deliver(record.id, taken->lane, record.payload.size(), std::move(publication)),
                   asio::detached);
    return true;
}

asio::awaitable<void> Publisher::deliver(std::uint64_t id, Lane lane, std::size_t bytes,
                                         runtime::Publication publication) {
    const runtime::PublishResult result = co_await link_.publish(std::move(publication));
    --counters_.in_flight;
    if (result.delivery == Delivery::taken) counters_.payload_bytes += bytes;
    settle(id, lane, result);
    wake_.tell();
}

void Publisher::count(Delivery delivery) {
    switch (delivery) {
        case Delivery::taken: ++counters_.taken; break;
        case Delivery::lost: ++counters_.lost; break;
        case Delivery::not_authorised: ++counters_.not_authorised; break;
        case Delivery::quota: ++counters_.quota; break;
        case Delivery::too_large: ++counters_.too_large; break;
        case Delivery::refused: ++counters_.refused; break;
    }
}

void Publisher::settle(std::uint64_t id, Lane lane, runtime::PublishResult result) {
    LaneState& state = lane_[static_cast<std::size_t>(lane)];
    count(result.delivery);
    switch (result.delivery) {
        case Delivery::taken:
            spool_.done(id);
            if (state.denied.tries() || state.refused.tries()) denied_.recovered();
            if (quota_.tries()) crowded_.recovered();
            state.denied.reset();
            state.refused.reset();
            state.refused_id = 0;
            quota_.reset();
            lost_.reset();
            break;
        case Delivery::lost:
            spool_.requeue(id);
            if (link_.connected()) hold_until_ = std::max(hold_until_, clock_.now() + lost_.next());
            break;
        case Delivery::not_authorised:
            spool_.requeue(id);
            if (clock_.now() < state.parked_until) break;  // others of the same window
            state.parked_until = clock_.now() + state.denied.next();
            denied_.complain({{"stream", lane_name(lane)}, {"reason", result.reason}});
            break;
        case Delivery::quota:
            spool_.requeue(id);
            if (clock_.now() >= hold_until_) hold_until_ = clock_.now() + quota_.next();
            crowded_.complain({{"reason", result.reason}});
            break;
        case Delivery::too_large:
            spool_.drop(id, DropReason::too_large);
            unfit_.complain({{"stream", lane_name(lane)}, {"why", "too large"}});
            break;
        case Delivery::refused:
            denied_.complain({{"stream", lane_name(lane)}, {"reason", result.reason}});
            refuse(id, state);
            break;
    }
}

void Publisher::refuse(std::uint64_t id, LaneState& lane) {
    lane.refused_times = lane.refused_id == id ? lane.refused_times + 1 : 1;
    lane.refused_id = id;
    if (lane.refused_times >= most_refusals) {
        spool_.drop(id, DropReason::refused);
        lane.refused_id = 0;
        return;
    }
    spool_.requeue(id);
    if (clock_.now() >= lane.parked_until) lane.parked_until = clock_.now() + lane.refused.next();
}

asio::awaitable<void> Publisher::finish(Monotonic deadline) {
    using namespace asio::experimental::awaitable_operators;
    co_await asio::this_coro::throw_if_cancelled(false);
    finishing_ = true;
    wake_.tell();
    while (link_.connected() && clock_.now() < deadline && !spool_.empty()) {
        const bool go_on = co_await wake_.wait_until(clock_, deadline);
        if (!go_on) co_return;
    }
    if (link_.connected()) co_await (announcer_.say_offline() || clock_.sleep_until(deadline));
}

}  // namespace gwatt::agent
