#pragma once
// The two ways to look without publishing: `check` asks the drivers whether they take their options, `--once` reads every
// sensor once and prints a table. Both return the program's exit status.
#include "agent/config.hpp"

#include <iosfwd>

namespace gwatt::agent {

// Opens nothing and touches no hardware. 0, or 78 with a line for each mistake on `errors`.
int check(const AgentConfig& config, std::ostream& out, std::ostream& errors);

// 0, or 69 where a bus could not be read.
int once(const AgentConfig& config, std::ostream& out, std::ostream& errors);

}  // namespace gwatt::agent
