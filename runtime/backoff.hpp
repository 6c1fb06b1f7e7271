#pragma once
// How long to wait before the next try: doubling from `first` to `cap`, each wait drawn from [half, whole] of the step,
// so that a site's agents do not come back in one instant. A value; any thread, no locks. The same seed gives the
// same waits.
#include "runtime/clock.hpp"

#include <cstdint>

namespace gwatt::runtime {

class Backoff {
public:
    // 0 < first <= cap; what is outside is brought inside.
    Backoff(Duration first, Duration cap, std::uint64_t seed);

    Duration next();                                // the wait before the coming try
    void reset();                                   // the last try went well: start from `first` again
    std::uint32_t tries() const { return tries_; }  // calls of next() since the last reset

private:
    std::uint64_t draw();

    Duration first_;
    Duration cap_;
    Duration step_;
    std::uint32_t tries_ = 0;
    std::uint64_t state_;
};

// A seed that differs between processes and machines.
std::uint64_t random_seed();

}  // namespace gwatt::runtime
