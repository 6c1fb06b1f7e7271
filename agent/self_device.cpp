#include "agent/self_device.hpp"

namespace gwatt::agent {

namespace asio = boost::asio;

std::string self_sensor_name(const runtime::Counters::Entry& entry) {
    constexpr std::string_view prefixes[] = {"gwatt_agent_", "gwatt_"};
    std::string_view stem = entry.name;
    for (std::string_view prefix : prefixes)
        if (stem.starts_with(prefix)) {
            stem.remove_prefix(prefix.size());
            break;
        }
    std::string name = "agent.";
    for (const auto& [key, value] : entry.labels) name += value + ".";
    return name.append(stem);
}

SelfDevice::SelfDevice(asio::io_context& loop, const runtime::Clock& clock, const runtime::Counters& counters,
                       std::function<void()> refresh)
    : clock_(clock), refresh_(std::move(refresh)), never_(loop) {
    for (const runtime::Counters::Entry& entry : counters.all()) {
        proto::Sensor sensor;
        sensor.name = self_sensor_name(entry);
        sensor.label = entry.help;
        sensor.part_of = name_;
        sensor.quantity = proto::Quantity::count;
        sensor.kind = entry.kind == runtime::Counters::Kind::counter ? proto::Kind::cumulative : proto::Kind::instant;
        sensor.resolution = 1;
        sensors_.push_back(std::move(sensor));
        values_.push_back(entry.value);
    }
    readings_.reserve(sensors_.size());
}

asio::awaitable<ScanResult> SelfDevice::read(std::span<const std::uint32_t> wanted, runtime::Monotonic) {
    if (refresh_) refresh_();
    readings_.clear();
    const runtime::Monotonic now = clock_.now();
    for (std::uint32_t index : wanted)
        if (index < values_.size())
            readings_.push_back({now, static_cast<double>(*values_[index]), index, proto::Quality::good});
    ++numbers_.reads;
    numbers_.samples += readings_.size();
    co_return ScanResult{proto::Quality::good, {}, readings_};
}

}  // namespace gwatt::agent
