#include "samples.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace gwatt::proto;

namespace {

// A message written field by field, so that it can say what no encoder would.
class Wire {
public:
    Wire& varint(int field, std::uint64_t value) { return key(field, 0).raw(value); }
    Wire& fixed64(int field, std::uint64_t value) {
        key(field, 1);
        for (int i = 0; i < 8; ++i) bytes_ += static_cast<char>(value >> (8 * i));
        return *this;
    }
    Wire& text(int field, std::string_view value) {
        key(field, 2).raw(value.size());
        bytes_ += value;
        return *this;
    }
    Wire& packed(int field, std::initializer_list<std::uint64_t> values) {
        Wire inner;
        for (const auto value : values) inner.raw(value);
        return text(field, inner.bytes_);
    }
    const std::string& bytes() const { return bytes_; }

private:
    Wire& key(int field, int type) {
        return raw(static_cast<std::uint64_t>(field) << 3 | static_cast<std::uint64_t>(type));
    }
    Wire& raw(std::uint64_t value) {
        for (; value >= 128; value >>= 7) bytes_ += static_cast<char>(value | 128);
        bytes_ += static_cast<char>(value);
        return *this;
    }
    std::string bytes_;
};

std::uint64_t zigzag(std::int64_t n) {
    return (static_cast<std::uint64_t>(n) << 1) ^ static_cast<std::uint64_t>(n >> 63);
}

std::string header_bytes(std::uint64_t catalog, std::uint64_t schema = 1) {
    return Wire().varint(1, schema).fixed64(2, 1).varint(3, 1).fixed64(4, catalog).bytes();
}

struct Fixture {
    Catalog catalog = samples::catalog();
    Decoder decoder;
    Wire data() { return Wire().text(1, header_bytes(catalog.header.catalog)).varint(4, 1000).varint(9, 1); }
    DecodeError why(const Wire& wire) {
        const auto result = decoder.data(wire.bytes(), catalog);
        return result ? DecodeError{} : static_cast<DecodeError>(result.error().value());
    }
    DecodeError live_why(const Wire& wire) {
        const auto result = decoder.live(wire.bytes(), catalog);
        return result ? DecodeError{} : static_cast<DecodeError>(result.error().value());
    }
};

constexpr auto fine = DecodeError{};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "data whose columns do not have the promised length is inconsistent") {
    // Group 1: two temperatures with a resolution.
    const auto two = [&] { return data().varint(2, 1).varint(5, 1); };
    CHECK(why(two().packed(6, {zigzag(1), zigzag(2)})) == fine);
    CHECK(why(two().packed(6, {zigzag(1)})) == DecodeError::inconsistent);
    CHECK(why(two().packed(6, {zigzag(1), zigzag(2), zigzag(3)})) == DecodeError::inconsistent);
    CHECK(why(two()) == DecodeError::inconsistent);
    CHECK(why(two().packed(6, {zigzag(1)}).text(7, std::string(8, '\0'))) == DecodeError::inconsistent);
    CHECK(why(data().varint(2, 0).varint(5, 1).packed(6, {0, 0, 0})) == DecodeError::inconsistent);
    CHECK(why(data().varint(2, 0).varint(5, 1).packed(6, {0, 0}).text(7, std::string(8, '\0'))) == fine);
}

TEST_CASE_FIXTURE(Fixture, "runs that leave their column are inconsistent") {
    const auto two = [&] { return data().varint(2, 1).varint(5, 1); };
    CHECK(why(two().packed(8, {0, 2, 17})) == fine);
    CHECK(why(two().packed(8, {0, 1, 17, 0, 1, 18})) == fine);
    CHECK(why(two().packed(8, {0, 3, 17})) == DecodeError::inconsistent);
    CHECK(why(two().packed(8, {1, 2, 17})) == DecodeError::inconsistent);
    CHECK(why(two().packed(8, {0xffffffff, 2, 17})) == DecodeError::inconsistent);
    CHECK(why(two().packed(8, {0, 0xffffffff, 17})) == DecodeError::inconsistent);
    CHECK(why(two().packed(8, {0, 0, 17})) == DecodeError::inconsistent);
    CHECK(why(two().packed(8, {0, 2})) == DecodeError::inconsistent);
    CHECK(why(two().packed(8, {0, 2, 256})) == DecodeError::inconsistent);
    const auto with = [&](std::initializer_list<std::uint64_t> runs) {
        return two().packed(8, {0, 2, 17}).packed(10, runs);
    };
    CHECK(why(with({zigzag(2), zigzag(5)})) == fine);
    CHECK(why(with({zigzag(1), zigzag(5)})) == DecodeError::inconsistent);
    CHECK(why(with({zigzag(3), zigzag(5)})) == DecodeError::inconsistent);
    CHECK(why(with({zigzag(-1), zigzag(5)})) == DecodeError::inconsistent);
    CHECK(why(with({zigzag(2)})) == DecodeError::inconsistent);
    CHECK(why(with({zigzag(1), zigzag(INT64_MAX), zigzag(1), zigzag(INT64_MAX)})) == DecodeError::inconsistent);
}

