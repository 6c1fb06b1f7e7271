#pragma once
// A driver's table driven in this process, with a host whose time the test moves: no plugin, no runner, no waiting.
#include "drivers/abi/driver.hpp"
#include "drivers/runner/option_values.hpp"
#include "drivers/runner/plugin.hpp"

#include <cstdint>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

namespace gwatt::test {

struct ManualHost {
    std::int64_t now = 1'000'000'000'000;
    std::int64_t tick = 0;  // what each look at the clock costs
    std::vector<std::string> lines;

    gwatt_host table() {
        gwatt_host made{};
        made.size = sizeof made;
        made.self = this;
        made.now_ns = [](void* self) {
            return static_cast<ManualHost*>(self)->now += static_cast<ManualHost*>(self)->tick;
        };
        made.wait = [](void* self, std::int32_t, std::int32_t, std::int64_t deadline) {
            auto* host = static_cast<ManualHost*>(self);
            if (deadline > host->now) host->now = deadline;
            return std::int32_t{GWATT_WAIT_TIMEOUT};
        };
        made.log = [](void* self, std::int32_t, const char* text) {
            static_cast<ManualHost*>(self)->lines.emplace_back(text);
        };
        return made;
    }
};

class OpenBus {
public:
    OpenBus(const gwatt_driver* driver, ManualHost& host, std::vector<std::pair<std::string, std::string>> options)
        : host_(host), table_(host.table()) {
        char why[256];
        if (!drivers::accept_table(driver, nullptr, plugin_, why, sizeof why)) {
            text = why;
            return;
        }
        std::vector<drivers::OptionPair> pairs;
        for (const auto& [name, value] : options) pairs.push_back({name, value});
        const auto complain = [](void* self, std::string_view option, const char* what) {
            static_cast<OpenBus*>(self)->text += std::string(option) + ": " + what + "\n";
        };
        if (!values_.parse(plugin_, pairs, "/", complain, this)) return;
        gwatt_error error = fresh();
        result = plugin_.table.open(&table_, values_.values().data(),
                                    static_cast<std::uint32_t>(values_.values().size()), &bus_, &error);
        text = error.text;
        if (error.option >= 0) option = drivers::option_at(plugin_, static_cast<std::uint32_t>(error.option)).name;
        if (result == GWATT_OK) look();
    }
    ~OpenBus() {
        if (bus_ != nullptr) plugin_.table.close(bus_);
    }
    OpenBus(const OpenBus&) = delete;
    OpenBus& operator=(const OpenBus&) = delete;

    // Asks `sensors`, copies ids.
    void look() {
        const gwatt_sensor* list = nullptr;
        std::uint32_t count = 0;
        gwatt_error error = fresh();
        result = plugin_.table.sensors(bus_, &list, &count, &error);
        sensors.clear();
        ids.clear();
        for (std::uint32_t i = 0; i < count; ++i) {
            sensors.push_back(drivers::sensor_at(list, drivers::sensor_stride(list), i));
            ids.emplace_back(sensors.back().id);
        }
    }

    // Reads every sensor; samples by sensor index (one each).
    std::int32_t read(std::int64_t time_for_it = 1'000'000'000) {
        std::vector<std::uint32_t> wanted(ids.size());
        std::iota(wanted.begin(), wanted.end(), 0U);
        samples.assign(ids.size() * 4, gwatt_sample{});
        std::uint32_t used = 0;
        gwatt_error error = fresh();
        result = plugin_.table.read(bus_, wanted.data(), static_cast<std::uint32_t>(wanted.size()), samples.data(),
                                    static_cast<std::uint32_t>(samples.size()), &used, host_.now + time_for_it, &error);
        text = error.text;
        samples.resize(used);
        return result;
    }
    const gwatt_sample& of(const std::string& id) const {
        for (const gwatt_sample& sample : samples)
            if (ids[sample.sensor] == id) return sample;
        static const gwatt_sample none{0, -1e300, 0, 99};
        return none;
    }
    const gwatt_sensor& sensor(const std::string& id) const {
        for (std::size_t i = 0; i < ids.size(); ++i)
            if (ids[i] == id) return sensors[i];
        static const gwatt_sensor none{};
        return none;
    }

    std::int32_t result = GWATT_BAD_CONFIG;
    std::string text, option;
    std::vector<gwatt_sensor> sensors;
    std::vector<std::string> ids;
    std::vector<gwatt_sample> samples;

private:
    static gwatt_error fresh() {
        gwatt_error error{};
        error.size = sizeof error;
        error.option = -1;
        return error;
    }
    ManualHost& host_;
    gwatt_host table_;
    drivers::Plugin plugin_;
    drivers::OptionValues values_;
    gwatt_bus* bus_ = nullptr;
};

}  // namespace gwatt::test
