#include "tests/support/virtual_clock.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/this_coro.hpp>

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace std::chrono_literals;
using gwatt::runtime::Clock;
using gwatt::runtime::Duration;
using gwatt::test::VirtualClock;
namespace asio = boost::asio;

namespace {

using Said = std::vector<std::string>;

asio::awaitable<void> sleep_and_say(Clock& clock, Duration d, std::string word, Said& said) {
    co_await asio::this_coro::throw_if_cancelled(false);
    const bool slept = co_await clock.sleep_for(d);
    said.push_back(slept ? word : word + " cancelled");
}

asio::awaitable<void> tick(Clock& clock, Duration period, std::vector<Duration>& at) {
    const auto start = clock.now();
    for (;;) {
        co_await clock.sleep_for(period);
        at.push_back(clock.now() - start);
    }
}

template <class Awaitable> void spawn(asio::io_context& loop, Awaitable a) {
    asio::co_spawn(loop, std::move(a), asio::detached);
}

}  // namespace

TEST_CASE("sleepers wake in the order of their times, equal times in the order they lay down") {
    asio::io_context loop;
    VirtualClock clock(loop);
    Said said;
    spawn(loop, sleep_and_say(clock, 3s, "c", said));
    spawn(loop, sleep_and_say(clock, 1s, "a1", said));
    spawn(loop, sleep_and_say(clock, 1s, "a2", said));
    spawn(loop, sleep_and_say(clock, 0s, "now", said));
    clock.settle();
    CHECK(said == Said{"now"});
    clock.advance(2s);
    CHECK(said == Said{"now", "a1", "a2"});
    clock.advance(1s);
    CHECK(said == Said{"now", "a1", "a2", "c"});
    CHECK(clock.sleepers() == 0);
}

TEST_CASE("a sleeper sees exactly its own time, however far one advance goes") {
    asio::io_context loop;
    VirtualClock clock(loop);
    std::vector<Duration> at;
    spawn(loop, tick(clock, 250ms, at));
    clock.advance(1s);
    CHECK(at == std::vector<Duration>{250ms, 500ms, 750ms, 1s});
    clock.advance(24h);
    CHECK(at.size() == 4 + 24 * 3600 * 4);
}

TEST_CASE("asio's cancellation ends a sleep at once, without moving time") {
    asio::cancellation_signal signal;  // outlives the loop and its coroutines
    asio::io_context loop;
    VirtualClock clock(loop);
    Said said;
    asio::co_spawn(loop, sleep_and_say(clock, 1h, "x", said),
                   asio::bind_cancellation_slot(signal.slot(), asio::detached));
    clock.settle();
    CHECK(clock.sleepers() == 1);
    const auto before = clock.now();
    signal.emit(asio::cancellation_type::terminal);
    clock.settle();
    CHECK(said == Said{"x cancelled"});
    CHECK(clock.now() == before);
    CHECK(clock.sleepers() == 0);
}

TEST_CASE("coroutines asleep when the clock and the loop go are destroyed cleanly") {
    Said said;
    {
        asio::io_context loop;
        VirtualClock clock(loop);
        spawn(loop, sleep_and_say(clock, 1h, "x", said));
        clock.settle();
    }
    CHECK(said.empty());
}

TEST_CASE("UTC follows monotonic time until someone steps it") {
    asio::io_context loop;
    VirtualClock clock(loop);
    const auto utc = clock.utc_now();
    clock.advance(10s);
    CHECK(clock.utc_now() - utc == 10s);
    clock.step_utc(-1h);
    CHECK(clock.utc_now() - utc == 10s - 1h);
    CHECK(clock.read().utc == clock.utc_now());
}

TEST_CASE("advance_to_next goes to the next sleeper and says when nobody sleeps") {
    asio::io_context loop;
    VirtualClock clock(loop);
    Said said;
    spawn(loop, sleep_and_say(clock, 90min, "x", said));
    const auto start = clock.now();
    CHECK(clock.advance_to_next());
    CHECK(clock.now() - start == 90min);
    CHECK(said == Said{"x"});
    CHECK_FALSE(clock.advance_to_next());
}
