#include "drivers/simulated/load.hpp"

#include <cmath>
#include <numbers>

namespace gwatt::drivers::simulated {

double hashed(std::uint64_t seed, std::uint64_t a, std::uint64_t b) {
    std::uint64_t z = seed + a * 0x9e3779b97f4a7c15 + b * 0xd1b54a32d192ed03 + 0x9e3779b97f4a7c15;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    z ^= z >> 31;
    return static_cast<double>(z >> 11) * 0x1p-53;
}

Load::Load(Shape shape, double watts, double swing, double period_s, std::uint64_t seed)
    : shape_(shape), watts_(watts), swing_(swing), period_(period_s) {
    // The walk is a sum of tones whose periods have no common multiple within years; weights fall as 1/f does.
    constexpr std::array<double, tones> ratio = {1.0, 2.6180, 6.8541, 17.944, 46.979};
    used_ = shape == Shape::walk ? tones : 1;
    double sum = 0;
    for (std::size_t k = 0; k < used_; ++k) sum += weight_[k] = 1 / std::sqrt(ratio[k]);
    for (std::size_t k = 0; k < used_; ++k) {
        weight_[k] /= sum;
        omega_[k] = 2 * std::numbers::pi * ratio[k] / period_;
        phase_[k] = 2 * std::numbers::pi * hashed(seed, k + 1);
    }
}

double Load::sines(double t, bool integral) const {
    double sum = 0;
    for (std::size_t k = 0; k < used_; ++k) {
        const double angle = omega_[k] * t + phase_[k];
        sum += weight_[k] * (integral ? (std::cos(phase_[k]) - std::cos(angle)) / omega_[k] : std::sin(angle));
    }
    return sum;
}

double Load::power(double t) const {
    if (shape_ == Shape::constant) return watts_;
    if (shape_ == Shape::square) return watts_ * (std::fmod(t, period_) < period_ / 2 ? 1 + swing_ : 1 - swing_);
    return watts_ * (1 + swing_ * sines(t, false));
}

double Load::energy(double t) const {
    if (shape_ == Shape::constant) return watts_ * t;
    if (shape_ == Shape::square) {
        const double within = std::fmod(t, period_);
        return watts_ * (t + swing_ * (within < period_ / 2 ? within : period_ - within));
    }
    return watts_ * (t + swing_ * sines(t, true));
}

}  // namespace gwatt::drivers::simulated
