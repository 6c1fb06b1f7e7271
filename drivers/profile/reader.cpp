#include "drivers/profile/reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

namespace gwatt::drivers::profile {

namespace {
constexpr std::size_t most_mistakes = 20;
constexpr std::size_t longest_text = 512;

std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text.substr(0, 60)) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
    return out;
}

std::string shown(const toml::node& node) {
    if (const auto* text = node.as_string()) return '"' + printable(text->get()) + '"';
    if (const auto* whole = node.as_integer()) return std::to_string(whole->get());
    if (const auto* number = node.as_floating_point()) return std::to_string(number->get());
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
    return node.is_table() ? "a table" : node.is_array() ? "an array" : "a date or time";
}

// Changes of one letter (insert, delete, replace) between a and b.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        auto corner = row[0]++;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const auto above = row[j];
            row[j] = std::min({above + 1, row[j - 1] + 1, corner + (a[i - 1] == b[j - 1] ? 0u : 1u)});
            corner = above;
        }
    }
    return row[b.size()];
}

std::string joined(std::span<const std::string_view> names) {
    std::string out;
    for (const auto name : names) out += (out.empty() ? "" : ", ") + std::string(name);
    return out;
}

std::string slip(std::string_view word, std::span<const std::string_view> known) {
    const auto near = nearest_name(word, known);
    return near.empty() ? "" : " (did you mean " + std::string(near) + "?)";
}

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    struct Unit {
        std::string_view name;
        double ns;
    };
    constexpr std::array<Unit, 5> units{{{"ms", 1e6}, {"s", 1e9}, {"min", 6e10}, {"h", 3.6e12}, {"us", 1e3}}};
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || !(value >= 0 && value <= 1e6)) return {};
    const std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
    for (const auto& unit : units)
        if (unit.name == rest && value * unit.ns < 9e18) return std::chrono::nanoseconds(std::llround(value * unit.ns));
    return {};
}
}  // namespace

std::string_view nearest_name(std::string_view word, std::span<const std::string_view> known) {
    std::string_view best;
    if (word.size() > 64) return best;
    auto least = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const auto name : known)
        if (const auto d = distance(word, name); d < least) least = d, best = name;
    return best;
}

void Mistakes::add(std::uint32_t line, std::string_view what) {
    if (lines_.size() < most_mistakes)
        lines_.emplace_back(line, file_ + ":" + std::to_string(line) + ": " + std::string(what));
}

std::vector<std::string> Mistakes::lines() const {
    auto sorted = lines_;
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<std::string> out;
    for (auto& [line, text] : sorted) out.push_back(std::move(text));
    return out;
}

Reader::Reader(Mistakes& mistakes, const toml::table& table, std::string path)
    : mistakes_(mistakes), table_(table), path_(std::move(path)) {}

bool Reader::has(std::string_view key) {
    known_.insert(key);
    return table_.contains(key);
}

std::uint32_t Reader::line_of(std::string_view key) const {
    const auto* node = table_.get(key);
    return node != nullptr ? node->source().begin.line : table_.source().begin.line;
}

void Reader::wrong(std::string_view key, std::string_view what) {
    const auto place = path_.empty() ? std::string(key) : key.empty() ? path_ : path_ + "." + std::string(key);
    mistakes_.add(line_of(key), place + ": " + std::string(what));
}

void Reader::unlike(std::string_view key, const toml::node& found, std::string_view expected) {
    wrong(key, "found " + shown(found) + ", expected " + std::string(expected));
}

const toml::node* Reader::take(std::string_view key, bool required, std::string_view expected) {
    known_.insert(key);
    const auto* node = table_.get(key);
    if (node == nullptr && required) wrong(key, "missing, expected " + std::string(expected));
    return node;
}

std::string Reader::text(std::string_view key, std::optional<std::string> fallback) {
    const auto* node = take(key, !fallback, "text");
    if (node != nullptr) {
        if (const auto* text = node->as_string(); text != nullptr && text->get().size() <= longest_text)
            return text->get();
        unlike(key, *node, "text of at most 512 bytes");
    }
    return fallback.value_or("");
}

