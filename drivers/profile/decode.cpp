#include "drivers/profile/decode.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace gwatt::drivers::profile {

std::uint64_t raw_word(const Sensor& sensor, std::span<const std::uint8_t> bytes) {
    const unsigned words = words_of(sensor.type);
    std::uint64_t raw = 0;
    for (unsigned i = 0; i < words; ++i) {
        const unsigned at = 2 * (sensor.word_order == Order::big ? i : words - 1 - i);
        const unsigned swap = sensor.byte_order == Order::big ? 0 : 1;
        raw = raw << 16 | static_cast<std::uint64_t>(bytes[at + swap]) << 8 | bytes[at + 1 - swap];
    }
    return raw;
}

namespace {
double number_of(Type type, std::uint64_t raw) {
    switch (type) {
        case Type::s16: return static_cast<std::int16_t>(raw);
        case Type::s32: return static_cast<std::int32_t>(raw);
        case Type::s64: return static_cast<double>(static_cast<std::int64_t>(raw));
        case Type::float32: return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(raw)));
        case Type::float64: return std::bit_cast<double>(raw);
        case Type::u16:
        case Type::u32:
        case Type::u64: break;
    }
    return static_cast<double>(raw);
}
}  // namespace

Decoded decode(const Sensor& sensor, std::span<const std::uint8_t> bytes) {
    const auto raw = raw_word(sensor, bytes);
    if (std::find(sensor.no_value.begin(), sensor.no_value.end(), raw) != sensor.no_value.end()) return {};
    const double product = number_of(sensor.type, raw) * sensor.scale;
    const double value = sensor.spec.offset + product;  // -ffp-contract=off (cmake/options.cmake)
    return {value, std::isfinite(value)};
}

std::string decode_text(const Text& text, std::span<const std::uint8_t> bytes) {
    std::string out;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto c = bytes[text.byte_order == Order::big ? i : i ^ 1];
        if (c == 0) break;
        out += c >= 0x20 && c < 0x7F ? static_cast<char>(c) : '?';
    }
    const auto first = out.find_first_not_of(' ');
    if (first == std::string::npos) return {};
    return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

}  // namespace gwatt::drivers::profile
