#include "fleet/outputs/prometheus/server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>

#include <array>
#include <utility>

namespace gwatt::fleet {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;

namespace {
constexpr auto as_value = asio::as_tuple(asio::use_awaitable);

struct Answer {
    std::string head;
    std::shared_ptr<const std::string> body;
};

std::string head_of(std::string_view status, std::string_view type, std::size_t length, bool keep_alive,
                    std::string_view more = {}) {
    std::string head = "HTTP/1.1 ";
    head.append(status).append("\r\nServer: gwatt-fleet/" GWATT_VERSION "\r\nContent-Type: ").append(type);
    head.append("\r\nContent-Length: ").append(std::to_string(length)).append(more);
    return head.append(keep_alive ? "\r\n\r\n" : "\r\nConnection: close\r\n\r\n");
}

Answer plain(std::string_view status, std::string_view text, bool keep_alive, std::string_view more = {}) {
    auto body = std::make_shared<const std::string>(text);
    return {head_of(status, "text/plain; charset=utf-8", body->size(), keep_alive, more), body};
}

Answer answer(const http::request<http::empty_body>& request, const Page& page) {
    const bool keep_alive = request.keep_alive();
    if (request.method() != http::verb::get && request.method() != http::verb::head)
        return plain("405 Method Not Allowed", "GET only\n", keep_alive, "\r\nAllow: GET, HEAD");
    auto target = std::string_view(request.target().data(), request.target().size());
    target = target.substr(0, target.find('?'));
    Answer out;
    if (target == "/metrics") {
        out.body = page();
        out.head = head_of("200 OK", "text/plain; version=0.0.4; charset=utf-8", out.body->size(), keep_alive);
    } else if (target == "/") {
        out = plain("200 OK", "gwatt-fleet " GWATT_VERSION ": see /metrics\n", keep_alive);
    } else {
        out = plain("404 Not Found", "see /metrics\n", keep_alive);
    }
    if (request.method() == http::verb::head) out.body = std::make_shared<const std::string>();
    return out;
}

struct Counted {
    explicit Counted(std::size_t& count) : count_(count) { ++count_; }
    ~Counted() { --count_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    std::size_t& count_;
};

tcp::endpoint endpoint_of(const std::string& address, std::uint16_t port) {
    boost::system::error_code error;
    const auto parsed = asio::ip::make_address(address, error);
    if (error) throw boost::system::system_error(error, "metrics address " + address);
    return {parsed, port};
}
}  // namespace

MetricsServer::MetricsServer(asio::io_context& loop, const std::string& address, std::uint16_t port, Page page)
    : acceptor_(loop, endpoint_of(address, port)), page_(std::move(page)), port_(acceptor_.local_endpoint().port()) {}

void MetricsServer::stop() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
}

asio::awaitable<void> MetricsServer::run() {
    auto executor = co_await asio::this_coro::executor;
    while (acceptor_.is_open()) {
        auto [error, socket] = co_await acceptor_.async_accept(as_value);
        if (error == asio::error::operation_aborted) co_return;
        if (error) {  // out of descriptors, for one: wait rather than spin
            asio::steady_timer pause(executor, std::chrono::milliseconds(100));
            auto [cancelled] = co_await pause.async_wait(as_value);
            if (cancelled) co_return;
            continue;
        }
        if (connections_ >= most_connections) {
            ++numbers_.refused;
            continue;
        }
        asio::co_spawn(executor, serve(std::move(socket)), asio::detached);
    }
}

asio::awaitable<void> MetricsServer::serve(tcp::socket socket) {
    const Counted counted(connections_);
    beast::tcp_stream stream(std::move(socket));
    beast::flat_buffer buffer(longest_request);
    for (;;) {
        http::request_parser<http::empty_body> parser;
        parser.header_limit(longest_request);
        stream.expires_after(longest_wait);
        auto [read_error, read] = co_await http::async_read(stream, buffer, parser, as_value);
        if (read_error) break;
        ++numbers_.requests;
        const bool keep_alive = parser.get().keep_alive();
        const Answer reply = answer(parser.get(), page_);
        const std::array<asio::const_buffer, 2> parts{asio::buffer(reply.head), asio::buffer(*reply.body)};
        stream.expires_after(longest_wait);
        auto [write_error, written] = co_await asio::async_write(stream, parts, as_value);
        if (write_error || !keep_alive) break;
    }
    boost::system::error_code ignored;
    stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
}

}  // namespace gwatt::fleet
