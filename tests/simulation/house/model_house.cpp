#include "tests/simulation/house/model_house.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <utility>

namespace gwatt::test {

const runtime::Logger& silent_log() {
    static const runtime::Logger log(runtime::LogLevel::error, [](runtime::LogLevel, std::string_view) {});
    return log;
}

namespace {

agent::CatalogPlan plan_for(const agent::AgentConfig& config, std::span<const proto::Sensor> sensors) {
    const agent::BusSensors bus{
        .section = &config.buses.at(0), .period = config.buses.at(0).period, .sensors = sensors};
    return agent::build_catalog(config, std::span(&bus, 1));
}

}  // namespace

ModelAgent::ModelAgent(boost::asio::io_context& loop, runtime::Clock& clock, ModelBroker& broker,
                       agent::AgentConfig config, std::uint64_t boot, std::span<const proto::Sensor> sensors)
    : config_(std::move(config)),
      clock_(clock),
      plan_(plan_for(config_, sensors)),
      index_(sensors.size()),
      energy_(static_cast<std::uint32_t>(boot), config_.energy.gap),
      link_(broker.client()),
      spool_(config_.spool, config_.publish.history_after, clock),
      publisher_(loop, clock, silent_log(), *link_, spool_, {config_.site, config_.name, boot}, config_.publish,
                 [] { return std::vector<proto::BusStatus>{}; }),
      batcher_(config_.publish, clock, energy_, boot,
               [this](const agent::Outgoing& message) {
                   spool_.append(message);
                   publisher_.wake();
               }),
      tasks_(loop) {
    for (const auto& slot : plan_.buses.at(0)) {
        index_.at(slot.bus_index) = slot.catalog_index;
    }
    energy_.set_catalog(plan_.catalog);
    batcher_.set_catalog(plan_.catalog);
    publisher_.set_catalog(plan_.catalog);
    tasks_.spawn("link", link_->run());
    tasks_.spawn("publisher", publisher_.run());
    tasks_.spawn("publisher's watch", publisher_.watch());
    tasks_.spawn("batcher", batcher_.run());
}

ModelAgent::~ModelAgent() { tasks_.cancel(); }

void ModelAgent::take(std::span<const proto::Reading> readings) {
    if (readings.empty()) {
        return;
    }
    scan_.assign(readings.begin(), readings.end());
    for (auto& reading : scan_) {
        reading.sensor = index_.at(reading.sensor);
    }
    const auto period = config_.buses.at(0).period;
    const auto utc = clock_.utc_now() + (scan_.front().time - clock_.now());
    const auto into = utc.time_since_epoch() % period;
    energy_.take(scan_);
    batcher_.take({.grid = scan_.front().time - into, .realigned = false, .readings = scan_});
}

void ModelAgent::stop() { batcher_.finish(); }

ModelFleet::ModelFleet(boost::asio::io_context& loop, runtime::Clock& clock, ModelBroker& broker,
                       const std::vector<fleet::RackConfig>& racks)
    : clock_(clock),
      agents_(20'000),
      aggregator_({}, inventory_, now()),
      ledger_(books_, aggregator_),
      subscriber_({}, agents_, books_, ledger_),
      link_(broker.client()),
      tasks_(loop) {
    for (const auto& rack : racks) {
        inventory_.add(agents_.admit(rack.site, rack.agent).value(), rack, true);
    }
    link_->subscribe(std::string(fleet::Subscriber::filter), 1,
                     [this](const runtime::ReceivedMessage& message) { subscriber_.take(message, now()); });
    tasks_.spawn("link", link_->run());
}

ModelFleet::~ModelFleet() { tasks_.cancel(); }

void ModelFleet::tick() {
    subscriber_.expire(clock_.now());
    aggregator_.tick(now());
}

const fleet::Total& ModelFleet::total() { return aggregator_.report(now()).totals.at(0); }

}  // namespace gwatt::test
