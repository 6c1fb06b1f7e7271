#pragma once
// The manual of a driver's options, from its table.
#include "drivers/runner/plugin.hpp"

#include <string>

namespace gwatt::drivers::check {

std::string manual(const Plugin& plugin);

}  // namespace gwatt::drivers::check
