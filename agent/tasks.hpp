#pragma once
// Coroutines that run side by side and are ended together. Loop thread; must outlive its tasks' last step. A task that ends
// by an exception is a bug: it ends the process, by name, through the loop.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <deque>
#include <exception>
#include <stdexcept>
#include <string>

namespace gwatt::agent {

class Tasks {
public:
    explicit Tasks(boost::asio::io_context& loop) : loop_(loop) {}
    Tasks(const Tasks&) = delete;
    Tasks& operator=(const Tasks&) = delete;

    // name: a literal.
    void spawn(const char* name, boost::asio::awaitable<void> task) {
        signals_.emplace_back();
        ++running_;
        boost::asio::co_spawn(
            loop_, std::move(task),
            boost::asio::bind_cancellation_slot(signals_.back().slot(), [this, name](std::exception_ptr error) {
                --running_;
                if (error && !cancelled_) rethrow(name, error);
            }));
    }

    void cancel() {
        cancelled_ = true;
        for (auto& signal : signals_) signal.emit(boost::asio::cancellation_type::terminal);
    }
    std::size_t running() const { return running_; }

private:
    [[noreturn]] static void rethrow(const char* name, const std::exception_ptr& error) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& what) {
            throw std::runtime_error(std::string(name) + ": " + what.what());
        }
    }

    boost::asio::io_context& loop_;
    std::deque<boost::asio::cancellation_signal> signals_;
    std::size_t running_ = 0;
    bool cancelled_ = false;
};

}  // namespace gwatt::agent
