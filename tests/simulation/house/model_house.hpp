#pragma once
// Agents and a fleet program in one process, from a reading to a report, over a ModelBroker: the real catalog, energy,
// batcher, spool and publisher; the real subscriber, ledger, inventory and aggregator. Only drivers, sockets and time
// are not real. One thread; loop, clock and broker must outlive both.
#include "agent/batcher.hpp"
#include "agent/catalog.hpp"
#include "agent/config.hpp"
#include "agent/energy.hpp"
#include "agent/publisher.hpp"
#include "agent/spool.hpp"
#include "agent/tasks.hpp"
#include "fleet/agent_table.hpp"
#include "fleet/aggregator.hpp"
#include "fleet/books.hpp"
#include "fleet/inventory.hpp"
#include "fleet/ledger.hpp"
#include "fleet/subscriber.hpp"
#include "runtime/log.hpp"
#include "tests/support/model_broker.hpp"
#include "tests/support/virtual_clock.hpp"

#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gwatt::test {

// Logs of simulated programs go nowhere.
const runtime::Logger& silent_log();

class ModelAgent {
public:
    ModelAgent(boost::asio::io_context& loop, runtime::Clock& clock, ModelBroker& broker, agent::AgentConfig config,
               std::uint64_t boot, std::span<const proto::Sensor> sensors);
    ~ModelAgent();

    // One scan: readings by position in `sensors`, made for the grid point that their times belong to.
    void take(std::span<const proto::Reading> readings);
    void stop();  // what is open is published, then the agent says offline

    const agent::Spool& spool() const { return spool_; }
    const agent::Energy& energy() const { return energy_; }

private:
    agent::AgentConfig config_;
    runtime::Clock& clock_;
    agent::CatalogPlan plan_;
    std::vector<std::uint32_t> index_;  // of the catalog, by position in `sensors`
    agent::Energy energy_;
    std::unique_ptr<ModelBroker::Client> link_;
    agent::Spool spool_;
    agent::Publisher publisher_;
    agent::Batcher batcher_;
    agent::Tasks tasks_;
    std::vector<proto::Reading> scan_;
};

class ModelFleet {
public:
    // racks: what is expected.
    ModelFleet(boost::asio::io_context& loop, runtime::Clock& clock, ModelBroker& broker,
               const std::vector<fleet::RackConfig>& racks);
    ~ModelFleet();

    void tick();
    const fleet::Total& total();  // of the fleet, now
    const fleet::Books& books() const { return books_; }
    fleet::Ledger::Gaps gaps() const { return ledger_.gaps(); }
    const fleet::PointBooks& point_books() const { return aggregator_.point_books(); }

private:
    fleet::Arrival now() const { return {clock_.now(), clock_.utc_now()}; }

    runtime::Clock& clock_;
    fleet::AgentTable agents_;
    fleet::Books books_;
    fleet::Inventory inventory_;
    fleet::Aggregator aggregator_;
    fleet::Ledger ledger_;
    fleet::Subscriber subscriber_;
    std::unique_ptr<ModelBroker::Client> link_;
    agent::Tasks tasks_;
};

}  // namespace gwatt::test
