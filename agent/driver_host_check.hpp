#pragma once
// Asks a driver whether it takes a bus's options, for `gwatt-agent check`: starts its runner, opens nothing, touches no
// hardware. Blocks for at most some seconds: not for the loop.
#include "agent/bus.hpp"

#include <string>
#include <vector>

namespace gwatt::agent {

struct OptionMistake {
    std::string option;  // as the user wrote it, or the missing one; empty: it is not an option that is wrong
    std::string
        text;  // "found 3, expected a duration like 250ms ..."; "psu is no option of driver x; did you mean psus?"
};

// Empty when everything is right.
std::vector<OptionMistake> check_bus(const BusConfig& config, const DriverHostPaths& paths);

}  // namespace gwatt::agent
