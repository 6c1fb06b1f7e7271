#pragma once
// A link to an MQTT broker that keeps itself up: Mqtt over the Paho library, of which only mqtt_link_client knows. Loop
// thread. The io_context, the clock and the logger must outlive it; the link must outlive its coroutines (run, publish,
// changed). Destroying it waits two seconds at most for a library call under way.
//
// - Own reconnect with jittered back-off; own window, min(ours, the broker's Receive Maximum): never more is given to
//   the library. Publications above the window wait here, in order.
// - A publication in flight when the link goes ends as `lost`: the caller sends it again (at least once). One that still
//   waits for room stays, until stop().
// - What can never pass (too large, a bad topic, a QoS or a retain that the broker refuses) is answered here and not sent:
//   it would cost the connection.
// - No call into the library is made on the loop; no wait is without an end.
#include "runtime/backoff.hpp"
#include "runtime/counters.hpp"
#include "runtime/log.hpp"
#include "runtime/mqtt.hpp"
#include "runtime/mqtt_link_mailbox.hpp"
#include "runtime/mqtt_options.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace gwatt::runtime {

class LinkWorker;

class MqttLink final : public Mqtt {
public:
    // Throws std::invalid_argument with fault()'s text. Call while the process has one thread (see mqtt_link_worker.hpp).
    MqttLink(boost::asio::io_context& loop, Clock& clock, const Logger& log, MqttOptions options);
    ~MqttLink() override;
    MqttLink(const MqttLink&) = delete;
    MqttLink& operator=(const MqttLink&) = delete;

    boost::asio::awaitable<void> run() override;  // once
    // Waits for what is in flight, publishes the goodbye, disconnects; within stop_timeout. run() ends then.
    void stop() override;

    bool connected() const override { return state_ == State::up; }
    LinkLimits limits() const override { return limits_; }
    std::uint64_t connections() const override { return numbers_.connections; }
    boost::asio::awaitable<bool> changed() override;
    bool has_room() const override;

    // Cancelled while in flight: ends as `lost`, the broker may still take it. After stop(): `lost` at once.
    boost::asio::awaitable<PublishResult> publish(Publication publication) override;
    // Throws std::invalid_argument for a malformed filter or a QoS other than 0 or 1.
    void subscribe(std::string filter, int qos, MessageHandler handler) override;

    // Counts since the start; each a plain number on the loop thread.
    struct Numbers {
        std::uint64_t connections = 0;
        std::array<std::uint64_t, 6> connect_failures{};  // by ConnectFailure
        std::array<std::uint64_t, 3> losses{};            // by Loss
        std::array<std::uint64_t, 6> outcomes{};          // by Delivery: each publication once
        std::uint64_t published = 0;                      // publications asked for
        std::uint64_t sent = 0;                           // handed to the library
        std::uint64_t received = 0;
        std::uint64_t received_bytes = 0;
        std::uint64_t dropped_full = 0;      // inbound, the queue to the loop was full
        std::uint64_t dropped_unwanted = 0;  // inbound, no subscription's filter matches
        std::uint64_t subscriptions_refused = 0;
        std::uint64_t up = 0;  // 0 or 1
        std::uint64_t in_flight = 0;
        std::uint64_t most_in_flight = 0;
        std::uint64_t waiting = 0;  // for room
    };
    enum class Loss : std::uint8_t {
        connection,
        broker,
        no_answer
    };  // socket gone; DISCONNECT received; answer_timeout
    const Numbers& numbers() const { return numbers_; }
    void list(Counters& counters, const Counters::Labels& labels = {}) const;

private:
    enum class State : std::uint8_t { down, connecting, up, closing };
    struct Ticket;
    struct Slot {
        std::shared_ptr<Ticket> ticket;  // null: free
        Monotonic since{};
    };
    struct Subscription {
        std::string filter;
        int qos;
        MessageHandler handler;
    };

    // run()'s parts
    boost::asio::awaitable<void> attempt();
    boost::asio::awaitable<void> serve();
    boost::asio::awaitable<void> farewell();
    boost::asio::awaitable<void> flush(Monotonic until);
    boost::asio::awaitable<void> release(std::chrono::milliseconds polite, Monotonic until);
    boost::asio::awaitable<void> pause();
    boost::asio::awaitable<void> wait(Monotonic until);

    // events
    void take(std::uint32_t serial, LinkEvent& event);
    void on(link_event::Up& event);
    void on(link_event::Failed& event);
    void on(link_event::Lost& event);
    void on(link_event::Answered& event);
    void on(link_event::Subscribed& event);
    void on(link_event::Message& event);
    void on(link_event::Closed& event);

    std::optional<PublishResult> refusal(const Publication& publication) const;
    void pump();
    void resolve(Ticket& ticket, PublishResult result);
    void lose_in_flight();
    void lose_waiting();
    void go_down();
    void adopt(const Granted& granted);
    bool answer_overdue(Monotonic now) const;
    void notify();

    boost::asio::io_context& loop_;
    Clock& clock_;
    const Logger& log_;
    const MqttOptions options_;
    std::shared_ptr<LinkMailbox> mailbox_;
    std::unique_ptr<LinkWorker> worker_;
    Backoff backoff_;
    Complaint trouble_;
    Complaint overflow_;
    boost::asio::steady_timer pulse_;    // run() waits on it
    boost::asio::steady_timer changed_;  // the callers of changed() wait on it

    State state_ = State::down;
    bool stopping_ = false;
    bool tried_in_vain_ = false;  // the last attempt failed and is over: its client may try again
    bool ended_ = false;
    std::uint32_t serial_ = 0;
    std::uint64_t generation_ = 0;
    Monotonic up_since_{};
    LinkLimits limits_{};
    Granted granted_{};
    std::chrono::seconds keepalive_;
    std::vector<Subscription> subscriptions_;
    std::size_t unanswered_subscriptions_ = 0;
    std::vector<Slot> slots_;
    std::vector<std::uint32_t> free_;
    std::deque<std::shared_ptr<Ticket>> waiting_;
    Numbers numbers_;
};

}  // namespace gwatt::runtime
