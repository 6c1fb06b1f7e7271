#pragma once
// Values as whole steps of a resolution, and back. Pure functions, any thread; seen by proto/codec* only.
#include "proto/reading.hpp"

#include <bit>
#include <cmath>
#include <cstdint>

namespace gwatt::proto {

// value = offset + n * resolution. |n| < 2^51: there a double can tell every step from its neighbours after the two
// roundings of (v - offset) / resolution, so that n comes back whole.
class Scale {
public:
    static constexpr std::int64_t limit = (std::int64_t{1} << 51) - 1;

    Scale(double offset, double resolution) : offset_(offset), resolution_(resolution) {}

    // Nearest step, ties to even. False: not finite, or too many steps.
    bool steps(double value, std::int64_t& n) const {
        const double x = (value - offset_) / resolution_;
        if (!(std::fabs(x) <= static_cast<double>(limit))) return false;
        // Adding 1.5 * 2^52 leaves the rounded integer in the low bits of the significand: one addition, also on cores
        // without an instruction that converts to 64-bit integers.
        n = std::bit_cast<std::int64_t>(x + magic) - std::bit_cast<std::int64_t>(magic);
        return true;
    }

    static bool valid(std::int64_t n) { return n >= -limit && n <= limit; }
    double value(std::int64_t n) const {
        const double whole = std::bit_cast<double>(n + std::bit_cast<std::int64_t>(magic)) - magic;
        return offset_ + whole * resolution_;
    }

private:
    static constexpr double magic = 6755399441055744.0;
    double offset_, resolution_;
};

// Times as whole steps: nearest, ties away from zero. step > 0.
inline std::int64_t to_time_steps(Duration time, Duration step) {
    const std::int64_t t = time.count(), half = step.count() / 2;
    return (t >= 0 ? t + half : t - half) / step.count();
}

// Scale of a power in Live: the sensor's own, where it measures power in steps, else 0.01 W.
inline Scale live_scale(const Sensor& sensor) {
    if (sensor.quantity == Quantity::power && sensor.resolution > 0) return {sensor.offset, sensor.resolution};
    return {0, 0.01};
}

}  // namespace gwatt::proto
