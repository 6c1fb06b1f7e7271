#pragma once
// The load of a simulated rack as a function of time, with its exact integral: what a perfect energy counter shows, so
// that tests can say how far another way of counting is off. Pure values, any thread.
#include <array>
#include <cstdint>

namespace gwatt::drivers::simulated {

// A number in [0, 1) that follows from its inputs alone (splitmix64 of Steele, Lea, Flood 2014).
double hashed(std::uint64_t seed, std::uint64_t a, std::uint64_t b = 0);

enum class Shape : std::uint8_t { constant, square, sine, walk };

class Load {
public:
    // watts: mean; swing: part of it that the shape adds or takes at most; period_s: of the shape's slowest part.
    Load(Shape shape, double watts, double swing, double period_s, std::uint64_t seed);

    double power(double t) const;   // W, t in s
    double energy(double t) const;  // J, from 0 to t

private:
    static constexpr std::size_t tones = 5;
    double sines(double t, bool integral) const;

    Shape shape_;
    double watts_, swing_, period_;
    std::size_t used_ = 1;  // tones of the sum
    std::array<double, tones> weight_{}, omega_{}, phase_{};
};

}  // namespace gwatt::drivers::simulated
