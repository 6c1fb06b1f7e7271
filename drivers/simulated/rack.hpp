#pragma once
// What a simulated rack can be asked: its sensors, and the value of each at a time. Pure but for the list; one thread.
#include "drivers/abi/driver.hpp"
#include "drivers/simulated/load.hpp"

#include <cstdint>
#include <vector>

namespace gwatt::drivers::simulated {

struct RackOptions {
    std::uint32_t psus = 6, gpus = 0;
    double efficiency = 0.96;
    double noise = 0;        // W, standard deviation on power
    double energy_wrap = 0;  // J
    Duration window{};       // of average, minimum, maximum; 0: these sensors are not there
    bool rack_meter = false;
    std::uint64_t seed = 1;
};

class Rack {
public:
    Rack(const RackOptions& options, const Load& load, double start_s);

    std::span<const gwatt_sensor> sensors() { return list_.list(); }
    std::uint32_t size() const { return static_cast<std::uint32_t>(cells_.size()); }
    // In the sensor's unit and steps. t in s on the host's clock.
    double value(std::uint32_t sensor, double t) const;
    // One more sensor at the end, or one less.
    void change();

private:
    enum class What : std::uint8_t {
        power,
        voltage,
        current,
        temperature,
        fan,
        energy,
        average,
        minimum,
        maximum,
        utilisation,
        constant,
    };
    struct Cell {
        What what;
        double share;  // of the rack's load, losses included
        double volts;
    };
    void add_psu(std::uint32_t i);
    void add_gpu(std::uint32_t i);
    void add_statistics(const std::string& part, double share);
    void add(What what, double share, double volts, SensorSpec spec);
    double exact(std::uint32_t sensor, const Cell& cell, double t) const;
    double extreme(const Cell& cell, double t, bool highest) const;

    RackOptions options_;
    Load load_;
    double start_;
    bool extra_ = false;
    std::vector<Cell> cells_;
    SensorList list_;
};

}  // namespace gwatt::drivers::simulated
