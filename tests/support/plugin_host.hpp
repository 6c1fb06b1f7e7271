#pragma once
// A minimal host in one process, for tests of real plugins on real devices: loads a plugin, opens a bus with options as a
// user writes them, reads it on the real clock. One thread. Not for production: a plugin that hangs hangs the test.
#include "drivers/abi/driver.h"
#include "drivers/runner/option_values.hpp"
#include "drivers/runner/plugin.hpp"

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace gwatt::tests {

struct PluginSensor {
    std::string id;
    gwatt_sensor about;  // its pointers live until close
};

class PluginHost {
public:
    using Log = std::function<void(int level, const char* text)>;

    explicit PluginHost(const std::string& file, Log log = {}) : log_(std::move(log)) {
        char why[256] = "";
        if (!drivers::load_plugin(file.c_str(), nullptr, plugin_, why, sizeof why)) throw std::runtime_error(why);
        host_ = {sizeof(gwatt_host), 0, this, &now_ns, &wait, &log_line};
    }
    PluginHost(const PluginHost&) = delete;
    PluginHost& operator=(const PluginHost&) = delete;
    ~PluginHost() { close(); }

    // The result and text of open; sensors() is filled when it is GWATT_OK.
    std::pair<int, std::string> open(const std::vector<std::pair<std::string, std::string>>& options) {
        close();
        std::vector<drivers::OptionPair> pairs;
        for (const auto& [name, value] : options) pairs.push_back({name, value});
        std::string complaints;
        const auto complain = [](void* to, std::string_view option, const char* text) {
            *static_cast<std::string*>(to) += std::string(option) + ": " + text + "; ";
        };
        if (!values_.parse(plugin_, pairs, "/", complain, &complaints)) return {GWATT_BAD_CONFIG, complaints};
        gwatt_error error = fresh_error();
        const auto result = plugin_.table.open(&host_, values_.values().data(),
                                               static_cast<std::uint32_t>(values_.values().size()), &bus_, &error);
        if (result != GWATT_OK) bus_ = nullptr;
        return result == GWATT_OK ? list() : std::pair{result, std::string(error.text)};
    }
    void close() {
        if (bus_ != nullptr) plugin_.table.close(bus_);
        bus_ = nullptr;
        sensors_.clear();
    }
    const std::vector<PluginSensor>& sensors() const { return sensors_; }

    struct Turn {
        int result = 0;
        std::string error{};
        std::int64_t begun_ns = 0, took_ns = 0;
        unsigned waits = 0;  // calls of host->wait
        std::span<const gwatt_sample> samples{};
    };
    Turn read(std::span<const std::uint32_t> wanted, std::int64_t budget_ns) {
        if (bus_ == nullptr) return {.result = GWATT_GONE, .error = "not open"};
        samples_.resize(wanted.size() * 2);
        gwatt_error error = fresh_error();
        std::uint32_t used = 0;
        waits_ = 0;
        Turn turn{.begun_ns = now_ns(nullptr)};
        turn.result =
            plugin_.table.read(bus_, wanted.data(), static_cast<std::uint32_t>(wanted.size()), samples_.data(),
                               static_cast<std::uint32_t>(samples_.size()), &used, turn.begun_ns + budget_ns, &error);
        turn.took_ns = now_ns(nullptr) - turn.begun_ns;
        turn.error = error.text;
        turn.waits = waits_;
        turn.samples = std::span(samples_).first(used);
        return turn;
    }

private:
    std::pair<int, std::string> list() {
        const gwatt_sensor* first = nullptr;
        std::uint32_t count = 0;
        gwatt_error error = fresh_error();
        const auto result = plugin_.table.sensors(bus_, &first, &count, &error);
        if (result != GWATT_OK || count == 0) return {result == GWATT_OK ? GWATT_BUG : result, error.text};
        for (std::uint32_t i = 0; i < count; ++i) {
            const auto sensor = drivers::sensor_at(first, drivers::sensor_stride(first), i);
            sensors_.push_back({sensor.id, sensor});
        }
        return {GWATT_OK, ""};
    }
    static gwatt_error fresh_error() {
        gwatt_error error{};
        error.size = sizeof error;
        error.option = -1;
        return error;
    }
    static std::int64_t now_ns(void*) {
        timespec now{};
        clock_gettime(CLOCK_MONOTONIC, &now);
        return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
    }
    static std::int32_t wait(void* self, std::int32_t fd, std::int32_t events, std::int64_t deadline_ns) {
        ++static_cast<PluginHost*>(self)->waits_;
        pollfd watched{
            fd, static_cast<short>((events & GWATT_WAIT_READ ? POLLIN : 0) | (events & GWATT_WAIT_WRITE ? POLLOUT : 0)),
            0};
        const auto left = std::max<std::int64_t>(0, deadline_ns - now_ns(nullptr));
        const timespec span{static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
        return ppoll(&watched, fd >= 0 ? 1 : 0, &span, nullptr) > 0 ? GWATT_WAIT_READY : GWATT_WAIT_TIMEOUT;
    }
    static void log_line(void* self, std::int32_t level, const char* text) {
        if (const auto& log = static_cast<PluginHost*>(self)->log_) log(level, text);
    }

    Log log_;
    drivers::Plugin plugin_;
    drivers::OptionValues values_;
    gwatt_host host_{};
    gwatt_bus* bus_ = nullptr;
    unsigned waits_ = 0;
    std::vector<PluginSensor> sensors_;
    std::vector<gwatt_sample> samples_;
};

}  // namespace gwatt::tests
