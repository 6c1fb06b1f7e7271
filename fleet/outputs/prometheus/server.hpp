#pragma once
// Serves one page over HTTP/1.1 (Boost.Beast): GET and HEAD of /metrics. Loop thread; the page must outlive it. Bounded:
// so many connections, so large a request, so long a wait; the page's bytes are shared by all who read them.
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace gwatt::fleet {

using Page = std::function<std::shared_ptr<const std::string>()>;

class MetricsServer {
public:
    static constexpr std::size_t most_connections = 32;
    static constexpr std::size_t longest_request = 8192;  // bytes, headers and all
    static constexpr std::chrono::seconds longest_wait{15};

    // Throws boost::system::system_error where the address cannot be taken. port 0: any free one.
    MetricsServer(boost::asio::io_context& loop, const std::string& address, std::uint16_t port, Page page);

    boost::asio::awaitable<void> run();  // until cancelled or stopped
    void stop();
    std::uint16_t port() const { return port_; }

    struct Numbers {
        std::uint64_t requests = 0;
        std::uint64_t refused = 0;  // connections above the limit
    };
    const Numbers& numbers() const { return numbers_; }

private:
    boost::asio::awaitable<void> serve(boost::asio::ip::tcp::socket socket);

    boost::asio::ip::tcp::acceptor acceptor_;
    Page page_;
    std::uint16_t port_;
    std::size_t connections_ = 0;
    Numbers numbers_;
};

}  // namespace gwatt::fleet
