#pragma once
// A Modbus line in virtual time: the host's clock and wait, and the devices on the other end of a socket pair. Devices answer
// after their latency plus the time their bytes take on the line. Dials per unit; nothing sleeps. One thread.
#include "drivers/abi/driver.hpp"
#include "drivers/modbus/bus.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace gwatt::tests {

using namespace gwatt::drivers;
using namespace gwatt::drivers::modbus;
using Bytes = std::vector<std::uint8_t>;

struct Device {
    std::map<std::uint16_t, std::uint16_t> registers{};  // what is not here reads as its address
    std::set<std::uint16_t> refused{};                   // any of them in a request: ILLEGAL DATA ADDRESS
    bool silent = false;
    std::uint8_t exception = 0;  // to every request
    Duration latency = std::chrono::milliseconds(10);
    int damage = 0;  // so many of the next replies have a wrong CRC
    Bytes before{};  // comes right before each reply
};

struct Asked {
    std::uint8_t unit;
    std::uint16_t first, count;
    friend bool operator==(const Asked&, const Asked&) = default;
};

// What the program allocates outside of the line's own work (allocation_test.cpp counts).
struct Allocations {
    static inline std::size_t count = 0;
    static inline int in_host = 0;
};
struct InHost {
    InHost() { ++Allocations::in_host; }
    ~InHost() { --Allocations::in_host; }
};

class LineDouble {
public:
    LineDouble() : host_{sizeof(gwatt_host), 0, this, &now_ns, &wait, &log_line} {}
    ~LineDouble() { hang_up(); }

    Host host() { return Host{&host_}; }
    // What the bus opens; a new line each time.
    Descriptor open() {
        hang_up();
        int ends[2] = {-1, -1};
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0) return Descriptor{};
        far_ = ends[1];
        ++opened;
        return Descriptor{ends[0]};
    }
    void hang_up() {
        if (far_ >= 0) ::close(far_);
        far_ = -1;
        pending_.clear();
    }

    std::map<std::uint8_t, Device> devices;
    std::vector<Asked> asked;
    std::vector<std::string> logged;
    std::int64_t now = 1'000'000'000'000;
    std::uint32_t baud = 19200;
    int opened = 0;
    bool cancel = false;
    Framing framing = Framing::rtu;

    std::size_t asked_of(std::uint8_t unit) const {
        return static_cast<std::size_t>(
            std::count_if(asked.begin(), asked.end(), [&](const Asked& a) { return a.unit == unit; }));
    }
    bool has_logged(const std::string& part) const {
        return std::any_of(logged.begin(), logged.end(),
                           [&](const auto& line) { return line.find(part) != std::string::npos; });
    }

private:
    struct Pending {
        std::int64_t when;
        Bytes bytes;
    };

    void answer(const Bytes& request) {
        const std::size_t head = framing == Framing::tcp ? 6 : 0;
        const auto* pdu = request.data() + head;
        const Asked asks{pdu[0], static_cast<std::uint16_t>(pdu[2] << 8 | pdu[3]),
                         static_cast<std::uint16_t>(pdu[4] << 8 | pdu[5])};
        asked.push_back(asks);
        const auto found = devices.find(asks.unit);
        if (found == devices.end() || found->second.silent) return;
        auto& device = found->second;
        Bytes reply{asks.unit, pdu[1], static_cast<std::uint8_t>(2 * asks.count)};
        auto exception = device.exception;
        for (unsigned i = 0; i < asks.count; ++i) {
            const auto at = static_cast<std::uint16_t>(asks.first + i);
            if (device.refused.contains(at)) exception = illegal_data_address;
            const auto held = device.registers.find(at);
            const auto value = held == device.registers.end() ? at : held->second;
            reply.push_back(static_cast<std::uint8_t>(value >> 8));
            reply.push_back(static_cast<std::uint8_t>(value));
        }
        if (exception != 0) reply = {asks.unit, static_cast<std::uint8_t>(pdu[1] | 0x80), exception};
        if (framing == Framing::tcp) {
            const Bytes mbap{request[0], request[1], 0, 0, 0, static_cast<std::uint8_t>(reply.size())};
            reply.insert(reply.begin(), mbap.begin(), mbap.end());
        } else {
            const auto crc = static_cast<std::uint16_t>(crc16(reply) ^ (device.damage > 0 ? 0x0100 : 0));
            reply.push_back(static_cast<std::uint8_t>(crc));
            reply.push_back(static_cast<std::uint8_t>(crc >> 8));
            device.damage -= device.damage > 0 ? 1 : 0;
        }
        reply.insert(reply.begin(), device.before.begin(), device.before.end());
        pending_.push_back({now + line_ns(8 + reply.size(), baud) + device.latency.count(), reply});
    }
    void take_requests() {
        const std::size_t length = framing == Framing::tcp ? 12 : 8;
        Bytes request(length);
        while (far_ >= 0 && ::recv(far_, request.data(), length, MSG_DONTWAIT) == static_cast<ssize_t>(length))
            answer(request);
    }
    // Lets time go on to the next reply that comes by `until`. False if there is none.
    bool deliver(std::int64_t until) {
        const auto next = std::min_element(pending_.begin(), pending_.end(),
                                           [](const auto& a, const auto& b) { return a.when < b.when; });
        if (next == pending_.end() || next->when > until) return false;
        now = std::max(now, next->when);
        if (far_ >= 0 && ::send(far_, next->bytes.data(), next->bytes.size(), MSG_NOSIGNAL) < 0) return false;
        pending_.erase(next);
        return true;
    }
    bool readable(int fd) const {
        char byte = 0;
        const auto n = ::recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        return n >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
    }
    std::int32_t wait_for(int fd, int events, std::int64_t until) {
        if (cancel) return GWATT_WAIT_CANCELLED;
        take_requests();
        if (fd < 0)
            while (deliver(until)) {}
        else if ((events & GWATT_WAIT_WRITE) != 0 || readable(fd) || deliver(until))
            return GWATT_WAIT_READY;
        now = std::max(now, until);
        return GWATT_WAIT_TIMEOUT;
    }

    static LineDouble& of(void* self) { return *static_cast<LineDouble*>(self); }
    static std::int64_t now_ns(void* self) {
        return of(self).now += 1000;
    }  // a microsecond for each look: no loop without end
    static std::int32_t wait(void* self, std::int32_t fd, std::int32_t events, std::int64_t until) {
        const InHost here;
        return of(self).wait_for(fd, events, until);
    }
    static void log_line(void* self, std::int32_t, const char* text) { of(self).logged.emplace_back(text); }

    gwatt_host host_;
    int far_ = -1;
    std::vector<Pending> pending_;
};

