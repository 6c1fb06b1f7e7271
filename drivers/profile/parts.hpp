#pragma once
// How a profile is read, in parts; only for this room. Each part notes its mistakes in the Reader's Mistakes.
#include "drivers/profile/profile.hpp"
#include "drivers/profile/reader.hpp"

namespace gwatt::drivers::profile {

inline constexpr std::size_t most_sensors = 1024;  // of one unit
inline constexpr std::size_t most_texts = 16;

// What the file's [modbus] table says for all registers.
struct Defaults {
    RegisterTable table = RegisterTable::holding;
    Order word_order = Order::big, byte_order = Order::big;
};

// The line that each sensor and text came from.
struct Lines {
    std::vector<std::uint32_t> sensors, texts;
};

inline constexpr std::string_view order_names[] = {"big", "little"};
inline constexpr std::string_view table_names[] = {"holding", "input"};
inline constexpr std::string_view parity_names[] = {"none", "even", "odd"};

// One [[sensor]] entry: one sensor, or `repeat` of them.
void parse_sensor(Reader reader, const Defaults& defaults, std::vector<Sensor>& out);
void parse_text(Reader reader, const Defaults& defaults, std::vector<Text>& out);

// What only the whole can say: ids twice, registers twice, units without a number in their name.
void check_whole(const Profile& profile, const Lines& lines, Mistakes& mistakes);

// Lower case letters, digits, underscores and dots, not at an end; `marks` ("{i}", ...) count as letters.
bool good_id(std::string_view id, std::span<const std::string_view> marks);
std::string replaced(std::string text, std::string_view mark, unsigned number);

}  // namespace gwatt::drivers::profile
