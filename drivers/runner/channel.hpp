#pragma once
// The runner's end of the socketpair: takes requests, sends answers and log lines, and is the place where a driver
// waits, so that the host can end any wait. One thread; no C++ library needed; one in a process (it is large: static).
#include "drivers/abi/driver.h"
#include "drivers/runner/frame.hpp"

#include <cstddef>
#include <cstdint>

namespace gwatt::drivers {

class Channel {
public:
    // socket: stream, blocking. interrupt: becomes readable when the process is asked to end (SIGTERM).
    void start(int socket, int interrupt) {
        socket_ = socket;
        interrupt_ = interrupt;
    }

    // The next request, whole; valid until the next call. False when the host is gone, has sent garbage, or wants an end.
    bool next(frame::Header& header, frame::Bytes& body);
    // A call of the driver begins and ends: cancel frames for `request` end its waits.
    void begin(std::uint32_t request);
    void end() { busy_ = false; }
    bool stopping() const { return stopping_; }

    // As gwatt_host::wait.
    std::int32_t wait(int fd, std::int32_t events, std::int64_t deadline_ns);
    // Waits for the host to take it. False when the host is gone.
    bool send(frame::Bytes bytes);
    // At most `log_burst` lines at once and one each log_refill_ns after that; what is not sent is counted.
    void log(std::int32_t level, const char* text);

    static std::int64_t now_ns();
    static constexpr std::uint32_t log_burst = 20;
    static constexpr std::int64_t log_refill_ns = 10'000'000'000;

private:
    bool receive();
    bool front(frame::Header& header);
    void drop_front(std::size_t n);
    void look_for_cancel();
    bool log_allowed();

    int socket_ = -1, interrupt_ = -1;
    bool busy_ = false, cancelled_ = false, stopping_ = false, broken_ = false;
    std::uint32_t current_ = 0;
    std::size_t used_ = 0, taken_ = 0;  // bytes in input_; of those, the frame that next() gave out
    std::uint32_t log_left_ = log_burst, log_lost_ = 0;
    std::int64_t log_time_ = 0;
    alignas(8) std::byte input_[sizeof(frame::Header) + frame::max_request] = {};
};

}  // namespace gwatt::drivers
