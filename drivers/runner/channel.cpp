#include "drivers/runner/channel.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace gwatt::drivers {

std::int64_t Channel::now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

// Appends what the socket has just now. False when nothing more will come.
bool Channel::receive() {
    ssize_t n = 0;
    do n = recv(socket_, input_ + used_, sizeof input_ - used_, MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n > 0) used_ += static_cast<std::size_t>(n);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

// True when a whole frame is at the front of the input.
bool Channel::front(frame::Header& header) {
    if (used_ < sizeof header) return false;
    if (!frame::decode_header({input_, used_}, frame::max_request, header)) {
        broken_ = true;
        return false;
    }
    return used_ - sizeof header >= header.size;
}

void Channel::drop_front(std::size_t n) {
    used_ -= n;
    std::memmove(input_, input_ + n, used_);
}

bool Channel::next(frame::Header& header, frame::Bytes& body) {
    drop_front(taken_);
    taken_ = 0;
    for (;;) {
        if (stopping_ || broken_) return false;
        while (front(header)) {
            const std::size_t size = sizeof header + header.size;
            const auto type = static_cast<frame::Type>(header.type);
            if (type == frame::Type::stop) return false;
            if (type != frame::Type::cancel) {
                body = {input_ + sizeof header, header.size};
                taken_ = size;
                return true;
            }
            drop_front(size);  // the call it meant has ended
        }
        pollfd ready[2] = {{socket_, POLLIN, 0}, {interrupt_, POLLIN, 0}};
        if (broken_ || (poll(ready, 2, -1) < 0 && errno != EINTR)) return false;
        if (ready[1].revents != 0) return false;
        if (ready[0].revents != 0 && !receive()) return false;
    }
}

void Channel::begin(std::uint32_t request) {
    drop_front(taken_);
    taken_ = 0;
    current_ = request;
    busy_ = true;
    cancelled_ = false;
}

// While a call runs only `cancel` and `stop` mean something; anything else stays for next().
void Channel::look_for_cancel() {
    frame::Header header;
    while (front(header)) {
        const auto type = static_cast<frame::Type>(header.type);
        if (type == frame::Type::stop)
            stopping_ = true;
        else if (type != frame::Type::cancel)
            return;
        else if (header.request == current_)
            cancelled_ = true;
        drop_front(sizeof header + header.size);
    }
    if (broken_) stopping_ = true;
}

std::int32_t Channel::wait(int fd, std::int32_t events, std::int64_t deadline_ns) {
    const short wanted = static_cast<short>(((events & GWATT_WAIT_READ) != 0 ? POLLIN : 0) |
                                            ((events & GWATT_WAIT_WRITE) != 0 ? POLLOUT : 0));
    for (;;) {
        frame::Header waiting;
        const bool listen = !front(waiting);  // a request that is early must not wake us for ever
        if (cancelled_ || stopping_) return GWATT_WAIT_CANCELLED;
        const std::int64_t now = now_ns();
        const std::int64_t left = deadline_ns > now ? deadline_ns - now : 0;
        timespec timeout{};
        timeout.tv_sec = static_cast<time_t>(left / 1'000'000'000 < 1'000'000 ? left / 1'000'000'000 : 1'000'000);
        timeout.tv_nsec = static_cast<long>(left % 1'000'000'000);
        pollfd ready[3] = {{fd, wanted, 0}, {listen ? socket_ : -1, POLLIN, 0}, {interrupt_, POLLIN, 0}};
        const int n = ppoll(ready, 3, &timeout, nullptr);
        if (n < 0 && errno != EINTR) return GWATT_WAIT_CANCELLED;
        if (n <= 0) {
            if (n == 0 && now_ns() >= deadline_ns) return GWATT_WAIT_TIMEOUT;
            continue;
        }
        if (ready[2].revents != 0) stopping_ = true;
        if (ready[1].revents != 0) {
            if (!receive()) stopping_ = true;
            look_for_cancel();
        }
        if (cancelled_ || stopping_) return GWATT_WAIT_CANCELLED;
        if (ready[0].revents != 0) return GWATT_WAIT_READY;
    }
}

bool Channel::send(frame::Bytes bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR) return false;
        if (n > 0)
            bytes = {bytes.data() + n, bytes.size() - static_cast<std::size_t>(n)};
        else if (n < 0 && stopping_)
            return false;
    }
    return true;
}

bool Channel::log_allowed() {
    const std::int64_t now = now_ns();
    if (log_time_ == 0) log_time_ = now;
    const std::int64_t earned = (now - log_time_) / log_refill_ns;
    if (earned > 0) {
        log_time_ += earned * log_refill_ns;
        const std::int64_t left = log_left_ + earned;
        log_left_ = left < log_burst ? static_cast<std::uint32_t>(left) : log_burst;
    }
    if (log_left_ == 0) {
        ++log_lost_;
        return false;
    }
    --log_left_;
    return true;
}

void Channel::log(std::int32_t level, const char* text) {
    if (text == nullptr || !log_allowed()) return;
    const std::size_t size = strnlen(text, GWATT_MAX_TEXT - 64);
    char line[GWATT_MAX_TEXT];
    std::memcpy(line, text, size);
    std::size_t end = size;
    if (log_lost_ > 0) {
        end += static_cast<std::size_t>(
            std::snprintf(line + size, sizeof line - size, " (lines_not_shown=%u)", log_lost_));
        log_lost_ = 0;
    }
    std::byte memory[sizeof(frame::Header) + 8 + GWATT_MAX_TEXT];
    frame::Writer writer{memory};
    const std::int32_t known =
        level >= GWATT_LOG_ERROR && level <= GWATT_LOG_DEBUG ? level : std::int32_t{GWATT_LOG_WARNING};
    writer.u32(static_cast<std::uint32_t>(known));
    writer.text({line, end});
    const frame::Bytes bytes = writer.finish(frame::Type::log, 0);
    // A frame this small goes whole or not at all (one skb); a host that does not read loses lines, not time.
    const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0)
        ++log_lost_;
    else if (static_cast<std::size_t>(n) < bytes.size())
        send({bytes.data() + n, bytes.size() - static_cast<std::size_t>(n)});
}

}  // namespace gwatt::drivers
