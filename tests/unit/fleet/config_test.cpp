#include "fleet/config.hpp"

#include <doctest/doctest.h>

using namespace gwatt;
using namespace gwatt::fleet;

namespace {
std::string error_of(std::string_view text) {
    try {
        parse_config(text, "site.toml", [](const std::string&) { return std::nullopt; });
    } catch (const runtime::ConfigError& error) {
        return error.what();
    }
    return "no error";
}
FleetConfig good(std::string_view text) {
    return parse_config(text, "site.toml", [](const std::string&) { return std::nullopt; });
}
}  // namespace

TEST_CASE("an empty site file is a fleet that admits who comes, on the loopback") {
    const auto config = good("");
    CHECK(config.admit_unlisted);
    CHECK(config.mqtt.host == "localhost");
    CHECK(config.mqtt.port == 1883);
    CHECK(config.metrics.address == "127.0.0.1");
    CHECK(config.racks.empty());
}

TEST_CASE("racks take the site of the fleet and the name of their agent unless they say otherwise") {
    const auto config = good(
        "[fleet]\nsite = 's1'\n[[rack]]\nagent = 'a1'\nhall = 'North'\nrating_watts = 130e3\n"
        "[[rack]]\nagent = 'a2'\nsite = 's2'\nrack = 'R 2'\nestimated_watts = 5000\nfeeds = ['A', 'B']\npeers = "
        "'gb300'\n");
    REQUIRE(config.racks.size() == 2);
    CHECK(config.racks[0].site == "s1");
    CHECK(config.racks[0].rack == "a1");
    CHECK(config.racks[0].hall == "North");
    CHECK(config.racks[0].rating_watts == 130'000);
    CHECK_FALSE(config.racks[0].estimated_watts);
    CHECK(config.racks[1].site == "s2");
    CHECK(config.racks[1].estimated_watts == 5000.0);
    CHECK(config.racks[1].feeds.size() == 2);
}

TEST_CASE("mistakes come with file, line, what was found and what was expected") {
    CHECK(error_of("[mqtt]\nhots = 'x'") == "site.toml:2: mqtt.hots: unknown key; did you mean \"host\"?");
    CHECK(error_of("[mqtt]\nhost = 'broker.example'")
              .starts_with(
                  "site.toml:2: mqtt.host: found \"broker.example\" without TLS, expected a section [mqtt.tls]"));
    CHECK(error_of("[[rack]]\nagent = 'A1'\nsite = 's'")
              .starts_with("site.toml:2: rack[0].agent: found \"A1\", expected lower case"));
    CHECK(error_of("[[rack]]\nagent = 'a1'").starts_with("site.toml:1: rack[0].site: missing"));
    CHECK(error_of("[fleet]\nsite = 's'\n[[rack]]\nagent = 'a'\n[[rack]]\nagent = 'a'").find("rack[0] has this one") !=
          std::string::npos);
    CHECK(error_of("[fleet]\nunlisted = 'refues'").find("did you mean \"refuse\"?") != std::string::npos);
    CHECK(error_of("[windows]\nprovisional_after = '1min'\nfinal_after = '30s'").find("at least provisional_after") !=
          std::string::npos);
    CHECK(error_of("[fleet]\nsite = 's'\n[[rack]]\nagent = 'a'\nhall = 'a/b'").find("no slash") != std::string::npos);
}
