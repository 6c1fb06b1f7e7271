#include "tests/support/virtual_clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <map>

namespace gwatt::test {

namespace asio = boost::asio;
using namespace std::chrono_literals;
using runtime::Duration;
using runtime::Monotonic;

// A timer that never ends of itself; it is cancelled when its time has come, or by asio's cancellation.
struct Sleeper {
    explicit Sleeper(asio::io_context& loop) : timer(loop, asio::steady_timer::time_point::max()) {}
    asio::steady_timer timer;
    bool due = false;
};

struct VirtualClock::Sleepers {
    std::multimap<Monotonic, Sleeper*> by_time;  // equal keys keep their order of insertion
};

namespace {

template <class Map> struct Place {  // takes the sleeper off the list however its coroutine ends
    std::shared_ptr<Map> owner;
    typename decltype(Map::by_time)::iterator at;
    Sleeper& sleeper;
    ~Place() {
        if (!sleeper.due) {
            owner->by_time.erase(at);
        }
    }
};

}  // namespace

VirtualClock::VirtualClock(asio::io_context& loop)
    : loop_(loop),
      start_(Duration(1000s)),
      now_(start_),
      utc_at_start_(std::chrono::sys_days(std::chrono::year(2026) / 1 / 1)),
      bound_(1ms),
      sleepers_(std::make_shared<Sleepers>()) {}

VirtualClock::~VirtualClock() = default;

runtime::ClockReading VirtualClock::read() const {
    return {.monotonic = now_, .utc = utc_now(), .state = state_, .offset = offset_, .bound = bound_};
}

void VirtualClock::set_state(runtime::ClockState state, Duration offset, Duration bound) {
    state_ = state;
    offset_ = offset;
    bound_ = bound;
}

asio::awaitable<bool> VirtualClock::sleep_until(Monotonic when) {
    Sleeper sleeper(loop_);
    const Place<Sleepers> place{sleepers_, sleepers_->by_time.emplace(when, &sleeper), sleeper};
    auto [error] = co_await sleeper.timer.async_wait(asio::as_tuple(asio::use_awaitable));
    static_cast<void>(error);  // always aborted; `due` tells by whom
    co_return sleeper.due;
}

bool VirtualClock::wake_next(Monotonic until) {
    auto& list = sleepers_->by_time;
    if (list.empty() || list.begin()->first > until) {
        return false;
    }
    const auto first = list.begin();
    now_ = std::max(now_, first->first);
    Sleeper& sleeper = *first->second;
    list.erase(first);
    sleeper.due = true;
    sleeper.timer.cancel();
    return true;
}

void VirtualClock::settle() {
    do {
        loop_.restart();
        while (loop_.poll() > 0) {}
    } while (wake_next(now_));
}

void VirtualClock::advance_to(Monotonic when) {
    settle();
    while (wake_next(when)) {
        settle();
    }
    now_ = std::max(now_, when);
}

void VirtualClock::advance(Duration d) { advance_to(now_ + d); }

bool VirtualClock::advance_to_next() {
    settle();
    if (sleepers_->by_time.empty()) {
        return false;
    }
    advance_to(sleepers_->by_time.begin()->first);
    return true;
}

std::size_t VirtualClock::sleepers() const { return sleepers_->by_time.size(); }

}  // namespace gwatt::test
