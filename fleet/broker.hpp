#pragma once
// The site file's [mqtt] as options of the link. Start-up only.
#include "fleet/config.hpp"
#include "runtime/mqtt_options.hpp"

#include <string>

namespace gwatt::fleet {

// Throws runtime::ConfigError where the password file cannot be read.
runtime::MqttOptions broker_options(const BrokerConfig& config, const std::string& client_id);

// HOST, HOST:PORT or [ADDRESS]:PORT in place of what is there. Throws runtime::ConfigError.
void set_broker(BrokerConfig& config, const std::string& text);

}  // namespace gwatt::fleet
