#pragma once
// A broker in the test's own loop that does what a test says: withholds answers, refuses, disconnects in mid flight,
// grants what it likes. Speaks enough of MQTT 5 and 3.1.1 for one client. Loop thread; must not outlive the io_context.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace gwatt::test {

// What a test turns; read when a packet arrives.
struct ScriptedBehaviour {
    std::uint8_t connack = 0;          // reason; 3.1.1: return code
    std::string connack_properties{};  // MQTT 5, as bytes
    std::uint8_t suback = 1;
    // Reason of the answer to the n-th PUBLISH (from 0) since the start; no value: none.
    std::function<std::optional<std::uint8_t>(std::uint64_t n)> puback{};  // empty: all succeed
    std::optional<std::uint64_t> cut_at{};         // closes the connection on the n-th PUBLISH, once
    std::optional<std::uint8_t> say_disconnect{};  // with cut_at: DISCONNECT with this reason before
    bool silent = false;                           // reads, and answers nothing at all
};

class ScriptedBroker {
public:
    explicit ScriptedBroker(boost::asio::io_context& loop);
    ~ScriptedBroker();

    struct Seen {
        std::uint64_t connections = 0, disconnects = 0, pings = 0;
        std::vector<std::string> topics;    // of every PUBLISH, in order
        std::uint64_t unanswered = 0;       // QoS 1, now
        std::uint64_t most_unanswered = 0;  // ever
        std::vector<std::string> filters;   // of every SUBSCRIBE
        std::uint16_t keepalive = 0;        // of the last CONNECT
        std::string connect;                // the last CONNECT's body
    };

    ScriptedBehaviour& behaviour() { return state_->behaviour; }
    const Seen& seen() const { return state_->seen; }
    std::uint16_t port() const { return port_; }
    void answer_withheld(std::uint8_t reason = 0);  // the PUBACKs kept back on the connection at hand
    void send(const std::string& bytes);            // raw, on the connection at hand
    void cut();

    // One packet PUBLISH with QoS 0, for send().
    static std::string publish(bool v5, const std::string& topic, const std::string& payload);

private:
    struct Connection;
    struct State {
        ScriptedBehaviour behaviour;
        Seen seen;
        std::shared_ptr<Connection> now;
        bool over = false;
    };
    static boost::asio::awaitable<void> accept(boost::asio::ip::tcp::acceptor acceptor, std::shared_ptr<State> state);
    static boost::asio::awaitable<void> serve(std::shared_ptr<Connection> connection, std::shared_ptr<State> state);
    static void handle(Connection& connection, State& state, std::uint8_t type, const std::string& body);
    static void handle_publish(Connection& connection, State& state, std::uint8_t type, const std::string& body);

    std::shared_ptr<State> state_;
    std::uint16_t port_ = 0;
};

}  // namespace gwatt::test
