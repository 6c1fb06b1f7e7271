#include "tests/integration/mqtt_link/house.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/relay.hpp"
#include "tests/support/scripted_broker.hpp"

#include <doctest/doctest.h>

#include <thread>

using namespace gwatt::test;

TEST_CASE("a flood passes in order and whole while the loop keeps up") {
    House house;
    Broker broker("allow_anonymous true\nmax_queued_messages 100000\n");
    Party reader(house, options_for(broker.port(), "reader"));
    Party writer(house, options_for(broker.port(), "writer"));
    reader.listen("t/#");
    REQUIRE(reader.connect());
    REQUIRE(writer.connect());
    constexpr std::size_t count = 5000;
    writer.publish_many(count, "t", 500);
    REQUIRE(house.until([&] { return reader.received.size() == count; }, 60s));
    for (std::size_t i = 0; i < count; ++i) {
        CHECK(reader.received[i].topic == "t/" + std::to_string(i));
    }
    CHECK(reader.link.numbers().received_bytes == count * 500);
    CHECK(reader.link.numbers().dropped_full == 0);
}

TEST_CASE("when the loop stands still the queue fills to its limit, the rest is counted, and the link lives") {
    House house;
    ScriptedBroker broker(house.loop);
    MqttOptions options = options_for(broker.port(), "stalled");
    options.queue_messages = 100;
    options.hold_back = 0ms;
    Party party(house, options);
    party.listen("t");
    REQUIRE(party.connect());
    REQUIRE(house.until([&] { return broker.seen().filters.size() == 1; }));
    std::string burst;
    for (int i = 0; i < 1000; ++i) {
        burst += ScriptedBroker::publish(true, "t", "payload " + std::to_string(i));
    }
    broker.send(burst);
    std::this_thread::sleep_for(1s);  // the loop is busy with something else
    const auto& numbers = party.link.numbers();
    REQUIRE(house.until([&] { return numbers.received + numbers.dropped_full == 1000; }));
    CHECK(numbers.received >= 100);
    CHECK(numbers.dropped_full > 0);
    CHECK(party.received.size() == numbers.received);
    CHECK(house.logged("the queue to the loop is full"));
    CHECK(party.link.connected());
    broker.send(ScriptedBroker::publish(true, "t", "after"));
    CHECK(house.until([&] { return party.received.back().payload == "after"; }));
}

TEST_CASE("holding back carries a short stall without a loss") {
    House house;
    ScriptedBroker broker(house.loop);
    MqttOptions options = options_for(broker.port(), "held");
    options.queue_messages = 100;
    options.hold_back = 1s;
    Party party(house, options);
    party.listen("t");
    REQUIRE(party.connect());
    REQUIRE(house.until([&] { return broker.seen().filters.size() == 1; }));
    std::string burst;
    for (int i = 0; i < 1000; ++i) {
        burst += ScriptedBroker::publish(true, "t", std::to_string(i));
    }
    broker.send(burst);
    std::this_thread::sleep_for(300ms);
    CHECK(house.until([&] { return party.received.size() == 1000; }));
    CHECK(party.link.numbers().dropped_full == 0);
}

TEST_CASE("the queue is limited in bytes as well") {
    House house;
    ScriptedBroker broker(house.loop);
    MqttOptions options = options_for(broker.port(), "bytes");
    options.receive_packet = 4096;
    options.queue_bytes = 8192;
    options.hold_back = 0ms;
    Party party(house, options);
    party.listen("t");
    REQUIRE(party.connect());
    REQUIRE(house.until([&] { return broker.seen().filters.size() == 1; }));
    std::string burst;
    for (int i = 0; i < 50; ++i) {
        burst += ScriptedBroker::publish(true, "t", std::string(1000, 'x'));
    }
    broker.send(burst);
    std::this_thread::sleep_for(500ms);
    const auto& numbers = party.link.numbers();
    REQUIRE(house.until([&] { return numbers.received + numbers.dropped_full == 50; }));
    CHECK(numbers.dropped_full > 0);
}

TEST_CASE("subscriptions are made again at each connection, and what nobody asked for is counted") {
    House house;
    ScriptedBroker broker(house.loop);
    Party party(house, options_for(broker.port(), "again"));
    party.listen("a/#");
    party.listen("b", 0);
    REQUIRE(party.connect());
    REQUIRE(house.until([&] { return broker.seen().filters.size() == 2; }));
    broker.send(ScriptedBroker::publish(true, "c", "not asked for"));
    CHECK(house.until([&] { return party.link.numbers().dropped_unwanted == 1; }));
    CHECK(party.received.empty());
    broker.cut();
    REQUIRE(house.until([&] { return party.link.connections() == 2; }));
    REQUIRE(house.until([&] { return broker.seen().filters.size() == 4; }));
    CHECK(broker.seen().filters == std::vector<std::string>{"a/#", "b", "a/#", "b"});
}

TEST_CASE("a message that two filters match reaches both handlers, once each") {
    House house;
    ScriptedBroker broker(house.loop);
    Party party(house, options_for(broker.port(), "two"));
    party.listen("a/+");
    party.listen("$share/group/a/b");
    REQUIRE(party.connect());
    REQUIRE(house.until([&] { return broker.seen().filters.size() == 2; }));
    broker.send(ScriptedBroker::publish(true, "a/b", "x"));
    CHECK(house.until([&] { return party.received.size() == 2; }));
    CHECK(party.link.numbers().received == 1);
    CHECK(party.link.numbers().dropped_unwanted == 0);
}

TEST_CASE("a Server Keep Alive below ours is kept from the next connection on") {
    House house;
    ScriptedBroker broker(house.loop);
    broker.behaviour().connack_properties = std::string("\x13\x00\x02", 3);
    Party party(house, options_for(broker.port(), "keepalive"));
    REQUIRE(party.connect());
    CHECK(broker.seen().keepalive == 5);
    broker.cut();
    REQUIRE(house.until([&] { return party.link.connections() == 2; }));
    CHECK(broker.seen().keepalive == 2);
}
