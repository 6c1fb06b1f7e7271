#include "tests/integration/mqtt_link/house.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/relay.hpp"

#include <doctest/doctest.h>

#include <malloc.h>

#include <cstdlib>
#include <stdexcept>

using namespace gwatt::test;

TEST_CASE("a link connects, publishes with QoS 0 and 1, and hears what it subscribed to, with MQTT 5 and 3.1.1") {
    for (const MqttProtocol protocol : {MqttProtocol::v5, MqttProtocol::v311}) {
        House house;
        Broker broker;
        Party party(house, options_for(broker.port(), "both", protocol));
        party.listen("a/+/c");
        REQUIRE(party.connect());
        party.publish(
            {.topic = "a/1/c", .payload = std::string("\0\xff bytes", 8), .content_type = "text/x", .expiry = 60s});
        party.publish({.topic = "a/2/c", .payload = "two", .qos = 0});
        party.publish({.topic = "a/b/d", .payload = "unheard"});
        party.publish({.topic = "a/3/c", .payload = ""});
        CHECK(house.until([&] { return party.results.size() == 4 && party.received.size() == 3; }));
        CHECK(party.outcomes(Delivery::taken) == 4);
        REQUIRE(party.received.size() == 3);
        CHECK(party.received[0].payload == std::string("\0\xff bytes", 8));
        CHECK(party.received[1].topic == "a/2/c");
        CHECK(party.received[2].payload.empty());
        CHECK(party.link.numbers().received == 3);
        CHECK(party.link.limits().window == 20);
        CHECK(party.stop());
        CHECK_FALSE(party.link.connected());
    }
}

TEST_CASE("a retained message is heard at subscription, marked as retained") {
    House house;
    Broker broker;
    Party writer(house, options_for(broker.port(), "writer"));
    REQUIRE(writer.connect());
    writer.publish({.topic = "status", .payload = "online", .retain = true});
    REQUIRE(house.until([&] { return writer.outcomes(Delivery::taken) == 1; }));
    Party reader(house, options_for(broker.port(), "reader"));
    reader.listen("status");
    REQUIRE(reader.connect());
    REQUIRE(house.until([&] { return reader.received.size() == 1; }));
    CHECK(reader.received[0].retained);
}

TEST_CASE("the will is delivered, retained, when the connection breaks, and not after an orderly stop") {
    for (const MqttProtocol protocol : {MqttProtocol::v5, MqttProtocol::v311}) {
        House house;
        Broker broker;
        Relay network(house.loop, broker.port());
        Party observer(house, options_for(broker.port(), "observer"));
        observer.listen("status/#");
        REQUIRE(observer.connect());
        MqttOptions options = options_for(network.port(), "mortal", protocol);
        options.will = Publication{.topic = "status/mortal", .payload = "gone", .qos = 1, .retain = true};
        Party mortal(house, options);
        REQUIRE(mortal.connect());
        network.refuse(true);
        network.cut();
        REQUIRE(house.until([&] { return observer.received.size() == 1; }));
        CHECK(observer.received[0].payload == "gone");
        CHECK(house.until([&] { return !mortal.link.connected(); }));

        network.refuse(false);
        REQUIRE(house.until([&] { return mortal.link.connected(); }));
        CHECK(mortal.link.connections() == 2);
        Party late(house, options_for(broker.port(), "late"));
        late.listen("status/#");
        REQUIRE(late.connect());
        REQUIRE(house.until([&] { return late.received.size() == 1; }));
        CHECK(late.received[0].retained);  // the broker kept the will as retained

        CHECK(mortal.stop());
        house.for_a_while(300ms);
        CHECK(observer.received.size() == 1);
    }
}

TEST_CASE("a first connection is tried again until the broker is there") {
    House house;
    Broker broker;
    broker.kill();
    Party party(house, options_for(broker.port(), "patient"));
    party.listen("x");
    party.run();
    REQUIRE(house.until([&] { return party.link.numbers().connect_failures[1] >= 2; }));
    CHECK_FALSE(party.link.connected());
    party.publish({.topic = "x", .payload = "waited"});  // waits for the link
    broker.start();
    REQUIRE(house.until([&] { return party.received.size() == 1 && party.results.size() == 1; }));
    CHECK(party.outcomes(Delivery::taken) == 1);
    CHECK(house.logged("no link to the MQTT broker"));
    CHECK(house.logged("cause=unreachable"));
}

// Destroying a client of Paho C 1.3.12 leaves some hundred bytes behind, so failed attempts must not make new ones.
TEST_CASE("hours without a broker cost no memory") {
    House house;
    MqttOptions options = options_for(free_port(), "alone");
    options.retry_first = 1ms;
    options.retry_cap = 1ms;
    Party party(house, options);
    party.run();
    const auto& failed = party.link.numbers().connect_failures[1];
    REQUIRE(house.until([&] { return failed >= 30; }, 60s));
    const auto before = ::mallinfo2().uordblks;
    REQUIRE(house.until([&] { return failed >= 130; }, 60s));
    const auto after = ::mallinfo2().uordblks;
    MESSAGE("100 attempts: " << before << " to " << after << " bytes in use");
    CHECK(after < before + 4000);  // 40 bytes an attempt
}

TEST_CASE("a wrong password is not_authorised, and the right one is not written to the log") {
    for (const MqttProtocol protocol : {MqttProtocol::v5, MqttProtocol::v311}) {
        House house;
        TemporaryFolder folder;
        // mosquitto_passwd's format: user and password "rack" / "s3cret-word", made by its own tool
        const std::string file = folder.path() / "passwords";
        const std::string make = "mosquitto_passwd -c -b " + file + " rack s3cret-word";
        REQUIRE(std::system(make.c_str()) == 0);
        Broker broker("allow_anonymous false\npassword_file " + file + "\n");
        MqttOptions options = options_for(broker.port(), "rack", protocol);
        options.user = "rack";
        options.password = "wrong-word";
        {
            Party party(house, options);
            party.run();
            CHECK(house.until([&] { return party.link.numbers().connect_failures[3] >= 1; }));
            CHECK(house.logged("cause=not_authorised"));
        }
        options.password = "s3cret-word";
        Party party(house, options);
        CHECK(party.connect());
        CHECK_FALSE(house.logged("s3cret-word"));
        CHECK_FALSE(house.logged("wrong-word"));
    }
}

TEST_CASE("a proxy in the environment is not used") {
    House house;
    Broker broker;
    ::setenv("http_proxy", "http://127.0.0.1:9", 1);
    Party party(house, options_for(broker.port(), "direct"));
    CHECK(party.connect());
    CHECK(std::getenv("http_proxy") == nullptr);
}

TEST_CASE("a kept session brings what was published while the client was away") {
    House house;
    Broker broker;
    MqttOptions options = options_for(broker.port(), "keeper");
    options.clean_start = false;
    options.session_expiry = 3600s;
    {
        Party keeper(house, options);
        keeper.listen("news");
        REQUIRE(keeper.connect());
        REQUIRE(house.until([&] { return keeper.link.numbers().subscriptions_refused == 0; }));
        house.for_a_while(200ms);  // the SUBACK
    }
    Party writer(house, options_for(broker.port(), "writer"));
    REQUIRE(writer.connect());
    writer.publish({.topic = "news", .payload = "while you were out"});
    REQUIRE(house.until([&] { return writer.outcomes(Delivery::taken) == 1; }));
    Party keeper(house, options);
    keeper.listen("news");
    REQUIRE(keeper.connect());
    CHECK(house.until([&] { return keeper.received.size() == 1; }));
}
