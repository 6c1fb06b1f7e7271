#include "runtime/mqtt_rules.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace gwatt::runtime;

TEST_CASE("a topic filter matches what MQTT says it matches") {
    struct Case {
        const char* filter;
        const char* topic;
        bool matches;
    };
    // The examples of MQTT 5.0 section 4.7.1 to 4.7.3 first.
    const Case cases[] = {
        {"sport/tennis/player1/#", "sport/tennis/player1", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/ranking", true},
        {"sport/tennis/player1/#", "sport/tennis/player1/score/wimbledon", true},
        {"sport/#", "sport", true},
        {"sport/tennis/+", "sport/tennis/player1", true},
        {"sport/tennis/+", "sport/tennis/player1/ranking", false},
        {"sport/+", "sport", false},
        {"sport/+", "sport/", true},
        {"+/+", "/finance", true},
        {"/+", "/finance", true},
        {"+", "/finance", false},
        {"#", "$SYS/broker", false},
        {"+/monitor/Clients", "$SYS/monitor/Clients", false},
        {"$SYS/#", "$SYS/monitor/Clients", true},
        {"$SYS/monitor/+", "$SYS/monitor/Clients", true},
        {"#", "a/b/c", true},
        {"a/b", "a/b", true},
        {"a/b", "A/b", false},
        {"a/b", "a/b/", false},
        {"a/b/", "a/b", false},
        {"a//b", "a//b", true},
        {"a/+/b", "a//b", true},
        {"a/+/#", "a/b", true},
        {"a/+/#", "a", false},
        {"a/b/#", "a", false},
        {"a", "ab", false},
        {"$share/group/a/+", "a/b", true},
        {"$share/group/a/+", "$share/group/a/b", false},
        {"$share/group/#", "a", true},
        {"$share/group", "a", false},
        {"$share//a", "a", false},
        {"", "a", false},
        {"a", "", false},
    };
    for (const Case& c : cases) {
        CAPTURE(c.filter);
        CAPTURE(c.topic);
        CHECK(topic_matches(c.filter, c.topic) == c.matches);
    }
}

TEST_CASE("a filter has wildcards as whole levels only, a name has none") {
    for (const char* filter : {"a", "/", "a/b", "+", "#", "+/#", "a/+/b/#", "$share/g/a/#", "a b", "\xc3\xbc"}) {
        CAPTURE(filter);
        CHECK(valid_topic_filter(filter));
    }
    for (const char* filter :
         {"", "a#", "#/a", "a/#/b", "a+", "+a/b", "$share/g", "$share//a", "$share/g+/a", "$share/g/"}) {
        CAPTURE(filter);
        CHECK_FALSE(valid_topic_filter(filter));
    }
    CHECK(valid_topic_name("a/b"));
    CHECK(valid_topic_name("/"));
    CHECK_FALSE(valid_topic_name(""));
    CHECK_FALSE(valid_topic_name("a/+"));
    CHECK_FALSE(valid_topic_name("#"));
    CHECK(valid_topic_name(std::string(65535, 'a')));
    CHECK_FALSE(valid_topic_name(std::string(65536, 'a')));
}

TEST_CASE("a topic is UTF-8: no zero, no cut, overlong, surrogate or out-of-range sequence") {
    for (const char* good : {"\x7f", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf", "\xee\x80\x80",
                             "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
        CHECK(valid_topic_name(good));
    }
    for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xe2\x82",
                            "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xe2\x28\xa1"}) {
        CHECK_FALSE(valid_topic_name(bad));
    }
    CHECK_FALSE(valid_topic_name(std::string("a\0b", 3)));
}

TEST_CASE("the size of a PUBLISH packet is that of its bytes, across the steps of the length field") {
    Publication p{.topic = "t", .payload = {}, .qos = 0};
    CHECK(publish_packet_size(p, MqttProtocol::v311) == 5);  // 30 03 00 01 74
    CHECK(publish_packet_size(p, MqttProtocol::v5) == 6);    // 30 04 00 01 74 00
    p.qos = 1;
    CHECK(publish_packet_size(p, MqttProtocol::v5) == 8);
    p.payload.assign(121, 'x');
    CHECK(publish_packet_size(p, MqttProtocol::v5) == 129);  // remaining length 127
    p.payload.assign(122, 'x');
    CHECK(publish_packet_size(p, MqttProtocol::v5) == 131);  // 128: two bytes of length
    p.payload.assign(16383 - 6, 'x');
    CHECK(publish_packet_size(p, MqttProtocol::v5) == 1 + 2 + 16383);
    p.payload.assign(16384 - 6, 'x');
    CHECK(publish_packet_size(p, MqttProtocol::v5) == 1 + 3 + 16384);
    p.payload.clear();
    p.content_type = "x";
    p.expiry = std::chrono::seconds(1);
    CHECK(publish_packet_size(p, MqttProtocol::v5) == 8 + 4 + 5);
    CHECK(publish_packet_size(p, MqttProtocol::v311) == 7);  // no properties there
}
