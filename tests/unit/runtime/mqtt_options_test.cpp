#include "runtime/mqtt_options.hpp"

#include <doctest/doctest.h>

using namespace gwatt::runtime;
using namespace std::chrono_literals;

namespace {

std::string fault_after(void (*change)(MqttOptions&)) {
    MqttOptions options;
    change(options);
    return fault(options).value_or("");
}

}  // namespace

TEST_CASE("the defaults, and every safe setting, are good") {
    CHECK(fault(MqttOptions()) == std::nullopt);
    CHECK(fault_after([](MqttOptions& o) {
              o.host = "broker.example";
              o.tls.emplace();
          }).empty());
    CHECK(fault_after([](MqttOptions& o) {
              o.host = "10.0.0.1";
              o.insecure = true;
          }).empty());
    CHECK(fault_after([](MqttOptions& o) {
              o.clean_start = false;
              o.client_id = "fleet-1";
          }).empty());
}

TEST_CASE("a fault is told in words that name the setting") {
    const auto tells = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
    CHECK(tells(fault_after([](MqttOptions& o) { o.host = "broker.example"; }), "insecure = true"));
    CHECK(tells(fault_after([](MqttOptions& o) { o.host = "mqtt://x"; }), "mqtt://x"));
    CHECK(tells(fault_after([](MqttOptions& o) { o.host = "[::1]"; }), "host"));
    CHECK(tells(fault_after([](MqttOptions& o) { o.keepalive = 70000s; }), "keepalive"));
    CHECK(tells(fault_after([](MqttOptions& o) { o.session_expiry = -1s; }), "session_expiry"));
    CHECK(tells(fault_after([](MqttOptions& o) { o.clean_start = false; }), "client_id"));
    CHECK(tells(fault_after([](MqttOptions& o) { o.client_id = "a/+"; }), "client_id"));
    CHECK(tells(fault_after([](MqttOptions& o) { o.password = "secret"; }), "user"));
    CHECK_FALSE(tells(fault_after([](MqttOptions& o) { o.password = "secret"; }), "secret"));
    CHECK(tells(fault_after([](MqttOptions& o) { o.window = 0; }), "window"));
    CHECK(tells(fault_after([](MqttOptions& o) { o.maximum_packet = 10; }), "maximum_packet"));
    CHECK(tells(fault_after([](MqttOptions& o) { o.hold_back = 2s; }), "hold_back"));
    CHECK(tells(fault_after([](MqttOptions& o) { o.answer_timeout = 0s; }), "timeout"));
    CHECK(tells(fault_after([](MqttOptions& o) { o.will = Publication{.topic = "a/#"}; }), "will"));
    CHECK(tells(fault_after([](MqttOptions& o) { o.goodbye = Publication{.topic = "a", .qos = 2}; }), "goodbye"));
    CHECK(tells(
        fault_after([](MqttOptions& o) { o.will = Publication{.topic = "a", .payload = std::string(70000, 'x')}; }),
        "too large"));
}

TEST_CASE("loopback is a matter of the address, not of what a resolver may say") {
    for (const char* host : {"localhost", "127.0.0.1", "127.255.1.2", "::1", "0:0:0:0:0:0:0:1"}) {
        CAPTURE(host);
        CHECK(is_loopback(host));
    }
    for (const char* host :
         {"", "localhost.example", "128.0.0.1", "0.0.0.0", "::", "::ffff:10.0.0.1", "127.0.0.1.example"}) {
        CAPTURE(host);
        CHECK_FALSE(is_loopback(host));
    }
}

TEST_CASE("the port follows from TLS where it is not given") {
    MqttOptions options;
    CHECK(options.effective_port() == 1883);
    options.tls.emplace();
    CHECK(options.effective_port() == 8883);
    options.port = 1;
    CHECK(options.effective_port() == 1);
}
