#include "drivers/modbus/frame.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

using namespace gwatt::drivers::modbus;
using Bytes = std::vector<std::uint8_t>;

namespace {
Bytes built(Framing framing, const Request& request) {
    std::array<std::uint8_t, 12> out{};
    const auto length = build(framing, request, out);
    return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(length)};
}
void feed(ReplyParser& parser, const Bytes& bytes) {
    const auto room = parser.space();
    REQUIRE(room.size() >= bytes.size());
    std::copy(bytes.begin(), bytes.end(), room.begin());
    parser.commit(bytes.size());
}
Outcome poll_with(ReplyParser& parser, const Bytes& bytes) {
    feed(parser, bytes);
    return parser.poll();
}
Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}
Bytes with_crc(Bytes body) {
    const auto crc = crc16(body);
    return body + Bytes{static_cast<std::uint8_t>(crc), static_cast<std::uint8_t>(crc >> 8)};
}
Bytes got(const ReplyParser& parser) { return {parser.registers().begin(), parser.registers().end()}; }

const Request ask{.unit = 0x11, .first = 0x6B, .count = 3};
const Bytes answer{0x11, 0x03, 0x06, 0xAE, 0x41, 0x56, 0x52, 0x43, 0x40, 0x49, 0xAD};
const Bytes values{0xAE, 0x41, 0x56, 0x52, 0x43, 0x40};
}  // namespace

TEST_CASE("the CRC of the serial line specification's example is 0x1241, low byte first on the line") {
    CHECK(crc16(Bytes{0x02, 0x07}) == 0x1241);
    CHECK(with_crc({0x02, 0x07}) == Bytes{0x02, 0x07, 0x41, 0x12});
    CHECK(crc16(Bytes{}) == 0xFFFF);
}

TEST_CASE("requests are the bytes of the specification's examples") {
    CHECK(built(Framing::rtu, ask) == Bytes{0x11, 0x03, 0x00, 0x6B, 0x00, 0x03, 0x76, 0x87});
    CHECK(built(Framing::rtu, {.unit = 1, .first = 0, .count = 10}) ==
          Bytes{0x01, 0x03, 0x00, 0x00, 0x00, 0x0A, 0xC5, 0xCD});
    CHECK(built(Framing::tcp,
                {.unit = 0xFF, .function = Function::read_input, .first = 8, .count = 1, .transaction = 0x1501}) ==
          Bytes{0x15, 0x01, 0, 0, 0, 6, 0xFF, 4, 0, 8, 0, 1});
}

TEST_CASE("silence is 3.5 characters of 11 bits up to 19200 baud and 1.75 ms above") {
    CHECK(silence_ns(9600) == 4'010'416);
    CHECK(silence_ns(19200) == 2'005'208);
    CHECK(silence_ns(38400) == 1'750'000);
    CHECK(silence_ns(115200) == 1'750'000);
    CHECK(line_ns(8, 19200) == 4'583'333);
}

TEST_CASE("a reply is found however it is cut into pieces") {
    for (std::size_t cut = 0; cut <= answer.size(); ++cut) {
        ReplyParser parser(Framing::rtu);
        parser.expect(ask);
        if (cut < answer.size()) {
            CHECK(poll_with(parser, Bytes(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(cut))) ==
                  Outcome::incomplete);
            if (cut >= 3) CHECK(parser.missing() == answer.size() - cut);
        }
        const auto from = cut < answer.size() ? cut : 0;
        CHECK(poll_with(parser, Bytes(answer.begin() + static_cast<std::ptrdiff_t>(from), answer.end())) ==
              Outcome::reply);
        CHECK(got(parser) == values);
        CHECK(parser.counters().stray_bytes == 0);
    }
}

TEST_CASE("an exception reply ends the wait at its fifth byte") {
    ReplyParser parser(Framing::rtu);
    parser.expect({.unit = 0x0A, .count = 100});
    const auto refusal = with_crc({0x0A, 0x83, 0x02});
    CHECK(poll_with(parser, Bytes(refusal.begin(), refusal.end() - 1)) == Outcome::incomplete);
    CHECK(parser.missing() == 1);
    CHECK(poll_with(parser, {refusal.back()}) == Outcome::exception);
    CHECK(parser.exception_code() == illegal_data_address);
    CHECK(parser.counters().exceptions == 1);
    CHECK(parser.held() == 0);
}

