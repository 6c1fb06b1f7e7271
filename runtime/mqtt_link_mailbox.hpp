#pragma once
// The one way from the MQTT library's threads to the loop: a queue of events with a limit for messages. put() from any
// thread, the rest on the loop thread. Shared by the link and its worker; after close() nothing reaches the loop any more,
// so the io_context may go.
#include "runtime/clock.hpp"
#include "runtime/mqtt.hpp"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <variant>

namespace gwatt::runtime {

// What the broker granted in CONNACK; where it said nothing, what the standard says.
struct Granted {
    std::uint16_t receive_maximum = 65535;
    std::uint32_t maximum_packet = 268435455;
    std::uint16_t keepalive = 0;  // zero: ours is fine
    std::uint8_t maximum_qos = 2;
    bool retain_available = true;
    bool session_present = false;
};

enum class ConnectFailure : std::uint8_t {
    files,           // a TLS file cannot be read
    unreachable,     // name, network or TLS
    timeout,         // no answer in connect_timeout
    not_authorised,  // CONNACK: user, password, certificate or ban
    refused,         // CONNACK: anything else
    library,         // the client library refused to try
};

namespace link_event {

struct Up {
    Granted granted;
};
struct Failed {
    ConnectFailure failure;
    int code;
    std::string text;
};
struct Lost {
    std::uint8_t reason;
    std::string cause;
};  // reason: of the broker's DISCONNECT, else zero
struct Answered {
    std::uint32_t slot;
    PublishResult result;
};
struct Subscribed {
    std::uint32_t index;
    bool granted;
    std::uint8_t reason;
};
struct Message {
    std::string topic;
    std::string payload;
    bool retained;
    bool duplicate;
};
struct Closed {};

}  // namespace link_event

using LinkEvent = std::variant<link_event::Up, link_event::Failed, link_event::Lost, link_event::Answered,
                               link_event::Subscribed, link_event::Message, link_event::Closed>;

class LinkMailbox : public std::enable_shared_from_this<LinkMailbox> {
public:
    // serial: which connection attempt the event belongs to.
    using Receiver = std::function<void(std::uint32_t serial, LinkEvent& event)>;

    LinkMailbox(boost::asio::io_context& loop, std::size_t messages, std::size_t bytes, Duration hold_back);

    void put(std::uint32_t serial, LinkEvent event);
    // Waits for room up to hold_back; false if there was none and the message is gone.
    bool put_message(std::uint32_t serial, link_event::Message message);

    void receive(Receiver receiver) { receiver_ = std::move(receiver); }
    std::uint64_t take_dropped();  // messages lost for want of room since the last call
    void close();

private:
    struct Entry {
        std::uint32_t serial;
        LinkEvent event;
    };
    void append(std::uint32_t serial, LinkEvent event);  // with the lock held
    void drain();
    std::deque<Entry> take_some();

    const std::size_t most_messages_;
    const std::size_t most_bytes_;
    const Duration hold_back_;
    Receiver receiver_;  // loop thread

    std::mutex mutex_;
    std::condition_variable room_;
    boost::asio::io_context* loop_;  // null once closed
    std::deque<Entry> entries_;
    std::size_t messages_ = 0;
    std::size_t bytes_ = 0;
    std::uint64_t dropped_ = 0;
    bool scheduled_ = false;
};

}  // namespace gwatt::runtime
