#include "tests/support/model_broker.hpp"

#include "runtime/mqtt_rules.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

using namespace gwatt;
using runtime::topic_matches;
using test::ModelBroker;

namespace {

boost::asio::awaitable<void> publish(runtime::Mqtt& mqtt, std::string topic, std::string payload, bool retain,
                                     runtime::PublishResult& result) {
    runtime::Publication publication;
    publication.topic = std::move(topic);
    publication.payload = std::move(payload);
    publication.retain = retain;
    result = co_await mqtt.publish(std::move(publication));
}

struct Network {
    boost::asio::io_context loop;
    ModelBroker broker{loop, 1};
    std::unique_ptr<ModelBroker::Client> subscriber = broker.client();
    std::unique_ptr<ModelBroker::Client> publisher = broker.client();
    std::vector<std::string> received;

    Network() {
        subscriber->subscribe("a/+/c", 1,
                              [this](const runtime::ReceivedMessage& m) { received.emplace_back(m.payload); });
        start(*subscriber);
        start(*publisher);
    }
    ~Network() {
        subscriber->stop();
        publisher->stop();
        settle();
    }
    void start(ModelBroker::Client& client) {
        boost::asio::co_spawn(loop, client.run(), boost::asio::detached);
        settle();
    }
    void settle() {
        loop.restart();
        loop.poll();
    }
    runtime::PublishResult send(std::string topic, std::string payload, bool retain = false) {
        runtime::PublishResult result;
        boost::asio::co_spawn(loop, publish(*publisher, std::move(topic), std::move(payload), retain, result),
                              boost::asio::detached);
        settle();
        return result;
    }
};

}  // namespace

TEST_CASE("topic filters follow section 4.7 of MQTT 5") {
    CHECK(topic_matches("a/+/c", "a/b/c"));
    CHECK(topic_matches("a/#", "a/b/c"));
    CHECK(topic_matches("#", "a"));
    CHECK(topic_matches("a/b", "a/b"));
    CHECK_FALSE(topic_matches("a/+", "a/b/c"));
    CHECK_FALSE(topic_matches("a/b/c", "a/b"));
    CHECK_FALSE(topic_matches("a/+/c", "a/b/d"));
}

TEST_CASE("a publication reaches the subscribers whose filter matches, and nobody else") {
    Network network;
    CHECK(network.send("a/1/c", "one").delivery == runtime::Delivery::taken);
    CHECK(network.send("a/1/d", "other").delivery == runtime::Delivery::taken);
    CHECK(network.received == std::vector<std::string>{"one"});
}

TEST_CASE("a dropped message is acknowledged all the same, and an unacknowledged one arrives") {
    Network network;
    network.broker.set({.drop = 1});
    CHECK(network.send("a/1/c", "dropped").delivery == runtime::Delivery::taken);
    CHECK(network.received.empty());
    network.broker.set({.lose_ack = 1});
    CHECK(network.send("a/1/c", "arrives").delivery == runtime::Delivery::lost);
    CHECK(network.received == std::vector<std::string>{"arrives"});
}

TEST_CASE("nothing passes while the network is down, and retained messages come with the next connection") {
    Network network;
    CHECK(network.send("a/1/c", "kept", true).delivery == runtime::Delivery::taken);
    network.broker.set({.down = true});
    CHECK(network.send("a/1/c", "lost").delivery == runtime::Delivery::lost);
    CHECK(network.publisher->connections() == 1);
    network.broker.set({});
    CHECK(network.publisher->connections() == 2);
    CHECK(network.received == std::vector<std::string>{"kept", "kept"});
}

TEST_CASE("reordered messages come late, each exactly once") {
    Network network;
    network.broker.set({.reorder = 0.5, .reorder_depth = 4});
    for (int i = 0; i < 200; ++i) {
        network.send("a/1/c", std::to_string(i));
    }
    network.broker.release_held();
    CHECK(network.received.size() == 200);
    CHECK_FALSE(std::is_sorted(network.received.begin(), network.received.end(),
                               [](const auto& a, const auto& b) { return std::stoi(a) < std::stoi(b); }));
    std::sort(network.received.begin(), network.received.end());
    CHECK(std::unique(network.received.begin(), network.received.end()) == network.received.end());
}
