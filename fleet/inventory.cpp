#include "fleet/inventory.hpp"

#include <utility>

namespace gwatt::fleet {

namespace {
// What a stranger calls its place, made fit for a path.
std::string cleaned(std::string_view text) {
    std::string out(text.substr(0, 64));
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == '/' || c == 0x7f) c = '_';
    return out;
}
}  // namespace

std::string_view scope_level_name(ScopeLevel level) {
    switch (level) {
        case ScopeLevel::fleet: return "fleet";
        case ScopeLevel::site: return "site";
        case ScopeLevel::hall: return "hall";
        case ScopeLevel::row: return "row";
        case ScopeLevel::rack: return "rack";
    }
    return "fleet";
}

Inventory::Inventory() { scope("fleet", ScopeLevel::fleet); }

ScopeIndex Inventory::scope(const std::string& path, ScopeLevel level) {
    const auto [at, fresh] = scope_index_.emplace(path, static_cast<ScopeIndex>(scopes_.size()));
    if (fresh) scopes_.push_back({path, level, 0});
    return at->second;
}

RackIndex Inventory::add(AgentIndex agent, RackConfig config, bool listed) {
    Rack rack;
    rack.listed = listed;
    rack.scopes.fill(no_scope);
    rack.scopes[0] = 0;
    std::string path = "site/" + config.site;
    rack.scopes[1] = scope(path, ScopeLevel::site);
    if (!config.hall.empty()) rack.scopes[2] = scope(path += "/hall/" + config.hall, ScopeLevel::hall);
    if (!config.row.empty()) rack.scopes[3] = scope(path += "/row/" + config.row, ScopeLevel::row);
    path += "/rack/" + (config.rack.empty() ? config.agent : config.rack);
    // Two agents that call themselves the same rack are two racks here: neither may hide behind the other.
    if (scope_index_.contains(path)) path += "@" + config.agent;
    rack.scopes[4] = scope(path, ScopeLevel::rack);
    for (const auto index : rack.scopes)
        if (index != no_scope) ++scopes_[index].racks;
    rack.peers =
        groups_.emplace(config.site + "/" + config.peers, static_cast<std::uint32_t>(groups_.size())).first->second;
    rack.config = std::move(config);

    const auto index = static_cast<RackIndex>(racks_.size());
    racks_.push_back(std::move(rack));
    if (agent >= by_agent_.size()) by_agent_.resize(agent + 1, UINT32_MAX);
    by_agent_[agent] = index;
    return index;
}

RackIndex Inventory::add_unlisted(AgentIndex agent, const proto::Catalog& catalog) {
    RackConfig config;
    config.site = catalog.site;
    config.agent = catalog.agent;
    config.hall = cleaned(catalog.hall);
    config.row = cleaned(catalog.row);
    config.rack = cleaned(catalog.rack);
    if (catalog.rating_watts > 0 && catalog.rating_watts < 1e9) config.rating_watts = catalog.rating_watts;
    return add(agent, std::move(config), false);
}

std::optional<RackIndex> Inventory::rack_of(AgentIndex agent) const {
    if (agent >= by_agent_.size() || by_agent_[agent] == UINT32_MAX) return {};
    return by_agent_[agent];
}

}  // namespace gwatt::fleet
