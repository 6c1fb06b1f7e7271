#include "drivers/modbus/port.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace gwatt::drivers::modbus {

namespace {
struct Address {
    std::string host, service = "502";
};

// HOST, HOST:PORT, [V6], [V6]:PORT; a bare V6 has more than one colon.
Address split(const std::string& port) {
    Address made;
    std::string rest;
    if (port.starts_with('[') && port.find(']') != std::string::npos) {
        made.host = port.substr(1, port.find(']') - 1);
        rest = port.substr(port.find(']') + 1);
    } else {
        const auto colon = port.find(':');
        const bool one = colon != std::string::npos && port.find(':', colon + 1) == std::string::npos;
        made.host = one ? port.substr(0, colon) : port;
        if (one) rest = port.substr(colon);
    }
    unsigned number = 0;
    const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), number);
    const bool good = rest.empty() || (rest[0] == ':' && error == std::errc{} && end == rest.data() + rest.size() &&
                                       number > 0 && number < 65536);
    if (made.host.empty() || !good)
        throw Failure{Result::bad_config, "found \"" + port + "\", expected a tty, HOST, HOST:PORT or [V6]:PORT",
                      "port"};
    if (!rest.empty()) made.service = rest.substr(1);
    return made;
}

using Found = std::unique_ptr<addrinfo, void (*)(addrinfo*)>;

Found resolve(const Address& address, const std::string& port) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    for (const int flags : {AI_NUMERICHOST | AI_NUMERICSERV, AI_NUMERICSERV}) {
        hints.ai_flags = flags;
        const int error = getaddrinfo(address.host.c_str(), address.service.c_str(), &hints, &found);
        if (error == 0) return {found, &freeaddrinfo};
        if (flags == AI_NUMERICSERV) throw Failure{Result::gone, "cannot resolve " + port + ": " + gai_strerror(error)};
    }
    return {nullptr, &freeaddrinfo};
}

// 0, or why not.
int connect_one(Host host, const addrinfo& to, Instant deadline, Descriptor& out) {
    Descriptor made(::socket(to.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (made.get() < 0) return errno;
    const int on = 1;
    setsockopt(made.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(made.get(), SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    if (::connect(made.get(), to.ai_addr, to.ai_addrlen) != 0) {
        if (errno != EINPROGRESS) return errno;
        const auto waited = host.wait(made.get(), GWATT_WAIT_WRITE, deadline);
        if (waited != Wait::ready) return waited == Wait::cancelled ? ECANCELED : ETIMEDOUT;
        int error = 0;
        socklen_t size = sizeof error;
        if (getsockopt(made.get(), SOL_SOCKET, SO_ERROR, &error, &size) != 0 || error != 0)
            return error == 0 ? errno : error;
    }
    out = std::move(made);
    return 0;
}
}  // namespace

Descriptor connect_tcp(Host host, const std::string& port, Duration limit) {
    const auto found = resolve(split(port), port);
    const auto deadline = host.now() + limit;
    int error = ETIMEDOUT;
    for (const auto* to = found.get(); to != nullptr && host.now() < deadline && error != ECANCELED; to = to->ai_next) {
        Descriptor made;
        error = connect_one(host, *to, deadline, made);
        if (error == 0) return made;
    }
    throw Failure{error == ETIMEDOUT ? Result::timeout : Result::gone,
                  "cannot connect to " + port + ": " + std::strerror(error)};
}

std::string peer_of(int fd) {
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    char host[NI_MAXHOST] = "", service[NI_MAXSERV] = "";
    const auto* address = reinterpret_cast<const sockaddr*>(&peer);
    if (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) return {};
    if (peer.ss_family != AF_INET && peer.ss_family != AF_INET6) return {};
    if (getnameinfo(address, size, host, sizeof host, service, sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) != 0)
        return {};
    return peer.ss_family == AF_INET6 ? "[" + std::string(host) + "]:" + service : std::string(host) + ":" + service;
}

}  // namespace gwatt::drivers::modbus
