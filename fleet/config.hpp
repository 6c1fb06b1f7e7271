#pragma once
// The site file as plain values: where the broker is, which racks are expected, how long windows stay open. Read once
// at start-up. docs/fleet.md says what each key means to a user; defaults stand here only.
#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "runtime/toml_reader.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gwatt::fleet {

using runtime::Duration;

struct TlsFiles {
    std::string ca, certificate, key;  // paths; empty: not given
};

struct BrokerConfig {
    std::string host = "localhost";
    std::uint16_t port = 0;  // 0: 8883 with TLS, else 1883
    int protocol = 5;        // 5, or 4 for MQTT 3.1.1
    std::optional<TlsFiles> tls;
    bool insecure = false;  // plain MQTT to a host that is not this machine
    std::string username, password_file;
    std::chrono::seconds keepalive{30};
};

// A rack that the inventory knows: silent, it is missing, not absent.
struct RackConfig {
    std::string site, agent;
    std::string hall, row, rack;            // rack: the agent's name unless said
    double rating_watts = 0;                // 0: not said
    std::optional<double> estimated_watts;  // used where neither the rack nor its peers say anything
    std::string peers;                      // racks that run alike; empty: all of the site without a group
    std::vector<std::string> feeds;         // that must be there for the rack to count whole; empty: not said
};

struct WindowConfig {
    Duration provisional_after = std::chrono::seconds(10);  // from a window's end to its first answer
    Duration final_after = std::chrono::minutes(2);         // and to the last
    Duration hold = std::chrono::seconds(30);               // a silent rack keeps its last power so long
};

struct MetricsConfig {
    std::string address = "127.0.0.1";
    std::uint16_t port = 9464;
    bool racks = true;  // a series for each rack, not for rows, halls, sites and the fleet alone
};

struct FleetConfig {
    std::string file;
    std::string name = "fleet";
    runtime::LogLevel log_level = runtime::LogLevel::info;
    bool admit_unlisted = true;  // agents that are not in this file
    std::size_t agents_limit = 20'000;
    double most_watts = 2e6;  // of one rack: more is a fault, not a reading
    BrokerConfig mqtt;
    WindowConfig windows;
    MetricsConfig metrics;
    std::vector<RackConfig> racks;
};

// Throw runtime::ConfigError, with every mistake found.
FleetConfig load_config(const std::string& file, runtime::Environment environment = runtime::process_environment);
FleetConfig parse_config(std::string_view text, const std::string& file,
                         runtime::Environment environment = runtime::process_environment);

}  // namespace gwatt::fleet
