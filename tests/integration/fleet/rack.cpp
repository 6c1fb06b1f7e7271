// A rack that is only its messages, over a real broker: catalog, status with a will, and a live message a second whose
// joule counters follow constant powers. For the fleet's integration test; ends when it is killed.
//   rack PORT SITE AGENT POINT:FEED:WATTS...      POINT is rack_in, psu_in or psu_out
#include "proto/codec.hpp"
#include "proto/topics.hpp"
#include "runtime/backoff.hpp"
#include "runtime/mqtt_link.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

using namespace gwatt;

namespace {
struct Meter {
    proto::Sensor sensor;
    double watts = 0;
};

Meter meter_of(const std::string& text, std::size_t number) {
    const auto first = text.find(':'), second = text.find(':', first + 1);
    const auto point = text.substr(0, first);
    Meter meter;
    meter.watts = std::atof(text.substr(second + 1).c_str());
    auto& sensor = meter.sensor;
    sensor.name = "model.p" + std::to_string(number);
    sensor.part_of = "model.supply" + std::to_string(number);
    sensor.quantity = proto::Quantity::power;
    sensor.point = point == "rack_in"  ? proto::Point::rack_in
                   : point == "psu_in" ? proto::Point::psu_in
                                       : proto::Point::psu_out;
    sensor.feed = text.substr(first + 1, second - first - 1);
    sensor.resolution = 0.1;
    sensor.basis = proto::AccuracyBasis::data_sheet;
    sensor.accuracy = {{0, 1e6, 0.01, 0}};
    return meter;
}

class Rack {
public:
    Rack(const std::string& site, const std::string& agent, std::vector<Meter> meters) : meters_(std::move(meters)) {
        catalog_.site = site, catalog_.agent = agent, catalog_.hall = "h1", catalog_.row = "w1", catalog_.rack = agent;
        for (const auto& meter : meters_) {
            catalog_.energy_points.push_back(static_cast<std::uint32_t>(catalog_.sensors.size()));
            catalog_.sensors.push_back(meter.sensor);
        }
        catalog_.groups = {{std::chrono::seconds(1), 0, static_cast<std::uint32_t>(catalog_.sensors.size())}};
        catalog_.header.catalog = proto::catalog_hash(catalog_);
        live_.points.resize(meters_.size());
    }
    runtime::Publication catalog(const runtime::Clock& clock) {
        catalog_.header = header(clock, ++state_sequence_);
        return {topic(proto::Stream::catalog), std::string(encoder_.catalog(catalog_)), 1, true, {}, {}};
    }
    runtime::Publication status(const runtime::Clock& clock, proto::Presence presence) {
        proto::Status status;
        status.header = header(clock, presence == proto::Presence::controller_lost ? 0 : ++status_sequence_);
        status.presence = presence;
        return {topic(proto::Stream::status), std::string(encoder_.status(status)), 1, true, {}, {}};
    }
    runtime::Publication live(const runtime::Clock& clock) {
        live_.header = header(clock, ++live_sequence_);
        const auto now = clock.now();
        live_.start = last_ == runtime::Monotonic{} ? now - std::chrono::seconds(1) : last_;
        live_.interval = now - live_.start;
        last_ = now;
        for (std::size_t i = 0; i < meters_.size(); ++i) {
            auto& point = live_.points[i];
            point.energy_mj += static_cast<std::uint64_t>(
                std::llround(meters_[i].watts * std::chrono::duration<double>(live_.interval).count() * 1e3));
            point.mean = point.min = point.max = meters_[i].watts;
            point.samples = 1;
            point.as_of = now;
        }
        return {topic(proto::Stream::live), std::string(encoder_.live(live_, catalog_)), 1, false, {}, {}};
    }

private:
    std::string topic(proto::Stream stream) const { return proto::topic(catalog_.site, catalog_.agent, stream); }
    proto::Header header(const runtime::Clock& clock, std::uint64_t sequence) const {
        const auto now = clock.read();
        return {proto::schema_version,
                boot_,
                sequence,
                catalog_.header.catalog,
                {now.monotonic, now.utc, static_cast<proto::ClockState>(now.state), now.offset, now.bound}};
    }
    std::vector<Meter> meters_;
    proto::Catalog catalog_;
    proto::Live live_;
    proto::Encoder encoder_;
    std::uint64_t boot_ = runtime::random_seed(), state_sequence_ = 0, status_sequence_ = 0, live_sequence_ = 0;
    runtime::Monotonic last_{};
};

boost::asio::awaitable<void> publish(runtime::Clock& clock, runtime::MqttLink& link, Rack& rack,
                                     boost::asio::io_context& loop) {
    std::uint64_t announced = 0;
    for (;;) {
        if (link.connections() != announced) {
            announced = link.connections();
            co_await link.publish(rack.catalog(clock));
            co_await link.publish(rack.status(clock, proto::Presence::online));
            std::puts("announced");
            std::fflush(stdout);
        }
        if (announced != 0) boost::asio::co_spawn(loop, link.publish(rack.live(clock)), boost::asio::detached);
        co_await clock.sleep_for(announced != 0 ? std::chrono::seconds(1) : std::chrono::milliseconds(50));
    }
}
}  // namespace

int main(int argc, char** argv) {
    if (argc < 5) return std::fputs("usage: rack PORT SITE AGENT POINT:FEED:WATTS...\n", stderr), 64;
    std::vector<Meter> meters;
    for (int i = 4; i < argc; ++i) meters.push_back(meter_of(argv[i], static_cast<std::size_t>(i)));
    Rack rack(argv[2], argv[3], std::move(meters));
    boost::asio::io_context loop;
    runtime::SystemClock clock(loop);
    const runtime::Logger log;
    runtime::MqttOptions options;
    options.host = "127.0.0.1";
    options.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    options.client_id = argv[3];
    options.will = rack.status(clock, proto::Presence::controller_lost);
    runtime::MqttLink link(loop, clock, log, options);
    boost::asio::co_spawn(loop, link.run(), boost::asio::detached);
    boost::asio::co_spawn(loop, publish(clock, link, rack, loop), boost::asio::detached);
    loop.run();
}
