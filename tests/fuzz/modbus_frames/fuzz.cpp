// Any bytes, cut anywhere, must neither read out of bounds nor block the parser: after them a valid reply is found.
// Input: framing, unit, function, count, then the line's bytes, which arrive in pieces of 1 to 64 (by their first byte).
#include "drivers/modbus/frame.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>

using namespace gwatt::drivers::modbus;

namespace {
void feed(ReplyParser& parser, std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const auto room = parser.space();
        if (room.empty()) std::abort();  // the buffer may never stay full
        const auto part = std::min({room.size(), bytes.size(), std::size_t{1} + bytes[0] % 64});
        std::memcpy(room.data(), bytes.data(), part);
        parser.commit(part);
        bytes = bytes.subspan(part);
        const auto outcome = parser.poll();
        if (outcome == Outcome::desynced) return parser.reset();
        if (outcome == Outcome::reply) {
            unsigned sum = 0;
            for (const auto byte : parser.registers()) sum += byte;
            if (sum > 250u * 255u) std::abort();
        }
    }
}

std::size_t valid_reply(Framing framing, const Request& request, std::span<std::uint8_t, 300> out) {
    const std::size_t data = std::size_t{2} * request.count, head = framing == Framing::tcp ? 6 : 0;
    std::fill(out.begin(), out.end(), std::uint8_t{0});
    if (head) {
        out[0] = static_cast<std::uint8_t>(request.transaction >> 8),
        out[1] = static_cast<std::uint8_t>(request.transaction);
        out[4] = static_cast<std::uint8_t>((data + 3) >> 8), out[5] = static_cast<std::uint8_t>(data + 3);
    }
    out[head] = request.unit, out[head + 1] = static_cast<std::uint8_t>(request.function);
    out[head + 2] = static_cast<std::uint8_t>(data);
    if (head) return head + 3 + data;
    const auto crc = crc16(out.first(3 + data));
    out[3 + data] = static_cast<std::uint8_t>(crc), out[4 + data] = static_cast<std::uint8_t>(crc >> 8);
    return 5 + data;
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 4) return 0;
    const auto framing = data[0] & 1 ? Framing::tcp : Framing::rtu;
    const Request request{.unit = std::max<std::uint8_t>(1, data[1]),
                          .function = data[2] & 1 ? Function::read_input : Function::read_holding,
                          .first = 0,
                          .count = static_cast<std::uint16_t>(1 + data[3] % most_registers),
                          .transaction = 77};
    ReplyParser parser(framing);
    parser.expect(request);
    feed(parser, std::span(data, size).subspan(4));
    std::array<std::uint8_t, 300> reply{};
    if (framing == Framing::tcp) parser.reset();  // what the exchange does with a connection it no longer trusts
    parser.expect(request);
    const auto length = valid_reply(framing, request, reply);
    std::memcpy(parser.space().data(), reply.data(), length);
    parser.commit(length);
    if (parser.poll() != Outcome::reply) std::abort();
    return 0;
}