TEST_CASE_FIXTURE(Fixture, "off-grid cells outside the message or out of order are inconsistent") {
    const auto with = [&](std::initializer_list<std::uint64_t> cells) {
        return data().varint(2, 1).varint(5, 1).packed(8, {0, 2, 17}).packed(11, cells);
    };
    CHECK(why(with({zigzag(0), zigzag(5), zigzag(1), zigzag(-5)})) == fine);
    CHECK(why(with({zigzag(2), zigzag(5)})) == DecodeError::inconsistent);
    CHECK(why(with({zigzag(1), zigzag(5), zigzag(0), zigzag(5)})) == DecodeError::inconsistent);
    CHECK(why(with({zigzag(1), zigzag(5), zigzag(-1), zigzag(5)})) == DecodeError::inconsistent);
    CHECK(why(with({zigzag(INT64_MIN), zigzag(5)})) == DecodeError::inconsistent);
    CHECK(why(with({zigzag(0), zigzag(INT64_MIN)})) == DecodeError::inconsistent);
    CHECK(why(with({zigzag(0)})) == DecodeError::inconsistent);
    CHECK(why(data().varint(2, 1).packed(11, {zigzag(0), zigzag(5)})) == DecodeError::inconsistent);
}

TEST_CASE_FIXTURE(Fixture, "steps that overflow on the way are inconsistent, not undefined") {
    const auto with = [&](std::initializer_list<std::uint64_t> steps) {
        return data().varint(2, 1).varint(5, 2).packed(6, steps);
    };
    const std::int64_t most = (std::int64_t{1} << 51) - 1;
    CHECK(why(with({zigzag(most), zigzag(-2 * most), zigzag(0), zigzag(0)})) == fine);
    CHECK(why(with({zigzag(most), zigzag(1), zigzag(0), zigzag(0)})) == DecodeError::inconsistent);
    CHECK(why(with({zigzag(most), zigzag(INT64_MAX), zigzag(0), zigzag(0)})) == DecodeError::inconsistent);
    CHECK(why(with({zigzag(-most), zigzag(INT64_MIN), zigzag(0), zigzag(0)})) == DecodeError::inconsistent);
}

TEST_CASE_FIXTURE(Fixture, "numbers that are not finite are inconsistent") {
    const auto with = [&](std::uint64_t bits) {
        std::string eight;
        for (int i = 0; i < 8; ++i) eight += static_cast<char>(bits >> (8 * i));
        return data().varint(2, 0).varint(5, 1).packed(6, {0, 0}).text(7, eight);
    };
    CHECK(why(with(0x3ff0000000000000)) == fine);
    CHECK(why(with(0x7ff0000000000000)) == DecodeError::inconsistent);
    CHECK(why(with(0x7ff8000000000000)) == DecodeError::inconsistent);
}

TEST_CASE_FIXTURE(Fixture, "a claim of more cells than the limit is too large, however short the message") {
    CHECK(why(data().varint(2, 1).varint(5, 0xffffffff).packed(8, {0, 0xffffffff, 17})) == DecodeError::too_large);
    CHECK(why(data().varint(2, 1).varint(5, 1'000'001).packed(8, {0, 2'000'002, 17})) == DecodeError::too_large);
    CHECK(why(data().varint(2, 2).varint(5, 1)) == DecodeError::inconsistent);
}

TEST_CASE_FIXTURE(Fixture, "times that would overflow a reader's sums are inconsistent") {
    const auto base = [&] {
        return Wire().text(1, header_bytes(catalog.header.catalog)).varint(2, 1).varint(5, 1).packed(8, {0, 2, 17});
    };
    CHECK(why(base()) == fine);
    CHECK(why(base().varint(3, zigzag(INT64_MIN))) == DecodeError::inconsistent);
    CHECK(why(base().varint(4, UINT64_MAX)) == DecodeError::inconsistent);
    CHECK(why(base().varint(9, UINT64_MAX)) == DecodeError::inconsistent);
    CHECK(why(base().varint(12, UINT64_MAX)) == DecodeError::inconsistent);
    const std::string clock = Wire().varint(1, static_cast<std::uint64_t>(INT64_MAX)).bytes();
    const std::string header = header_bytes(catalog.header.catalog) + Wire().text(5, clock).bytes();
    CHECK(why(Wire().text(1, header).varint(2, 1)) == DecodeError::inconsistent);
}

