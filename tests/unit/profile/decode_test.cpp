#include "drivers/profile/decode.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace gwatt::drivers::profile;
using Bytes = std::vector<std::uint8_t>;

namespace {
Sensor make(Type type, double scale = 1, double offset = 0) {
    Sensor s;
    s.type = type;
    s.place.words = static_cast<std::uint16_t>(words_of(type));
    s.scale = scale;
    s.spec.offset = offset;
    return s;
}
double value(const Sensor& s, const Bytes& bytes) {
    const auto d = decode(s, bytes);
    CHECK(d.has_value);
    return d.value;
}
}  // namespace

TEST_CASE("each type reads its register examples") {
    CHECK(value(make(Type::u16), {0xFF, 0xFE}) == 65534);
    CHECK(value(make(Type::s16), {0xFF, 0xFE}) == -2);
    CHECK(value(make(Type::u32), {0x00, 0x01, 0x00, 0x02}) == 65538);
    CHECK(value(make(Type::s32), {0xFF, 0xFF, 0xFF, 0xFF}) == -1);
    // 64 bits: the sum that rackmon gets wrong
    CHECK(value(make(Type::u64), {0, 1, 0, 2, 0, 3, 0, 4}) == static_cast<double>(0x0001000200030004));
    CHECK(value(make(Type::s64), {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFE}) == -2);
    CHECK(value(make(Type::float32), {0x44, 0x89, 0x80, 0x00}) == 1100.0);
    CHECK(value(make(Type::float64), {0x40, 0x91, 0x30, 0, 0, 0, 0, 0}) == 1100.0);
}

TEST_CASE("word and byte order are undone apart from each other") {
    auto s = make(Type::float32);
    s.word_order = Order::little;  // CDAB
    CHECK(value(s, {0x80, 0x00, 0x44, 0x89}) == 1100.0);
    s.byte_order = Order::little;  // DCBA
    CHECK(value(s, {0x00, 0x80, 0x89, 0x44}) == 1100.0);
    s.word_order = Order::big;  // BADC
    CHECK(value(s, {0x89, 0x44, 0x00, 0x80}) == 1100.0);
    auto t = make(Type::u16);
    t.byte_order = Order::little;
    CHECK(value(t, {0x34, 0x12}) == 0x1234);
}

TEST_CASE("a value is exactly offset + n * resolution for every raw word") {
    const auto power = make(Type::u16, 0.125);
    const auto kelvin = make(Type::s16, 0.1, -273.15);
    for (unsigned raw = 0; raw < 65536; ++raw) {
        const Bytes bytes{static_cast<std::uint8_t>(raw >> 8), static_cast<std::uint8_t>(raw)};
        CHECK(decode(power, bytes).value * 8 == raw);
        const double n = static_cast<std::int16_t>(raw);
        volatile double product = n * 0.1;  // the rounding between the two operations is part of the promise
        CHECK(decode(kelvin, bytes).value == -273.15 + product);
    }
}

TEST_CASE("a word that means nothing is no value") {
    auto s = make(Type::s16);
    s.no_value = {0x8000};
    CHECK(!decode(s, Bytes{0x80, 0x00}).has_value);
    CHECK(decode(s, Bytes{0x80, 0x01}).has_value);
}

TEST_CASE("a float that is not finite is no value, and never zero") {
    CHECK(!decode(make(Type::float32), Bytes{0x7F, 0xC0, 0, 0}).has_value);
    CHECK(!decode(make(Type::float32), Bytes{0xFF, 0x80, 0, 0}).has_value);
    CHECK(!decode(make(Type::float64, 1e300), Bytes{0x7F, 0xE0, 0, 0, 0, 0, 0, 0}).has_value);
}

TEST_CASE("texts end at NUL, lose blanks around them, and hide what cannot be printed") {
    Text t;
    t.place.words = 4;
    CHECK(decode_text(t, Bytes{'E', 'C', 'D', '1', 0, 'x', 0, 0}) == "ECD1");
    CHECK(decode_text(t, Bytes{' ', 'A', ' ', 'B', ' ', ' ', ' ', ' '}) == "A B");
    CHECK(decode_text(t, Bytes{0xFF, 'A', 7, 'B', 0, 0, 0, 0}) == "?A?B");
    CHECK(decode_text(t, Bytes{0, 0, 0, 0, 0, 0, 0, 0}).empty());
    t.byte_order = Order::little;
    CHECK(decode_text(t, Bytes{'C', 'E', '1', 'D', 0, 0, 0, 0}) == "ECD1");
}
