#pragma once
// A device profile: which registers a device has and what they mean. Data read once, before a bus opens; plain values,
// any thread. docs/modbus.md describes the file format; load() refuses a file with everything that is wrong with it.
#include "drivers/abi/driver.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gwatt::drivers::profile {

enum class Type : std::uint8_t { u16, s16, u32, s32, u64, s64, float32, float64 };
constexpr unsigned words_of(Type type) {
    return type <= Type::s16 ? 1 : type <= Type::s32 || type == Type::float32 ? 2 : 4;
}
constexpr bool is_float(Type type) { return type >= Type::float32; }
constexpr bool is_signed(Type type) { return type == Type::s16 || type == Type::s32 || type == Type::s64; }

enum class Order : std::uint8_t {
    big,
    little
};  // big: the first register is the high word; the first byte the high one
enum class RegisterTable : std::uint8_t { holding, input };  // read by function 3 or 4
enum class Parity : std::uint8_t { none, even, odd };

struct Place {
    std::uint16_t first = 0;
    std::uint16_t words = 1;
    RegisterTable table = RegisterTable::holding;
    friend auto operator<=>(const Place&, const Place&) = default;
};

// One number of a unit. spec.id is without the unit's name. value = spec.offset + scale * raw.
struct Sensor {
    SensorSpec spec;
    Place place;
    Type type = Type::u16;
    Order word_order = Order::big, byte_order = Order::big;
    double scale = 1;
    std::vector<std::uint64_t> no_value;                 // raw words that mean "I have none"
    std::vector<std::pair<unsigned, std::string>> bits;  // of a state: what its bits mean
};

// A text of a unit (maker, model, serial number): read when the unit is first met and when it comes back.
struct Text {
    std::string id, label;
    Place place;
    Order byte_order = Order::big;
    std::vector<std::string> expect;  // it must begin with one of these; empty: anything
    bool deny = true;                 // what a text that was not expected does: refuse the unit, or only warn
};

struct Profile {
    std::string name, title;
    std::string unit_name, unit_label;  // "psu{n}": {n} counts the units of a bus from 0, {unit} is the address
    std::vector<std::pair<unsigned, unsigned>> units;  // addresses at which such a device is found; empty: any
    std::uint32_t baud = 0;                            // 0: not said
    std::optional<Parity> parity;
    std::optional<unsigned> stop_bits;
    std::uint16_t longest_read = 125;  // registers
    std::vector<Text> texts;
    std::vector<Sensor> sensors;  // in the order of the file
};

struct Loaded {
    std::optional<Profile> profile;
    std::vector<std::string> mistakes;  // "file:line: sensor[3].type: found ..., expected ..."; empty if profile
};

Loaded load(const std::string& file);
Loaded parse(std::string_view text, const std::string& name);

// "psu{n}" with n = 2 and unit = 202: "psu2".
std::string fill_in(std::string_view pattern, unsigned n, unsigned unit);

// "1-6,9" or "0xC8 - 0xCD": ascending or not, without repeats, each 0..255. Empty where it cannot be read.
std::vector<std::uint8_t> parse_units(std::string_view text);

}  // namespace gwatt::drivers::profile