TEST_CASE_FIXTURE(Fixture, "another schema, another catalog, no header and damage are told apart") {
    CHECK(why(Wire().text(1, header_bytes(catalog.header.catalog, 2))) == DecodeError::wrong_schema);
    CHECK(why(Wire()) == DecodeError::wrong_schema);
    CHECK(why(Wire().text(1, header_bytes(5))) == DecodeError::unknown_catalog);
    CHECK(static_cast<DecodeError>(decoder.data("\x0a\x7f", catalog).error().value()) == DecodeError::malformed);
    CHECK(static_cast<DecodeError>(decoder.header("").error().value()) == DecodeError::malformed);
    CHECK(static_cast<DecodeError>(decoder.header("\x0a\x7f\x01").error().value()) == DecodeError::malformed);
    CHECK(make_error_code(DecodeError::too_large).message() == "too large");
}

TEST_CASE_FIXTURE(Fixture, "live columns of the wrong length and powers out of range are inconsistent") {
    const auto base = [&] { return Wire().text(1, header_bytes(catalog.header.catalog)).varint(4, 2).varint(17, 1); };
    CHECK(live_why(base()) == fine);
    CHECK(live_why(Wire().text(1, header_bytes(catalog.header.catalog)).varint(4, 3)) == DecodeError::inconsistent);
    for (const int column : {5, 6, 7, 8, 9, 10, 11, 12, 16}) {
        CAPTURE(column);
        CHECK(live_why(base().packed(column, {2, 4})) == fine);
        CHECK(live_why(base().packed(column, {2})) == DecodeError::inconsistent);
        CHECK(live_why(base().packed(column, {2, 4, 6})) == DecodeError::inconsistent);
    }
    for (const int runs : {13, 15}) {
        CAPTURE(runs);
        CHECK(live_why(base().packed(runs, {2})) == DecodeError::inconsistent);
        CHECK(live_why(base().packed(runs, {0xffff, 1})) == DecodeError::inconsistent);
    }
    CHECK(live_why(base().varint(18, 1000).packed(6, {1, UINT64_MAX / 1000 + 1})) == DecodeError::inconsistent);
    CHECK(live_why(base().varint(18, 7)) == DecodeError::inconsistent);
    CHECK(live_why(base().packed(14, {1, 2, 17})) == DecodeError::inconsistent);
    CHECK(live_why(base().packed(16, {zigzag(INT64_MAX), zigzag(INT64_MAX)})) == DecodeError::inconsistent);
    CHECK(live_why(base().packed(16, {zigzag(INT64_MIN), 0})) == DecodeError::inconsistent);
    CHECK(live_why(base().packed(10, {zigzag(INT64_MIN), 0})) == DecodeError::inconsistent);
    CHECK(live_why(base().packed(11, {UINT64_MAX, 0})) == DecodeError::inconsistent);
    CHECK(live_why(base().packed(12, {0, std::uint64_t{1} << 51})) == DecodeError::inconsistent);
}

TEST_CASE("a catalog that claims more than it may is refused before it is built") {
    Decoder decoder(DecodeLimits{.bytes = 1u << 20, .sensors = 100, .cells = 1000, .text = 256});
    const auto why = [&](const std::string& bytes) {
        const auto result = decoder.catalog(bytes);
        return result ? fine : static_cast<DecodeError>(result.error().value());
    };
    const std::string head = Wire().text(1, header_bytes(5)).bytes();
    const auto repeated = [](int field, const std::string& inner, int times) {
        std::string all;
        for (int i = 0; i < times; ++i) all += Wire().text(field, inner).bytes();
        return all;
    };
    CHECK(why(head + repeated(9, "", 100)) == fine);
    CHECK(why(head + repeated(9, "", 101)) == DecodeError::too_large);
    CHECK(why(head + repeated(10, "", 1025)) == DecodeError::too_large);
    CHECK(why(head + Wire().text(9, repeated(17, "", 64)).bytes()) == fine);
    CHECK(why(head + Wire().text(9, repeated(17, "", 65)).bytes()) == DecodeError::too_large);
    CHECK(why(head + Wire().text(9, Wire().text(1, std::string(257, 'x')).bytes()).bytes()) == DecodeError::too_large);
    CHECK(why(std::string((1u << 20) + 1, '\0')) == DecodeError::too_large);
    CHECK(why(head + Wire().text(10, Wire().varint(2, 0xffffffff).varint(3, 2).bytes()).bytes()) ==
          DecodeError::inconsistent);
    CHECK(why(head + repeated(9, "", 2) + Wire().packed(11, {2}).bytes()) == DecodeError::inconsistent);
    CHECK(why(head + repeated(9, "", 1) + Wire().packed(11, {0, 0}).bytes()) == DecodeError::inconsistent);
    CHECK(why(head + Wire().text(2, "\xff").bytes()) == DecodeError::malformed);
    for (const auto bits :
         std::initializer_list<std::uint64_t>{0x7ff8000000000000, 0xbff0000000000000, 1})  // NaN, -1, denormal
        CHECK(why(head + Wire().text(9, Wire().fixed64(9, bits).bytes()).bytes()) == DecodeError::inconsistent);
}

