#pragma once
// What the configuration says about the broker, as options of the link. Start-up only.
#include "agent/config.hpp"
#include "agent/publisher.hpp"
#include "runtime/mqtt_options.hpp"

namespace gwatt::agent {

// Reads the password file. Throws runtime::ConfigError. Client id and last will are the agent's own.
runtime::MqttOptions link_options(const AgentConfig& config, const Identity& identity, const runtime::Clock& clock);

}  // namespace gwatt::agent
