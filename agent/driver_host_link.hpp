#pragma once
// The agent's end of one runner: its process and its socket. Sends frames, hands on what comes back, says when it ended.
// Loop thread only. Held by shared_ptr because asio's handlers keep it until they have run; drop() cuts its callbacks.
#include "agent/driver_host_process.hpp"
#include "drivers/runner/frame.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gwatt::agent {

class DriverHostLink : public std::enable_shared_from_this<DriverHostLink> {
public:
    struct Listener {
        // A frame whose head is right; nothing in its body has been looked at.
        std::function<void(const drivers::frame::Header&, drivers::frame::Bytes body)> frame;
        // Something below has changed: cut() or ended().
        std::function<void()> change;
    };

    DriverHostLink(boost::asio::io_context& loop, RunnerProcess process, Listener listener);

    void listen();  // once, after construction
    // False when the runner does not take it: then it is cut().
    bool send(drivers::frame::Bytes frame);
    void signal(int number);
    void cut(std::string why);  // no frames any more
    void drop();                // no callbacks any more; closes the socket, which a runner takes as a word to end

    int pid() const { return pid_; }
    bool ended() const { return ended_; }            // the process, reaped
    bool cut() const { return cut_; }                // the conversation; true when ended
    const std::string& why() const { return why_; }  // for people, once cut or ended

private:
    void read_more();
    void received(std::size_t n);
    bool take_frame();
    void process_ended();

    int pid_;
    boost::asio::posix::stream_descriptor pidfd_, socket_;
    Listener listener_;
    std::vector<std::byte> input_;
    std::size_t used_ = 0;
    bool ended_ = false, cut_ = false;
    std::string why_;
};

}  // namespace gwatt::agent
