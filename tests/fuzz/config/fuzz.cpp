// Any bytes as a configuration file: they are refused with a message, or taken; and what is taken is within its limits.
#include "agent/config.hpp"
#include "proto/topics.hpp"

#include <cstdlib>

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

std::optional<std::string> environment(const std::string& name) {
    if (name.size() % 2 == 0) return {};
    return "value of " + name;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace gwatt;
    try {
        const agent::AgentConfig config =
            agent::parse_config({reinterpret_cast<const char*>(data), size}, "fuzz.toml", environment);
        require(proto::valid_topic_level(config.site) && proto::valid_topic_level(config.name));
        require(!config.buses.empty() && config.buses.size() <= 256);
        require(config.mqtt.port != 0 && config.mqtt.window != 0);
        require(config.publish.live_interval.count() > 0 && config.publish.history_rate > 0);
        for (const agent::BusSection& bus : config.buses) {
            require(bus.period.count() > 0 && bus.slow_period.count() > 0);
            require(bus.host.options.size() == bus.option_lines.size());
            for (const agent::SensorRule& rule : bus.rules) require(!rule.period || rule.period->count() > 0);
        }
    } catch (const runtime::ConfigError& error) {
        require(std::string_view(error.what()).starts_with("fuzz.toml:"));
    }
    return 0;
}
