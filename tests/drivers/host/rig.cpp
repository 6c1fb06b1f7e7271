#include "rig.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <algorithm>
#include <exception>
#include <numeric>

namespace gwatt::test {

namespace asio = boost::asio;

std::string runner_path() { return GWATT_RUNNER; }
std::string plugin_folder() { return GWATT_PLUGINS; }
std::string liar_folder() { return GWATT_LIARS; }

std::size_t Scan::with_value() const {
    return static_cast<std::size_t>(
        std::count_if(readings.begin(), readings.end(), [](const auto& r) { return proto::has_value(r.quality); }));
}

std::vector<std::uint32_t> every_sensor(const agent::Bus& bus) {
    std::vector<std::uint32_t> all(bus.sensors().size());
    std::iota(all.begin(), all.end(), 0U);
    return all;
}

Loop::Loop()
    : log(runtime::LogLevel::debug, [this](runtime::LogLevel, std::string_view line) { lines.emplace_back(line); }) {}

bool Loop::logged(std::string_view part) const {
    return std::any_of(lines.begin(), lines.end(),
                       [&](const std::string& line) { return line.find(part) != std::string::npos; });
}

bool Loop::until(const std::function<bool()>& done, runtime::Duration at_most) {
    const auto end = clock.now() + at_most;
    while (!done()) {
        if (clock.now() >= end) return false;
        context.restart();
        context.run_one_for(std::chrono::milliseconds(5));
    }
    return true;
}

void Loop::turn_for(runtime::Duration d) {
    until([] { return false; }, d);
}

Rig::Rig(Loop& the_loop, std::string driver, Pairs options, std::string folder, bool kill_allowed)
    : loop(the_loop),
      host(loop.context, loop.clock, loop.log,
           {.name = "bus",
            .driver = std::move(driver),
            .options = std::move(options),
            .base = "/",
            .kill_allowed = kill_allowed},
           {.runner = runner_path(), .driver_directory = folder.empty() ? plugin_folder() : folder}) {
    asio::co_spawn(loop.context, host.run(),
                   asio::bind_cancellation_slot(cancel_.slot(), [this](std::exception_ptr error) {
                       ended_ = true;
                       if (error) std::rethrow_exception(error);
                   }));
}

Rig::~Rig() { stop(); }

void Rig::stop() {
    if (ended_) return;
    cancel_.emit(asio::cancellation_type::terminal);
    loop.until([this] { return ended_; }, std::chrono::seconds(10));
}

bool Rig::open(runtime::Duration at_most) {
    return loop.until([this] { return host.generation() > 0 && host.status().state == proto::BusState::ok; }, at_most);
}

namespace {
asio::awaitable<void> read_into(agent::DriverHost& host, std::vector<std::uint32_t> wanted, runtime::Clock& clock,
                                runtime::Duration deadline, Scan& scan, bool& done) {
    const auto asked = clock.now();
    const agent::ScanResult result = co_await host.read(wanted, asked + deadline);
    scan.took = clock.now() - asked;
    scan.quality = result.quality;
    scan.error = result.error;
    scan.readings.assign(result.readings.begin(), result.readings.end());
    done = true;
}
}  // namespace

void Rig::at_the_same_time(Scan& scan) {
    asio::co_spawn(loop.context,
                   read_into(host, every_sensor(host), loop.clock, std::chrono::milliseconds(500), scan, other_done_),
                   asio::detached);
}

Scan Rig::read(runtime::Duration deadline) {
    Scan scan;
    bool done = false;
    asio::co_spawn(loop.context, read_into(host, every_sensor(host), loop.clock, deadline, scan, done),
                   [](std::exception_ptr error) {
                       if (error) std::rethrow_exception(error);
                   });
    loop.until([&] { return done; }, deadline + std::chrono::seconds(5));
    if (!done) throw std::runtime_error("the read did not end by its deadline");
    return scan;
}

}  // namespace gwatt::test
