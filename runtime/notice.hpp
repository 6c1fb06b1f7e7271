#pragma once
// Lets coroutines wait until another one says that something has changed. tell() wakes those that wait now; it is not
// remembered, so look first and wait then. Loop thread; must outlive its waiters' last step.
#include "runtime/clock.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace gwatt::runtime {

class Notice {
public:
    explicit Notice(boost::asio::io_context& loop) : timer_(loop, boost::asio::steady_timer::time_point::max()) {}

    void tell() { timer_.cancel(); }

    // False if the coroutine was cancelled. Sets throw_if_cancelled(false) for the waiting coroutine.
    boost::asio::awaitable<bool> wait() {
        co_await boost::asio::this_coro::throw_if_cancelled(false);
        co_await timer_.async_wait(boost::asio::as_tuple(boost::asio::use_awaitable));
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        co_return state.cancelled() == boost::asio::cancellation_type::none;
    }

    // As wait(), but no longer than until `when`.
    boost::asio::awaitable<bool> wait_until(Clock& clock, Monotonic when) {
        using namespace boost::asio::experimental::awaitable_operators;
        co_await boost::asio::this_coro::throw_if_cancelled(false);
        co_await (wait() || clock.sleep_until(when));
        const auto state = co_await boost::asio::this_coro::cancellation_state;
        co_return state.cancelled() == boost::asio::cancellation_type::none;
    }

private:
    boost::asio::steady_timer timer_;
};

}  // namespace gwatt::runtime
