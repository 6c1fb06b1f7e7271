#include "tests/support/standard_rack.hpp"

#include "proto/codec.hpp"
#include "tests/support/standard_rack_table.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace gwatt::test {

using namespace std::chrono_literals;
using proto::Quality;

namespace {

constexpr auto boot_instant = proto::Monotonic(86'400s * 30);  // the board has been up for a month
// PSU inputs: a cut through the rack that covers every load once.
bool is_of_total(const proto::Sensor& sensor) { return sensor.name.ends_with(".input_power"); }

// Books whole joules for a gap, known to 10 %.
void estimate(proto::Live::Point& point, double joules) {
    const auto whole = static_cast<std::uint64_t>(std::max(joules, 0.0)), bound = whole / 10;
    point.estimated_mj += whole * 1000;
    point.estimated_low_mj += (whole - bound) * 1000;
    point.estimated_high_mj += (whole + bound) * 1000;
}

constexpr auto utc_at_boot = proto::Utc(1'790'000'000s) - boot_instant.time_since_epoch();

}  // namespace

StandardRack::StandardRack() {
    catalog_.site = "dc-frankfurt-2";
    catalog_.agent = "h03-r12-rack-07";
    catalog_.rating_watts = 140'000;
    catalog_.software = "gwatt-agent " GWATT_VERSION;
    add_group(fast, 1s);
    add_group(slow, 10s);
    for (const bool of_total : {true, false})
        for (std::uint32_t i = 0; i < catalog_.groups[fast].count; ++i)
            if (catalog_.sensors[i].quantity == Quantity::power && is_of_total(catalog_.sensors[i]) == of_total)
                catalog_.energy_points.push_back(i);
    catalog_.header.boot = 0x5eed5eed5eed5eed;
    catalog_.header.catalog = proto::catalog_hash(catalog_);
    live_.points.resize(catalog_.energy_points.size());
    for (auto& point : live_.points) {
        point.epoch = 1;
        point.energy_mj = static_cast<std::uint64_t>(uniform() * 3e7 * 1e6);  // up to a year of a kilowatt
        // Every point has had gaps in its time: up to 200 s of a kilowatt.
        estimate(point, std::floor(uniform() * 2e5));
    }
    for (const std::uint32_t group : {fast, slow}) {
        time_[group] = boot_instant;
        data_[group].group = group;
        data_[group].period = catalog_.groups[group].period;
        data_[group].samples = group == fast ? 10 : 6;
        data_[group].grid_bound = 5ms;
        const std::size_t cells = std::size_t{data_[group].samples} * catalog_.groups[group].count;
        data_[group].values.resize(cells);
        data_[group].scan_offset.resize(catalog_.groups[group].count);
    }
}

void StandardRack::add_group(std::uint32_t group, proto::Duration period) {
    const auto first = static_cast<std::uint32_t>(catalog_.sensors.size());
    std::uint32_t bus = 0, kind = group * 1000;
    for (const RackModel& model : rack_models) {
        for (std::uint32_t device = 0; device < model.number; ++device)
            add_device(model, device, group, bus + device / model.per_bus, kind);
        bus += (model.number + model.per_bus - 1) / model.per_bus;
        kind += 100;
    }
    catalog_.groups.push_back({period, first, static_cast<std::uint32_t>(catalog_.sensors.size()) - first});
}

void StandardRack::add_device(const RackModel& model, std::uint32_t device, std::uint32_t group, std::uint32_t bus,
                              std::uint32_t kind) {
    for (const SensorModel& row : group == fast ? model.fast : model.slow) {
        proto::Sensor sensor;
        sensor.part_of = model.name + std::to_string(device);
        sensor.name = "bus" + std::to_string(bus) + "." + sensor.part_of + "." + row.id;
        sensor.quantity = row.quantity;
        sensor.point = model.point;
        sensor.resolution = row.resolution;
        catalog_.sensors.push_back(sensor);
        // Sampled every 10 s, a walk has gone sqrt(10) times as far as in one.
        const double walk = row.quantity == Quantity::energy ? row.walk * (group == fast ? 1 : 10)
                                                             : row.walk * (group == fast ? 1 : std::sqrt(10.0));
        const double level = row.low + uniform() * (row.high - row.low);
        const std::uint32_t asked = device / model.per_answer;
        signals_.push_back({kind++, bus, bus * 1000 + asked, level, walk, row.noise, row.low, row.high,
                            row.quantity == Quantity::energy});
    }
}

// splitmix64 (Steele, Lea, Flood 2014) and Box-Muller: the same numbers with every standard library.
double StandardRack::uniform() {
    std::uint64_t z = random_ += 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

double StandardRack::normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
}

double StandardRack::sample(std::uint32_t sensor) {
    Signal& signal = signals_[sensor];
    const double resolution = catalog_.sensors[sensor].resolution;
    if (signal.counts) return std::nearbyint((signal.level += signal.walk) / resolution) * resolution;
    const double reach = 3 * (signal.high - signal.low);
    signal.level += signal.walk * normal();
    if (signal.walk > 0) signal.level = std::clamp(signal.level, signal.low - reach, signal.high + reach);
    return std::nearbyint((signal.level + signal.noise * normal()) / resolution) * resolution;
}

void StandardRack::header(proto::Header& to, proto::Stream stream, proto::Monotonic now) {
    to.boot = catalog_.header.boot;
    to.catalog = catalog_.header.catalog;
    to.sequence = 500'000 + ++sequence_[static_cast<std::size_t>(stream)];
    const auto sent = 180us + std::chrono::nanoseconds(static_cast<std::int64_t>(uniform() * 1e6));
    to.clock.monotonic = now + sent;
    to.clock.utc = utc_at_boot + to.clock.monotonic.time_since_epoch();
    to.clock.state = proto::ClockState::ntp;
    to.clock.offset = std::chrono::nanoseconds(static_cast<std::int64_t>(normal() * 80e3));
    to.clock.bound = 1500us;
}

// One device in 1000 misses a scan; one bus in 50 messages is late by some tens of milliseconds for one scan.
void StandardRack::spoil(proto::Data& data) {
    const std::uint32_t first = catalog_.groups[data.group].first, count = catalog_.groups[data.group].count;
    data.quality.assign(data.values.size(), Quality::good);
    data.off_grid.clear();
    const bool late = uniform() < 1.0 / 50;
    const auto late_bus = signals_[first + static_cast<std::uint32_t>(uniform() * count)].bus;
    const auto late_scan = static_cast<std::uint32_t>(uniform() * data.samples);
    for (std::uint32_t s = 0; s < count; ++s) {
        const Signal& signal = signals_[first + s];
        const bool same_device = s > 0 && signal.device == signals_[first + s - 1].device;
        for (std::uint32_t k = 0; k < data.samples; ++k) {
            const std::size_t cell = std::size_t{s} * data.samples + k;
            if (same_device)
                data.quality[cell] = data.quality[cell - data.samples];
            else if (uniform() < 1.0 / 1000)
                data.quality[cell] = Quality::timeout;
            if (late && signal.bus == late_bus && k == late_scan)
                data.off_grid.push_back({static_cast<std::uint32_t>(cell), 37ms});
        }
        // Devices of a bus are asked one after the other, 12 ms each, and a little differently every time.
        const bool first_of_bus = s == 0 || signals_[first + s - 1].bus != signal.bus;
        const auto jitter = std::chrono::nanoseconds(static_cast<std::int64_t>(normal() * 300e3));
        data.scan_offset[s] = same_device    ? data.scan_offset[s - 1]
                              : first_of_bus ? 4ms + jitter
                                             : data.scan_offset[s - 1] + 12ms + jitter;
    }
}

const proto::Data& StandardRack::next(std::uint32_t group) {
    proto::Data& data = data_[group];
    const std::uint32_t first = catalog_.groups[group].first, count = catalog_.groups[group].count;
    data.start = time_[group];
    time_[group] += data.period * data.samples;
    for (std::uint32_t s = 0; s < count; ++s)
        for (std::uint32_t k = 0; k < data.samples; ++k)
            data.values[std::size_t{s} * data.samples + k] = sample(first + s);
    spoil(data);
    header(data.header, proto::Stream::data, time_[group]);
    return data;
}

const proto::Live& StandardRack::live(std::uint32_t k) {
    const proto::Data& data = data_[fast];
    live_.start = data.start + data.period * k;
    live_.interval = data.period;
    header(live_.header, proto::Stream::live, live_.start + live_.interval);
    for (std::size_t i = 0; i < live_.points.size(); ++i) {
        proto::Live::Point& point = live_.points[i];
        const std::uint32_t sensor = catalog_.energy_points[i];
        const std::size_t cell = std::size_t{sensor} * data.samples + k;
        point.quality = data.quality[cell];
        point.samples = has_value(point.quality) ? 1 : 0;
        const double watts = data.values[cell];
        if (point.samples == 0) {
            estimate(point, std::floor(watts));
            continue;
        }
        point.energy_mj += static_cast<std::uint64_t>(watts * 1000);
        point.mean = point.min = point.max = watts;
        point.as_of = live_.start + data.scan_offset[sensor];
    }
    return live_;
}

}  // namespace gwatt::test
