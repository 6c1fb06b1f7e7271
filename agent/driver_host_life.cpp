#include "agent/driver_host_state.hpp"

#include <signal.h>

#include <array>
#include <utility>

// No co_await stands in a condition here: g++ 12 lays such a frame out eight bytes off.
namespace gwatt::agent {
namespace {

constexpr Duration describe_bound = seconds(10);      // loading a vendor library from flash takes its time
constexpr Duration sensors_bound = seconds(5);        // it does not block, but 4096 sensors on a slow board
constexpr Duration answer_slack = milliseconds(500);  // over a declared worst case
constexpr Duration late_grace = milliseconds(200);    // for a late answer, after it was asked to end
constexpr Duration kill_bound = seconds(2);           // SIGKILL to the end of the process, unless it is in the kernel
constexpr Duration denied_pause = seconds(60);

}  // namespace

bool DriverHost::State::start() {
    hung = false;
    asked = {};
    request = {};
    late_id = strays = 0;
    ++starts;
    if (starts > 1) ++counters.restarts;
    auto process = start_runner(paths, config);
    if (!process) {
        trouble("cannot start " + paths.runner + ": " + process.error().message());
        return false;
    }
    link_ = std::make_shared<DriverHostLink>(
        loop, std::move(*process),
        DriverHostLink::Listener{
            .frame = [this](const frame::Header& header, frame::Bytes body) { take_frame(header, body); },
            .change = [this] { wake(); }});
    link_->listen();
    return true;
}

asio::awaitable<bool> DriverHost::State::describe() {
    if (!send_plain(frame::Type::describe, frame::Type::described)) co_return false;
    const bool answered = co_await answer_within(describe_bound);
    if (!answered) co_return false;
    if (request.result != GWATT_OK) fail_for_good("cannot load driver " + config.driver + ": " + error);
    co_return request.result == GWATT_OK;
}

// True when the bus is open and its sensors are known. Otherwise the reason is in `error`, the wish in `asked`.
asio::awaitable<bool> DriverHost::State::open() {
    asked = {};
    if (!send_open()) co_return false;
    const bool answered = co_await answer_within(open_worst + answer_slack);
    if (!answered) co_return false;
    const std::int32_t result = request.result;
    if (result == GWATT_OK) {
        const bool fetched = co_await fetch_sensors();
        co_return fetched;
    }
    away_quality = quality_of(result);
    asked.denied = result == GWATT_DENIED;
    if (result == GWATT_BAD_CONFIG || result == GWATT_BUG)
        fail_for_good(error);
    else
        trouble(error);
    co_return false;
}

asio::awaitable<bool> DriverHost::State::fetch_sensors() {
    asked.sensors = false;
    if (!send_plain(frame::Type::sensors, frame::Type::catalog)) co_return false;
    const bool answered = co_await answer_within(sensors_bound);
    if (!answered) co_return false;
    if (request.result != GWATT_OK) {
        away_quality = quality_of(request.result);
        if (request.result == GWATT_BUG)
            fail_for_good(error);
        else
            trouble(error);
        co_return false;
    }
    if (generation == 0 || new_sensors != sensors) {
        sensors.swap(new_sensors);
        ++generation;
    }
    new_sensors.clear();
    judge.start(sensors);
    log.info(
        "bus open",
        {{"bus", config.name}, {"driver", config.driver}, {"sensors", sensors.size()}, {"generation", generation}});
    co_return true;
}

// With the runner, until it ends, hangs, or is of no use.
asio::awaitable<void> DriverHost::State::converse() {
    const bool described = co_await describe();
    while (described && alive() && !hung && !permanent) {
        failures = good_reads = 0;
        const bool opened = co_await open();
        if (opened) {
            phase = Phase::open;
            tried();
            co_await tend();
            phase = Phase::away;
        }
        tried();
        if (!alive() || hung || permanent || cancelled()) co_return;
        co_await pause();
    }
}

// While the bus is open: does what the last turns asked for.
asio::awaitable<void> DriverHost::State::tend() {
    while (alive() && !cancelled()) {
        if (late_id != 0) co_await let_late_answer_come();
        if (hung) co_return;
        if (request.waiting) {  // a read is under way: its end wakes us
            co_await wait(Monotonic::max());
            continue;
        }
        if (asked.close_for_good) fail_for_good(error);
        if (asked.close_for_good || asked.reopen) co_return co_await close();
        if (asked.sensors) {
            phase = Phase::away;
            const bool fetched = co_await fetch_sensors();
            if (!fetched) co_return co_await close();
            phase = Phase::open;
            tried();
            continue;
        }
        co_await wait(Monotonic::max());
    }
}

// A runner that is late is asked to end the call. If it then answers it is alive: nothing is restarted.
asio::awaitable<void> DriverHost::State::let_late_answer_come() {
    std::array<std::byte, sizeof(frame::Header)> memory;
    link_->send(frame::Writer{memory}.finish(frame::Type::cancel, late_id));
    const Monotonic until = clock.now() + late_grace + read_overrun;
    while (late_id != 0 && alive() && clock.now() < until && !cancelled()) co_await wait(until);
    hung = late_id != 0;
    if (!hung) count_failure();
}

asio::awaitable<void> DriverHost::State::close() {
    phase = Phase::away;
    if (send_plain(frame::Type::close, frame::Type::closed)) co_await answer_within(close_worst + answer_slack);
}

asio::awaitable<void> DriverHost::State::pause() {
    const Duration length = asked.denied ? denied_pause : backoff.next();
    const Monotonic until = clock.now() + length;
    const bool had_runner = alive();
    while (clock.now() < until && alive() == had_runner && !cancelled()) co_await wait(until);
}

// Politely, then SIGTERM, then SIGKILL, each with its time.
asio::awaitable<void> DriverHost::State::end_runner() {
    if (link_ == nullptr) co_return;
    if (!link_->ended() && !hung) {
        std::array<std::byte, sizeof(frame::Header)> memory;
        link_->send(frame::Writer{memory}.finish(frame::Type::stop, 0));
        co_await wait_for_end(close_worst + answer_slack);
    }
    if (!link_->ended()) {
        link_->signal(SIGTERM);
        co_await wait_for_end(close_worst + answer_slack);
    }
    if (!link_->ended() && config.kill_allowed) {
        link_->signal(SIGKILL);
        co_await wait_for_end(kill_bound);
    }
    if (!link_->ended()) co_await leave_behind();
    link_->drop();
    link_.reset();
}

// Stuck in the kernel, or not to be killed. One such process at most: nothing is started beside it.
asio::awaitable<void> DriverHost::State::leave_behind() {
    error = "runner " + std::to_string(link_->pid()) + " does not end" +
            (config.kill_allowed ? ": it is stuck in the kernel" : ", and must not be killed");
    log.error("runner left behind", {{"bus", config.name}, {"driver", config.driver}, {"pid", link_->pid()}});
    away_quality = Quality::timeout;
    while (!link_->ended() && !cancelled()) co_await wait(Monotonic::max());
}

asio::awaitable<void> DriverHost::State::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    life = co_await asio::this_coro::cancellation_state;
    while (!permanent && !cancelled()) {
        const bool started = start();
        if (started) co_await converse();
        phase = Phase::away;
        const bool unexpected = started && !permanent && !cancelled();
        if (unexpected && link_->cut()) {
            away_quality = Quality::gone;
            if (!link_->ended()) co_await wait_for_end(milliseconds(100));  // the way it ended says more
            trouble("runner " + link_->why());
        } else if (unexpected && hung) {
            away_quality = Quality::timeout;
        }
        wake();
        tried();
        co_await end_runner();
        if (!permanent && !cancelled()) co_await pause();
    }
    phase = permanent ? Phase::failed : Phase::stopped;
    if (permanent && away_quality == Quality::not_read) away_quality = Quality::fault;
    while (!cancelled()) co_await wait(Monotonic::max());
    phase = Phase::stopped;
}

}  // namespace gwatt::agent
