#include "tests/integration/mqtt_link/house.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/scripted_broker.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace gwatt::test;

TEST_CASE("what an access list forbids is not_authorised with MQTT 5, and the link stays") {
    House house;
    TemporaryFolder folder;
    const std::string acl = folder.write("acl", "topic write allowed/#\n");
    Broker broker("allow_anonymous true\nacl_file " + acl + "\n");
    Party party(house, options_for(broker.port(), "rack"));
    REQUIRE(party.connect());
    party.publish({.topic = "forbidden/x", .payload = "1"});
    party.publish({.topic = "allowed/x", .payload = "1"});
    REQUIRE(house.until([&] { return party.results.size() == 2; }));
    CHECK(party.outcomes(Delivery::not_authorised) == 1);
    CHECK(party.outcomes(Delivery::taken) == 1);
    CHECK(party.results[0].reason == 0x87);
    CHECK(party.link.connections() == 1);
}

TEST_CASE("a publication above the broker's Maximum Packet Size is too_large by our own count, to the byte") {
    House house;
    Broker broker("allow_anonymous true\nmax_packet_size 1000\n");
    Party party(house, options_for(broker.port(), "large"));
    party.listen("t");
    REQUIRE(party.connect());
    CHECK(party.link.limits().maximum_packet == 1000);
    // 1 type + 2 length + 2 + 1 topic + 2 id + 1 properties = 9 bytes around the payload
    party.publish({.topic = "t", .payload = std::string(991, 'x')});
    party.publish({.topic = "t", .payload = std::string(992, 'x')});
    party.publish({.topic = "t", .payload = std::string(989, 'x'), .content_type = ""});
    REQUIRE(house.until([&] { return party.results.size() == 3 && party.received.size() == 2; }));
    CHECK(party.outcomes(Delivery::too_large) == 1);
    CHECK(party.outcomes(Delivery::taken) == 2);
    CHECK(party.link.connections() == 1);
}

TEST_CASE("a publication above our own maximum packet is too_large without being sent") {
    House house;
    ScriptedBroker broker(house.loop);
    MqttOptions options = options_for(broker.port(), "own");
    options.maximum_packet = 1024;
    Party party(house, options);
    REQUIRE(party.connect());
    party.publish({.topic = "t", .payload = std::string(2000, 'x')});
    REQUIRE(house.until([&] { return party.results.size() == 1; }));
    CHECK(party.results[0].delivery == Delivery::too_large);
    CHECK(broker.seen().topics.empty());
}

TEST_CASE("reasons of the broker become outcomes: quota, too large, not authorised, refused; success has reasons too") {
    struct Case {
        std::uint8_t reason;
        Delivery delivery;
    };
    const std::vector<Case> cases{{0x97, Delivery::quota},          {0x95, Delivery::too_large},
                                  {0x87, Delivery::not_authorised}, {0x83, Delivery::refused},
                                  {0x80, Delivery::refused},        {0x99, Delivery::refused},
                                  {0x10, Delivery::taken},          {0x00, Delivery::taken}};
    House house;
    ScriptedBroker broker(house.loop);
    Party party(house, options_for(broker.port(), "reasons"));
    REQUIRE(party.connect());
    for (std::size_t i = 0; i < cases.size(); ++i) {
        broker.behaviour().puback = [&](std::uint64_t) { return cases[i].reason; };
        party.publish({.topic = "t", .payload = "p"});
        REQUIRE(house.until([&] { return party.results.size() == i + 1; }));
        CHECK(party.results[i].delivery == cases[i].delivery);
        CHECK(party.results[i].reason == (cases[i].reason >= 0x80 ? cases[i].reason : 0));
    }
    CHECK(party.link.connections() == 1);
}

TEST_CASE("what would cost the connection is refused here: bad topics, QoS and retain that the broker does not have") {
    House house;
    ScriptedBroker broker(house.loop);
    broker.behaviour().connack_properties = std::string("\x24\x00\x25\x00", 4);  // maximum QoS 0, retain not available
    Party party(house, options_for(broker.port(), "poison"));
    REQUIRE(party.connect());
    for (const char* topic : {"", "a/+/b", "a/#", "bad\xff", "cut\xc3"}) {
        party.publish({.topic = topic, .payload = "p", .qos = 0});
    }
    party.publish({.topic = "t", .payload = "p", .qos = 1});
    party.publish({.topic = "t", .payload = "p", .qos = 2});
    party.publish({.topic = "t", .payload = "p", .qos = 0, .retain = true});
    party.publish({.topic = "t", .payload = "p", .qos = 0});
    REQUIRE(house.until([&] { return party.results.size() == 9; }));
    CHECK(party.outcomes(Delivery::refused) == 8);
    CHECK(party.outcomes(Delivery::taken) == 1);
    CHECK(party.link.connections() == 1);
}

