#include "drivers/modbus/frame.hpp"

#include <algorithm>
#include <cstring>

namespace gwatt::drivers::modbus {

namespace {
constexpr std::array<std::uint16_t, 256> make_crc_table() {
    std::array<std::uint16_t, 256> table{};
    for (unsigned byte = 0; byte < 256; ++byte) {
        unsigned crc = byte;
        for (int bit = 0; bit < 8; ++bit) crc = crc & 1u ? (crc >> 1) ^ 0xA001u : crc >> 1;
        table[byte] = static_cast<std::uint16_t>(crc);
    }
    return table;
}
constexpr auto crc_table = make_crc_table();

constexpr std::uint8_t exception_bit = 0x80;
constexpr std::size_t rtu_exception_length = 5;  // unit, function, code, CRC
constexpr std::size_t mbap_length = 7;           // transaction, protocol, length, unit

void put_u16(std::uint8_t* at, std::uint16_t value) {
    at[0] = static_cast<std::uint8_t>(value >> 8);
    at[1] = static_cast<std::uint8_t>(value);
}
std::uint16_t get_u16(const std::uint8_t* at) { return static_cast<std::uint16_t>(at[0] << 8 | at[1]); }

bool crc_holds(std::span<const std::uint8_t> frame) {
    const auto body = frame.first(frame.size() - 2);
    const auto* tail = frame.data() + body.size();
    return crc16(body) == static_cast<std::uint16_t>(tail[0] | tail[1] << 8);
}
}  // namespace

std::uint16_t crc16(std::span<const std::uint8_t> bytes) {
    std::uint16_t crc = 0xFFFF;
    for (const auto byte : bytes) crc = static_cast<std::uint16_t>(crc >> 8 ^ crc_table[(crc ^ byte) & 0xFF]);
    return crc;
}

std::size_t build(Framing framing, const Request& request, std::span<std::uint8_t, 12> out) {
    const std::size_t head = framing == Framing::tcp ? mbap_length - 1 : 0;
    if (framing == Framing::tcp) {
        put_u16(&out[0], request.transaction);
        put_u16(&out[2], 0);  // protocol: Modbus
        put_u16(&out[4], 6);  // bytes that follow
    }
    out[head] = request.unit;
    out[head + 1] = static_cast<std::uint8_t>(request.function);
    put_u16(&out[head + 2], request.first);
    put_u16(&out[head + 4], request.count);
    if (framing == Framing::tcp) return head + 6;
    const auto crc = crc16(out.first(6));
    out[6] = static_cast<std::uint8_t>(crc);
    out[7] = static_cast<std::uint8_t>(crc >> 8);
    return 8;
}

std::int64_t line_ns(std::size_t bytes, std::uint32_t baud) {
    return static_cast<std::int64_t>(bytes) * 11'000'000'000 / std::max<std::int64_t>(1, baud);
}

std::int64_t silence_ns(std::uint32_t baud) { return baud > 19200 ? 1'750'000 : line_ns(7, baud) / 2; }

void ReplyParser::discard() {
    drop(taken_);
    taken_ = 0;
    while (used_ > 0) {
        bool ours = false;
        const auto length = rtu_length(0, ours);
        const bool frame =
            framing_ == Framing::rtu && length > 0 && length <= used_ && crc_holds(std::span(buffer_).first(length));
        frame ? ++counters_.foreign : ++counters_.stray_bytes;
        drop(frame ? length : 1);
    }
}

void ReplyParser::expect(const Request& request) {
    if (framing_ == Framing::rtu) discard();
    drop(taken_);
    taken_ = 0;
    request_ = request;
    judged_ = at_ = 0;
    missing_ = 1;
}

void ReplyParser::commit(std::size_t bytes) { used_ = std::min(used_ + bytes, buffer_.size()); }

Outcome ReplyParser::poll() {
    drop(taken_);
    missing_ = taken_ = 0;
    const auto outcome = framing_ == Framing::rtu ? poll_rtu() : poll_tcp();
    if (missing_ == 0) missing_ = 1;
    if (outcome == Outcome::reply) ++counters_.replies;
    if (outcome == Outcome::exception) ++counters_.exceptions;
    if (used_ == buffer_.size() && outcome != Outcome::reply && outcome != Outcome::exception) {
        counters_.stray_bytes += buffer_.size() / 2;  // noise without end: keep the newer half
        drop(buffer_.size() / 2);
    }
    return outcome;
}

// Length of the frame that may begin at `at`, by its head; 0 where none can, or where too little is there to say.
std::size_t ReplyParser::rtu_length(std::size_t at, bool& ours) const {
    ours = false;
    if (used_ - at < 3) return 0;
    const auto* head = &buffer_[at];
    const auto function = static_cast<std::uint8_t>(request_.function);
    const bool known = (head[1] & 0x7F) == 3 || (head[1] & 0x7F) == 4;
    if (!known || head[0] == 0) return 0;
    if (head[1] & exception_bit) {
        ours = head[0] == request_.unit && (head[1] & 0x7F) == function;
        return rtu_exception_length;
    }
    if (head[2] == 0 || head[2] % 2 != 0 || head[2] > 2 * most_registers) return 0;
    ours = head[0] == request_.unit && head[1] == function && head[2] == 2 * request_.count;
    return std::size_t{5} + head[2];
}

bool ReplyParser::is_echo() const {
    std::array<std::uint8_t, 12> sent{};
    const auto length = build(Framing::rtu, request_, sent);
    return used_ >= length && std::memcmp(sent.data(), buffer_.data(), length) == 0;
}

Outcome ReplyParser::poll_rtu() {
    bool damaged = false;
    for (std::size_t at = 0; at < used_;) {
        bool ours = false;
        const auto length = rtu_length(at, ours);
        const bool whole = length > 0 && length <= used_ - at;
        const bool valid = whole && crc_holds(std::span(buffer_).subspan(at, length));
        if (ours && valid) return take_rtu(at, length);
        if (at == 0 && is_echo()) {
            ++counters_.echoes;
            drop(8);
            continue;
        }
        if (valid) {
            ++counters_.foreign;
            counters_.stray_bytes += at;
            drop(at + length);
            at = 0;
            continue;
        }
        if (ours && whole) {
            damaged = true;
            if (at >= judged_) ++counters_.bad_crc, judged_ = at + 1;
        }
        if (ours && !whole) want(length - (used_ - at));
        ++at;
    }
    return damaged && missing_ == 0 ? Outcome::damaged : Outcome::incomplete;
}

Outcome ReplyParser::take_rtu(std::size_t at, std::size_t length) {
    counters_.stray_bytes += at;
    drop(at);
    const bool exception = (buffer_[1] & exception_bit) != 0;
    if (exception) {
        exception_ = buffer_[2];
        drop(length);
        return Outcome::exception;
    }
    at_ = 3;
    taken_ = length;
    return Outcome::reply;
}

Outcome ReplyParser::poll_tcp() {
    while (used_ > 0) {
        // A wrong head is seen as early as its bytes are there.
        if (used_ >= 4 && get_u16(&buffer_[2]) != 0) return Outcome::desynced;
        if (used_ < mbap_length + 2) return want(mbap_length + 2 - used_), Outcome::incomplete;
        const std::size_t length = get_u16(&buffer_[4]);
        if (length < 3 || length > 254) return Outcome::desynced;
        const auto total = mbap_length - 1 + length;
        if (used_ < total) return want(total - used_), Outcome::incomplete;
        const bool ours = get_u16(&buffer_[0]) == request_.transaction;
        const auto* pdu = &buffer_[mbap_length];
        const auto function = static_cast<std::uint8_t>(request_.function);
        const bool fits = buffer_[6] == request_.unit && (pdu[0] & 0x7F) == function;
        if (ours && fits && pdu[0] == function && pdu[1] == 2 * request_.count && length == std::size_t{3} + pdu[1]) {
            at_ = mbap_length + 2;
            taken_ = total;
            return Outcome::reply;
        }
        const bool refused = ours && fits && (pdu[0] & exception_bit) && length == 3;
        exception_ = pdu[1];
        drop(total);
        if (refused) return Outcome::exception;
        ++counters_.foreign;
        if (ours) return Outcome::damaged;
    }
    return Outcome::incomplete;
}

void ReplyParser::drop(std::size_t bytes) {
    bytes = std::min(bytes, used_);
    std::memmove(buffer_.data(), buffer_.data() + bytes, used_ - bytes);
    used_ -= bytes;
    judged_ -= std::min(judged_, bytes);
}

void ReplyParser::want(std::size_t bytes) {
    if (missing_ == 0) missing_ = bytes;
}

}  // namespace gwatt::drivers::modbus
