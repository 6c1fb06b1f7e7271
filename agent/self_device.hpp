#pragma once
// The agent's own counters as one more bus, named `agent`: each entry of runtime::Counters is a sensor, so that whoever
// reads the rack reads the agent too. Loop thread. The counters must outlive it and be complete before it is made.
#include "agent/bus.hpp"
#include "runtime/counters.hpp"
#include "runtime/notice.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <string>
#include <vector>

namespace gwatt::agent {

class SelfDevice final : public Bus {
public:
    // refresh: called before each read, to bring gauges up to date that nobody else keeps.
    SelfDevice(boost::asio::io_context& loop, const runtime::Clock& clock, const runtime::Counters& counters,
               std::function<void()> refresh);

    std::span<const proto::Sensor> sensors() const override { return sensors_; }
    std::uint64_t generation() const override { return 1; }
    boost::asio::awaitable<bool> changed() override { return never_.wait(); }
    boost::asio::awaitable<ScanResult> read(std::span<const std::uint32_t> wanted,
                                            runtime::Monotonic deadline) override;

    proto::BusStatus status() const override { return {name_, "agent", proto::BusState::ok, 0, {}}; }
    const std::string& name() const override { return name_; }
    const BusCounters& counters() const override { return numbers_; }

private:
    const runtime::Clock& clock_;
    std::function<void()> refresh_;
    runtime::Notice never_;
    std::string name_ = "agent";
    std::vector<proto::Sensor> sensors_;
    std::vector<const std::uint64_t*> values_;
    std::vector<proto::Reading> readings_;
    BusCounters numbers_;
};

// The name of a counter's sensor: gwatt_agent_bus_timeouts_total{bus="shelf_a"} is agent.shelf_a.bus_timeouts_total.
std::string self_sensor_name(const runtime::Counters::Entry& entry);

}  // namespace gwatt::agent
