#pragma once
// From the bytes of registers to values. Pure functions, any thread, no allocation but for text().
#include "drivers/profile/profile.hpp"

#include <span>
#include <string>

namespace gwatt::drivers::profile {

struct Decoded {
    double value = 0;
    bool has_value = false;  // false: one of the profile's no_value words, or a float that is NaN or infinite
};

// `bytes`: the registers of sensor.place as they travel (2 bytes each, high byte first).
// value = offset + scale * raw, rounded after each operation on every target (no fused multiply-add).
Decoded decode(const Sensor& sensor, std::span<const std::uint8_t> bytes);

// The raw word, orders undone, not sign-extended.
std::uint64_t raw_word(const Sensor& sensor, std::span<const std::uint8_t> bytes);

// Two characters a register; ends at NUL; surrounding blanks cut; what is not printable ASCII becomes '?'.
std::string decode_text(const Text& text, std::span<const std::uint8_t> bytes);

}  // namespace gwatt::drivers::profile
