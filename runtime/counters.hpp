#pragma once
// The process's own counters and gauges: plain integers that live in the stages that count, listed here by reference so
// that self_device and /metrics can show them all. Loop thread only, no locks. What is registered must outlive the
// last look at the list.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gwatt::runtime {

class Counters {
public:
    // counter: only ever grows, name ends in _total. gauge: what is so now.
    enum class Kind : std::uint8_t { counter, gauge };
    using Labels = std::vector<std::pair<std::string, std::string>>;

    struct Entry {
        Kind kind;
        std::string name;  // Prometheus style, [a-z_][a-z0-9_]*, with the gwatt_ prefix and the unit
        Labels labels;
        std::string help;
        const std::uint64_t* value;
    };

    // Throws std::invalid_argument for a malformed name or label, a name used with another kind or help, or a
    // name and labels already taken: those are bugs and show at start-up.
    void add(Kind kind, std::string name, Labels labels, std::string help, const std::uint64_t& value);
    void counter(std::string name, Labels labels, std::string help, const std::uint64_t& value) {
        add(Kind::counter, std::move(name), std::move(labels), std::move(help), value);
    }
    void gauge(std::string name, Labels labels, std::string help, const std::uint64_t& value) {
        add(Kind::gauge, std::move(name), std::move(labels), std::move(help), value);
    }

    // Sorted by name, then by labels: entries of one name stand together.
    std::span<const Entry> all() const { return entries_; }

private:
    std::vector<Entry> entries_;
};

}  // namespace gwatt::runtime
