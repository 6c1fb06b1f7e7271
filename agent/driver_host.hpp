#pragma once
// One bus as the agent sees it: starts its runner process (gwatt-driver), asks it, ends it, brings it back. Loop thread
// only. A hang or crash of the runner costs this bus's readings and delays nobody else. Clock, Logger must outlive it.
#include "proto/messages.hpp"
#include "proto/reading.hpp"
#include "runtime/clock.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace gwatt::runtime { class Logger; }

namespace gwatt::agent {

struct BusConfig {
    std::string name;    // lower case letters, digits, underscores
    std::string driver;  // "modbus": DRIVER_DIRECTORY/modbus.so
    std::vector<std::pair<std::string, std::string>> options;  // as text, checked against the driver's option table
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

class DriverHost {
public:
    DriverHost(boost::asio::io_context& loop, runtime::Clock& clock, runtime::Logger& log, BusConfig config,
               DriverHostPaths paths);
    ~DriverHost();

    // Starts the runner and keeps it alive with back-off until cancelled; then stops it politely, bounded in time.
    boost::asio::awaitable<void> run();

    // Sensors of the bus; empty until the first successful open. Generation counts changes of the list.
    std::span<const proto::Sensor> sensors() const;
    std::uint64_t generation() const;
    // Waits for the first open to succeed or fail, or for a new generation. False if cancelled.
    boost::asio::awaitable<bool> changed();

    // Reads the wanted sensors (indices into sensors()). Ends by the deadline in every case: a runner that has not
    // answered gives Quality::timeout at once and is then asked to stop, terminated, restarted.
    boost::asio::awaitable<ScanResult> read(std::span<const std::uint32_t> wanted, runtime::Monotonic deadline);

    proto::BusStatus status() const;
    const std::string& name() const;
    int runner_pid() const;  // 0 when none: for the agent's own counters and for fault tests

    struct Counters {
        std::uint64_t reads = 0, samples = 0, timeouts = 0, garbled = 0, errors = 0, restarts = 0, late_answers = 0;
    };
    const Counters& counters() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace gwatt::agent
