#include "tests/integration/mqtt_link/house.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/scripted_broker.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>

#include <doctest/doctest.h>

using namespace gwatt::test;

TEST_CASE("the broker's Receive Maximum of 1 is kept: never two unanswered, in order") {
    House house;
    ScriptedBroker broker(house.loop);
    broker.behaviour().connack_properties = std::string("\x21\x00\x01", 3);
    Party party(house, options_for(broker.port(), "one"));
    REQUIRE(party.connect());
    CHECK(party.link.limits().window == 1);
    CHECK(party.link.has_room());
    party.publish_many(100, "t");
    house.until([&] { return party.link.numbers().in_flight == 1; });
    CHECK_FALSE(party.link.has_room());
    REQUIRE(house.until([&] { return party.outcomes(Delivery::taken) == 100; }));
    CHECK(broker.seen().most_unanswered == 1);
    CHECK(party.link.numbers().most_in_flight == 1);
    for (std::size_t i = 0; i < 100; ++i) {
        CHECK(broker.seen().topics[i] == "t/" + std::to_string(i));
    }
}

TEST_CASE("our own window holds where the broker would take more, and room comes with each answer") {
    House house;
    ScriptedBroker broker(house.loop);
    broker.behaviour().puback = [](std::uint64_t) { return std::nullopt; };
    MqttOptions options = options_for(broker.port(), "seven");
    options.window = 7;
    Party party(house, options);
    REQUIRE(party.connect());
    party.publish_many(30, "t");
    REQUIRE(house.until([&] { return broker.seen().topics.size() == 7; }));
    house.for_a_while(200ms);
    CHECK(broker.seen().topics.size() == 7);
    CHECK(party.link.numbers().waiting == 23);
    broker.answer_withheld();
    REQUIRE(house.until([&] { return broker.seen().topics.size() == 14; }));
    broker.behaviour().puback = {};
    broker.answer_withheld();
    REQUIRE(house.until([&] { return party.outcomes(Delivery::taken) == 30; }));
    CHECK(broker.seen().most_unanswered == 7);
}

// A burst handed to the library at once goes at 40 messages a second once the Receive Maximum is reached; in this test
// that would show as a ctest time-out: 20000 messages would take 500 s.
TEST_CASE("a burst far above the broker's Receive Maximum passes, with never more in flight than it") {
    House house;
    Broker broker("allow_anonymous true\nmax_inflight_messages 10\n");
    Party party(house, options_for(broker.port(), "burst"));
    REQUIRE(party.connect());
    CHECK(party.link.limits().window == 10);
    constexpr std::size_t count = 20000;
    party.publish_many(count, "t", 300);
    REQUIRE(house.until([&] { return party.results.size() == count; }, 100s));
    CHECK(party.outcomes(Delivery::taken) == count);
    CHECK(party.link.numbers().most_in_flight == 10);
    CHECK(party.link.connections() == 1);
}

TEST_CASE("a wide window is the library's too: 500 in flight at once are all answered") {
    House house;
    ScriptedBroker broker(house.loop);
    broker.behaviour().puback = [](std::uint64_t) { return std::nullopt; };
    MqttOptions options = options_for(broker.port(), "wide");
    options.window = 500;
    Party party(house, options);
    REQUIRE(party.connect());
    party.publish_many(600, "t");
    REQUIRE(house.until([&] { return broker.seen().topics.size() == 500; }));
    broker.behaviour().puback = {};
    broker.answer_withheld();
    CHECK(house.until([&] { return party.outcomes(Delivery::taken) == 600; }));
    CHECK(broker.seen().most_unanswered == 500);
}

TEST_CASE("a publication whose coroutine is cancelled while it waits is not sent") {
    asio::cancellation_signal signal;  // outlives the loop and its coroutines
    House house;
    ScriptedBroker broker(house.loop);
    broker.behaviour().puback = [](std::uint64_t) { return std::nullopt; };
    MqttOptions options = options_for(broker.port(), "cancel");
    options.window = 1;
    Party party(house, options);
    REQUIRE(party.connect());
    party.publish({.topic = "first", .payload = "p"});
    asio::co_spawn(house.loop, publish_on(party.link, {.topic = "second", .payload = "p"}, party.results),
                   asio::bind_cancellation_slot(signal.slot(), asio::detached));
    party.publish({.topic = "third", .payload = "p"});
    REQUIRE(house.until([&] { return broker.seen().topics.size() == 1; }));
    signal.emit(asio::cancellation_type::terminal);
    house.for_a_while(50ms);
    broker.behaviour().puback = {};
    broker.answer_withheld();
    REQUIRE(house.until([&] { return party.outcomes(Delivery::taken) == 2; }));
    CHECK(broker.seen().topics == std::vector<std::string>{"first", "third"});
    CHECK(party.link.numbers().outcomes[static_cast<std::size_t>(Delivery::lost)] == 1);
}