TEST_CASE("a wrong CRC is damage, counted once, and a good reply behind it is still found") {
    ReplyParser parser(Framing::rtu);
    parser.expect(ask);
    auto bad = answer;
    bad.back() ^= 1;
    CHECK(poll_with(parser, bad) == Outcome::damaged);
    CHECK(parser.poll() == Outcome::damaged);
    CHECK(parser.counters().bad_crc == 1);
    CHECK(poll_with(parser, answer) == Outcome::reply);
    CHECK(got(parser) == values);
    CHECK(parser.counters().stray_bytes == bad.size());
}

TEST_CASE("every single flipped bit of a reply is noticed") {
    for (std::size_t bit = 0; bit < answer.size() * 8; ++bit) {
        ReplyParser parser(Framing::rtu);
        parser.expect(ask);
        auto bad = answer;
        bad[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
        const auto outcome = poll_with(parser, bad);
        CHECK((outcome == Outcome::damaged || outcome == Outcome::incomplete));
    }
}

TEST_CASE("garbage before a reply is passed over and counted") {
    for (std::size_t noise = 1; noise <= 300; noise += 13) {
        ReplyParser parser(Framing::rtu);
        parser.expect(ask);
        Bytes garbage;
        for (std::size_t i = 0; i < noise; ++i)
            garbage.push_back(static_cast<std::uint8_t>(i % 5 == 0 ? 0x11 : i % 5 == 1 ? 0x03 : i * 37));
        CHECK(poll_with(parser, garbage) != Outcome::reply);
        CHECK(poll_with(parser, answer) == Outcome::reply);
        CHECK(got(parser) == values);
        CHECK(parser.counters().stray_bytes == noise);
    }
}

TEST_CASE("a head that begins in the garbage and never completes does not hide the reply behind it") {
    ReplyParser parser(Framing::rtu);
    parser.expect(ask);
    CHECK(poll_with(parser, Bytes{0x11, 0x03, 0x06, 0x00} + answer) == Outcome::reply);
    CHECK(got(parser) == values);
}

TEST_CASE("replies of another unit, another function or another length are passed over") {
    const auto other_unit = with_crc({0x12, 0x03, 0x06, 1, 2, 3, 4, 5, 6});
    const auto other_function = with_crc({0x11, 0x04, 0x06, 1, 2, 3, 4, 5, 6});
    const auto other_length = with_crc({0x11, 0x03, 0x02, 1, 2});
    const auto other_refusal = with_crc({0x12, 0x83, 0x02});
    for (const auto& stranger : {other_unit, other_function, other_length, other_refusal}) {
        ReplyParser parser(Framing::rtu);
        parser.expect(ask);
        CHECK(poll_with(parser, stranger) == Outcome::incomplete);
        CHECK(parser.counters().foreign == 1);
        CHECK(poll_with(parser, answer) == Outcome::reply);
        CHECK(got(parser) == values);
        CHECK(parser.counters().stray_bytes == 0);
    }
}

TEST_CASE("a doubled reply is dropped before the next request and counted as foreign") {
    ReplyParser parser(Framing::rtu);
    parser.expect(ask);
    CHECK(poll_with(parser, answer + answer) == Outcome::reply);
    parser.expect({.unit = 0x11, .first = 0x6E, .count = 3});
    CHECK(parser.counters().foreign == 1);
    CHECK(parser.counters().stray_bytes == 0);
    CHECK(parser.held() == 0);
    CHECK(parser.poll() == Outcome::incomplete);
}

TEST_CASE("our own request heard back is not taken for a reply") {
    ReplyParser parser(Framing::rtu);
    const Request tricky{.unit = 0x11, .first = 0x066B, .count = 3};  // its third byte looks like the byte count
    parser.expect(tricky);
    CHECK(poll_with(parser, built(Framing::rtu, tricky)) == Outcome::incomplete);
    CHECK(parser.counters().echoes == 1);
    CHECK(poll_with(parser, answer) == Outcome::reply);
    CHECK(parser.counters().stray_bytes == 0);
}

TEST_CASE("noise without end neither overflows the buffer nor blocks it") {
    ReplyParser parser(Framing::rtu);
    parser.expect(ask);
    std::uint32_t state = 1;
    for (int i = 0; i < 5000; ++i) {
        state = state * 1664525u + 1013904223u;
        REQUIRE(!parser.space().empty());
        CHECK(poll_with(parser, {static_cast<std::uint8_t>(state >> 24)}) != Outcome::reply);
    }
    CHECK(poll_with(parser, answer) == Outcome::reply);
    CHECK(parser.counters().stray_bytes == 5000);
}

TEST_CASE("a reply of 125 registers is taken whole") {
    ReplyParser parser(Framing::rtu);
    parser.expect({.unit = 1, .count = 125});
    Bytes body{1, 3, 250};
    for (int i = 0; i < 250; ++i) body.push_back(static_cast<std::uint8_t>(i));
    const auto frame = with_crc(body);
    for (const auto byte : Bytes(frame.begin(), frame.end() - 1))
        CHECK(poll_with(parser, {byte}) == Outcome::incomplete);
    CHECK(poll_with(parser, {frame.back()}) == Outcome::reply);
    CHECK(got(parser) == Bytes(body.begin() + 3, body.end()));
}

namespace {
const Request tcp_ask{.unit = 7, .first = 0x6B, .count = 3, .transaction = 0x1234};
const Bytes tcp_answer{0x12, 0x34, 0, 0, 0, 9, 7, 3, 6, 0xAE, 0x41, 0x56, 0x52, 0x43, 0x40};
}  // namespace

TEST_CASE("tcp: a reply is found byte by byte") {
    ReplyParser parser(Framing::tcp);
    parser.expect(tcp_ask);
    for (const auto byte : Bytes(tcp_answer.begin(), tcp_answer.end() - 1))
        CHECK(poll_with(parser, {byte}) == Outcome::incomplete);
    CHECK(parser.missing() == 1);
    CHECK(poll_with(parser, {tcp_answer.back()}) == Outcome::reply);
    CHECK(got(parser) == values);
}

TEST_CASE("tcp: a late reply of an older transaction is passed over") {
    ReplyParser parser(Framing::tcp);
    parser.expect(tcp_ask);
    auto late = tcp_answer;
    late[1] = 0x33;
    CHECK(poll_with(parser, late + tcp_answer) == Outcome::reply);
    CHECK(got(parser) == values);
    CHECK(parser.counters().foreign == 1);
}

TEST_CASE("tcp: a doubled reply does not answer the next request") {
    ReplyParser parser(Framing::tcp);
    parser.expect(tcp_ask);
    CHECK(poll_with(parser, tcp_answer + tcp_answer) == Outcome::reply);
    auto next = tcp_ask;
    next.transaction = 0x1235;
    parser.expect(next);
    CHECK(parser.poll() == Outcome::incomplete);
    CHECK(parser.counters().foreign == 1);
    auto right = tcp_answer;
    right[1] = 0x35;
    CHECK(poll_with(parser, right) == Outcome::reply);
}

TEST_CASE("tcp: an exception ends the wait") {
    ReplyParser parser(Framing::tcp);
    parser.expect(tcp_ask);
    CHECK(poll_with(parser, {0x12, 0x34, 0, 0, 0, 3, 7, 0x83, 0x0B}) == Outcome::exception);
    CHECK(parser.exception_code() == gateway_target_silent);
}

TEST_CASE("tcp: our transaction with a wrong unit, function or length is damage") {
    for (const std::size_t spoiled : {6u, 7u, 8u}) {
        ReplyParser parser(Framing::tcp);
        parser.expect(tcp_ask);
        auto bad = tcp_answer;
        bad[spoiled] += 1;
        CHECK(poll_with(parser, bad) == Outcome::damaged);
    }
}

TEST_CASE("tcp: a stream that is not Modbus is given up at once") {
    ReplyParser parser(Framing::tcp);
    parser.expect(tcp_ask);
    CHECK(poll_with(parser, {'H', 'T', 'T', 'P'}) == Outcome::desynced);
    parser.reset();
    parser.expect(tcp_ask);
    CHECK(poll_with(parser, {0x12, 0x34, 0, 0, 0xFF, 0xFF, 7, 3, 6}) == Outcome::desynced);
    parser.reset();
    parser.expect(tcp_ask);
    CHECK(poll_with(parser, tcp_answer) == Outcome::reply);
}
