#include "agent/publisher_announcer.hpp"

#include "proto/topics.hpp"

#include <algorithm>

namespace gwatt::agent {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using proto::Presence;
using proto::Stream;
using runtime::Delivery;
using runtime::Duration;
using runtime::Monotonic;

namespace {

constexpr std::uint32_t most_refusals = 3;
constexpr Duration look_pace = 1s;
constexpr const char* software = "gwatt-agent " GWATT_VERSION;

bool same(const std::vector<proto::BusStatus>& a, const std::vector<proto::BusStatus>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const proto::BusStatus& x, const proto::BusStatus& y) {
        return x.name == y.name && x.driver == y.driver && x.state == y.state && x.restarts == y.restarts &&
               x.error == y.error;
    });
}

proto::ClockPair clock_pair(const runtime::Clock& clock) {
    const runtime::ClockReading now = clock.read();
    return {now.monotonic, now.utc, static_cast<proto::ClockState>(now.state), now.offset, now.bound};
}

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

Announcer::Announcer(runtime::Clock& clock, const runtime::Logger& log, runtime::Mqtt& link, Identity identity,
                     StatusSource buses)
    : clock_(clock),
      link_(link),
      identity_(std::move(identity)),
      buses_(std::move(buses)),
      pause_(1s, 5min, identity_.boot + 1),
      refused_(log, clock, "the broker does not take our catalog or status") {}

void Announcer::set_catalog(const proto::Catalog& catalog) {
    catalog_ = catalog;
    have_catalog_ = catalog_due_ = true;
    not_before_ = clock_.now();
}

bool Announcer::due() {
    const Monotonic now = clock_.now();
    if (connection_ != link_.connections()) {
        connection_ = link_.connections();
        catalog_due_ = have_catalog_;
        status_due_ = true;
        not_before_ = now;
    }
    if (now - looked_ >= look_pace) {
        looked_ = now;
        if (!same(buses_(), told_buses_)) status_due_ = true;
    }
    return now >= not_before_ && (catalog_due_ || status_due_);
}

Monotonic Announcer::next_look() const { return std::max(not_before_, looked_ + look_pace); }

asio::awaitable<void> Announcer::announce() {
    const std::uint64_t connection = link_.connections();
    bool well = true;
    if (catalog_due_) {
        const bool taken = co_await publish_catalog();
        well = taken;
    }
    if (status_due_) {
        const bool taken = co_await publish_status(Presence::online);
        status_due_ = !taken;
        well = well && taken;
    }
    if (well) {
        pause_.reset();
        refused_.recovered();
    } else if (link_.connected() && link_.connections() == connection) {
        not_before_ = clock_.now() + pause_.next();
    }
    if (pause_.tries() >= most_refusals) catalog_due_ = false;
}

asio::awaitable<bool> Announcer::publish_catalog() {
    proto::Catalog catalog = catalog_;
    const std::uint64_t hash = catalog.header.catalog;
    catalog.header = header(counters_.catalogs + 1);
    std::string payload(encoder_.catalog(catalog));
    const bool taken = co_await publish(Stream::catalog, std::move(payload));
    if (!taken) co_return false;
    ++counters_.catalogs;
    if (catalog_.header.catalog == hash) catalog_due_ = false;  // else a newer one came meanwhile
    co_return true;
}

asio::awaitable<bool> Announcer::publish_status(Presence presence) {
    proto::Status status;
    status.header = header(counters_.statuses + 1);
    status.presence = presence;
    status.software = software;
    status.buses = buses_();
    std::string payload(encoder_.status(status));
    const bool taken = co_await publish(Stream::status, std::move(payload));
    if (!taken) co_return false;
    ++counters_.statuses;
    told_buses_ = std::move(status.buses);
    co_return true;
}

asio::awaitable<bool> Announcer::say_offline() {
    const bool taken = co_await publish_status(Presence::offline);
    co_return taken;
}

asio::awaitable<bool> Announcer::publish(Stream stream, std::string payload) {
    runtime::Publication publication;
    publication.topic = proto::topic(identity_.site, identity_.agent, stream);
    publication.payload = std::move(payload);
    publication.content_type = proto::content_type(stream);
    publication.retain = true;
    const runtime::PublishResult result = co_await link_.publish(std::move(publication));
    if (result.delivery == Delivery::taken) co_return true;
    ++counters_.not_taken;
    if (result.delivery != Delivery::lost)
        refused_.complain({{"stream", proto::stream_name(stream)}, {"reason", result.reason}});
    co_return false;
}

proto::Header Announcer::header(std::uint64_t sequence) const {
    proto::Header header;
    header.boot = identity_.boot;
    header.sequence = sequence;
    header.catalog = catalog_.header.catalog;
    header.clock = clock_pair(clock_);
    return header;
}

}  // namespace gwatt::agent
