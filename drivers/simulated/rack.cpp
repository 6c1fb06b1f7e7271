#include "drivers/simulated/rack.hpp"

#include <algorithm>
#include <cmath>

namespace gwatt::drivers::simulated {
namespace {

constexpr double input_volts = 277, output_volts = 50, gpu_volts = 12;
constexpr double ambient = 25;

SensorSpec spec(std::string id, gwatt_quantity quantity, double resolution, double highest) {
    SensorSpec made;
    made.part_of = id.substr(0, id.find('.'));
    made.id = std::move(id);
    made.quantity = quantity;
    made.resolution = resolution;
    made.range_max = highest;
    return made;
}

}  // namespace

Rack::Rack(const RackOptions& options, const Load& load, double start_s)
    : options_(options), load_(load), start_(start_s) {
    if (options.rack_meter) {
        SensorSpec made = spec("meter.input_power", GWATT_QUANTITY_POWER, 1, 1e6);
        made.point = GWATT_POINT_RACK_IN;
        add(What::power, 1 / options.efficiency, input_volts, made);
    }
    for (std::uint32_t i = 0; i < options.psus; ++i) add_psu(i);
    for (std::uint32_t i = 0; i < options.gpus; ++i) add_gpu(i);
    if (cells_.empty()) change();
}

void Rack::add(What what, double share, double volts, SensorSpec made) {
    if (what == What::energy) {
        made.kind = GWATT_KIND_CUMULATIVE;
        made.wraps_at = options_.energy_wrap;
        made.range_max = 0;
    }
    made.basis = GWATT_BASIS_ASSUMED;
    if (made.quantity == GWATT_QUANTITY_POWER || made.quantity == GWATT_QUANTITY_ENERGY)
        made.accuracy = {{0, 1e12, 0.01, 0}};
    cells_.push_back({what, share, volts});
    list_.add(std::move(made));
}

void Rack::add_psu(std::uint32_t i) {
    const std::string psu = "psu" + std::to_string(i);
    // Shares differ by up to 2 % from PSU to PSU and add up to one.
    double all = 0;
    for (std::uint32_t k = 0; k < options_.psus; ++k) all += 1 + 0.04 * (hashed(options_.seed, 100, k) - 0.5);
    const double out = (1 + 0.04 * (hashed(options_.seed, 100, i) - 0.5)) / all;
    const double in = out / options_.efficiency;
    const auto with = [&](SensorSpec made, gwatt_point point) {
        made.point = point;
        made.feed = i % 2 == 0 ? "A" : "B";
        return made;
    };
    add(What::power, in, input_volts,
        with(spec(psu + ".input_power", GWATT_QUANTITY_POWER, 0.125, 8000), GWATT_POINT_PSU_IN));
    add(What::voltage, in, input_volts,
        with(spec(psu + ".input_voltage", GWATT_QUANTITY_VOLTAGE, 0.015625, 320), GWATT_POINT_PSU_IN));
    add(What::current, in, input_volts,
        with(spec(psu + ".input_current", GWATT_QUANTITY_CURRENT, 0.0009765625, 64), GWATT_POINT_PSU_IN));
    add(What::power, out, output_volts,
        with(spec(psu + ".output_power", GWATT_QUANTITY_POWER, 0.125, 8000), GWATT_POINT_PSU_OUT));
    add(What::voltage, out, output_volts,
        with(spec(psu + ".output_voltage", GWATT_QUANTITY_VOLTAGE, 0.0009765625, 64), GWATT_POINT_PSU_OUT));
    add(What::current, out, output_volts,
        with(spec(psu + ".output_current", GWATT_QUANTITY_CURRENT, 0.015625, 512), GWATT_POINT_PSU_OUT));
    add(What::temperature, out, 0, spec(psu + ".temperature", GWATT_QUANTITY_TEMPERATURE, 0.0078125, 120));
    add(What::fan, out, 0, spec(psu + ".fan", GWATT_QUANTITY_ROTATION, 1, 40000));
    add(What::energy, in, input_volts,
        with(spec(psu + ".input_energy", GWATT_QUANTITY_ENERGY, 1, 0), GWATT_POINT_PSU_IN));
    if (options_.window.count() > 0) add_statistics(psu, in);
}

void Rack::add_statistics(const std::string& part, double share) {
    const auto with = [&](const char* suffix, gwatt_kind kind) {
        SensorSpec made = spec(part + suffix, GWATT_QUANTITY_POWER, 0.125, 8000);
        made.kind = kind;
        made.window = options_.window;
        made.point = GWATT_POINT_PSU_IN;
        return made;
    };
    add(What::average, share, input_volts, with(".input_power_average", GWATT_KIND_AVERAGE));
    add(What::minimum, share, input_volts, with(".input_power_minimum", GWATT_KIND_MINIMUM));
    add(What::maximum, share, input_volts, with(".input_power_maximum", GWATT_KIND_MAXIMUM));
}

void Rack::add_gpu(std::uint32_t i) {
    const std::string gpu = "gpu" + std::to_string(i);
    const double share = 0.8 / options_.gpus;  // the rest is CPUs, memory, fans
    const auto at_gpu = [](SensorSpec made) {
        made.point = GWATT_POINT_GPU;
        return made;
    };
    add(What::power, share, gpu_volts, at_gpu(spec(gpu + ".power", GWATT_QUANTITY_POWER, 0.001, 2000)));
    add(What::energy, share, gpu_volts, at_gpu(spec(gpu + ".energy", GWATT_QUANTITY_ENERGY, 0.001, 0)));
    add(What::temperature, share, 0, spec(gpu + ".temperature", GWATT_QUANTITY_TEMPERATURE, 1, 110));
    add(What::utilisation, share, 0, spec(gpu + ".utilisation", GWATT_QUANTITY_RATIO, 0.01, 1));
}

void Rack::change() {
    if (!extra_) {
        add(What::constant, 0, 0, spec("spare.state", GWATT_QUANTITY_STATE, 1, 1));
    } else if (cells_.size() > 1) {
        cells_.pop_back();
        const SensorList all = std::move(list_);
        list_.clear();
        for (std::size_t i = 0; i < cells_.size(); ++i) list_.add(all[i]);
    }
    extra_ = !extra_;
}

double Rack::extreme(const Cell& cell, double t, bool highest) const {
    const double window = std::chrono::duration<double>(options_.window).count();
    double found = load_.power(t);
    for (int i = 1; i <= 32; ++i) {
        const double power = load_.power(t - window * i / 32);
        found = highest ? std::max(found, power) : std::min(found, power);
    }
    return cell.share * found;
}

double Rack::exact(std::uint32_t sensor, const Cell& cell, double t) const {
    const double watts = cell.share * load_.power(t);
    const auto jitter = [&](double sigma) {  // sum of three uniforms has variance 1/4
        const auto tick = static_cast<std::uint64_t>(t * 1000);
        double sum = -1.5;
        for (std::uint64_t k = 0; k < 3; ++k) sum += hashed(options_.seed + k, sensor + 1000, tick);
        return 2 * sigma * sum;
    };
    const double window = std::chrono::duration<double>(options_.window).count();
    const double joules = cell.share * (load_.energy(t) - load_.energy(start_));
    switch (cell.what) {
        case What::power: return std::max(0.0, watts + jitter(options_.noise));
        case What::voltage: return cell.volts + jitter(cell.volts * 0.001);
        case What::current: return watts / cell.volts;
        case What::temperature: return ambient + watts / 100 + jitter(0.1);
        case What::fan: return 8000 + watts + jitter(20);
        case What::energy: return options_.energy_wrap > 0 ? std::fmod(joules, options_.energy_wrap) : joules;
        case What::average: return cell.share * (load_.energy(t) - load_.energy(t - window)) / window;
        case What::minimum: return extreme(cell, t, false);
        case What::maximum: return extreme(cell, t, true);
        case What::utilisation: return std::clamp(0.5 + 0.4 * std::sin(t / 30), 0.0, 1.0);
        case What::constant: return 1;
    }
    return 0;
}

double Rack::value(std::uint32_t sensor, double t) const {
    const double step = list_[sensor].resolution;
    const double found = exact(sensor, cells_[sensor], t);
    // A counter shows what is full, everything else the nearest step.
    return (cells_[sensor].what == What::energy ? std::floor(found / step) : std::round(found / step)) * step;
}

}  // namespace gwatt::drivers::simulated
