#pragma once
// An agent that is only its messages: a catalog and, for each second, a live message with joule counters that follow a
// given power. For tests of the fleet's stages; times are chosen by the test.
#include "fleet/aggregator.hpp"
#include "fleet/ledger.hpp"
#include "fleet/subscriber.hpp"
#include "proto/codec.hpp"
#include "proto/topics.hpp"

#include <cmath>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gwatt::test {

inline constexpr std::int64_t day_one = 1'700'000'000 / 3600 * 3600;  // UTC seconds, on the hour

inline proto::Utc utc_at(double seconds) {
    return proto::Utc(std::chrono::seconds(day_one) + proto::Duration(std::llround(seconds * 1e9)));
}
inline fleet::Arrival arrival_at(double seconds) {
    return {proto::Monotonic(std::chrono::seconds(5000) + proto::Duration(std::llround(seconds * 1e9))),
            utc_at(seconds)};
}

struct Wire {
    std::string topic, payload;
};

inline proto::Sensor power_sensor(std::string name, proto::Point point, std::string part_of = "",
                                  std::string feed = "") {
    proto::Sensor sensor;
    sensor.name = std::move(name);
    sensor.part_of = std::move(part_of);
    sensor.feed = std::move(feed);
    sensor.quantity = proto::Quantity::power;
    sensor.point = point;
    sensor.resolution = 0.001;
    sensor.basis = proto::AccuracyBasis::data_sheet;
    sensor.accuracy = {{0, 1e6, 0.01, 0}};
    return sensor;
}

class ModelRack {
public:
    using Watts = std::function<double(std::size_t point, double second)>;

    ModelRack(std::string site, std::string agent, std::vector<proto::Sensor> sensors, Watts watts,
              std::uint64_t boot = 77)
        : watts_(std::move(watts)), boot_(boot) {
        catalog.site = std::move(site);
        catalog.agent = std::move(agent);
        catalog.sensors = std::move(sensors);
        catalog.groups = {{std::chrono::seconds(1), 0, static_cast<std::uint32_t>(catalog.sensors.size())}};
        for (std::uint32_t i = 0; i < catalog.sensors.size(); ++i) catalog.energy_points.push_back(i);
        points_.resize(catalog.sensors.size());
        seal();
    }
    // To be called after a change of `catalog`.
    void seal() { catalog.header.catalog = proto::catalog_hash(catalog); }

    Wire catalog_message() {
        catalog.header.boot = boot_;
        catalog.header.sequence = ++catalog_sequence_;
        return {proto::topic(catalog.site, catalog.agent, proto::Stream::catalog),
                std::string(encoder_->catalog(catalog))};
    }
    Wire status_message(proto::Presence presence) {
        proto::Status status;
        status.header.boot = boot_;
        status.header.sequence = presence == proto::Presence::controller_lost ? 0 : ++status_sequence_;
        status.presence = presence;
        return {proto::topic(catalog.site, catalog.agent, proto::Stream::status),
                std::string(encoder_->status(status))};
    }

    // The message of [second, second + 1). Points whose watts are NaN are silent.
    Wire live_message(double second) {
        proto::Live live;
        live.header.boot = boot_;
        live.header.sequence = ++live_sequence_;
        live.header.catalog = catalog.header.catalog;
        live.header.clock.monotonic =
            proto::Monotonic(std::chrono::seconds(100) + proto::Duration(std::llround((second + 1) * 1e9)));
        live.header.clock.utc = utc_at(second + 1 + clock_error);
        live.header.clock.state = proto::ClockState::ntp;
        live.header.clock.bound = std::chrono::milliseconds(2);
        live.start = live.header.clock.monotonic - std::chrono::seconds(1);
        live.interval = std::chrono::seconds(1);
        for (std::size_t i = 0; i < points_.size(); ++i)
            live.points.push_back(advance(i, second, live.header.clock.monotonic));
        if (live.points.size() > most_points) live.points.resize(most_points);
        return {proto::topic(catalog.site, catalog.agent, proto::Stream::live),
                std::string(encoder_->live(live, catalog))};
    }

    void new_epoch(std::size_t point) { ++points_[point].epoch, points_[point].energy_mj = 0; }
    void new_boot() {
        boot_ = boot_ * 31 + 1;
        live_sequence_ = catalog_sequence_ = status_sequence_ = 0;
        for (auto& point : points_) point = {};
    }

    proto::Catalog catalog;
    double clock_error = 0;              // s
    std::size_t most_points = SIZE_MAX;  // in a live message
    proto::Quality quality = proto::Quality::good;

private:
    proto::Live::Point advance(std::size_t i, double second, proto::Monotonic end) {
        auto& point = points_[i];
        const double watts = watts_(i, second);
        point.samples = std::isnan(watts) ? 0 : 10;
        point.quality = std::isnan(watts) ? proto::Quality::timeout : quality;
        if (!std::isnan(watts)) {
            point.energy_mj += static_cast<std::uint64_t>(std::llround(watts * 1e3));
            point.mean = point.min = point.max = watts;
            point.as_of = end;
        }
        return point;
    }

    Watts watts_;
    std::uint64_t boot_, live_sequence_ = 0, catalog_sequence_ = 0, status_sequence_ = 0;
    std::vector<proto::Live::Point> points_;
    std::unique_ptr<proto::Encoder> encoder_ = std::make_unique<proto::Encoder>();
};

// Subscriber, ledger and aggregator, put together as in main.
struct ModelFleet {
    explicit ModelFleet(fleet::AggregatorOptions options = {}, fleet::SubscriberLimits limits = {},
                        std::size_t agents_limit = 1000)
        : agents(agents_limit),
          aggregator(options, inventory, arrival_at(0), [this](const fleet::Window& w) { windows.push_back(w); }),
          ledger(books, aggregator),
          subscriber(limits, agents, books, ledger) {}
    void expect(fleet::RackConfig config) {
        const auto agent = *agents.admit(config.site, config.agent);
        inventory.add(agent, std::move(config), true);
    }
    void take(const Wire& wire, double at) { subscriber.take({wire.topic, wire.payload}, arrival_at(at)); }
    const fleet::Report& report(double at) {
        aggregator.tick(arrival_at(at));
        return aggregator.report(arrival_at(at));
    }
    const fleet::Total& total(double at, std::string_view path = "fleet") {
        const auto& all = report(at);
        for (std::size_t i = 0; i < all.totals.size(); ++i)
            if ((*all.scopes)[i].path == path) return all.totals[i];
        static const fleet::Total nothing;
        return nothing;
    }

    fleet::Books books;
    fleet::AgentTable agents;
    fleet::Inventory inventory;
    std::vector<fleet::Window> windows;
    fleet::Aggregator aggregator;
    fleet::Ledger ledger;
    fleet::Subscriber subscriber;
};

}  // namespace gwatt::test
