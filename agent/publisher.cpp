#include "agent/publisher.hpp"

#include "proto/topics.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>

namespace gwatt::agent {

namespace asio = boost::asio;
using proto::Presence;
using proto::Stream;
using runtime::Backoff;
using runtime::Delivery;
using runtime::Monotonic;

namespace {

constexpr std::uint32_t most_refusals = 3;
constexpr auto live_expiry = std::chrono::seconds(60);
constexpr Duration status_pace = 1s;
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

bool same(const std::vector<proto::BusStatus>& a, const std::vector<proto::BusStatus>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const proto::BusStatus& x, const proto::BusStatus& y) {
        return x.name == y.name && x.driver == y.driver && x.state == y.state && x.restarts == y.restarts && x.error == y.error;
    });
}

proto::ClockPair clock_pair(const runtime::Clock& clock) {
    const runtime::ClockReading now = clock.read();
    return {now.monotonic, now.utc, static_cast<proto::ClockState>(now.state), now.offset, now.bound};
}

constexpr const char* software = "gwatt-agent " GWATT_VERSION;

}  // namespace

std::string will_payload(const Identity& identity, const runtime::Clock& clock) {
    proto::Status status;
    status.header.boot = identity.boot;
    status.header.clock = clock_pair(clock);
    status.presence = Presence::controller_lost;
    status.software = software;
    proto::Encoder encoder;
    return std::string(encoder.status(status));
}

Publisher::Publisher(asio::io_context& loop, runtime::Clock& clock, const runtime::Logger& log, runtime::Mqtt& link, Spool& spool,
                     Identity identity, const PublishConfig& config, StatusSource buses)
    : loop_(loop), clock_(clock), link_(link), spool_(spool), identity_(std::move(identity)), config_(config),
      buses_(std::move(buses)), wake_(loop), quota_(1s, 60s, identity_.boot), lost_(100ms, 30s, identity_.boot + 1),
      announce_(1s, 5min, identity_.boot + 2), denied_(log, clock, "the broker does not let us publish"),
      unfit_(log, clock, "the broker will not take a message; it is dropped"), crowded_(log, clock, "the broker is full") {
    for (std::size_t i = 0; i < lanes; ++i)
        lane_.push_back({{}, Backoff(30s, 15min, identity_.boot + 3 + i), Backoff(5s, 15min, identity_.boot + 9 + i)});
}

void Publisher::set_catalog(const proto::Catalog& catalog) {
    catalog_ = catalog;
    have_catalog_ = catalog_due_ = true;
    wake_.tell();
}

proto::Header Publisher::header(std::uint64_t sequence) const {
    proto::Header header;
    header.boot = identity_.boot;
    header.sequence = sequence;
    header.catalog = catalog_.header.catalog;
    header.clock = clock_pair(clock_);
    return header;
}

asio::awaitable<void> Publisher::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        if (link_.connected()) {
            if (must_announce()) co_await announce();
            while (send_next()) {
            }
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
    consider(announce_at_);
    consider(status_checked_ + status_pace);
    for (const LaneState& lane : lane_) consider(lane.parked_until);
    return next;
}

bool Publisher::send_next() {
    // Without room the link wakes us; without a catalog nobody could read what we send.
    if (!have_catalog_ || catalog_due_ || !link_.has_room() || counters_.in_flight >= link_.limits().window) return false;
    const auto taken = spool_.take(allowed_lanes());
    if (!taken) return false;
    const Record& record = *taken->record;
    const bool history = taken->lane == Lane::backlog_live || taken->lane == Lane::backlog_data;
    runtime::Publication publication;
    publication.topic = proto::topic(identity_.site, identity_.agent, record.stream, history);
    publication.payload = record.payload;
    publication.content_type = proto::content_type(record.stream);
    if (taken->lane == Lane::live) publication.expiry = live_expiry;
    if (history) {
        ++counters_.history;
        backlog_at_ = std::max(backlog_at_, clock_.now()) + Duration(1s) / std::max(config_.history_rate, 1u);
    }
    ++counters_.in_flight;
    asio::co_spawn(loop_, deliver(record.id, taken->lane, record.payload.size(), std::move(publication)), asio::detached);
    return true;
}

asio::awaitable<void> Publisher::deliver(std::uint64_t id, Lane lane, std::size_t bytes, runtime::Publication publication) {
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

bool Publisher::must_announce() {
    const Monotonic now = clock_.now();
    if (announced_connection_ != link_.connections()) {
        announced_connection_ = link_.connections();
        catalog_due_ = have_catalog_;
        status_due_ = true;
        announce_at_ = now;
    }
    if (now - status_checked_ >= status_pace) {
        status_checked_ = now;
        if (!same(buses_(), told_buses_)) status_due_ = true;
    }
    return now >= announce_at_ && (catalog_due_ || status_due_) && !finishing_;
}

asio::awaitable<void> Publisher::announce() {
    const std::uint64_t connection = link_.connections();
    bool well = true;
    if (catalog_due_) {
        const bool taken = co_await publish_catalog();
        well = taken;
    }
    if (status_due_) {
        const bool taken = co_await publish_status(Presence::online);
        if (taken) status_due_ = false;
        well = well && taken;
    }
    if (well) announce_.reset();
    else if (link_.connected() && link_.connections() == connection) announce_at_ = clock_.now() + announce_.next();
    // A broker that refuses the catalog may still take records: readers may have the catalog from elsewhere.
    if (announce_.tries() >= most_refusals) catalog_due_ = false;
}

asio::awaitable<bool> Publisher::publish_catalog() {
    proto::Catalog catalog = catalog_;
    const std::uint64_t hash = catalog.header.catalog;
    catalog.header = header(counters_.catalogs + 1);
    const bool taken = co_await publish_retained(Stream::catalog, std::string(encoder_.catalog(catalog)));
    if (!taken) co_return false;
    ++counters_.catalogs;
    if (catalog_.header.catalog == hash) catalog_due_ = false;  // else a newer one came meanwhile
    co_return true;
}

asio::awaitable<bool> Publisher::publish_status(Presence presence) {
    proto::Status status;
    status.header = header(counters_.statuses + 1);
    status.presence = presence;
    status.software = software;
    status.buses = buses_();
    std::string payload(encoder_.status(status));
    const bool taken = co_await publish_retained(Stream::status, std::move(payload));
    if (!taken) co_return false;
    ++counters_.statuses;
    told_buses_ = std::move(status.buses);
    co_return true;
}

asio::awaitable<bool> Publisher::publish_retained(Stream stream, std::string payload) {
    runtime::Publication publication;
    publication.topic = proto::topic(identity_.site, identity_.agent, stream);
    publication.payload = std::move(payload);
    publication.content_type = proto::content_type(stream);
    publication.retain = true;
    const runtime::PublishResult result = co_await link_.publish(std::move(publication));
    count(result.delivery);
    if (result.delivery == Delivery::taken) co_return true;
    if (result.delivery != Delivery::lost) denied_.complain({{"stream", proto::stream_name(stream)}, {"reason", result.reason}});
    co_return false;
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
    if (link_.connected()) co_await (publish_status(Presence::offline) || clock_.sleep_until(deadline));
}

}  // namespace gwatt::agent
