#include "drivers/modbus/port.hpp"

#include <fcntl.h>
#include <linux/serial.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace gwatt::drivers::modbus {

namespace {
std::string because(int error) { return std::string(": ") + std::strerror(error); }

[[noreturn]] void fail_open(const std::string& path, int error) {
    const bool denied = error == EACCES || error == EPERM;
    throw Failure{denied           ? Result::denied
                  : error == EBUSY ? Result::busy
                                   : Result::gone,
                  "cannot open " + path + because(error)};
}

speed_t speed_of(std::uint32_t baud) {
    struct Speed {
        std::uint32_t baud;
        speed_t code;
    };
    constexpr Speed speeds[] = {{1200, B1200},     {2400, B2400},     {4800, B4800},    {9600, B9600},
                                {19200, B19200},   {38400, B38400},   {57600, B57600},  {115200, B115200},
                                {230400, B230400}, {460800, B460800}, {921600, B921600}};
    for (const auto& speed : speeds)
        if (speed.baud == baud) return speed.code;
    throw Failure{Result::bad_config, "found " + std::to_string(baud) + ", expected 1200, 2400, ... 115200, ... 921600",
                  "baud"};
}

void set_line(Host host, int fd, const Settings& settings) {
    const auto speed = speed_of(settings.baud);
    termios line{};
    if (tcgetattr(fd, &line) != 0)
        throw Failure{Result::bad_config, settings.port + " is not a serial line" + because(errno), "port"};
    cfmakeraw(&line);
    line.c_cflag |= CLOCAL | CREAD;
    line.c_cflag &= ~static_cast<tcflag_t>(CRTSCTS | CSTOPB | PARENB | PARODD);
    if (settings.stop_bits == 2) line.c_cflag |= CSTOPB;
    if (settings.parity != profile::Parity::none) line.c_cflag |= PARENB;
    if (settings.parity == profile::Parity::odd) line.c_cflag |= PARODD;
    line.c_cc[VMIN] = 1;  // so that a read of 0 bytes means hung up
    line.c_cc[VTIME] = 0;
    cfsetispeed(&line, speed);
    cfsetospeed(&line, speed);
    // tcsetattr says yes when it could do only a part, and EINVAL when a pty has no parity bit: what counts is what is set.
    if (tcsetattr(fd, TCSANOW, &line) != 0 && errno != EINVAL)
        throw Failure{Result::gone, "cannot set up " + settings.port + because(errno)};
    termios now{};
    if (tcgetattr(fd, &now) != 0 || cfgetospeed(&now) != speed || (now.c_cflag & CSIZE) != CS8 ||
        (now.c_lflag & ICANON) != 0)
        throw Failure{Result::bad_config, settings.port + " cannot do " + std::to_string(settings.baud) + " baud",
                      "baud"};
    if (((now.c_cflag ^ line.c_cflag) & (PARENB | PARODD | CSTOPB)) != 0)
        host.log(Level::info, "the line did not take parity or stop bits (a pty has none): port=" + settings.port);
    tcflush(fd, TCIOFLUSH);
}

void set_rs485(Host host, int fd, const Settings& settings) {
    if (settings.rs485 == Rs485::leave) return;
    serial_rs485 mode{};
    mode.flags =
        SER_RS485_ENABLED | (settings.rs485 == Rs485::rts_on_send ? SER_RS485_RTS_ON_SEND : SER_RS485_RTS_AFTER_SEND);
    if (ioctl(fd, TIOCSRS485, &mode) == 0) return;
    // ENOTTY: the adapter turns the line round itself (most USB ones), or nobody does: time-outs will tell.
    host.log(Level::info,
             "no RS-485 mode in this UART, going on without: port=" + settings.port + " error=" + std::strerror(errno));
}
}  // namespace

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

Descriptor open_tty(Host host, const Settings& settings) {
    Descriptor line(::open(settings.port.c_str(), O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC));
    if (line.get() < 0) fail_open(settings.port, errno);
    if (flock(line.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        throw Failure{Result::busy, settings.port + " is locked by another program"};
    set_line(host, line.get(), settings);
    set_rs485(host, line.get(), settings);
    return line;
}

}  // namespace gwatt::drivers::modbus
