#pragma once
// What gwatt asks of MQTT, without a client library in sight. Two implementations: MqttLink (Paho) and the model network
// of the simulations. All calls and callbacks are on the loop thread.
#include "runtime/clock.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace gwatt::runtime {

struct Publication {
    std::string topic{};
    std::string payload{};  // bytes
    int qos = 1;            // 0 or 1; never 2
    bool retain = false;
    std::string content_type{};                    // MQTT 5 only
    std::optional<std::chrono::seconds> expiry{};  // MQTT 5 message expiry
};

// What became of one publication. Every publication gets exactly one outcome.
enum class Delivery : std::uint8_t {
    taken,           // QoS 1: PUBACK with reason < 0x80. QoS 0: handed to the socket
    not_authorised,  // 0x87: an ACL says no; do not spin
    quota,           // 0x97: the broker is full; back off
    too_large,       // 0x95, or above the broker's Maximum Packet Size: will never pass
    refused,         // any other reason >= 0x80
    lost,            // the link went down before an answer: not known whether it was taken; send again
};

struct PublishResult {
    Delivery delivery = Delivery::lost;
    std::uint8_t reason = 0;  // MQTT reason code as received; 0 where there was none
};

// What the broker granted in CONNACK, narrowed by our own configuration.
struct LinkLimits {
    std::uint16_t window = 20;                 // publications in flight at most
    std::uint32_t maximum_packet = 268435455;  // bytes of a whole packet
};

struct ReceivedMessage {
    std::string_view topic;    // valid during the callback
    std::string_view payload;  // bytes, valid during the callback
    bool retained = false;
    bool duplicate = false;
};

using MessageHandler = std::function<void(const ReceivedMessage&)>;

class Mqtt {
public:
    virtual ~Mqtt() = default;

    // Keeps the link up, with back-off, until cancelled or stopped; then disconnects in order within a bound.
    virtual boost::asio::awaitable<void> run() = 0;
    virtual void stop() = 0;

    virtual bool connected() const = 0;
    virtual LinkLimits limits() const = 0;
    // How often the link has come up; a caller that sees it change publishes its retained messages again.
    virtual std::uint64_t connections() const = 0;
    // Waits until the state may have changed: connected, disconnected, or room in the window. False if cancelled.
    virtual boost::asio::awaitable<bool> changed() = 0;
    // True while connected and fewer than limits().window publications are in flight.
    virtual bool has_room() const = 0;

    // Ends with the publication's outcome; waits for room first. May be called many times at once.
    virtual boost::asio::awaitable<PublishResult> publish(Publication publication) = 0;

    // Remembered, and made again at each connection. Call before run().
    virtual void subscribe(std::string filter, int qos, MessageHandler handler) = 0;
};

}  // namespace gwatt::runtime
