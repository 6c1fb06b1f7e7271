#include "tests/support/relay.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>

namespace gwatt::test {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);
}

struct Relay::Pair {
    explicit Pair(tcp::socket c) : client(std::move(c)), broker(client.get_executor()) {}
    tcp::socket client;
    tcp::socket broker;
    void close() {
        boost::system::error_code ignored;
        for (tcp::socket* socket : {&client, &broker}) {
            socket->set_option(asio::socket_base::linger(true, 0), ignored);
            socket->close(ignored);
        }
    }
};

Relay::Relay(asio::io_context& loop, std::uint16_t to_port) : state_(std::make_shared<State>()) {
    state_->to = to_port;
    tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    port_ = acceptor.local_endpoint().port();
    asio::co_spawn(loop, accept(std::move(acceptor), state_), asio::detached);
}

Relay::~Relay() {
    state_->over = true;
    cut();
}

void Relay::cut() {
    for (const auto& weak : std::exchange(state_->pairs, {})) {
        if (const auto pair = weak.lock()) {
            pair->close();
        }
    }
}

asio::awaitable<void> Relay::accept(tcp::acceptor acceptor, std::shared_ptr<State> state) {
    for (;;) {
        auto [error, socket] = co_await acceptor.async_accept(as_value);
        if (error || state->over) {
            co_return;
        }
        ++state->connections;
        if (state->refuse) {
            continue;
        }
        const auto pair = std::make_shared<Pair>(std::move(socket));
        state->pairs.push_back(pair);
        asio::co_spawn(acceptor.get_executor(), open(pair, state->to), asio::detached);
    }
}

asio::awaitable<void> Relay::open(std::shared_ptr<Pair> pair, std::uint16_t to) {
    auto [error] = co_await pair->broker.async_connect({asio::ip::address_v4::loopback(), to}, as_value);
    if (error) {
        pair->close();
        co_return;
    }
    asio::co_spawn(pair->client.get_executor(), pump(pair, true), asio::detached);
    asio::co_spawn(pair->client.get_executor(), pump(pair, false), asio::detached);
}

asio::awaitable<void> Relay::pump(std::shared_ptr<Pair> pair, bool up) {
    tcp::socket& from = up ? pair->client : pair->broker;
    tcp::socket& to = up ? pair->broker : pair->client;
    std::array<char, 16384> buffer{};
    for (;;) {
        auto [error, size] = co_await from.async_read_some(asio::buffer(buffer), as_value);
        if (!error) {
            auto [write_error, written] = co_await asio::async_write(to, asio::buffer(buffer.data(), size), as_value);
            error = write_error;
        }
        if (error) {
            pair->close();
            co_return;
        }
    }
}

}  // namespace gwatt::test
