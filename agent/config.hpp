#pragma once
// The agent's configuration as plain values, read from TOML once at start-up. Any thread; owns all it holds.
// What each key means to a user is written in docs/agent.md; defaults stand here only.
#include "agent/bus.hpp"
#include "proto/reading.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"
#include "runtime/toml_reader.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gwatt::agent {

using runtime::Duration;
using namespace std::chrono_literals;

struct LocationConfig {
    std::string hall, row, rack;
    double rating_watts = 0;  // of the rack; 0 not said
};

struct TlsConfig {
    std::string ca, certificate, key;  // paths; empty: not given
};

struct MqttConfig {
    std::string host = "localhost";
    std::uint16_t port = 0;  // 0: 8883 with TLS, else 1883
    int protocol = 5;        // 5, or 4 for MQTT 3.1.1
    std::optional<TlsConfig> tls;
    bool insecure = false;  // plain MQTT to a host that is not this machine
    std::string username, password_file;
    std::chrono::seconds keepalive = 30s;
    std::uint16_t window = 20;  // publications in flight at most
};

struct PublishConfig {
    bool live = true, data = true;
    Duration live_interval = 1s;
    Duration fast_batch = 10s;  // rate groups with a period up to fast_period
    Duration slow_batch = 60s;  // the others
    Duration fast_period = 1s;
    Duration history_after = 30s;     // records older than this go to history/<stream>
    std::uint32_t history_rate = 50;  // of those, publications a second at most
};

struct EnergyConfig {
    Duration gap = 0s;  // time without a good reading from which energy is booked as estimated; at least 2.5 periods
};

struct SpoolConfig {
    std::uint64_t memory_bytes = 8u << 20;
    Duration age = std::chrono::hours(24);
};

// Applies to the sensors whose id (without the bus name) matches; of several entries the last one that says something
// about a key wins.
struct SensorRule {
    std::string match;  // glob with * and ?
    std::uint32_t line = 0;
    std::optional<Duration> period;
    std::optional<bool> enabled;
    std::optional<double> resolution;
    std::optional<proto::Point> point;
    std::optional<std::string> feed, name, label, part_of;
};

struct BusSection {
    BusConfig host;
    std::uint32_t line = 0;
    std::vector<std::uint32_t> option_lines;  // where host.options were written, same order
    Duration period = 1s;                     // power, energy, voltage, current and what belongs to them
    Duration slow_period = 10s;               // temperature, fans, states, counts
    std::vector<SensorRule> rules;
};

struct AgentConfig {
    std::string file;  // as given, for messages
    std::string site, name;
    runtime::LogLevel log_level = runtime::LogLevel::info;
    runtime::ClockState clock_source = runtime::ClockState::ntp;  // what synchronises this machine: ntp or ptp
    DriverHostPaths paths;  // empty: beside the program, or where it was installed
    LocationConfig location;
    MqttConfig mqtt;
    PublishConfig publish;
    EnergyConfig energy;
    SpoolConfig spool;
    std::vector<BusSection> buses;
};

// Throw runtime::ConfigError, with every mistake found.
AgentConfig load_config(const std::string& file, runtime::Environment environment = runtime::process_environment);
AgentConfig parse_config(std::string_view text, const std::string& file,
                         runtime::Environment environment = runtime::process_environment);

// Fills in what the configuration leaves open.
DriverHostPaths found_paths(DriverHostPaths configured);

}  // namespace gwatt::agent
