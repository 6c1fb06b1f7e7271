#include "tests/simulation/traces/replay.hpp"

#include "tests/simulation/house/model_house.hpp"

#include <algorithm>
#include <memory>

namespace gwatt::test {
namespace {

using namespace std::chrono_literals;
using proto::Duration;

constexpr Duration period = 2s;  // nominal, of the traces

proto::Sensor power_sensor(const char* name, proto::Point point) {
    proto::Sensor sensor;
    sensor.name = name;
    sensor.part_of = "node";
    sensor.quantity = proto::Quantity::power;
    sensor.point = point;
    sensor.resolution = 1;
    return sensor;
}

agent::AgentConfig agent_config(std::string name, Duration gap) {
    agent::AgentConfig config;
    config.site = "replay";
    config.name = std::move(name);
    config.energy.gap = gap;
    config.buses.resize(1);
    config.buses[0].host.name = "node";
    config.buses[0].period = period;
    return config;
}

// A node's name may be anything; an agent's is a level of a topic.
std::string agent_name(std::size_t node) { return "node-" + std::to_string(node); }

// One sample on its way into its agent.
struct Event {
    std::int64_t time_ms;
    ModelAgent* agent;
    std::uint32_t sensor;
    double watts;
};

class Replay {
public:
    Replay(const Trace& trace, const ReplayOptions& options) : trace_(trace), options_(options) {}

    ReplayResult run() {
        measure();
        // Two seconds of lead: agents connect and say who they are before the first sample.
        clock_.step_utc(proto::Utc(std::chrono::milliseconds(first_ms_) - 2s) - clock_.utc_now());
        start_ = clock_.now() + 2s;
        build();
        clock_.advance(2s);
        std::int64_t ticked_ms = first_ms_;
        for (const auto& event : events_) {
            for (; ticked_ms + 1000 <= event.time_ms; tick(ticked_ms += 1000)) {}
            clock_.advance_to(time_of(event.time_ms));
            const proto::Reading reading{clock_.now(), event.watts, event.sensor, proto::Quality::good};
            event.agent->take(std::span(&reading, 1));
        }
        result_.racks_measured_at_end = fleet_->total().racks_in[0];
        settle();
        return collect();
    }

private:
    void measure() {
        for (const auto& [node, samples] : trace_) {
            for (std::size_t i = 1; i < samples.size(); ++i) {
                const double seconds = static_cast<double>(samples[i].time_ms - samples[i - 1].time_ms) / 1e3;
                if (seconds > 0) {
                    result_.trapezoid_joules += seconds * (samples[i].watts + samples[i - 1].watts) / 2;
                }
            }
            for (const auto& sample : samples) {
                first_ms_ = std::min(first_ms_, sample.time_ms);
                last_ms_ = std::max(last_ms_, sample.time_ms);
            }
            result_.samples += samples.size();
        }
        result_.nodes = trace_.size();
        result_.seconds = static_cast<double>(last_ms_ - first_ms_) / 1e3;
    }

    void build() {
        std::vector<fleet::RackConfig> racks;
        for (std::size_t i = 0; i < trace_.size(); ++i) {
            fleet::RackConfig rack;
            rack.site = "replay";
            rack.agent = agent_name(i);
            rack.rack = rack.agent;
            racks.push_back(rack);
        }
        fleet_ = std::make_unique<ModelFleet>(loop_, clock_, broker_, racks);
        sensors_.push_back(power_sensor("node.power", options_.point));
        if (options_.second) {
            sensors_.push_back(power_sensor("node.second_power", options_.second_point));
        }
        std::uint64_t boot = options_.seed * 1'000'003;
        for (const auto& [node, samples] : trace_) {
            agents_.push_back(std::make_unique<ModelAgent>(
                loop_, clock_, broker_, agent_config(agent_name(agents_.size()), options_.gap), ++boot, sensors_));
            add_events(samples, 0);
            if (options_.second && options_.second->contains(node)) {
                add_events(options_.second->at(node), 1);
            }
        }
        std::stable_sort(events_.begin(), events_.end(),
                         [](const Event& a, const Event& b) { return a.time_ms < b.time_ms; });
        clock_.settle();
        broker_.set(options_.network);
    }

    proto::Monotonic time_of(std::int64_t time_ms) const {
        return start_ + std::chrono::milliseconds(time_ms - first_ms_);
    }

    void tick(std::int64_t time_ms) {
        clock_.advance_to(time_of(time_ms));
        fleet_->tick();
        if (options_.progress && (time_ms - first_ms_) % 60'000 == 0) {
            options_.progress(static_cast<double>(time_ms - first_ms_) / static_cast<double>(last_ms_ - first_ms_));
        }
    }

    // The samples of one node in the file's order; equal and earlier times come as they stand.
    void add_events(const std::vector<TraceSample>& samples, std::uint32_t sensor) {
        std::int64_t time_ms = INT64_MIN;
        for (const auto& sample : samples) {
            time_ms = std::max(time_ms, sample.time_ms);
            events_.push_back({time_ms, agents_.back().get(), sensor, sample.watts});
        }
    }

    // Faults end, what is held back comes, and every spool runs empty.
    void settle() {
        broker_.set({});
        broker_.release_held();
        for (auto& agent : agents_) {
            agent->stop();
        }
        clock_.advance(3s);
        for (int i = 0;
             i < 600 && std::any_of(agents_.begin(), agents_.end(), [](auto& a) { return !a->spool().empty(); }); ++i) {
            clock_.advance(1s);
        }
    }

    ReplayResult collect() {
        const auto& total = fleet_->total();
        const auto& books = fleet_->books();
        result_.measured_joules = total.measured_joules;
        result_.estimated_joules = total.estimated_joules - total.unsettled_joules;
        result_.estimated_low = total.estimated_low;
        result_.estimated_high = total.estimated_high;
        result_.racks = total.racks;
        for (const auto& agent : agents_) {
            result_.gaps += agent->energy().counters().gaps;
        }
        result_.network = broker_.counters();
        result_.received = books.received;
        result_.used = books.used;
        result_.late = books.late;
        result_.duplicates = books.duplicate;
        result_.rejected = books.rejected_total();
        result_.missing = fleet_->gaps().messages;
        result_.books_balance = books.balanced();
        return result_;
    }

    const Trace& trace_;
    const ReplayOptions& options_;
    ReplayResult result_;
    std::int64_t first_ms_ = INT64_MAX, last_ms_ = INT64_MIN;
    boost::asio::io_context loop_;
    VirtualClock clock_{loop_};
    ModelBroker broker_{loop_, options_.seed};
    proto::Monotonic start_{};
    std::vector<proto::Sensor> sensors_;
    std::unique_ptr<ModelFleet> fleet_;
    std::vector<std::unique_ptr<ModelAgent>> agents_;
    std::vector<Event> events_;
};

}  // namespace

ReplayResult replay(const Trace& trace, const ReplayOptions& options) { return Replay(trace, options).run(); }

}  // namespace gwatt::test
