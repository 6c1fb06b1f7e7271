#include "tests/support/scripted_broker.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>

namespace gwatt::test {

namespace asio = boost::asio;
using asio::ip::tcp;

namespace {

constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

std::string byte(unsigned value) { return std::string(1, static_cast<char>(value)); }
std::string two(unsigned value) { return byte(value >> 8U) + byte(value & 0xffU); }
std::uint16_t two_at(const std::string& s, std::size_t at) {
    return at + 1 < s.size() ? static_cast<std::uint16_t>((static_cast<unsigned char>(s[at]) << 8) |
                                                          static_cast<unsigned char>(s[at + 1]))
                             : 0;
}

std::string packet(unsigned type, const std::string& body) {
    std::string head = byte(type);
    std::size_t rest = body.size();
    do {
        head += byte(static_cast<unsigned>(rest % 128 + (rest >= 128 ? 128 : 0)));
        rest /= 128;
    } while (rest > 0);
    return head + body;
}

}  // namespace

struct ScriptedBroker::Connection {
    explicit Connection(tcp::socket s) : socket(std::move(s)) {}
    tcp::socket socket;
    bool v5 = true;
    bool deaf = false;  // has said its last
    std::vector<std::uint16_t> withheld;

    // Blocking, but only while the kernel's buffer is full: the packets here are small.
    void write(const std::string& bytes) {
        boost::system::error_code ignored;
        asio::write(socket, asio::buffer(bytes), ignored);
    }
    void puback(std::uint16_t id, std::uint8_t reason) {
        write(packet(0x40, two(id) + (v5 && reason != 0 ? byte(reason) : "")));
    }
};

ScriptedBroker::ScriptedBroker(asio::io_context& loop) : state_(std::make_shared<State>()) {
    tcp::acceptor acceptor(loop, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    port_ = acceptor.local_endpoint().port();
    asio::co_spawn(loop, accept(std::move(acceptor), state_), asio::detached);
}

ScriptedBroker::~ScriptedBroker() {
    state_->over = true;
    cut();
}

asio::awaitable<void> ScriptedBroker::accept(tcp::acceptor acceptor, std::shared_ptr<State> state) {
    for (;;) {
        auto [error, socket] = co_await acceptor.async_accept(as_value);
        if (error || state->over) {
            co_return;
        }
        ++state->seen.connections;
        state->seen.unanswered = 0;
        state->now = std::make_shared<Connection>(std::move(socket));
        asio::co_spawn(acceptor.get_executor(), serve(state->now, state), asio::detached);
    }
}

asio::awaitable<void> ScriptedBroker::serve(std::shared_ptr<Connection> connection, std::shared_ptr<State> state) {
    for (;;) {
        std::string head(1, '\0');
        auto [error, n] = co_await asio::async_read(connection->socket, asio::buffer(head), as_value);
        std::size_t length = 0;
        for (unsigned shift = 0; !error && shift < 28; shift += 7) {
            std::string digit(1, '\0');
            auto [digit_error, m] = co_await asio::async_read(connection->socket, asio::buffer(digit), as_value);
            error = digit_error;
            length |= (static_cast<unsigned char>(digit[0]) & 0x7fU) << shift;
            if ((static_cast<unsigned char>(digit[0]) & 0x80U) == 0) {
                break;
            }
        }
        std::string body(length, '\0');
        if (!error && length > 0) {
            auto [body_error, m] = co_await asio::async_read(connection->socket, asio::buffer(body), as_value);
            error = body_error;
        }
        if (error || state->over) {
            co_return;
        }
        if (!state->behaviour.silent && !connection->deaf) {
            handle(*connection, *state, static_cast<std::uint8_t>(head[0]), body);
        }
    }
}

void ScriptedBroker::handle(Connection& connection, State& state, std::uint8_t type, const std::string& body) {
    const ScriptedBehaviour& behaviour = state.behaviour;
    switch (type >> 4U) {
        case 1: {
            connection.v5 = body.size() > 6 && body[6] == 5;
            state.seen.keepalive = two_at(body, 8);
            state.seen.connect = body;
            std::string answer = byte(0) + byte(behaviour.connack);
            if (connection.v5) {
                answer +=
                    byte(static_cast<unsigned>(behaviour.connack_properties.size())) + behaviour.connack_properties;
            }
            connection.write(packet(0x20, answer));
            break;
        }
        case 3: handle_publish(connection, state, type, body); break;
        case 8: {
            const std::size_t at = connection.v5 ? 3 + static_cast<unsigned char>(body[2]) : 2;
            state.seen.filters.push_back(body.substr(at + 2, two_at(body, at)));
            connection.write(packet(0x90, body.substr(0, 2) + (connection.v5 ? byte(0) : "") + byte(behaviour.suback)));
            break;
        }
        case 12:
            ++state.seen.pings;
            connection.write(packet(0xd0, ""));
            break;
        case 14: ++state.seen.disconnects; break;
        default: break;
    }
}

void ScriptedBroker::handle_publish(Connection& connection, State& state, std::uint8_t type, const std::string& body) {
    Seen& seen = state.seen;
    ScriptedBehaviour& behaviour = state.behaviour;
    const std::uint64_t n = seen.topics.size();
    seen.topics.push_back(body.substr(2, two_at(body, 0)));
    if (behaviour.cut_at && n >= *behaviour.cut_at) {
        if (behaviour.say_disconnect) {
            connection.write(packet(0xe0, byte(*behaviour.say_disconnect) + byte(0)));
        }
        behaviour.cut_at.reset();
        connection.deaf = true;
        boost::system::error_code ignored;
        connection.socket.shutdown(tcp::socket::shutdown_send,
                                   ignored);  // close() would reset and discard the DISCONNECT
        return;
    }
    if ((type & 0x06U) == 0) {
        return;
    }
    seen.most_unanswered = std::max(seen.most_unanswered, ++seen.unanswered);
    const std::uint16_t id = two_at(body, 2U + two_at(body, 0));
    const auto reason = behaviour.puback ? behaviour.puback(n) : std::optional<std::uint8_t>(0);
    if (reason) {
        --seen.unanswered;
        connection.puback(id, *reason);
    } else {
        connection.withheld.push_back(id);
    }
}

void ScriptedBroker::answer_withheld(std::uint8_t reason) {
    for (const std::uint16_t id : std::exchange(state_->now->withheld, {})) {
        --state_->seen.unanswered;
        state_->now->puback(id, reason);
    }
}

void ScriptedBroker::send(const std::string& bytes) { state_->now->write(bytes); }

void ScriptedBroker::cut() {
    if (state_->now) {
        boost::system::error_code ignored;
        state_->now->socket.close(ignored);
    }
}

std::string ScriptedBroker::publish(bool v5, const std::string& topic, const std::string& payload) {
    return packet(0x30, two(static_cast<unsigned>(topic.size())) + topic + (v5 ? byte(0) : "") + payload);
}

}  // namespace gwatt::test
