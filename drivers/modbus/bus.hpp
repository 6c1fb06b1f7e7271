#pragma once
// A Modbus bus: several units on one line or connection, each with a profile. The class behind the driver's table; its
// duties are those of drivers/abi/driver.h. One thread.
#include "drivers/modbus/port.hpp"
#include "drivers/modbus/unit.hpp"

#include <deque>
#include <functional>

namespace gwatt::drivers::modbus {

class Bus {
public:
    static constexpr About about{
        .name = "modbus",
        .version = GWATT_VERSION,
        .summary = "Power supplies, meters and PDUs on a Modbus RTU line or a Modbus TCP connection.",
        .open_worst = std::chrono::seconds(30)};  // a name server that does not answer
    static constexpr const auto& options = modbus::options;
    using Opener = std::function<Descriptor(Host, const Settings&, Duration limit)>;

    Bus(Host host, const Options& given);
    Bus(Host host, Settings settings, Opener opener);  // tests: settings and port from elsewhere

    std::span<const gwatt_sensor> sensors() { return list_.list(); }
    Result read(std::span<const std::uint32_t> wanted, Samples& out, Instant deadline, Error error);

private:
    void list_sensors();
    void meet_all();
    Plan& plan_for(std::span<const std::uint32_t> wanted);
    Went run(Plan& plan, Instant deadline, Samples& out);
    Went turn(UnitPlan& plan, Instant share, Instant deadline, Samples& out);
    Result result(const Plan& plan, Went went, Error error) const;
    void give_counters(const Plan& plan, Samples& out) const;
    bool reconnect(Duration limit);

    Host host_;
    Settings settings_;
    Opener opener_;
    Conversation talk_;
    Descriptor port_;
    SensorList list_;
    std::deque<Unit> units_;  // they stay where they are
    std::vector<UnitSensors> owned_;
    std::vector<Plan> plans_;
    std::uint64_t turn_ = 0;
    bool fresh_ = true;  // the connection has not served a turn yet: if it fails now, age is not why
};

}  // namespace gwatt::drivers::modbus
