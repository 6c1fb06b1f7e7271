#pragma once
// A broker and its network inside one process, for simulations: many clients, topic filters, retained messages, wills,
// and dials for what networks and brokers do wrong. Loop thread only; the broker must outlive its clients.
#include "runtime/mqtt.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace gwatt::test {

// Probabilities are per message, 0 to 1.
struct NetworkDials {
    bool down = false;     // nobody is connected
    double drop = 0;       // acknowledged to the publisher, delivered to nobody (what mosquitto does when killed)
    double lose_ack = 0;   // delivered, but the publisher hears `lost` and will send again
    double duplicate = 0;  // delivered twice
    double reorder = 0;    // held back until up to `reorder_depth` later messages have passed
    std::size_t reorder_depth = 8;
    runtime::Delivery answer = runtime::Delivery::taken;  // what publishers hear
};

class ModelBroker {
public:
    class Client;

    ModelBroker(boost::asio::io_context& loop, std::uint64_t seed) : loop_(loop), random_(seed) {}
    ~ModelBroker();
    ModelBroker(const ModelBroker&) = delete;
    ModelBroker& operator=(const ModelBroker&) = delete;

    // A client that is connected while the network is up and its run() is under way.
    std::unique_ptr<Client> client(std::uint16_t window = 20);

    void set(const NetworkDials& dials);
    const NetworkDials& dials() const { return dials_; }
    void release_held();  // delivers what `reorder` still holds back

    struct Counters {
        std::uint64_t published = 0, delivered = 0, dropped = 0, duplicated = 0, reordered = 0;
    };
    const Counters& counters() const { return counters_; }

private:
    friend class Client;
    struct Message {
        std::string topic, payload;
    };
    bool chance(double probability);
    runtime::PublishResult accept(const runtime::Publication& publication);
    void route(Message message);
    void deliver(const Message& message);

    boost::asio::io_context& loop_;
    std::mt19937_64 random_;
    NetworkDials dials_;
    Counters counters_;
    std::vector<Client*> clients_;
    std::map<std::string, std::string> retained_;
    std::deque<std::pair<std::ptrdiff_t, Message>> held_;  // messages still to pass, message
};

class ModelBroker::Client final : public runtime::Mqtt {
public:
    Client(ModelBroker& broker, std::uint16_t window);
    ~Client() override;

    boost::asio::awaitable<void> run() override;
    void stop() override;
    bool connected() const override { return running_ && !broker_.dials_.down; }
    runtime::LinkLimits limits() const override { return {window_, 268435455}; }
    std::uint64_t connections() const override { return connections_; }
    boost::asio::awaitable<bool> changed() override;
    bool has_room() const override { return connected() && in_flight_ < window_; }
    boost::asio::awaitable<runtime::PublishResult> publish(runtime::Publication publication) override;
    void subscribe(std::string filter, int qos, runtime::MessageHandler handler) override;

private:
    friend class ModelBroker;
    struct Subscription {
        std::string filter;
        runtime::MessageHandler handler;
    };
    void wake();
    void link_changed();
    void take(const Message& message, bool retained);

    ModelBroker& broker_;
    std::uint16_t window_;
    bool running_ = false, stopped_ = false;
    std::uint16_t in_flight_ = 0;
    std::uint64_t connections_ = 0;
    boost::asio::steady_timer wake_;
    std::vector<Subscription> subscriptions_;
};

}  // namespace gwatt::test
