#include "tests/integration/mqtt_link/house.hpp"

#include <algorithm>
#include <chrono>

namespace gwatt::test {

MqttOptions options_for(std::uint16_t port, const std::string& client_id, MqttProtocol protocol) {
    MqttOptions options;
    options.host = "127.0.0.1";
    options.port = port;
    options.client_id = client_id;
    options.protocol = protocol;
    options.keepalive = 5s;
    options.retry_first = 50ms;
    options.retry_cap = 400ms;
    options.connect_timeout = 10s;
    options.answer_timeout = 10s;
    options.stop_timeout = 2s;
    return options;
}

bool House::until(const std::function<bool()>& so, Duration most) {
    const auto end = clock.now() + most;
    while (!so()) {
        if (clock.now() >= end) {
            return false;
        }
        loop.restart();
        loop.run_one_for(10ms);
    }
    return true;
}

bool House::logged(const std::string& part) const {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

asio::awaitable<void> run_link(MqttLink& link, bool& ended) {
    co_await link.run();
    ended = true;
}

asio::awaitable<void> publish_on(MqttLink& link, Publication publication, std::vector<PublishResult>& results) {
    const PublishResult result = co_await link.publish(std::move(publication));
    results.push_back(result);
}

Party::Party(House& h, MqttOptions options) : house(h), link(h.loop, h.clock, h.log, std::move(options)) {}

Party::~Party() {
    if (!ended) {
        stop();
    }
}

void Party::listen(const std::string& filter, int qos) {
    link.subscribe(filter, qos, [this](const runtime::ReceivedMessage& m) {
        received.push_back({std::string(m.topic), std::string(m.payload), m.retained, m.duplicate});
    });
}

void Party::run() { asio::co_spawn(house.loop, run_link(link, ended), asio::detached); }

void Party::publish(Publication publication) {
    asio::co_spawn(house.loop, publish_on(link, std::move(publication), results), asio::detached);
}

void Party::publish_many(std::size_t count, const std::string& topic, std::size_t size) {
    for (std::size_t i = 0; i < count; ++i) {
        publish({.topic = topic + "/" + std::to_string(i), .payload = std::string(size, 'x')});
    }
}

bool Party::connect() {
    run();
    return house.until([this] { return link.connected(); });
}

bool Party::stop() {
    link.stop();
    return house.until([this] { return ended; });
}

std::size_t Party::outcomes(Delivery delivery) const {
    return static_cast<std::size_t>(
        std::count_if(results.begin(), results.end(), [&](const PublishResult& r) { return r.delivery == delivery; }));
}

}  // namespace gwatt::test
