#include "fleet/catalogs.hpp"

#include <algorithm>
#include <functional>
#include <string_view>

namespace gwatt::fleet {

namespace {
std::size_t fingerprint(const proto::Catalog& catalog) {
    std::size_t sum = catalog.sensors.size();
    const auto mix = [&](std::size_t value) { sum = sum * 1099511628211u + value; };
    for (const auto& sensor : catalog.sensors) mix(std::hash<std::string_view>{}(sensor.name));
    for (const auto point : catalog.energy_points) mix(point);
    return sum;
}

bool same_body(const proto::Catalog& a, const proto::Catalog& b) {
    return a.sensors == b.sensors && a.groups == b.groups && a.energy_points == b.energy_points;
}
}  // namespace

const proto::Catalog* Catalogs::find(AgentIndex agent, std::uint64_t hash) {
    if (agent >= agents_.size()) return nullptr;
    for (const auto& entry : agents_[agent]) {
        if (entry.hash != hash) continue;
        entry.body->header.catalog = hash;
        return entry.body.get();
    }
    return nullptr;
}

void Catalogs::keep(AgentIndex agent, const proto::Catalog& catalog) {
    if (agent >= agents_.size()) agents_.resize(agent + 1);
    auto& entries = agents_[agent];
    const auto known =
        std::find_if(entries.begin(), entries.end(), [&](const Entry& e) { return e.hash == catalog.header.catalog; });
    if (known != entries.end()) return;
    if (entries.size() >= per_agent) entries.erase(entries.begin());
    entries.push_back({catalog.header.catalog, intern(catalog)});
}

Catalogs::Body Catalogs::intern(const proto::Catalog& catalog) {
    const auto key = fingerprint(catalog);
    const auto [begin, end] = bodies_.equal_range(key);
    for (auto at = begin; at != end; ++at)
        if (const auto body = at->second.lock(); body && same_body(*body, catalog)) return body;

    auto body = std::make_shared<proto::Catalog>();
    body->sensors = catalog.sensors;
    body->groups = catalog.groups;
    body->energy_points = catalog.energy_points;
    if (bodies_.size() >= sweep_at_) {
        std::erase_if(bodies_, [](const auto& entry) { return entry.second.expired(); });
        sweep_at_ = std::max<std::size_t>(64, 2 * bodies_.size());
    }
    bodies_.emplace(key, body);
    return body;
}

}  // namespace gwatt::fleet
