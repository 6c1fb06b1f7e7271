#include "runtime/backoff.hpp"

#include <algorithm>
#include <random>

namespace gwatt::runtime {

Backoff::Backoff(Duration first, Duration cap, std::uint64_t seed)
    : first_(std::max(first, Duration(1))), cap_(std::max(cap, first_)), step_(first_), state_(seed) {}

// SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): eight bytes of state, and the same numbers on every platform.
std::uint64_t Backoff::draw() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
}

Duration Backoff::next() {
    const Duration half = step_ / 2;
    const auto spread = static_cast<std::uint64_t>((step_ - half).count()) + 1;
    const Duration wait = half + Duration(static_cast<Duration::rep>(draw() % spread));
    step_ = step_ > cap_ / 2 ? cap_ : step_ * 2;
    ++tries_;
    return wait;
}

void Backoff::reset() {
    step_ = first_;
    tries_ = 0;
}

std::uint64_t random_seed() {
    std::random_device device;
    return (static_cast<std::uint64_t>(device()) << 32U) | device();
}

}  // namespace gwatt::runtime