TEST_CASE("status and ack with floods of entries are too large") {
    Decoder decoder;
    std::string status = Wire().text(1, header_bytes(5)).bytes(), ack;
    for (int i = 0; i < 1025; ++i) status += Wire().text(4, "").bytes();
    for (int i = 0; i < 65; ++i) ack += Wire().text(2, "").bytes();
    CHECK(static_cast<DecodeError>(decoder.status(status).error().value()) == DecodeError::too_large);
    CHECK(static_cast<DecodeError>(decoder.ack(ack).error().value()) == DecodeError::too_large);
}

TEST_CASE_FIXTURE(Fixture, "fields from the future change nothing") {
    Encoder encoder;
    std::string future;
    future += Wire().varint(99, 5).fixed64(100, 7).text(1000, "new").bytes();
    const auto plus = [&](Bytes bytes) { return std::string(bytes) + future; };
    const auto bytes = plus(encoder.data(samples::data(catalog), catalog));
    const auto message = decoder.data(bytes, catalog);
    REQUIRE(message);
    CHECK(encoder.data(**message, catalog) == bytes.substr(0, bytes.size() - future.size()));
    CHECK(decoder.live(plus(encoder.live(samples::live(catalog), catalog)), catalog));
    CHECK(decoder.status(plus(encoder.status(samples::status()))));
    CHECK(decoder.ack(plus(encoder.ack(samples::ack()))));
    CHECK(decoder.rollup(plus(encoder.rollup(samples::rollup()))));
    const auto read_again = decoder.catalog(plus(encoder.catalog(catalog)));
    REQUIRE(read_again);
    CHECK((*read_again)->header.catalog == catalog.header.catalog);  // the hash is the sender's, not computed anew
}

TEST_CASE_FIXTURE(Fixture, "a quality from the future keeps its number and its side of 16") {
    const auto wire = data().varint(2, 1).varint(5, 1).packed(6, {zigzag(8)}).packed(8, {0, 1, 9, 0, 1, 200});
    const auto result = decoder.data(wire.bytes(), catalog);
    REQUIRE(result);
    CHECK(has_value((*result)->quality[0]));
    CHECK((*result)->values[0] == 1.0);
    CHECK_FALSE(has_value((*result)->quality[1]));
}

TEST_CASE_FIXTURE(Fixture, "a damaged message is refused, or is a message like others") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed ", seed);
    std::mt19937_64 engine(seed);
    Encoder encoder;
    Decoder other;
    for (const auto& [name, bytes] : samples::golden())
        for (int round = 0; round < 2000; ++round) {
            std::string damaged = bytes;
            for (int change = 0; change < 1 + round % 4; ++change)
                damaged[engine() % damaged.size()] = static_cast<char>(engine());
            if (round % 3 == 0) damaged.resize(engine() % damaged.size());
            // What is still accepted can be sent on and is accepted again.
            if (const auto got = decoder.catalog(damaged)) CHECK(other.catalog(encoder.catalog(**got)));
            if (const auto got = decoder.status(damaged)) CHECK(other.status(encoder.status(**got)));
            if (const auto got = decoder.live(damaged, catalog))
                CHECK(other.live(encoder.live(**got, catalog), catalog));
            if (const auto got = decoder.data(damaged, catalog))
                CHECK(other.data(encoder.data(**got, catalog), catalog));
            if (const auto got = decoder.ack(damaged)) CHECK(other.ack(encoder.ack(**got)));
            if (const auto got = decoder.rollup(damaged)) CHECK(other.rollup(encoder.rollup(**got)));
            if (const auto got = decoder.header(damaged)) CHECK(got->schema == schema_version);
        }
}
