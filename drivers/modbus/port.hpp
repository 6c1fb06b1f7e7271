#pragma once
// Opens the tty or the TCP connection of a bus: a non-blocking descriptor, ready to be written to. Throws Failure. Waits
// only in host.wait, but for a name that must be resolved.
#include "drivers/modbus/settings.hpp"

#include <utility>

namespace gwatt::drivers::modbus {

class Descriptor {
public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor();
    int get() const { return fd_; }

private:
    int fd_;
};

// Raw 8-bit line with the settings' speed, parity and stop bits; RS-485 where asked for and possible; locked (flock).
Descriptor open_tty(Host host, const Settings& settings);
// Within `limit`; tries each address of the host.
Descriptor connect_tcp(Host host, const std::string& port, Duration limit);
// The other end as connect_tcp takes it, in numbers: connecting there again needs no name server. Empty where it has none.
std::string peer_of(int fd);

}  // namespace gwatt::drivers::modbus
