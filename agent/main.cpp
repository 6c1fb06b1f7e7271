// gwatt-agent: reads a rack's buses through driver plugins and publishes over MQTT. This file is the way of a reading:
// driver_host, sampler, energy, batcher, spool, publisher, link.
#include "agent/batcher.hpp"
#include "agent/command.hpp"
#include "agent/config.hpp"
#include "agent/driver_host.hpp"
#include "agent/energy.hpp"
#include "agent/once.hpp"
#include "agent/publisher.hpp"
#include "agent/publisher_link.hpp"
#include "agent/roster.hpp"
#include "agent/sampler.hpp"
#include "agent/self_device.hpp"
#include "agent/self_device_list.hpp"
#include "agent/spool.hpp"
#include "agent/tasks.hpp"
#include "runtime/backoff.hpp"
#include "runtime/mqtt_link.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <csignal>
#include <deque>
#include <iostream>

namespace {

using namespace gwatt;
using namespace gwatt::agent;
namespace asio = boost::asio;

enum Exit { good = 0, software = 70, bad_config = 78 };  // sysexits.h
constexpr Duration stop_within = 5s, publish_within = 2500ms, self_period = 60s;

class Agent {
public:
    explicit Agent(const AgentConfig& config)
        : config_(config),
          clock_(loop_, config.clock_source),
          log_(config.log_level),
          identity_{config.site, config.name, runtime::random_seed()},
          link_(loop_, clock_, log_, link_options(config, identity_, clock_)),
          spool_(config.spool, config.publish.history_after, clock_),
          publisher_(loop_, clock_, log_, link_, spool_, identity_, config.publish, [this] { return bus_status(); }),
          energy_(static_cast<std::uint32_t>(identity_.boot) | 1, config.energy.gap),
          batcher_(config.publish, clock_, energy_, identity_.boot, [this](const Outgoing& m) { to_spool(m); }),
          roster_(loop_, clock_, config, [this](const proto::Catalog& c) { change_catalog(c); }) {
        const DriverHostPaths paths = found_paths(config.paths);
        for (const BusSection& bus : config.buses) {
            hosts_.emplace_back(loop_, clock_, log_, bus.host, paths);
            add_bus(hosts_.back(), &bus, {});
            list_.add(bus.host.name, hosts_.back());
            list_.add(bus.host.name, samplers_.back());
        }
        list_.add(energy_);
        list_.add(batcher_);
        list_.add(spool_);
        list_.add(publisher_);
        link_.list(counters_);
        self_.emplace(loop_, clock_, counters_, [this] { list_.refresh(); });
        add_bus(*self_, nullptr, self_period);
    }

    void run() {
        for (DriverHost& host : hosts_) driving_.spawn("driver_host", host.run());
        for (Sampler& sampler : samplers_) reading_.spawn("sampler", sampler.run());
        reading_.spawn("roster", roster_.run());
        reading_.spawn("batcher", batcher_.run());
        sending_.spawn("publisher", publisher_.run());
        sending_.spawn("publisher's watch", publisher_.watch());
        linking_.spawn("mqtt_link", link_.run());
        stopping_.spawn("signals", stop_on_signal());
        log_.info("started", {{"site", config_.site},
                              {"agent", config_.name},
                              {"version", GWATT_VERSION},
                              {"buses", config_.buses.size()},
                              {"broker", config_.mqtt.host}});
        loop_.run();
        log_.info("stopped", {{"spooled_messages_lost", spool_.counters().records}});
    }

private:
    void add_bus(Bus& bus, const BusSection* section, Duration period) {
        roster_.add(bus, section, period);
        samplers_.emplace_back(clock_, bus, roster_, samplers_.size(), [this](const Scan& scan) {
            energy_.take(scan.readings);
            batcher_.take(scan);
        });
    }
    void to_spool(const Outgoing& message) {
        spool_.append(message);
        publisher_.wake();
    }
    void change_catalog(const proto::Catalog& catalog) {
        batcher_.finish();
        energy_.set_catalog(catalog);
        batcher_.set_catalog(catalog);
        publisher_.set_catalog(catalog);
        log_.info("catalog", {{"sensors", catalog.sensors.size()}, {"energy_points", catalog.energy_points.size()}});
    }
    std::vector<proto::BusStatus> bus_status() const {
        std::vector<proto::BusStatus> all;
        for (const DriverHost& host : hosts_) all.push_back(host.status());
        return all;
    }

    asio::awaitable<void> stop_on_signal() {
        asio::signal_set signals(loop_, SIGTERM, SIGINT);
        co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
        signals.clear();  // a second one ends the process at once
        log_.info("stopping");
        const runtime::Monotonic begun = clock_.now();
        reading_.cancel();
        batcher_.finish();
        driving_.cancel();
        co_await publisher_.finish(begun + publish_within);
        sending_.cancel();
        link_.stop();
        for (bool ended = false; !ended;) {
            co_await clock_.sleep_for(10ms);
            ended = driving_.running() + linking_.running() == 0 || clock_.now() > begun + stop_within;
        }
        loop_.stop();
    }

    const AgentConfig& config_;
    asio::io_context loop_{1};
    runtime::SystemClock clock_;
    runtime::Logger log_;
    Identity identity_;
    runtime::Counters counters_;
    CounterList list_{counters_, clock_};
    runtime::MqttLink link_;
    Spool spool_;
    Publisher publisher_;
    Energy energy_;
    Batcher batcher_;
    Roster roster_;
    std::deque<DriverHost> hosts_;
    std::deque<Sampler> samplers_;
    std::optional<SelfDevice> self_;
    Tasks driving_{loop_}, reading_{loop_}, sending_{loop_}, linking_{loop_}, stopping_{loop_};
};

}  // namespace

int main(int argc, char** argv) {
    int status = Exit::good;
    const auto command = parse_command(argc, argv, status);
    if (!command) return status;
    std::signal(SIGPIPE, SIG_IGN);
    try {
        const AgentConfig config = load_config(command->config);
        if (command->what == Command::Do::check) return check(config, std::cout, std::cerr);
        if (command->what == Command::Do::once) return once(config, std::cout, std::cerr);
        Agent(config).run();
    } catch (const runtime::ConfigError& error) {
        std::cerr << error.what() << '\n';
        status = Exit::bad_config;
    } catch (const std::exception& error) {
        std::cerr << "gwatt-agent: " << error.what() << '\n';
        status = Exit::software;
    }
    return status;
}
