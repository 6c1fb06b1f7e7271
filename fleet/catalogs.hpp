#pragma once
// The catalogs that messages are read with: a few per agent, by content hash. Racks of one build differ in their names
// and places only, so lists of sensors that are equal are kept once. Loop thread. References live until that agent has
// sent `per_agent` newer catalogs.
#include "fleet/message_sink.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

namespace gwatt::fleet {

class Catalogs {
public:
    static constexpr std::size_t per_agent = 4;

    // With header.catalog set to `hash`, as the decoder wants it; for use before the next find().
    const proto::Catalog* find(AgentIndex agent, std::uint64_t hash);
    // Keeps what is needed to read messages: sensors, groups, energy points. Place and header are not kept.
    void keep(AgentIndex agent, const proto::Catalog& catalog);

    std::size_t bodies() const { return bodies_.size(); }

private:
    using Body = std::shared_ptr<proto::Catalog>;  // shared by the agents that sent it; the last one frees it
    struct Entry {
        std::uint64_t hash = 0;
        Body body;
    };
    Body intern(const proto::Catalog& catalog);
    std::vector<std::vector<Entry>> agents_;  // newest last
    std::unordered_multimap<std::size_t, std::weak_ptr<proto::Catalog>> bodies_;
    std::size_t sweep_at_ = 64;
};

}  // namespace gwatt::fleet
