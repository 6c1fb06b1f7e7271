#include "agent/once.hpp"

#include "agent/catalog.hpp"
#include "agent/driver_host.hpp"
#include "agent/driver_host_check.hpp"
#include "agent/once_table.hpp"
#include "agent/tasks.hpp"
#include "runtime/clock.hpp"
#include "runtime/log.hpp"

#include <boost/asio/io_context.hpp>

#include <deque>
#include <ostream>

namespace gwatt::agent {

namespace asio = boost::asio;
using runtime::Monotonic;

namespace {

constexpr int exit_unavailable = 69, exit_config = 78;
constexpr Duration open_within = 20s, read_within = 10s, stop_within = 3s;

std::uint32_t line_of(const BusSection& bus, const std::string& option) {
    for (std::size_t i = 0; i < bus.host.options.size() && i < bus.option_lines.size(); ++i)
        if (bus.host.options[i].first == option) return bus.option_lines[i];
    return bus.line;
}

// What --once holds together: the hosts, and what each of them said.
struct Once {
    asio::io_context loop;
    runtime::SystemClock clock{loop};
    runtime::Logger log{runtime::LogLevel::warning};
    std::deque<DriverHost> hosts;
    std::vector<std::vector<proto::Reading>> readings;  // by bus, bus's indices
    std::vector<std::string> errors;                    // by bus
    std::size_t left = 0;
    Tasks running{loop}, reading{loop};
};

asio::awaitable<void> read_bus(Once& house, std::size_t i) {
    DriverHost& host = house.hosts[i];
    const Monotonic until = house.clock.now() + open_within;
    while (host.generation() == 0 && host.status().state != proto::BusState::failed && house.clock.now() < until) {
        const bool go_on = co_await house.clock.sleep_for(20ms);
        if (!go_on) co_return;
    }
    std::vector<std::uint32_t> wanted(host.sensors().size());
    for (std::uint32_t s = 0; s < wanted.size(); ++s) wanted[s] = s;
    if (wanted.empty()) {
        house.errors[i] = host.status().error.empty() ? "did not open in time" : host.status().error;
    } else {
        const ScanResult result = co_await host.read(wanted, house.clock.now() + read_within);
        house.readings[i].assign(result.readings.begin(), result.readings.end());
        if (!proto::has_value(result.quality))
            house.errors[i] = result.error.empty() ? host.status().error : std::string(result.error);
    }
    if (--house.left == 0) house.running.cancel();
}

}  // namespace

int check(const AgentConfig& config, std::ostream& out, std::ostream& errors) {
    const DriverHostPaths paths = found_paths(config.paths);
    std::size_t mistakes = 0;
    for (const BusSection& bus : config.buses)
        for (const OptionMistake& mistake : check_bus(bus.host, paths)) {
            ++mistakes;
            errors << config.file << ':' << line_of(bus, mistake.option) << ": bus " << bus.host.name << ": "
                   << (mistake.option.empty() ? "" : "options." + mistake.option + ": ") << mistake.text << '\n';
        }
    if (mistakes == 0)
        out << config.file << ": good: " << config.buses.size() << (config.buses.size() == 1 ? " bus" : " buses")
            << '\n';
    return mistakes == 0 ? 0 : exit_config;
}

int once(const AgentConfig& config, std::ostream& out, std::ostream& errors) {
    Once house;
    const DriverHostPaths paths = found_paths(config.paths);
    house.readings.resize(config.buses.size());
    house.errors.resize(config.buses.size());
    house.left = config.buses.size();
    for (const BusSection& bus : config.buses) {
        house.hosts.emplace_back(house.loop, house.clock, house.log, bus.host, paths);
        house.running.spawn("driver_host", house.hosts.back().run());
    }
    for (std::size_t i = 0; i < config.buses.size(); ++i) house.reading.spawn("once", read_bus(house, i));
    house.loop.run_for(open_within + read_within + stop_within);
    std::vector<BusSensors> sensors;
    for (std::size_t i = 0; i < config.buses.size(); ++i)
        sensors.push_back({&config.buses[i], {}, house.hosts[i].sensors()});
    print_table(out, build_catalog(config, sensors), house.readings, house.clock.now());
    bool well = true;
    for (std::size_t i = 0; i < config.buses.size(); ++i)
        if (!house.errors[i].empty()) {
            errors << "bus " << config.buses[i].host.name << ": " << house.errors[i] << '\n';
            well = false;
        }
    return well ? 0 : exit_unavailable;
}

}  // namespace gwatt::agent
