#pragma once
// What every test of the link needs: a loop that runs until something is so, a log that is kept, publications with their
// outcomes. Declare brokers and links after the House.
#include "runtime/mqtt_link.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace gwatt::test {

using namespace std::chrono_literals;
namespace asio = boost::asio;
using runtime::Delivery;
using runtime::Duration;
using runtime::MqttLink;
using runtime::MqttOptions;
using runtime::MqttProtocol;
using runtime::Publication;
using runtime::PublishResult;

// Short times, one broker on loopback.
MqttOptions options_for(std::uint16_t port, const std::string& client_id, MqttProtocol protocol = MqttProtocol::v5);

struct House {
    asio::io_context loop;
    runtime::SystemClock clock{loop};
    std::vector<std::string> lines;
    runtime::Logger log{runtime::LogLevel::debug,
                        [this](runtime::LogLevel, std::string_view line) { lines.emplace_back(line); }};

    // Runs the loop until `so` or the time is over; says whether it was so.
    bool until(const std::function<bool()>& so, Duration most = 20s);
    void for_a_while(Duration d) {
        until([] { return false; }, d);
    }
    bool logged(const std::string& part) const;
};

// A link under way, with everything that was published and received on it.
struct Party {
    Party(House& house, MqttOptions options);
    ~Party();
    Party(const Party&) = delete;
    Party& operator=(const Party&) = delete;

    void listen(const std::string& filter, int qos = 1);  // before run()
    void run();
    void publish(Publication publication);
    void publish_many(std::size_t count, const std::string& topic, std::size_t size = 16);
    bool connect();  // run() and wait
    bool stop();     // and wait for the end of run()

    std::size_t outcomes(Delivery delivery) const;

    House& house;
    MqttLink link;
    bool ended = false;
    std::vector<PublishResult> results;  // in order of their coming
    struct Received {
        std::string topic, payload;
        bool retained, duplicate;
    };
    std::vector<Received> received;
};

asio::awaitable<void> run_link(MqttLink& link, bool& ended);
asio::awaitable<void> publish_on(MqttLink& link, Publication publication, std::vector<PublishResult>& results);

}  // namespace gwatt::test
