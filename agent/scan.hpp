#pragma once
// One read of one bus as the stages behind the sampler see it. A value for the length of a call; loop thread.
#include "proto/reading.hpp"
#include "runtime/clock.hpp"

#include <functional>
#include <span>

namespace gwatt::agent {

struct Scan {
    runtime::Monotonic grid;  // the grid point that this read was made for
    bool realigned = false;   // the wall clock was stepped: this point is not a whole period after the one before
    std::span<const proto::Reading> readings;  // indices of the catalog; several of one sensor: oldest first
};

using ScanSink = std::function<void(const Scan&)>;

}  // namespace gwatt::agent
