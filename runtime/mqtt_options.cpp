#include "runtime/mqtt_options.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>

namespace gwatt::runtime {

namespace {

using Fault = std::optional<std::string>;

Fault fault_of_host(const MqttOptions& o) {
    const auto good = [](unsigned char c) {
        return c > ' ' && c < 0x7f && c != '/' && c != '[' && c != ']' && c != '@';
    };
    if (o.host.empty() || o.host.size() > 253 || !std::all_of(o.host.begin(), o.host.end(), good)) {
        return "host '" + o.host + "' is no host name or address";
    }
    if (!o.tls && !o.insecure && !is_loopback(o.host)) {
        return "plain MQTT to '" + o.host + "' is refused: set up tls, or say insecure = true";
    }
    if (o.tls && o.tls->certificate_file.empty() != o.tls->key_file.empty()) {
        return "certificate_file and key_file belong together: one of them is missing";
    }
    return {};
}

Fault fault_of_session(const MqttOptions& o) {
    if (o.client_id.empty() && !o.clean_start) {
        return "a session that is kept needs a client_id";
    }
    if (!o.client_id.empty() && !valid_topic_name(o.client_id)) {
        return "client_id is not plain UTF-8, is longer than 65535 bytes, or has + or # in it";
    }
    if (!o.password.empty() && o.user.empty()) {
        return "a password needs a user";
    }
    if (o.keepalive < std::chrono::seconds(1) || o.keepalive > std::chrono::seconds(65535)) {
        return "keepalive is not between 1 s and 65535 s";
    }
    if (o.session_expiry < std::chrono::seconds(0) || o.session_expiry > std::chrono::seconds(0x7fffffff)) {
        return "session_expiry is not between 0 s and 68 years";
    }
    return {};
}

Fault fault_of_publication(const char* what, const std::optional<Publication>& p, const MqttOptions& o) {
    if (!p) {
        return {};
    }
    if (!valid_topic_name(p->topic)) {
        return std::string("the topic of the ") + what + " is empty, not UTF-8, or has a wildcard";
    }
    if (p->qos < 0 || p->qos > 1) {
        return std::string("the QoS of the ") + what + " is not 0 or 1";
    }
    // A will travels inside CONNECT, with a 16-bit length.
    if (p->payload.size() > 65535 || publish_packet_size(*p, o.protocol) > o.maximum_packet) {
        return std::string("the ") + what + " is too large";
    }
    return {};
}

Fault fault_of_limits(const MqttOptions& o) {
    if (o.window == 0 || o.receive_maximum == 0 || o.queue_messages == 0) {
        return "window, receive_maximum and queue_messages must be at least 1";
    }
    if (o.maximum_packet < 1024 || o.receive_packet < 1024 || o.queue_bytes < o.receive_packet) {
        return "maximum_packet and receive_packet must be at least 1024, queue_bytes at least receive_packet";
    }
    for (const Duration d : {o.connect_timeout, o.answer_timeout, o.stop_timeout, o.retry_first, o.retry_cap}) {
        if (d < std::chrono::milliseconds(1) || d > std::chrono::hours(24)) {
            return "a timeout is not between 1 ms and 24 h";
        }
    }
    if (o.hold_back < Duration::zero() || o.hold_back > std::chrono::seconds(1)) {
        return "hold_back is not between 0 and 1 s";
    }
    return {};
}

}  // namespace

bool is_loopback(const std::string& host) {
    in_addr four{};
    if (::inet_pton(AF_INET, host.c_str(), &four) == 1) {
        return (ntohl(four.s_addr) >> 24U) == 127;
    }
    in6_addr six{};
    if (::inet_pton(AF_INET6, host.c_str(), &six) == 1) {
        return IN6_IS_ADDR_LOOPBACK(&six);
    }
    return host == "localhost";
}

Fault fault(const MqttOptions& options) {
    for (const auto& check : {fault_of_host, fault_of_session, fault_of_limits}) {
        if (Fault found = check(options)) {
            return found;
        }
    }
    if (Fault found = fault_of_publication("will", options.will, options)) {
        return found;
    }
    return fault_of_publication("goodbye", options.goodbye, options);
}

}  // namespace gwatt::runtime
