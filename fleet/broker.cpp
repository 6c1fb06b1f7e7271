#include "fleet/broker.hpp"

#include <charconv>
#include <fstream>

namespace gwatt::fleet {

namespace {
constexpr std::size_t queue_messages = 20'000;  // ten seconds of a site of 1,000 racks with live and data each
constexpr std::size_t queue_bytes = 64u << 20;

std::string first_line(const std::string& file) {
    std::ifstream in(file);
    std::string line;
    if (!in || !std::getline(in, line)) throw runtime::ConfigError(file + ": mqtt.password_file: cannot be read");
    if (!line.empty() && line.back() == '\r') line.pop_back();
    return line;
}
}  // namespace

runtime::MqttOptions broker_options(const BrokerConfig& config, const std::string& client_id) {
    runtime::MqttOptions out;
    out.host = config.host;
    out.port = config.port;
    if (config.tls) out.tls = runtime::MqttTls{config.tls->ca, config.tls->certificate, config.tls->key};
    out.insecure = config.insecure;
    out.protocol = config.protocol == 5 ? runtime::MqttProtocol::v5 : runtime::MqttProtocol::v311;
    out.client_id = client_id;
    out.user = config.username;
    if (!config.password_file.empty()) out.password = first_line(config.password_file);
    out.keepalive = config.keepalive;
    out.queue_messages = queue_messages;
    out.queue_bytes = queue_bytes;
    return out;
}

void set_broker(BrokerConfig& config, const std::string& text) {
    const auto bracket = text.rfind(']');
    const auto colon = text.rfind(':');
    const bool has_port =
        colon != std::string::npos && (bracket == std::string::npos ? text.find(':') == colon : colon > bracket);
    std::string host = has_port ? text.substr(0, colon) : text;
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    if (has_port) {
        const char* end = text.data() + text.size();
        const auto [stopped, error] = std::from_chars(text.data() + colon + 1, end, config.port);
        if (error != std::errc{} || stopped != end || config.port == 0)
            throw runtime::ConfigError("--broker: found \"" + text + "\", expected HOST or HOST:PORT");
    }
    config.host = std::move(host);
}

}  // namespace gwatt::fleet
