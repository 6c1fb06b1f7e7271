#pragma once
// A TCP relay in the test's own loop, between a client and a broker: the network, with its faults. Loop thread; must not
// outlive the io_context.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace gwatt::test {

class Relay {
public:
    Relay(boost::asio::io_context& loop, std::uint16_t to_port);
    ~Relay();

    std::uint16_t port() const { return port_; }
    void cut();                                    // resets all connections, as a broken network does (RST)
    void refuse(bool on) { state_->refuse = on; }  // new connections are closed at once
    std::uint64_t connections() const { return state_->connections; }

private:
    struct Pair;
    struct State {
        std::uint16_t to = 0;
        bool refuse = false, over = false;
        std::uint64_t connections = 0;
        std::vector<std::weak_ptr<Pair>> pairs;
    };
    static boost::asio::awaitable<void> accept(boost::asio::ip::tcp::acceptor acceptor, std::shared_ptr<State> state);
    static boost::asio::awaitable<void> open(std::shared_ptr<Pair> pair, std::uint16_t to);
    static boost::asio::awaitable<void> pump(std::shared_ptr<Pair> pair, bool up);

    std::shared_ptr<State> state_;
    std::uint16_t port_ = 0;
};

}  // namespace gwatt::test
