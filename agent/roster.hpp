#pragma once
// Who is there: keeps the catalog of all buses' sensors, and tells when it changes. Loop thread. The buses, the clock and
// the configuration must outlive it. Changes within a short while make one new catalog.
#include "agent/bus.hpp"
#include "agent/catalog.hpp"
#include "runtime/notice.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace gwatt::agent {

class Roster {
public:
    using CatalogSink = std::function<void(const proto::Catalog&)>;

    Roster(boost::asio::io_context& loop, runtime::Clock& clock, const AgentConfig& config, CatalogSink sink);

    // Buses in the order of config.buses, then those without a section (the agent's own device). Before run().
    void add(Bus& bus, const BusSection* section, Duration period = {});

    // A sampler sees sensors that are not in the plan yet.
    void note() { noted_.tell(); }
    boost::asio::awaitable<bool> changed() { return changed_.wait(); }
    boost::asio::awaitable<void> run();
    void rebuild();  // at once

    std::uint64_t generation(std::size_t bus) const { return members_[bus].generation; }  // that the plan is made for
    std::uint64_t version() const { return version_; }                                    // of the plan
    std::span<const CatalogPlan::Slot> slots(std::size_t bus) const { return plan_.buses[bus]; }
    const proto::Catalog& catalog() const { return plan_.catalog; }

private:
    struct Member {
        Bus* bus;
        const BusSection* section;
        Duration period;
        std::uint64_t generation = 0;
    };
    bool behind() const;

    runtime::Clock& clock_;
    const AgentConfig& config_;
    CatalogSink sink_;
    runtime::Notice noted_, changed_;
    std::vector<Member> members_;
    CatalogPlan plan_;
    std::uint64_t version_ = 0;
};

}  // namespace gwatt::agent
