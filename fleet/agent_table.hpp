#pragma once
// Names of agents to small numbers, so that the stages index vectors instead of hashing strings. Loop thread. Entries
// are never removed; a limit keeps strangers from growing it without bound.
#include "fleet/message_sink.hpp"

#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

namespace gwatt::fleet {

struct AgentName {
    std::string site, name;
};

class AgentTable {
public:
    explicit AgentTable(std::size_t limit) : limit_(limit) {}

    std::optional<AgentIndex> find(std::string_view site, std::string_view name) const;
    // The agent's index, new if need be; nothing if the table is full.
    std::optional<AgentIndex> admit(std::string_view site, std::string_view name);

    const AgentName& name(AgentIndex agent) const { return names_[agent]; }
    std::size_t size() const { return names_.size(); }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
    };
    // `site/agent`; in a topic the two stand side by side, so that a look-up needs no copy.
    std::unordered_map<std::string, AgentIndex, Hash, std::equal_to<>> index_;
    std::deque<AgentName> names_;
    std::size_t limit_;
};

}  // namespace gwatt::fleet
