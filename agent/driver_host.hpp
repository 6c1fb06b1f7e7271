#pragma once
// One bus as the agent sees it: starts its runner process (gwatt-driver), asks it, ends it, brings it back. Loop thread
// only. A hang or crash of the runner costs this bus's readings and delays nobody else. Clock, Logger must outlive it.
#include "agent/bus.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>

namespace gwatt::runtime {
class Logger;
}

namespace gwatt::agent {

class DriverHost final : public Bus {
public:
    DriverHost(boost::asio::io_context& loop, runtime::Clock& clock, runtime::Logger& log, BusConfig config,
               DriverHostPaths paths);
    ~DriverHost() override;

    // Starts the runner and keeps it alive with back-off until cancelled; then stops it politely, bounded in time.
    boost::asio::awaitable<void> run();

    std::span<const proto::Sensor> sensors() const override;
    std::uint64_t generation() const override;
    boost::asio::awaitable<bool> changed() override;

    // A runner that has not answered by the deadline gives Quality::timeout at once and is then asked to stop,
    // terminated, restarted.
    boost::asio::awaitable<ScanResult> read(std::span<const std::uint32_t> wanted,
                                            runtime::Monotonic deadline) override;

    proto::BusStatus status() const override;
    const std::string& name() const override;
    int runner_pid() const;  // 0 when none: for the agent's own counters and for fault tests

    using Counters = BusCounters;
    const BusCounters& counters() const override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace gwatt::agent
