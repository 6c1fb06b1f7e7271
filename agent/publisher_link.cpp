#include "agent/publisher_link.hpp"

#include "proto/topics.hpp"

#include <fstream>

namespace gwatt::agent {
namespace {

std::string read_password(const AgentConfig& config) {
    if (config.mqtt.password_file.empty()) return {};
    std::ifstream in(config.mqtt.password_file);
    std::string password;
    if (!std::getline(in, password))
        throw runtime::ConfigError(config.file + ": mqtt.password_file: \"" + config.mqtt.password_file +
                                   "\" has no first line to read");
    if (password.ends_with('\r')) password.pop_back();
    return password;
}

}  // namespace

runtime::MqttOptions link_options(const AgentConfig& config, const Identity& identity, const runtime::Clock& clock) {
    const MqttConfig& mqtt = config.mqtt;
    runtime::MqttOptions options;
    options.host = mqtt.host;
    options.port = mqtt.port;
    if (mqtt.tls) options.tls = runtime::MqttTls{mqtt.tls->ca, mqtt.tls->certificate, mqtt.tls->key};
    options.insecure = mqtt.insecure;
    options.protocol = mqtt.protocol == 5 ? runtime::MqttProtocol::v5 : runtime::MqttProtocol::v311;
    options.client_id = identity.agent;
    options.user = mqtt.username;
    options.password = read_password(config);
    options.keepalive = mqtt.keepalive;
    options.window = mqtt.window;
    runtime::Publication will;
    will.topic = proto::topic(identity.site, identity.agent, proto::Stream::status);
    will.payload = will_payload(identity, clock);
    will.retain = true;
    options.will = std::move(will);
    if (const auto wrong = runtime::fault(options)) throw runtime::ConfigError(config.file + ": mqtt: " + *wrong);
    return options;
}

}  // namespace gwatt::agent