TEST_CASE("a refused subscription is logged and counted, with MQTT 5 and 3.1.1, and the link stays") {
    for (const MqttProtocol protocol : {MqttProtocol::v5, MqttProtocol::v311}) {
        House house;
        ScriptedBroker broker(house.loop);
        broker.behaviour().suback = protocol == MqttProtocol::v5 ? 0x87 : 0x80;
        Party party(house, options_for(broker.port(), "subscriber", protocol));
        party.listen("not/for/you");
        REQUIRE(party.connect());
        CHECK(house.until([&] { return party.link.numbers().subscriptions_refused == 1; }));
        CHECK(house.logged("the broker refused a subscription filter=not/for/you"));
        CHECK(party.link.connected());
        CHECK(broker.seen().filters == std::vector<std::string>{"not/for/you"});
    }
}

TEST_CASE("a CONNACK with a refusal is told apart from a network that fails, with MQTT 5 and 3.1.1") {
    struct Case {
        MqttProtocol protocol;
        std::uint8_t reason;
        gwatt::runtime::ConnectFailure failure;
    };
    using gwatt::runtime::ConnectFailure;
    for (const Case& c :
         {Case{MqttProtocol::v5, 0x87, ConnectFailure::not_authorised},
          Case{MqttProtocol::v5, 0x88, ConnectFailure::refused}, Case{MqttProtocol::v5, 0x84, ConnectFailure::refused},
          Case{MqttProtocol::v311, 5, ConnectFailure::not_authorised},
          Case{MqttProtocol::v311, 3, ConnectFailure::refused}}) {
        House house;
        ScriptedBroker broker(house.loop);
        broker.behaviour().connack = c.reason;
        Party party(house, options_for(broker.port(), "unwanted", c.protocol));
        party.run();
        const auto& failures = party.link.numbers().connect_failures;
        CHECK(house.until([&] { return failures[static_cast<std::size_t>(c.failure)] >= 2; }));
        CHECK(failures[static_cast<std::size_t>(ConnectFailure::unreachable)] == 0);
        broker.behaviour().connack = 0;
        CHECK(house.until([&] { return party.link.connected(); }));
    }
}

TEST_CASE("options that would not be safe or cannot work are refused at the start, in words") {
    House house;
    const auto refused = [&](auto change) {
        MqttOptions options;
        change(options);
        CHECK(gwatt::runtime::fault(options).has_value());
        CHECK_THROWS_AS(MqttLink(house.loop, house.clock, house.log, options), std::invalid_argument);
    };
    refused([](MqttOptions& o) { o.host = "broker.example"; });  // plain, not loopback, not insecure
    refused([](MqttOptions& o) { o.host = "128.0.0.1"; });
    refused([](MqttOptions& o) { o.host = ""; });
    refused([](MqttOptions& o) { o.host = "tcp://localhost"; });
    refused([](MqttOptions& o) { o.window = 0; });
    refused([](MqttOptions& o) { o.clean_start = false; });  // no client id
    refused([](MqttOptions& o) { o.password = "x"; });
    refused([](MqttOptions& o) { o.keepalive = 0s; });
    refused([](MqttOptions& o) { o.will = Publication{.topic = "a/#", .payload = "x"}; });
    refused([](MqttOptions& o) {
        o.tls.emplace();
        o.tls->certificate_file = "cert.pem";
    });
    MqttOptions plain;
    plain.host = "broker.example";
    plain.insecure = true;
    CHECK_FALSE(gwatt::runtime::fault(plain).has_value());
    for (const char* host : {"localhost", "127.0.0.1", "127.8.9.10", "::1"}) {
        plain.insecure = false;
        plain.host = host;
        CHECK_FALSE(gwatt::runtime::fault(plain).has_value());
    }
}