std::int64_t Reader::integer(std::string_view key, std::int64_t low, std::int64_t high,
                             std::optional<std::int64_t> fallback) {
    const auto expected = "a whole number from " + std::to_string(low) + " to " + std::to_string(high);
    const auto* node = take(key, !fallback, expected);
    if (node != nullptr) {
        const auto* whole = node->as_integer();
        if (whole != nullptr && whole->get() >= low && whole->get() <= high) return whole->get();
        unlike(key, *node, expected);
    }
    return fallback.value_or(low);
}

double Reader::number(std::string_view key, std::optional<double> fallback) {
    const auto* node = take(key, !fallback, "a number");
    if (node != nullptr) {
        const auto value = node->value<double>();
        if (value && std::isfinite(*value) && node->is_number()) return *value;
        unlike(key, *node, "a finite number");
    }
    return fallback.value_or(0);
}

std::chrono::nanoseconds Reader::duration(std::string_view key, std::chrono::nanoseconds fallback) {
    const auto* node = take(key, false, "");
    if (node == nullptr) return fallback;
    const auto* text = node->as_string();
    const auto value = text == nullptr ? std::nullopt : parse_duration(text->get());
    if (!value) unlike(key, *node, "a duration such as \"250ms\", \"1s\", \"2min\"");
    return value.value_or(fallback);
}

std::size_t Reader::choice(std::string_view key, std::span<const std::string_view> names,
                           std::optional<std::size_t> fallback) {
    const auto expected = "one of " + joined(names);
    const auto* node = take(key, !fallback, expected);
    if (node == nullptr) return fallback.value_or(0);
    const auto* text = node->as_string();
    for (std::size_t i = 0; text != nullptr && i < names.size(); ++i)
        if (text->get() == names[i]) return i;
    unlike(key, *node, expected + (text == nullptr ? "" : slip(text->get(), names)));
    return fallback.value_or(0);
}

const toml::array* Reader::array(std::string_view key, std::size_t most) {
    const auto* node = take(key, false, "");
    if (node == nullptr) return nullptr;
    const auto* array = node->as_array();
    if (array != nullptr && array->size() <= most) return array;
    unlike(key, *node, "an array of at most " + std::to_string(most) + " entries");
    return nullptr;
}

std::vector<std::string> Reader::texts(std::string_view key, std::size_t most) {
    std::vector<std::string> out;
    if (const auto* entries = array(key, most))
        for (const auto& entry : *entries) {
            const auto* text = entry.as_string();
            text != nullptr && text->get().size() <= longest_text ? out.push_back(text->get())
                                                                  : unlike(key, entry, "text");
        }
    return out;
}

std::vector<std::int64_t> Reader::integers(std::string_view key, std::size_t most) {
    std::vector<std::int64_t> out;
    if (const auto* entries = array(key, most))
        for (const auto& entry : *entries)
            entry.is_integer() ? out.push_back(entry.as_integer()->get()) : unlike(key, entry, "whole numbers");
    return out;
}

std::vector<double> Reader::numbers(std::string_view key, std::size_t most) {
    std::vector<double> out;
    if (const auto* entries = array(key, most))
        for (const auto& entry : *entries) {
            const auto value = entry.value<double>();
            value&& entry.is_number() && std::isfinite(*value) ? out.push_back(*value)
                                                               : unlike(key, entry, "finite numbers");
        }
    return out;
}

const toml::table* Reader::table(std::string_view key) {
    const auto* node = take(key, false, "");
    if (node != nullptr && !node->is_table()) unlike(key, *node, "a table");
    return node == nullptr ? nullptr : node->as_table();
}

std::vector<const toml::table*> Reader::tables(std::string_view key, std::size_t most) {
    std::vector<const toml::table*> out;
    if (const auto* entries = array(key, most))
        for (const auto& entry : *entries)
            entry.is_table() ? out.push_back(entry.as_table()) : unlike(key, entry, "tables");
    return out;
}

void Reader::finish() {
    const std::vector<std::string_view> known(known_.begin(), known_.end());
    for (const auto& [key, node] : table_)
        if (!known_.contains(key.str())) {
            const auto place = path_.empty() ? std::string() : path_ + ".";
            mistakes_.add(node.source().begin.line, place + printable(key.str()) + ": unknown key" +
                                                        slip(key.str(), known) + "; known here: " + joined(known));
        }
}

}  // namespace gwatt::drivers::profile
