// gwatt-fleet: turns what racks publish over MQTT into totals. This file is the way in: link, pipeline (subscriber,
// ledger, topology, aggregator), outputs.
#include "fleet/broker.hpp"
#include "fleet/command.hpp"
#include "fleet/config.hpp"
#include "fleet/outputs/prometheus/page.hpp"
#include "fleet/outputs/prometheus/server.hpp"
#include "fleet/outputs/table.hpp"
#include "fleet/pipeline.hpp"
#include "fleet/terminal.hpp"
#include "fleet/watch.hpp"
#include "runtime/backoff.hpp"
#include "runtime/counters.hpp"
#include "runtime/mqtt_link.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <csignal>
#include <iostream>
#include <memory>
#include <optional>

namespace {

using namespace gwatt;
using namespace gwatt::fleet;
using namespace std::chrono_literals;
namespace asio = boost::asio;

enum Exit { good = 0, unavailable = 69, software = 70, cannot_create = 73, bad_config = 78 };

class Fleet {
public:
    Fleet(const FleetConfig& config, const Command& command, const std::string& client_id)
        : command_(command),
          log_(config.log_level),
          link_(loop_, clock_, log_, broker_options(config.mqtt, client_id)),
          pipeline_(config, arrival(clock_), [this](const Window& w) { page_.window(w); }),
          page_(config.metrics.racks, counters_),
          watch_(log_, clock_) {
        link_.list(counters_);
        link_.subscribe(std::string(Subscriber::filter), 1,
                        [this](const runtime::ReceivedMessage& message) { pipeline_.take(message, arrival(clock_)); });
        if (command.what != Command::Do::top)
            server_.emplace(loop_, config.metrics.address, config.metrics.port, [this] { return page_.text(); });
    }

    int run() {
        spawn(link_run());
        spawn(stop_on_signal());
        if (command_.what == Command::Do::top)
            spawn(show());
        else
            spawn(report()), spawn(server_->run());
        if (server_)
            log_.info("started", {{"version", GWATT_VERSION},
                                  {"metrics_port", server_->port()},
                                  {"racks", pipeline_.inventory().racks().size()}});
        loop_.run();
        if (server_)
            log_.info("stopped",
                      {{"messages", pipeline_.books().received}, {"rejected", pipeline_.books().rejected_total()}});
        return result_;
    }

private:
    void spawn(asio::awaitable<void> task) {
        asio::co_spawn(loop_, std::move(task), [](std::exception_ptr error) {
            if (error) std::rethrow_exception(error);  // a bug: out of loop_.run(), to main
        });
    }
    asio::awaitable<void> link_run() {
        co_await link_.run();
        loop_.stop();
    }
    asio::awaitable<void> stop_on_signal() {
        asio::signal_set signals(loop_, SIGTERM, SIGINT);
        co_await signals.async_wait(asio::as_tuple(asio::use_awaitable));
        signals.clear();  // a second one ends the process at once
        stop();
    }
    void stop() {
        if (server_) server_->stop();
        link_.stop();
    }
    asio::awaitable<void> report() {
        for (auto next = clock_.now() + 1s;; next += 1s) {
            const bool awake = co_await clock_.sleep_until(next);
            if (!awake) co_return;
            if (clock_.now() > next + 10s) next = clock_.now();  // was stopped or suspended: no hurry to catch up
            const auto now = arrival(clock_);
            pipeline_.tick(now);
            const auto& report = pipeline_.report(now);
            page_.report(report);
            watch_.look(report);
        }
    }
    asio::awaitable<void> show() {
        Terminal terminal(command_.once);
        const auto began = clock_.now();
        const auto until =
            began + std::chrono::duration_cast<runtime::Duration>(std::chrono::duration<double>(command_.wait_seconds));
        for (auto next = began + 1s;; next = clock_.now() + 1s) {
            const bool awake = co_await clock_.sleep_until(next);
            if (!awake) co_return;
            const auto now = arrival(clock_);
            pipeline_.tick(now);
            const auto& report = pipeline_.report(now);
            table_.report(report);
            const auto& fleet = report.totals.front();
            const bool settled = fleet.racks > 0 && fleet.racks_in[0] == fleet.racks && now.monotonic >= began + 3s;
            if (!terminal.live() && !settled && now.monotonic < until) continue;
            terminal.show(table_.text(terminal.lines(), terminal.columns(), terminal.live()));
            if (terminal.live()) continue;
            result_ = link_.connections() == 0 ? unavailable : good;
            co_return stop();
        }
    }

    const Command command_;
    asio::io_context loop_{1};
    runtime::SystemClock clock_{loop_};
    runtime::Logger log_;
    runtime::Counters counters_;
    runtime::MqttLink link_;
    Pipeline pipeline_;
    PrometheusPage page_;
    TerminalTable table_;
    std::optional<MetricsServer> server_;
    Watch watch_;
    int result_ = good;
};

int run(const Command& command) {
    const bool top = command.what == Command::Do::top;
    auto config = command.site.empty() ? parse_config("", "(no site file)") : load_config(command.site);
    if (!command.broker.empty()) set_broker(config.mqtt, command.broker);
    if (command.what == Command::Do::check) {
        broker_options(config.mqtt, config.name);  // reads the password file
        std::cout << command.site << ": good, " << config.racks.size() << " racks\n";
        return good;
    }
    if (top) config.log_level = runtime::LogLevel::error;
    // A terminal view is a client of its own, beside the program that it looks over the shoulder of.
    return Fleet(config, command,
                 top ? config.name + "-top-" + std::to_string(runtime::random_seed() % 1'000'000) : config.name)
        .run();
}

}  // namespace

int main(int argc, char** argv) {
    int status = good;
    const auto command = parse_command(argc, argv, status);
    if (!command) return status;
    try {
        return run(*command);
    } catch (const runtime::ConfigError& error) {
        std::cerr << error.what() << '\n';
        return bad_config;
    } catch (const std::invalid_argument& error) {  // the link's options
        std::cerr << "gwatt-fleet: " << error.what() << '\n';
        return bad_config;
    } catch (const boost::system::system_error& error) {  // the metrics address
        std::cerr << "gwatt-fleet: cannot listen for metrics: " << error.what() << '\n';
        return cannot_create;
    } catch (const std::exception& error) {
        std::cerr << "gwatt-fleet: " << error.what() << '\n';
        return software;
    }
}
