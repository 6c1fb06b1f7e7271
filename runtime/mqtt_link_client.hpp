#pragma once
// One connection as one Paho client object, and what comes of it as events. Worker thread only; the library's threads call
// the listener. After a failed attempt the same object tries again, because each destroyed one leaves some hundred bytes
// behind (C 1.3.12; a month without a broker would be megabytes); after a connection it has to be destroyed, which ends
// every token. Only the Paho C++ API that 1.2 and later have in common.
#include "runtime/mqtt_link_mailbox.hpp"
#include "runtime/mqtt_options.hpp"

#include <mqtt/async_client.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace gwatt::runtime {

class LinkClient final : private mqtt::iaction_listener {
public:
    // options must outlive the client.
    LinkClient(const MqttOptions& options, std::shared_ptr<LinkMailbox> mailbox);
    ~LinkClient() override;  // up to 10 s if a callback hangs; 0.1 s as measured
    LinkClient(const LinkClient&) = delete;
    LinkClient& operator=(const LinkClient&) = delete;

    void connect(std::uint32_t serial, std::chrono::seconds keepalive);
    void publish(std::uint32_t slot, Publication publication);
    void subscribe(std::uint32_t index, const std::string& filter, int qos);
    void disconnect(std::chrono::milliseconds patience);  // returns when DISCONNECT is sent, or after patience
    std::uint32_t serial() const { return serial_; }

private:
    void on_success(const mqtt::token& token) override;
    void on_failure(const mqtt::token& token) override;
    void connected(const mqtt::token& token);
    void connect_failed(const mqtt::token& token);
    void subscribe_succeeded(const mqtt::token& token);
    void create();
    mqtt::connect_options connect_options(std::chrono::seconds keepalive) const;
    bool v5() const { return options_.protocol == MqttProtocol::v5; }

    const MqttOptions& options_;
    std::shared_ptr<LinkMailbox> mailbox_;
    std::atomic<std::uint32_t> serial_{0};  // of the attempt at hand; the library's threads read it
    // Its destructor fails what is pending, by calls to this listener.
    std::unique_ptr<mqtt::async_client> client_;
};

}  // namespace gwatt::runtime
