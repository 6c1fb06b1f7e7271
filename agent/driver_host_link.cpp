#include "agent/driver_host_link.hpp"

#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace gwatt::agent {

namespace frame = drivers::frame;

namespace {
constexpr std::size_t usual_input = 16384;
}

DriverHostLink::DriverHostLink(boost::asio::io_context& loop, RunnerProcess process, Listener listener)
    : pid_(process.pid),
      pidfd_(loop, process.pidfd.release()),
      socket_(loop, process.socket.release()),
      listener_(std::move(listener)),
      input_(usual_input) {}

void DriverHostLink::listen() {
    pidfd_.async_wait(boost::asio::posix::descriptor_base::wait_read,
                      [self = shared_from_this()](boost::system::error_code error) {
                          if (!error) self->process_ended();
                      });
    read_more();
}

void DriverHostLink::read_more() {
    socket_.async_read_some(boost::asio::buffer(input_.data() + used_, input_.size() - used_),
                            [self = shared_from_this()](boost::system::error_code error, std::size_t n) {
                                if (self->cut_) return;
                                if (error)
                                    self->cut("closed the conversation");
                                else
                                    self->received(n);
                            });
}

// One turn handles what one read gave, then the loop has its chance: a flooding runner delays nobody.
void DriverHostLink::received(std::size_t n) {
    used_ += n;
    while (!cut_ && take_frame()) {}
    if (cut_) return;
    frame::Header header;
    std::size_t needed = usual_input;
    if (frame::decode_header({input_.data(), used_}, frame::max_body, header))
        needed = std::max(needed, sizeof header + header.size);
    if (needed != input_.size() && used_ <= needed) {  // grows for a catalog, shrinks after it
        input_.resize(needed);
        input_.shrink_to_fit();
    }
    read_more();
}

bool DriverHostLink::take_frame() {
    frame::Header header;
    if (used_ < sizeof header) return false;
    if (!frame::decode_header({input_.data(), used_}, frame::max_body, header)) {
        cut("sent what is no frame");
        return false;
    }
    const std::size_t size = sizeof header + header.size;
    if (used_ < size) return false;
    if (listener_.frame) listener_.frame(header, {input_.data() + sizeof header, header.size});
    used_ -= size;
    std::memmove(input_.data(), input_.data() + size, used_);
    return true;
}

bool DriverHostLink::send(frame::Bytes bytes) {
    if (cut_ || bytes.empty()) return false;
    const ssize_t n = ::send(socket_.native_handle(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n == static_cast<ssize_t>(bytes.size())) return true;
    cut(n < 0 && errno == EPIPE ? "closed the conversation" : "does not take requests");
    return false;
}

void DriverHostLink::signal(int number) {
    if (!ended_) ::kill(pid_, number);  // not reaped yet: the pid is still this process
}

void DriverHostLink::cut(std::string why) {
    if (cut_) return;
    cut_ = true;
    why_ = std::move(why);
    if (listener_.change) listener_.change();
}

void DriverHostLink::process_ended() {
    std::string how;
    if (ended_ || !reap_runner(pid_, how)) return;
    ended_ = true;
    cut_ = true;
    why_ = std::move(how);
    if (listener_.change) listener_.change();
}

void DriverHostLink::drop() {
    listener_ = {};
    cut_ = true;
    boost::system::error_code ignored;
    socket_.close(ignored);
    pidfd_.close(ignored);
}

}  // namespace gwatt::agent