// A bus on such a line, read turn by turn.
class BusOnLine {
public:
    BusOnLine(LineDouble& line, const std::string& profile_text, const std::string& units,
              const std::function<void(Settings&)>& change = {})
        : line_(line),
          bus_(line.host(), make(line, profile_text, units, change),
               [&line](Host, const Settings&, Duration) { return line.open(); }) {
        for (std::uint32_t i = 0; i < bus_.sensors().size(); ++i) {
            all.push_back(i);
            index_[bus_.sensors()[i].id] = i;
        }
    }
    Result read(Duration budget = std::chrono::seconds(1)) { return read(all, budget); }
    Result read(const std::vector<std::uint32_t>& wanted, Duration budget) {
        line_.asked.clear();
        samples.resize(2 * all.size() + 4);
        std::uint32_t used = 0;
        gwatt_error error{};
        error.size = sizeof error;
        Samples out(samples.data(), static_cast<std::uint32_t>(samples.size()), &used);
        begun = line_.now;
        const auto result = bus_.read(wanted, out, Instant{Duration{line_.now + budget.count()}}, Error{&error});
        took = Duration{line_.now - begun};
        text = error.text;
        samples.resize(used);
        return result;
    }
    // The one sample of a sensor in the last turn; nothing where there is none or more than one.
    const gwatt_sample* sample(const std::string& id) const {
        const gwatt_sample* found = nullptr;
        for (const auto& s : samples)
            if (s.sensor == index_.at(id)) {
                if (found != nullptr) return nullptr;
                found = &s;
            }
        return found;
    }
    double value(const std::string& id) const {
        const auto* s = sample(id);
        return s != nullptr && s->quality < 16 ? s->value : -1e99;
    }
    int quality(const std::string& id) const {
        return sample(id) == nullptr ? -1 : static_cast<int>(sample(id)->quality);
    }
    std::span<const gwatt_sensor> sensors() { return bus_.sensors(); }

    std::vector<std::uint32_t> all;
    std::vector<gwatt_sample> samples;
    std::int64_t begun = 0;
    Duration took{};
    std::string text;

private:
    static Settings make(const LineDouble& line, const std::string& profile_text, const std::string& units,
                         const std::function<void(Settings&)>& change) {
        Settings settings;
        auto loaded = profile::parse(profile_text, "test.toml");
        if (!loaded.profile) throw std::runtime_error(loaded.mistakes.front());
        settings.profiles.push_back(*loaded.profile);
        settings.port = "/dev/test";
        settings.tty = line.framing == Framing::rtu;
        settings.framing = line.framing;
        settings.baud = line.baud;
        unsigned n = 0;
        for (const auto address : profile::parse_units(units)) {
            settings.units.push_back({address, 0, profile::fill_in(loaded.profile->unit_name, n, address), ""});
            ++n;
        }
        if (change) change(settings);
        return settings;
    }
    LineDouble& line_;
    Bus bus_;
    std::map<std::string, std::uint32_t> index_;
};

}  // namespace gwatt::tests
