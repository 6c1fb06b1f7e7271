#pragma once
// How to reach a broker and how to behave towards it. A value; MqttLink keeps its own copy.
#include "runtime/clock.hpp"
#include "runtime/mqtt.hpp"
#include "runtime/mqtt_rules.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace gwatt::runtime {

// The server's certificate and its host name are always checked; TLS 1.2 is the oldest spoken. Files are PEM and are read
// anew at each connection, so that renewed certificates are picked up.
struct MqttTls {
    std::string ca_file;           // empty: the system's trust store
    std::string certificate_file;  // the client's chain; empty: no client certificate
    std::string key_file;          // unencrypted; with certificate_file only
};

struct MqttOptions {
    std::string host = "localhost";  // name or address, IPv6 without brackets
    std::uint16_t port = 0;          // 0: 8883 with TLS, else 1883
    std::optional<MqttTls> tls{};
    bool insecure = false;                     // allows plain MQTT to a host that is not this one
    MqttProtocol protocol = MqttProtocol::v5;  // 3.1.1 cannot report refused publications: they count as taken
    std::string client_id{};                   // empty: the broker chooses (clean start only)
    std::string user{};
    std::string password{};              // never logged
    std::chrono::seconds keepalive{30};  // a dead link is noticed after 2.5 times this, or by answer_timeout
    bool clean_start = true;
    std::chrono::seconds session_expiry{0};  // MQTT 5; with 3.1.1 clean_start alone decides

    std::optional<Publication> will{};     // QoS 0 or 1; no expiry, no content type
    std::optional<Publication> goodbye{};  // the last publication of an orderly stop, where the will would lie

    // Outbound. The broker may narrow both.
    std::uint16_t window = 20;                   // publications in flight
    std::uint32_t maximum_packet = 1024 * 1024;  // bytes of a whole packet

    // Inbound. Receive maximum and packet size are told to an MQTT 5 broker. The queue stands between Paho's threads and
    // the loop: when it is full, the library's receiving is held back for up to `hold_back` a message, then the message
    // is dropped and counted; held back means: not acknowledged yet, and every link of this process waits.
    std::uint16_t receive_maximum = 64;
    std::uint32_t receive_packet = 4 * 1024 * 1024;
    std::size_t queue_messages = 2000;
    std::size_t queue_bytes = std::size_t{16} * 1024 * 1024;
    Duration hold_back = std::chrono::milliseconds(50);

    Duration connect_timeout = std::chrono::seconds(20);
    Duration answer_timeout = std::chrono::seconds(30);  // PUBACK or SUBACK; then the link is given up
    Duration stop_timeout = std::chrono::seconds(3);
    Duration retry_first = std::chrono::seconds(1);
    Duration retry_cap = std::chrono::seconds(60);
    std::uint64_t seed = 0;  // of the back-off; 0: random

    std::uint16_t effective_port() const { return port != 0 ? port : tls ? 8883 : 1883; }
};

// What is wrong with the options, as a text for the one who wrote them; nothing if they are good.
std::optional<std::string> fault(const MqttOptions& options);

// Whether the host names this machine whatever a resolver says: localhost, 127.0.0.0/8, ::1.
bool is_loopback(const std::string& host);

}  // namespace gwatt::runtime
