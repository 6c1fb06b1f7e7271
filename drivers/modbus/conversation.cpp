#include "drivers/modbus/conversation.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace gwatt::drivers::modbus {

namespace {
// After a damaged frame of full length: how long a good one may still follow.
constexpr Duration after_damage = std::chrono::milliseconds(20);
// Fewer missing bytes than this are waited for by readiness, not by the clock.
constexpr std::size_t worth_sleeping = 8;
constexpr int most_drained = 64;  // reads; a line that never falls silent is not drained for ever
}  // namespace

void Conversation::attach(int fd, bool socket) {
    fd_ = fd;
    socket_ = socket;
    distrust();
    parser_.reset();
}

Duration Conversation::line_time(std::size_t bytes) const {
    return pace_.line ? Duration(line_ns(bytes, pace_.baud)) : Duration{};
}

Conversation::Got Conversation::read_some() {
    const auto room = parser_.space();
    ssize_t n = 0;
    do n = socket_ ? ::recv(fd_, room.data(), room.size(), 0) : ::read(fd_, room.data(), room.size());
    while (n < 0 && errno == EINTR);
    if (n > 0) return parser_.commit(static_cast<std::size_t>(n)), Got::some;
    return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) ? Got::nothing : Got::gone;
}

// False if the line is gone.
bool Conversation::drain() {
    drain_ = false;
    for (int i = 0; i < most_drained; ++i) {
        const auto got = read_some();
        if (got != Got::some) return got != Got::gone;
        parser_.discard();
    }
    return true;
}

Answer Conversation::send(std::span<const std::uint8_t> bytes, Instant deadline) {
    while (!bytes.empty()) {
        const auto n =
            socket_ ? ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL) : ::write(fd_, bytes.data(), bytes.size());
        if (n >= 0) {
            bytes = bytes.subspan(static_cast<std::size_t>(n));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno != EAGAIN && errno != EWOULDBLOCK) return Answer::gone;
        const auto waited = host_.wait(fd_, GWATT_WAIT_WRITE, deadline);
        if (waited == Wait::cancelled) return Answer::cancelled;
        if (waited == Wait::timeout) return Answer::silent;
    }
    return Answer::reply;
}

Answer Conversation::receive(const Request& request, Instant deadline) {
    const auto sent = host_.now() + line_time(framing_ == Framing::rtu ? 8 : 12);
    auto until = std::min(deadline, sent + pace_.response_timeout + line_time(std::size_t{5} + 2 * request.count));
    bool damaged = false;
    while (true) {
        const auto waited = host_.wait(fd_, GWATT_WAIT_READ, until);
        if (waited == Wait::cancelled) return Answer::cancelled;
        if (waited == Wait::timeout) return damaged || parser_.held() > 0 ? Answer::garbled : Answer::silent;
        const auto got = read_some();
        if (got == Got::gone) return Answer::gone;
        const auto outcome = parser_.poll();
        if (outcome == Outcome::reply) return Answer::reply;
        if (outcome == Outcome::exception) return Answer::exception;
        if (outcome == Outcome::desynced) return Answer::desynced;
        if (outcome == Outcome::damaged && framing_ == Framing::tcp) return Answer::garbled;
        if (outcome == Outcome::damaged && !damaged) {
            damaged = true;
            until = std::min(until, host_.now() + after_damage + line_time(std::size_t{5} + 2 * request.count));
        }
        // One nap for the rest of a long frame instead of a wake-up for each few bytes of the UART's buffer.
        if (pace_.line && parser_.missing() >= worth_sleeping) {
            const auto nap = std::min(until, host_.now() + line_time(parser_.missing()));
            if (!host_.sleep_until(nap)) return Answer::cancelled;
        }
    }
}

Answered Conversation::ask(Request request, Instant deadline) {
    if (pace_.line || pace_.min_delay.count() > 0) {
        const auto start = std::min(deadline, quiet_until_);
        if (host_.now() < start && !host_.sleep_until(start)) return {Answer::cancelled};
    }
    if (drain_ && !drain()) return {Answer::gone};
    request.transaction = ++transaction_;
    parser_.expect(request);
    std::array<std::uint8_t, 12> bytes{};
    const auto length = build(framing_, request, bytes);
    ++counters_.requests;
    const auto begun = host_.now();
    auto answer = send(std::span(bytes).first(length), deadline);
    if (answer == Answer::reply) answer = receive(request, deadline);
    const auto ended = host_.now();
    const Duration silence = pace_.line ? Duration(silence_ns(pace_.baud)) : Duration{};
    quiet_until_ = ended + std::max(silence, pace_.min_delay);
    if (answer == Answer::silent) ++counters_.silent;
    if (answer == Answer::garbled || answer == Answer::desynced) ++counters_.garbled;
    if (answer != Answer::reply && answer != Answer::exception && framing_ == Framing::rtu) drain_ = true;
    const auto registers = answer == Answer::reply ? parser_.registers() : std::span<const std::uint8_t>{};
    return {answer, parser_.exception_code(), begun + (ended - begun) / 2, registers};
}

}  // namespace gwatt::drivers::modbus
