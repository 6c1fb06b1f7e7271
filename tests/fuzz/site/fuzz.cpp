// Any bytes as a site file: they are refused with a message that names the place, or taken, and then within their limits.
#include "fleet/config.hpp"
#include "proto/topics.hpp"

#include <cstdlib>

namespace {
void require(bool holds) {
    if (!holds) std::abort();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace gwatt;
    try {
        const auto config = fleet::parse_config(
            {reinterpret_cast<const char*>(data), size}, "site.toml",
            [](const std::string& name) { return name.size() % 2 == 0 ? std::nullopt : std::optional(name); });
        require(proto::valid_topic_level(config.name) && config.mqtt.port != 0);
        require(config.windows.final_after >= config.windows.provisional_after && config.windows.hold.count() > 0);
        for (const auto& rack : config.racks) {
            require(proto::valid_topic_level(rack.site) && proto::valid_topic_level(rack.agent));
            require(rack.rating_watts >= 0 && rack.hall.find('/') == std::string::npos);
        }
    } catch (const runtime::ConfigError& error) {
        require(std::string_view(error.what()).starts_with("site.toml:"));
    }
    return 0;
}
