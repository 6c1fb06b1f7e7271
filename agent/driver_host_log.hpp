#pragma once
// Log lines of one driver: cleaned, named after their bus, a repeated line said rarely, a flood cut off. Loop thread.
// Logger, Clock and BusConfig must outlive it.
#include "agent/bus.hpp"
#include "drivers/runner/frame.hpp"
#include "runtime/log.hpp"

#include <cstdint>
#include <string>

namespace gwatt::agent {

class DriverHostLog {
public:
    DriverHostLog(const runtime::Logger& log, const runtime::Clock& clock, const BusConfig& config)
        : log_(log), clock_(clock), config_(config) {}

    // A `log` frame's body. False when this is no log line, or so many that the runner cannot be in its senses (it limits
    // itself to 20 at once and one in ten seconds).
    bool take(drivers::frame::Bytes body);

private:
    bool allowed();

    static constexpr double burst = 200;  // ten times what an honest runner sends
    static constexpr double a_second = 1;
    static constexpr runtime::Duration silence = std::chrono::minutes(10);  // for the same line again

    const runtime::Logger& log_;
    const runtime::Clock& clock_;
    const BusConfig& config_;
    std::string last_;
    std::uint64_t repeats_ = 0;
    runtime::Monotonic said_{}, counted_{};
    double left_ = burst;
};

}  // namespace gwatt::agent
