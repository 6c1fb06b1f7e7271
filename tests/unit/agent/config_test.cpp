#include "agent/config.hpp"

#include <doctest/doctest.h>

using namespace gwatt;
using namespace gwatt::agent;

namespace {

const std::string least = "[agent]\nsite = 'lab'\nname = 'rack-1'\n[[bus]]\nname = 'shelf'\ndriver = 'modbus'\n";

std::optional<std::string> no_environment(const std::string&) { return {}; }

std::string mistake(const std::string& text) {
    try {
        parse_config(text, "f.toml", no_environment);
    } catch (const runtime::ConfigError& error) {
        return error.what();
    }
    return "none";
}

}  // namespace

TEST_CASE("the least configuration is a site, a name and a bus; everything else has a default") {
    const AgentConfig config = parse_config(least, "f.toml", no_environment);
    CHECK(config.site == "lab");
    CHECK(config.name == "rack-1");
    CHECK(config.mqtt.host == "localhost");
    CHECK(config.mqtt.port == 1883);
    CHECK(config.mqtt.protocol == 5);
    REQUIRE(config.buses.size() == 1);
    CHECK(config.buses[0].host.driver == "modbus");
    CHECK(config.buses[0].period == 1s);
    CHECK(config.buses[0].slow_period == 10s);
    CHECK(config.spool.memory_bytes == 8u << 20);
}

TEST_CASE("every key of the reference comes out where it belongs") {
    const AgentConfig config = parse_config(R"(
[agent]
site = "a"
name = "b"
log = "debug"
clock = "ptp"
runner = "/r"
drivers = "/d"
[location]
hall = "h"
row = "w"
rack = "k"
rating = 130e3
[mqtt]
host = "broker.example"
protocol = "3.1.1"
username = "u"
password_file = "/p"
keepalive = 60
window = 5
[mqtt.tls]
ca = "ca.pem"
cert = "c.pem"
key = "k.pem"
[publish]
live = false
data = true
live_interval = "2s"
fast_batch = "5s"
slow_batch = "120s"
history_after = "15s"
history_rate = 10
[energy]
gap = "30s"
[spool]
memory_bytes = 1048576
age = "2h"
[[bus]]
name = "shelf_a"
driver = "modbus"
period = "100ms"
slow_period = "30s"
kill = false
[bus.options]
device = "${TTY:-/dev/ttyS1}"
units = [1, 2]
speed = 115200
[[bus.sensor]]
match = "*fan*"
period = "60s"
enabled = false
[[bus.sensor]]
match = "psu0.input_power"
resolution = 0.5
point = "psu_in"
feed = "A"
name = "power"
label = "Power"
part_of = "shelf"
)",
                                            "f.toml", no_environment);
    CHECK(config.log_level == runtime::LogLevel::debug);
    CHECK(config.clock_source == runtime::ClockState::ptp);
    CHECK(config.paths.runner == "/r");
    CHECK(config.location.rating_watts == 130e3);
    CHECK(config.mqtt.protocol == 4);
    CHECK(config.mqtt.port == 8883);
    CHECK(config.mqtt.tls->key == "k.pem");
    CHECK(config.publish.live == false);
    CHECK(config.publish.slow_batch == 120s);
    CHECK(config.energy.gap == 30s);
    CHECK(config.spool.age == 2h);
    const BusSection& bus = config.buses.at(0);
    CHECK(bus.period == 100ms);
    CHECK_FALSE(bus.host.kill_allowed);
    REQUIRE(bus.host.options.size() == 3);
    CHECK(bus.host.options[0] == std::pair<std::string, std::string>("device", "/dev/ttyS1"));
    CHECK(bus.host.options[2] == std::pair<std::string, std::string>("units", "1,2"));
    REQUIRE(bus.option_lines.size() == 3);
    CHECK(bus.option_lines[0] == 45);
    REQUIRE(bus.rules.size() == 2);
    CHECK(bus.rules[0].period == Duration(60s));
    CHECK(bus.rules[0].enabled == false);
    CHECK(bus.rules[1].resolution == 0.5);
    CHECK(bus.rules[1].point == proto::Point::psu_in);
    CHECK(bus.rules[1].name == "power");
}

TEST_CASE("mistakes are told with file, line, found and expected, all of them") {
    CHECK(mistake("[agent]\nsite = 'Lab 1'\nname = 'r'\n[[bus]]\nname = 'A'\ndriver = '/lib/x.so'\nperoid = '1s'\n") ==
          "f.toml:2: agent.site: found \"Lab 1\", expected 1 to 64 lower case letters, digits and dashes\n"
          "f.toml:5: bus[0].name: found \"A\", expected 1 to 64 lower case letters, digits and underscores\n"
          "f.toml:6: bus[0].driver: found \"/lib/x.so\", expected 1 to 64 lower case letters, digits and underscores\n"
          "f.toml:7: bus[0].peroid: unknown key; did you mean \"period\"?");
    CHECK(mistake("").starts_with("f.toml:1: agent: found nothing, expected a section [agent] with site and name\n"));
}

TEST_CASE("plain MQTT to another machine is refused unless it is said to be meant") {
    CHECK(mistake(least + "[mqtt]\nhost = '10.0.0.1'\n").find("without TLS") != std::string::npos);
    CHECK(mistake(least + "[mqtt]\nhost = '10.0.0.1'\ninsecure = true\n") == "none");
    CHECK(mistake(least + "[mqtt]\nhost = '127.0.0.1'\n") == "none");
    CHECK(mistake(least + "[mqtt]\nhost = '10.0.0.1'\n[mqtt.tls]\nca = 'x'\n") == "none");
}

TEST_CASE("two buses of one name, a bus named agent, and a certificate without a key are mistakes") {
    CHECK(mistake(least + "[[bus]]\nname = 'shelf'\ndriver = 'x'\n").find("another name") != std::string::npos);
    CHECK(mistake("[agent]\nsite='a'\nname='b'\n[[bus]]\nname = 'agent'\ndriver = 'x'\n").find("another name") !=
          std::string::npos);
    CHECK(mistake(least + "[mqtt.tls]\ncert = 'c'\n").find("cert and key together") != std::string::npos);
}

TEST_CASE("a published name for a pattern is a mistake: it could name many") {
    CHECK(mistake(least + "[[bus.sensor]]\nmatch = 'psu*'\nname = 'x'\n").find("match to name one sensor") !=
          std::string::npos);
}
