#pragma once
// Reads a TOML file so that every mistake in it comes back as one line: file, line, what was found, what was expected,
// the nearest known name. Start-up only, any one thread. A TomlTable is a handle into its TomlDocument, which must
// outlive it. Text may hold ${NAME} or ${NAME:-default}: replaced from the environment after parsing ($${ stands for a
// plain ${). Mistakes are collected: a getter that finds one gives its fallback (or the least value) and goes on, and
// finish() throws them all, so that a user mends a file in one go.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gwatt::runtime {

// what(): "site.toml:12: mqtt.port: found 70000, expected a whole number from 1 to 65535"; a line for each mistake.
class ConfigError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

using Environment = std::function<std::optional<std::string>(const std::string& name)>;
std::optional<std::string> process_environment(const std::string& name);

// Every getter marks its key as known. Without a fallback a missing key is an error.
class TomlTable {
public:
    bool has(std::string_view key) const;  // does not mark

    std::string text(std::string_view key, std::optional<std::string> fallback = {});
    std::int64_t integer(std::string_view key, std::int64_t lowest, std::int64_t highest,
                         std::optional<std::int64_t> fallback = {});
    double number(std::string_view key, double lowest, double highest, std::optional<double> fallback = {});
    bool flag(std::string_view key, std::optional<bool> fallback = {});
    // "250ms", "10s", "5min", "1h", "1d"
    std::chrono::nanoseconds duration(std::string_view key, std::chrono::nanoseconds lowest,
                                      std::chrono::nanoseconds highest,
                                      std::optional<std::chrono::nanoseconds> fallback = {});
    std::vector<std::string> texts(std::string_view key);  // empty where missing
    template <class T>
    T choice(std::string_view key, const std::vector<std::pair<std::string_view, T>>& known,
             std::optional<T> fallback = {});

    std::optional<TomlTable> table(std::string_view key);
    std::vector<TomlTable> tables(std::string_view key);  // [[key]]; empty where missing

    // For tables whose keys are the user's own names (the options of a driver). keys() marks nothing; as_text() takes
    // text, number, flag alike, as written.
    std::vector<std::string> keys() const;
    std::string as_text(std::string_view key);       // a list becomes "a,b,c"
    std::uint32_t line(std::string_view key) const;  // of the key, or of the table where it is missing

    // A mistake at the key's line, or at the table's where the key is missing. refuse() throws at once, with all the
    // mistakes found so far; fault() collects, for finish(). found: what stands there, where the value alone says little.
    [[noreturn]] void refuse(std::string_view key, std::string_view expected) const;
    void fault(std::string_view key, std::string_view expected) const;
    void fault(std::string_view key, std::string_view found, std::string_view expected) const;
    std::string path() const;  // "mqtt" or "rack[3]"

private:
    friend class TomlDocument;
    struct Node;
    explicit TomlTable(Node& node) : node_(&node) {}
    std::optional<std::size_t> chosen(std::string_view key, const std::vector<std::string_view>& known, bool required);
    Node* node_;
};

class TomlDocument {
public:
    static TomlDocument load(const std::string& file, Environment environment = process_environment);
    static TomlDocument parse(std::string_view text, const std::string& name,
                              Environment environment = process_environment);
    TomlDocument(TomlDocument&&) noexcept;
    ~TomlDocument();

    TomlTable root();
    // Call when everything has been asked for: a key that nobody asked for is a mistake too. Throws if there is any.
    void finish() const;

private:
    friend class TomlTable;
    struct Content;
    explicit TomlDocument(std::unique_ptr<Content> content);
    std::unique_ptr<Content> content_;
};

// The nearest of `known` to `word`, if it is near enough to be a slip of the keyboard; else empty.
std::string_view nearest_name(std::string_view word, const std::vector<std::string_view>& known);

template <class T>
T TomlTable::choice(std::string_view key, const std::vector<std::pair<std::string_view, T>>& known,
                    std::optional<T> fallback) {
    std::vector<std::string_view> names;
    for (const auto& entry : known) names.push_back(entry.first);
    const auto index = chosen(key, names, !fallback);
    return index ? known[*index].second : *fallback;
}

}  // namespace gwatt::runtime
