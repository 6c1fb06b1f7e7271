#pragma once
// Reads TOML tables and collects what is wrong with them, each with file, line, found, expected and the nearest known
// name. A getter that finds a mistake notes it and returns its fallback, so that one pass tells all mistakes. Used while
// a profile is loaded; the toml::table must outlive its Reader.
#include "drivers/profile/toml.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gwatt::drivers::profile {

// The nearest of `known` to `word` if it may be a slip of the keyboard; else empty.
std::string_view nearest_name(std::string_view word, std::span<const std::string_view> known);

class Mistakes {
public:
    explicit Mistakes(std::string file) : file_(std::move(file)) {}
    void add(std::uint32_t line, std::string_view what);
    bool none() const { return lines_.empty(); }
    std::vector<std::string> lines() const;  // in the order of the file

private:
    std::string file_;
    std::vector<std::pair<std::uint32_t, std::string>> lines_;  // at most 20
};

class Reader {
public:
    Reader(Mistakes& mistakes, const toml::table& table, std::string path);

    // Marks the key as known, as every getter does.
    bool has(std::string_view key);
    // Without a fallback a missing key is a mistake.
    std::string text(std::string_view key, std::optional<std::string> fallback = {});
    std::int64_t integer(std::string_view key, std::int64_t low, std::int64_t high,
                         std::optional<std::int64_t> fallback = {});
    double number(std::string_view key, std::optional<double> fallback = {});
    std::chrono::nanoseconds duration(std::string_view key, std::chrono::nanoseconds fallback);
    // Index into `names`.
    std::size_t choice(std::string_view key, std::span<const std::string_view> names,
                       std::optional<std::size_t> fallback = {});
    // Arrays; empty where missing. At most `most` entries.
    std::vector<std::string> texts(std::string_view key, std::size_t most);
    std::vector<std::int64_t> integers(std::string_view key, std::size_t most);
    std::vector<double> numbers(std::string_view key, std::size_t most);
    const toml::table* table(std::string_view key);
    std::vector<const toml::table*> tables(std::string_view key, std::size_t most);

    // Notes a mistake at the key's line: "PATH.KEY: WHAT".
    void wrong(std::string_view key, std::string_view what);
    std::uint32_t line_of(std::string_view key) const;
    Mistakes& mistakes() { return mistakes_; }
    const std::string& path() const { return path_; }
    // Every key nobody asked for is a mistake. Call last.
    void finish();

private:
    const toml::node* take(std::string_view key, bool required, std::string_view expected);
    const toml::array* array(std::string_view key, std::size_t most);
    void unlike(std::string_view key, const toml::node& found, std::string_view expected);

    Mistakes& mistakes_;
    const toml::table& table_;
    std::string path_;
    std::set<std::string_view> known_;  // literals of the callers
};

}  // namespace gwatt::drivers::profile
