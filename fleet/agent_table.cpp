#include "fleet/agent_table.hpp"

namespace gwatt::fleet {

namespace {
// Both views come from one topic or from anywhere: only in the first case is `site/agent` there without a copy.
std::string_view joined(std::string_view site, std::string_view name, std::string& buffer) {
    if (site.data() + site.size() + 1 == name.data()) return {site.data(), site.size() + 1 + name.size()};
    buffer.assign(site).append("/").append(name);
    return buffer;
}
}  // namespace

std::optional<AgentIndex> AgentTable::find(std::string_view site, std::string_view name) const {
    std::string buffer;
    const auto found = index_.find(joined(site, name, buffer));
    return found == index_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<AgentIndex> AgentTable::admit(std::string_view site, std::string_view name) {
    if (const auto known = find(site, name)) return known;
    if (names_.size() >= limit_) return {};
    const auto index = static_cast<AgentIndex>(names_.size());
    names_.push_back({std::string(site), std::string(name)});
    index_.emplace(std::string(site) + "/" + std::string(name), index);
    return index;
}

}  // namespace gwatt::fleet
