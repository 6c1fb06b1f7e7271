#include "tests/integration/mqtt_link/house.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/scripted_broker.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <doctest/doctest.h>

using namespace gwatt::test;

namespace {

asio::awaitable<void> watch(MqttLink& link, std::vector<bool>& seen) {
    for (;;) {
        const bool changed = co_await link.changed();
        if (!changed) {
            co_return;
        }
        seen.push_back(link.connected());
    }
}

}  // namespace

TEST_CASE("an orderly stop sends what waits, then the goodbye, then DISCONNECT, and the will stays unsaid") {
    House house;
    Broker broker;
    Party reader(house, options_for(broker.port(), "reader"));
    reader.listen("#");
    REQUIRE(reader.connect());
    MqttOptions options = options_for(broker.port(), "leaver");
    options.will = Publication{.topic = "status", .payload = "lost"};
    options.goodbye = Publication{.topic = "status", .payload = "stopped", .qos = 1, .retain = true};
    Party leaver(house, options);
    REQUIRE(leaver.connect());
    leaver.publish_many(200, "t");
    house.until([&] { return leaver.link.numbers().published == 200; });
    CHECK(leaver.stop());
    CHECK(leaver.outcomes(Delivery::taken) == 200);
    REQUIRE(house.until([&] { return reader.received.size() == 201; }));
    CHECK(reader.received.back().payload == "stopped");
    house.for_a_while(200ms);
    CHECK(reader.received.size() == 201);
}

TEST_CASE("a stop with a broker that does not answer ends within stop_timeout, everything lost once") {
    House house;
    ScriptedBroker broker(house.loop);
    broker.behaviour().puback = [](std::uint64_t) { return std::nullopt; };
    MqttOptions options = options_for(broker.port(), "leaver");
    options.stop_timeout = 1s;
    options.goodbye = Publication{.topic = "status", .payload = "stopped"};
    Party party(house, options);
    REQUIRE(party.connect());
    party.publish_many(50, "t");
    REQUIRE(house.until([&] { return broker.seen().topics.size() == 20; }));
    const auto start = house.clock.now();
    CHECK(party.stop());
    CHECK(house.clock.now() - start < 2500ms);
    CHECK(house.until([&] { return party.results.size() == 50; }));
    CHECK(party.outcomes(Delivery::lost) == 50);
    party.publish({.topic = "late", .payload = "p"});
    CHECK(house.until([&] { return party.results.size() == 51; }));
    CHECK(party.results.back().delivery == Delivery::lost);
}

TEST_CASE("cancelling run() stops in order too") {
    asio::cancellation_signal signal;  // outlives the loop and its coroutines
    House house;
    ScriptedBroker broker(house.loop);
    MqttOptions options = options_for(broker.port(), "cancelled");
    options.goodbye = Publication{.topic = "bye", .payload = "x"};
    bool ended = false;
    MqttLink link(house.loop, house.clock, house.log, options);
    asio::co_spawn(house.loop, run_link(link, ended), asio::bind_cancellation_slot(signal.slot(), asio::detached));
    REQUIRE(house.until([&] { return link.connected(); }));
    signal.emit(asio::cancellation_type::terminal);
    CHECK(house.until([&] { return ended && broker.seen().disconnects == 1; }));
    CHECK(broker.seen().topics == std::vector<std::string>{"bye"});
}

TEST_CASE("stop() while connecting, while pausing and before run() ends at once") {
    House house;
    MqttOptions options = options_for(free_port(), "nowhere");
    options.retry_first = 60s;
    options.retry_cap = 60s;
    {
        Party pausing(house, options);
        pausing.run();
        REQUIRE(house.until([&] { return pausing.link.numbers().connect_failures[1] == 1; }));
        CHECK(pausing.stop());
    }
    ScriptedBroker mute(house.loop);
    mute.behaviour().silent = true;
    {
        Party connecting(house, options_for(mute.port(), "connecting"));
        connecting.run();
        REQUIRE(house.until([&] { return mute.seen().connections == 1; }));
        const auto start = house.clock.now();
        CHECK(connecting.stop());
        CHECK(house.clock.now() - start < 3s);
    }
    Party never(house, options);
    never.publish({.topic = "t", .payload = "p"});
    house.for_a_while(20ms);
    never.link.stop();
    CHECK(house.until([&] { return never.outcomes(Delivery::lost) == 1; }));
    never.run();
    CHECK(house.until([&] { return never.ended; }));
}

TEST_CASE("changed() wakes its callers when the link comes up, makes room, and goes down") {
    House house;
    std::vector<bool> seen;
    ScriptedBroker broker(house.loop);
    Party party(house, options_for(broker.port(), "changes"));
    asio::co_spawn(house.loop, watch(party.link, seen), asio::detached);
    REQUIRE(party.connect());
    CHECK(house.until([&] { return !seen.empty() && seen.back(); }));
    const std::size_t before = seen.size();
    party.publish({.topic = "t", .payload = "p"});
    CHECK(house.until([&] { return seen.size() > before; }));
    broker.cut();
    CHECK(house.until([&] { return !seen.back(); }));
}
