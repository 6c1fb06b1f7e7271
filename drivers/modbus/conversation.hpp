#pragma once
// One request and its reply on an open port. Waits only in host.wait; 3 system calls a request over TCP, 4 over RTU (the
// silence before it is waited for). The descriptor belongs to the caller and must stay open meanwhile.
#include "drivers/abi/driver.hpp"
#include "drivers/modbus/frame.hpp"

#include <span>

namespace gwatt::drivers::modbus {

enum class Answer : std::uint8_t {
    reply,      // registers are there
    exception,  // the unit says why not
    silent,     // nothing that answers us came in time
    garbled,    // something came that is damaged
    gone,       // the line or connection is not there any more
    desynced,   // TCP: only a new connection helps
    cancelled,  // the host wants the call to end
};

struct Answered {
    Answer answer = Answer::silent;
    std::uint8_t exception = 0;
    Instant middle{};                           // between the request's first byte and the reply's last
    std::span<const std::uint8_t> registers{};  // until the next ask
};

class Conversation {
public:
    struct Pace {
        bool line = true;  // a tty: characters take time, frames need silence between them
        std::uint32_t baud = 19200;
        Duration response_timeout{}, min_delay{};
    };
    Conversation(Host host, Framing framing, Pace pace)
        : host_(host), framing_(framing), pace_(pace), parser_(framing) {}

    void attach(int fd, bool socket);
    // Throws away what came in unasked; once before each turn, and after every answer that was not clean.
    void distrust() { drain_ = framing_ == Framing::rtu; }
    // Ends by the deadline; earlier when the response time-out is over, or the reply is there.
    Answered ask(Request request, Instant deadline);

    // What a request for so many registers takes on the line at least; with less time left it is not worth beginning.
    Duration least_time(unsigned registers) const { return line_time(8 + 5 + std::size_t{2} * registers); }

    struct Counters {
        std::uint64_t requests = 0, silent = 0, garbled = 0;
    };
    const Counters& counters() const { return counters_; }
    const LineCounters& line() const { return parser_.counters(); }

private:
    enum class Got : std::uint8_t { some, nothing, gone };
    Answer send(std::span<const std::uint8_t> bytes, Instant deadline);
    Answer receive(const Request& request, Instant deadline);
    Got read_some();
    bool drain();
    Duration line_time(std::size_t bytes) const;

    Host host_;
    Framing framing_;
    Pace pace_;
    ReplyParser parser_;
    int fd_ = -1;
    bool socket_ = false, drain_ = true;
    std::uint16_t transaction_ = 0;
    Instant quiet_until_{};
    Counters counters_;
};

}  // namespace gwatt::drivers::modbus
