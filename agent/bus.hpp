#pragma once
// One bus as the stages see it: a list of sensors, and one read at a time. Implemented by DriverHost (a runner process),
// SelfDevice (the agent's own counters) and by the fake bus of the tests. Loop thread only; outlives the samplers.
#include "proto/messages.hpp"
#include "proto/reading.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gwatt::agent {

struct BusConfig {
    std::string name;                                          // lower case letters, digits, underscores
    std::string driver;                                        // "modbus": DRIVER_DIRECTORY/modbus.so
    std::vector<std::pair<std::string, std::string>> options;  // as text, checked against the driver's option table
    std::string base{};        // folder of the configuration file: where relative paths in options start
    bool kill_allowed = true;  // SIGKILL after SIGTERM; false for GPU plugins unless the configuration says so
};

struct DriverHostPaths {
    std::string runner;            // gwatt-driver
    std::string driver_directory;  // holds NAME.so
};

// What one read gave. `readings` use the bus's own sensor indices; the sampler maps them to the catalog.
struct ScanResult {
    proto::Quality quality = proto::Quality::good;  // of the conversation; readings carry their own
    std::string_view error;                         // for people, valid until the next scan
    std::span<const proto::Reading> readings;       // valid until the next scan
};

struct BusCounters {
    std::uint64_t reads = 0, samples = 0, timeouts = 0, garbled = 0, errors = 0, restarts = 0, late_answers = 0;
};

class Bus {
public:
    virtual ~Bus() = default;

    // Sensors of the bus, named `<bus>.<id>`; empty until the first successful open and kept while the bus is away.
    // Generation counts changes of the list, from 0 (no list yet).
    virtual std::span<const proto::Sensor> sensors() const = 0;
    virtual std::uint64_t generation() const = 0;
    // Waits for the first open to succeed or fail, or for a new generation. False if cancelled.
    virtual boost::asio::awaitable<bool> changed() = 0;

    // Reads the wanted sensors (indices into sensors(), alive until the answer). Ends by the deadline in every case.
    virtual boost::asio::awaitable<ScanResult> read(std::span<const std::uint32_t> wanted,
                                                    runtime::Monotonic deadline) = 0;

    virtual proto::BusStatus status() const = 0;
    virtual const std::string& name() const = 0;
    virtual const BusCounters& counters() const = 0;
};

}  // namespace gwatt::agent
