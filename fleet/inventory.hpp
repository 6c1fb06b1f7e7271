#pragma once
// Which racks there should be and where they stand: from the site file, and, where it admits strangers, from the
// catalogs of agents that it does not list. Racks and scopes (fleet, site, hall, row, rack) have small dense numbers
// that never change. Loop thread.
#include "fleet/config.hpp"
#include "fleet/message_sink.hpp"
#include "proto/messages.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace gwatt::fleet {

using RackIndex = std::uint32_t;
using ScopeIndex = std::uint32_t;
inline constexpr ScopeIndex no_scope = UINT32_MAX;

enum class ScopeLevel : std::uint8_t { fleet, site, hall, row, rack };
inline constexpr std::size_t scope_level_count = 5;
std::string_view scope_level_name(ScopeLevel level);

struct Scope {
    std::string path;  // "fleet", "site/x", "site/x/hall/h", "site/x/hall/h/row/r", ".../rack/k"
    ScopeLevel level = ScopeLevel::fleet;
    std::uint32_t racks = 0;
};

struct Rack {
    RackConfig config;
    bool listed = false;
    std::uint32_t peers = 0;                             // number of its peer group
    std::array<ScopeIndex, scope_level_count> scopes{};  // by level; no_scope where it has none
};

class Inventory {
public:
    Inventory();

    RackIndex add(AgentIndex agent, RackConfig config, bool listed);
    // Of an agent that is not listed: its catalog says where it stands.
    RackIndex add_unlisted(AgentIndex agent, const proto::Catalog& catalog);
    std::optional<RackIndex> rack_of(AgentIndex agent) const;

    const std::vector<Rack>& racks() const { return racks_; }
    const std::vector<Scope>& scopes() const { return scopes_; }
    std::size_t peer_groups() const { return groups_.size(); }

private:
    ScopeIndex scope(const std::string& path, ScopeLevel level);
    std::vector<Rack> racks_;
    std::vector<Scope> scopes_;
    std::vector<RackIndex> by_agent_;  // UINT32_MAX: none
    std::unordered_map<std::string, ScopeIndex> scope_index_;
    std::unordered_map<std::string, std::uint32_t> groups_;
};

}  // namespace gwatt::fleet
