#pragma once
// Modbus frames as pure logic: building a read request, finding its reply in a stream of bytes. No I/O, no clock, no
// allocation. One ReplyParser a conversation, one thread. Sources: "MODBUS over Serial Line V1.02" (CRC, silence),
// "MODBUS Application Protocol V1.1b3" (PDU, exceptions), "MODBUS Messaging on TCP/IP V1.0b" (MBAP).
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace gwatt::drivers::modbus {

enum class Framing : std::uint8_t { rtu, tcp };
enum class Function : std::uint8_t { read_holding = 3, read_input = 4 };

inline constexpr std::uint16_t most_registers = 125;  // of one read (V1.1b3, 6.3)

struct Request {
    std::uint8_t unit = 1;
    Function function = Function::read_holding;
    std::uint16_t first = 0;
    std::uint16_t count = 1;        // 1..125
    std::uint16_t transaction = 0;  // TCP only
};

// Exception codes of V1.1b3, section 7.
enum Exception : std::uint8_t {
    illegal_function = 1,
    illegal_data_address = 2,
    illegal_data_value = 3,
    device_failure = 4,
    acknowledge = 5,
    device_busy = 6,
    parity_error = 8,
    gateway_path_unavailable = 10,
    gateway_target_silent = 11,
};

// CRC-16/MODBUS: reflected 0x8005, start 0xFFFF. It travels low byte first.
std::uint16_t crc16(std::span<const std::uint8_t> bytes);

// At most 12 bytes; returns how many.
std::size_t build(Framing framing, const Request& request, std::span<std::uint8_t, 12> out);

// Line silence between two RTU frames: 3.5 characters of 11 bits; fixed 1.75 ms above 19200 baud (serial line V1.02, 2.5.1.1).
std::int64_t silence_ns(std::uint32_t baud);
// Time that `bytes` characters of 11 bits take on the line.
std::int64_t line_ns(std::size_t bytes, std::uint32_t baud);

enum class Outcome : std::uint8_t {
    incomplete,  // wait for more
    reply,       // registers() holds the answer
    exception,   // exception_code() says why not
    damaged,     // a whole answer is there, but its CRC or its form is wrong; more bytes may still bring a good one
    desynced,    // TCP: the stream is not Modbus any more; only a new connection helps
};

// Grows for ever; what the line did, for people and for tests.
struct LineCounters {
    std::uint64_t replies = 0, exceptions = 0;
    std::uint64_t bad_crc = 0;      // something of the right length and head, with a wrong CRC
    std::uint64_t foreign = 0;      // whole valid frames that answer another question: late, doubled, of another unit
    std::uint64_t stray_bytes = 0;  // bytes that belong to no frame
    std::uint64_t echoes = 0;       // our own request heard back (two-wire adapters)
};

// Finds the reply to one request in whatever arrives. Bytes are put into space() and announced by commit(); then poll().
// RTU: a valid frame is found at any offset; other frames, an echo of the request and noise are passed over and counted.
// TCP: frames are walked by their length; those of another transaction are passed over and counted.
class ReplyParser {
public:
    explicit ReplyParser(Framing framing) : framing_(framing) {}

    // Waits for this request's reply from now on. RTU: what is still in the buffer is counted and forgotten. TCP: frames of
    // other transactions are passed over when they turn up.
    void expect(const Request& request);
    // What is in the buffer belongs to no request any more: frames are counted as foreign, other bytes as stray.
    void discard();
    void reset() { used_ = taken_ = 0; }  // a new connection
    std::span<std::uint8_t> space() { return std::span(buffer_).subspan(used_); }
    void commit(std::size_t bytes);
    Outcome poll();

    // Big-endian registers of the reply, count of the request; valid after Outcome::reply, until the next call.
    std::span<const std::uint8_t> registers() const {
        return std::span(buffer_).subspan(at_, std::size_t{2} * request_.count);
    }
    std::uint8_t exception_code() const { return exception_; }
    std::size_t held() const { return used_; }
    // How many bytes are missing until the frame that has begun can be whole; 1 where that is not known.
    std::size_t missing() const { return missing_; }
    const LineCounters& counters() const { return counters_; }

private:
    Outcome poll_rtu();
    Outcome poll_tcp();
    Outcome take_rtu(std::size_t at, std::size_t length);
    std::size_t rtu_length(std::size_t at, bool& ours) const;
    bool is_echo() const;
    void drop(std::size_t bytes);
    void want(std::size_t bytes);

    Framing framing_;
    Request request_{};
    std::array<std::uint8_t, 512> buffer_{};  // a TCP frame has at most 260 bytes, an RTU frame 256
    std::size_t used_ = 0, at_ = 0, missing_ = 1;
    std::size_t taken_ = 0;   // the frame last handed out lies at the front; it goes with the next call
    std::size_t judged_ = 0;  // RTU: candidates that begin before here were already found damaged
    std::uint8_t exception_ = 0;
    LineCounters counters_;
};

}  // namespace gwatt::drivers::modbus
