#include "agent/driver_host_state.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <signal.h>

#include <utility>

namespace gwatt::agent {

using proto::BusState;

namespace {
constexpr Duration first_pause = milliseconds(200), longest_pause = seconds(5);
}  // namespace

DriverHost::State::State(asio::io_context& the_loop, runtime::Clock& the_clock, runtime::Logger& the_log,
                         BusConfig the_config, DriverHostPaths the_paths)
    : loop(the_loop),
      clock(the_clock),
      log(the_log),
      config(std::move(the_config)),
      paths(std::move(the_paths)),
      output(4096),
      backoff(first_pause, longest_pause, runtime::random_seed()),
      complaint(log, clock, "bus trouble"),
      driver_log(log, clock, config),
      tending(loop),
      reading(loop),
      changing(loop) {
    changing.expires_at(asio::steady_timer::time_point::max());
}

// ---- waiting ----

asio::awaitable<void> DriverHost::State::wait(Monotonic until) {
    tending.expires_at(until);
    co_await tending.async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> DriverHost::State::wait_for_end(Duration at_most) {
    const Monotonic until = clock.now() + at_most;
    while (!link_->ended() && clock.now() < until) {
        tending.expires_at(until);
        co_await tending.async_wait(
            asio::bind_cancellation_slot(asio::cancellation_slot(), asio::as_tuple(asio::use_awaitable)));
    }
}

void DriverHost::State::wake() {
    tending.cancel();
    reading.cancel();
}

void DriverHost::State::tried() {
    first_tried = true;
    changing.cancel();
}

asio::awaitable<bool> DriverHost::State::changed() {
    if (first_tried && !first_told) {
        first_told = true;
        co_return true;
    }
    const std::uint64_t before = generation;
    const bool tried_before = first_tried;
    while (generation == before && first_tried == tried_before) {
        co_await changing.async_wait(asio::as_tuple(asio::use_awaitable));
        const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) co_return false;
    }
    first_told = true;
    co_return true;
}

// ---- the face ----

DriverHost::DriverHost(asio::io_context& loop, runtime::Clock& clock, runtime::Logger& log, BusConfig config,
                       DriverHostPaths paths)
    : state_(std::make_unique<State>(loop, clock, log, std::move(config), std::move(paths))) {}

// Only a run() that was cut off leaves a runner here; the closed socket tells it to end.
DriverHost::~DriverHost() {
    if (state_->link_ == nullptr) return;
    if (!state_->link_->ended()) state_->link_->signal(SIGTERM);
    state_->link_->drop();
}

asio::awaitable<void> DriverHost::run() { return state_->run(); }
std::span<const proto::Sensor> DriverHost::sensors() const { return state_->sensors; }
std::uint64_t DriverHost::generation() const { return state_->generation; }
asio::awaitable<bool> DriverHost::changed() { return state_->changed(); }
asio::awaitable<ScanResult> DriverHost::read(std::span<const std::uint32_t> wanted, runtime::Monotonic deadline) {
    return state_->read(wanted, deadline);
}
const std::string& DriverHost::name() const { return state_->config.name; }
int DriverHost::runner_pid() const {
    return state_->link_ != nullptr && !state_->link_->ended() ? state_->link_->pid() : 0;
}
const BusCounters& DriverHost::counters() const { return state_->counters; }

proto::BusStatus DriverHost::status() const {
    const State& state = *state_;
    BusState shown = BusState::starting;
    switch (state.phase) {
        case State::Phase::open: shown = state.complaint.active() ? BusState::degraded : BusState::ok; break;
        case State::Phase::away: shown = state.first_tried ? BusState::failed : BusState::starting; break;
        case State::Phase::failed: shown = BusState::failed; break;
        case State::Phase::stopped: shown = state.permanent ? BusState::failed : BusState::stopped; break;
    }
    return {state.config.name, state.config.driver, shown, static_cast<std::uint32_t>(state.counters.restarts),
            state.error};
}

}  // namespace gwatt::agent
