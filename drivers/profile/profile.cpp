#include "drivers/profile/profile.hpp"

#include "drivers/profile/parts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <memory>

namespace gwatt::drivers::profile {

namespace {
constexpr std::size_t largest_file = 256u << 10;
constexpr std::uint32_t known_bauds[] = {1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600};
constexpr std::string_view unit_marks[] = {"{n}", "{unit}"};
constexpr std::string_view protocol_names[] = {"modbus"};

void parse_modbus(Reader reader, Profile& profile, Defaults& defaults) {
    const auto units = reader.text("units", "");
    const auto addresses = parse_units(units);
    if (!units.empty() && addresses.empty())
        reader.wrong("units", "expected addresses such as \"192-247\" or \"1-6,9\"");
    for (const unsigned address : addresses) {
        if (!profile.units.empty() && profile.units.back().second + 1 == address)
            profile.units.back().second = address;
        else
            profile.units.emplace_back(address, address);
    }
    profile.baud = static_cast<std::uint32_t>(reader.integer("baud", 0, 921600, 0));
    if (profile.baud != 0 &&
        std::find(std::begin(known_bauds), std::end(known_bauds), profile.baud) == std::end(known_bauds))
        reader.wrong("baud", "found " + std::to_string(profile.baud) + ", expected 1200, 2400, ... 115200, ... 921600");
    if (reader.has("parity")) profile.parity = static_cast<Parity>(reader.choice("parity", parity_names));
    if (reader.has("stop_bits")) profile.stop_bits = static_cast<unsigned>(reader.integer("stop_bits", 1, 2));
    profile.longest_read = static_cast<std::uint16_t>(reader.integer("longest_read", 1, 125, 125));
    defaults.table = static_cast<RegisterTable>(reader.choice("table", table_names, 0));
    defaults.word_order = static_cast<Order>(reader.choice("word_order", order_names, 0));
    defaults.byte_order = static_cast<Order>(reader.choice("byte_order", order_names, 0));
    reader.finish();
}

void parse_unit(Reader reader, Profile& profile) {
    profile.unit_name = reader.text("name");
    if (!good_id(profile.unit_name, unit_marks))
        reader.wrong("name", "expected such as \"psu{n}\": lower case letters, digits, _ . {n} {unit}");
    profile.unit_label = reader.text("label", profile.unit_name);
    reader.finish();
}

void parse_root(Reader root, Profile& profile, Lines& lines) {
    root.choice("protocol", protocol_names, 0);
    profile.name = root.text("name");
    if (!good_id(profile.name, {})) root.wrong("name", "expected lower case letters, digits and underscores");
    profile.title = root.text("title", profile.name);
    root.texts("notes", 64);  // for people
    Defaults defaults;
    if (const auto* table = root.table("modbus"))
        parse_modbus(Reader(root.mistakes(), *table, "modbus"), profile, defaults);
    if (const auto* table = root.table("unit"))
        parse_unit(Reader(root.mistakes(), *table, "unit"), profile);
    else
        root.wrong("unit", "missing, expected a table with name, such as \"psu{n}\"");
    const auto place = [](std::string_view kind, std::size_t i) {
        return std::string(kind) + "[" + std::to_string(i) + "]";
    };
    std::size_t i = 0;
    for (const auto* table : root.tables("text", most_texts)) {
        parse_text(Reader(root.mistakes(), *table, place("text", i++)), defaults, profile.texts);
        lines.texts.push_back(table->source().begin.line);
    }
    i = 0;
    for (const auto* table : root.tables("sensor", most_sensors)) {
        parse_sensor(Reader(root.mistakes(), *table, place("sensor", i++)), defaults, profile.sensors);
        lines.sensors.resize(profile.sensors.size(), table->source().begin.line);
    }
    if (i == 0) root.wrong("sensor", "expected at least one [[sensor]]");
    if (profile.sensors.size() >= most_sensors) root.wrong("sensor", "expected fewer than 1024 sensors");
    root.finish();
}
}  // namespace

Loaded parse(std::string_view text, const std::string& name) {
    Mistakes mistakes(name);
    if (text.size() > largest_file) return {{}, {name + ":1: larger than 256 KiB"}};
    const auto result = toml::parse(text);
    if (!result) {
        mistakes.add(result.error().source().begin.line, result.error().description());
        return {{}, mistakes.lines()};
    }
    Profile profile;
    Lines lines;
    parse_root(Reader(mistakes, result.table(), ""), profile, lines);
    if (mistakes.none()) check_whole(profile, lines, mistakes);
    if (!mistakes.none()) return {{}, mistakes.lines()};
    return {std::move(profile), {}};
}

Loaded load(const std::string& file) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(file.c_str(), "rbe"), &std::fclose);
    if (!in) return {{}, {file + ": cannot be opened"}};
    std::string text(largest_file + 1, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), in.get()));
    if (std::ferror(in.get()) != 0) return {{}, {file + ": cannot be read"}};
    return parse(text, file);
}

std::string fill_in(std::string_view pattern, unsigned n, unsigned unit) {
    return replaced(replaced(std::string(pattern), unit_marks[0], n), unit_marks[1], unit);
}

namespace {
// A decimal or 0x number at the front of `text`, with blanks around it; cuts it off. Nothing where there is none.
std::optional<unsigned> take_number(std::string_view& text) {
    const auto blanks = [&] {
        while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    };
    blanks();
    const bool hex = text.starts_with("0x") || text.starts_with("0X");
    if (hex) text.remove_prefix(2);
    unsigned value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
    if (error != std::errc{} || value > 255) return {};
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    blanks();
    return value;
}
}  // namespace

std::vector<std::uint8_t> parse_units(std::string_view text) {
    std::vector<std::uint8_t> out;
    std::array<bool, 256> seen{};
    while (true) {
        const auto first = take_number(text);
        auto last = first;
        if (first && text.starts_with('-')) {
            text.remove_prefix(1);
            last = take_number(text);
        }
        if (!first || !last || *last < *first) return {};
        for (unsigned unit = *first; unit <= *last; ++unit) {
            if (std::exchange(seen[unit], true)) return {};
            out.push_back(static_cast<std::uint8_t>(unit));
        }
        if (text.empty()) return out;
        if (!text.starts_with(',')) return {};
        text.remove_prefix(1);
    }
}

}  // namespace gwatt::drivers::profile
