#include "tests/integration/mqtt_link/house.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/relay.hpp"
#include "tests/support/scripted_broker.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace gwatt::test;

namespace {

// What a spool does: sends again what was lost, until it is taken. Counts the outcomes of each publication's tries.
asio::awaitable<void> insist(MqttLink& link, Publication publication, std::size_t& taken, std::size_t& tries) {
    for (;;) {
        const PublishResult result = co_await link.publish(publication);
        ++tries;
        if (result.delivery == Delivery::taken) {
            ++taken;
            co_return;
        }
    }
}

std::size_t distinct(const std::vector<Party::Received>& received) {
    std::set<std::string> topics;
    for (const auto& message : received) {
        topics.insert(message.topic);
    }
    return topics.size();
}

std::uint64_t all_outcomes(const MqttLink& link) {
    std::uint64_t sum = 0;
    for (const std::uint64_t n : link.numbers().outcomes) {
        sum += n;
    }
    return sum;
}

}  // namespace

TEST_CASE(
    "20 in flight, the broker frozen, killed and started again: each has one outcome, and all arrive when resent") {
    for (const MqttProtocol protocol : {MqttProtocol::v5, MqttProtocol::v311}) {
        House house;
        std::size_t taken = 0;
        std::size_t tries = 0;
        Broker broker;
        Party writer(house, options_for(broker.port(), "writer", protocol));
        Party reader(house, options_for(broker.port(), "reader"));
        reader.listen("r/#");
        REQUIRE(writer.connect());
        REQUIRE(reader.connect());
        broker.freeze();
        for (int i = 0; i < 20; ++i) {
            asio::co_spawn(house.loop,
                           insist(writer.link, {.topic = "r/" + std::to_string(i), .payload = "p"}, taken, tries),
                           asio::detached);
        }
        REQUIRE(house.until([&] { return writer.link.numbers().in_flight == 20; }));
        house.for_a_while(200ms);
        CHECK(taken == 0);
        broker.kill();
        REQUIRE(house.until([&] { return tries == 20; }));  // all lost, each once
        CHECK(writer.link.numbers().outcomes[static_cast<std::size_t>(Delivery::lost)] == 20);
        CHECK(writer.link.numbers().in_flight == 0);
        CHECK(taken == 0);
        broker.start();
        REQUIRE(house.until([&] { return reader.link.connections() == 2 && writer.link.connections() == 2; }));
        REQUIRE(house.until([&] { return taken == 20; }));
        CHECK(tries == 40);
        CHECK(all_outcomes(writer.link) == writer.link.numbers().published);
    }
}

TEST_CASE("a network that is cut again and again under load loses nothing that is resent") {
    House house;
    std::size_t taken = 0;
    std::size_t tries = 0;
    Broker broker;
    Relay network(house.loop, broker.port());
    Party writer(house, options_for(network.port(), "writer"));
    Party reader(house, options_for(broker.port(), "reader"));
    reader.listen("r/#");
    REQUIRE(reader.connect());
    REQUIRE(writer.connect());
    constexpr std::size_t count = 2000;
    for (std::size_t i = 0; i < count; ++i) {
        asio::co_spawn(
            house.loop,
            insist(writer.link, {.topic = "r/" + std::to_string(i), .payload = std::string(200, 'x')}, taken, tries),
            asio::detached);
    }
    for (std::size_t cuts = 1; cuts <= 5; ++cuts) {
        const std::size_t before = taken;
        REQUIRE(house.until([&] { return taken >= std::min(before + 100, count) && writer.link.connected(); }));
        network.cut();
    }
    REQUIRE(house.until([&] { return taken == count && distinct(reader.received) == count; }));
    CHECK(tries > count);
    CHECK(writer.link.connections() >= 5);
    CHECK(all_outcomes(writer.link) == writer.link.numbers().published);
    CHECK(writer.link.numbers().published == tries);
    CHECK(writer.link.numbers().most_in_flight <= 20);
}

TEST_CASE("a broker that stops answering is given up after answer_timeout, and what was in flight is lost once") {
    House house;
    ScriptedBroker broker(house.loop);
    broker.behaviour().puback = [](std::uint64_t) { return std::nullopt; };
    MqttOptions options = options_for(broker.port(), "patient");
    options.answer_timeout = 1s;
    Party party(house, options);
    REQUIRE(party.connect());
    party.publish_many(5, "t");
    REQUIRE(house.until([&] { return party.results.size() == 5; }));
    CHECK(party.outcomes(Delivery::lost) == 5);
    CHECK(party.link.numbers().losses[static_cast<std::size_t>(MqttLink::Loss::no_answer)] == 1);
    broker.behaviour().puback = {};
    REQUIRE(house.until([&] { return party.link.connections() == 2; }));
    party.publish_many(5, "t");
    CHECK(house.until([&] { return party.outcomes(Delivery::taken) == 5; }));
    CHECK(broker.seen().disconnects == 1);  // we left in order
}

TEST_CASE("a disconnect in mid flight ends every publication once, with and without a DISCONNECT from the broker") {
    for (const bool says : {false, true}) {
        House house;
        ScriptedBroker broker(house.loop);
        broker.behaviour().puback = [](std::uint64_t n) -> std::optional<std::uint8_t> {
            return n % 2 == 0 ? std::optional<std::uint8_t>(0) : std::nullopt;
        };
        broker.behaviour().cut_at = 10;
        if (says) {
            broker.behaviour().say_disconnect = 0x8b;  // server shutting down
        }
        Party party(house, options_for(broker.port(), "mid"));
        REQUIRE(party.connect());
        party.publish_many(15, "t");
        REQUIRE(house.until([&] { return party.results.size() == 15; }));
        CHECK(party.outcomes(Delivery::taken) + party.outcomes(Delivery::lost) == 15);
        CHECK(party.outcomes(Delivery::lost) >= 10);  // five withheld, the cut one, four never read
        const auto& losses = party.link.numbers().losses;
        CHECK(losses[static_cast<std::size_t>(says ? MqttLink::Loss::broker : MqttLink::Loss::connection)] == 1);
        CHECK(house.until([&] { return party.link.connections() == 2; }));
    }
}

TEST_CASE("an idle link over a broker that hangs is noticed by the keepalive, and a living one is pinged") {
    House house;
    ScriptedBroker broker(house.loop);
    MqttOptions options = options_for(broker.port(), "idle");
    options.keepalive = 1s;
    Party party(house, options);
    REQUIRE(party.connect());
    REQUIRE(house.until([&] { return broker.seen().pings >= 2; }));
    CHECK(party.link.connections() == 1);
    broker.behaviour().silent = true;
    CHECK(house.until([&] { return !party.link.connected(); }, 15s));
}

TEST_CASE("a link that is destroyed with publications in flight and waiting leaves nothing behind") {
    House house;
    ScriptedBroker broker(house.loop);
    broker.behaviour().puback = [](std::uint64_t) { return std::nullopt; };
    std::vector<PublishResult> results;
    bool ended = false;
    {
        MqttLink link(house.loop, house.clock, house.log, options_for(broker.port(), "short"));
        asio::co_spawn(house.loop, run_link(link, ended), asio::detached);
        for (int i = 0; i < 50; ++i) {
            asio::co_spawn(house.loop, publish_on(link, {.topic = "t", .payload = "p"}, results), asio::detached);
        }
        REQUIRE(house.until([&] { return broker.seen().topics.size() == 20; }));
    }
    CHECK(results.empty());  // their coroutines go with the loop
}
