#pragma once
// What a driver must leave as it found it: descriptors, threads, memory, environment, directory, umask, locale, signals.
#include "drivers/check/report.hpp"

#include <csignal>
#include <cstddef>
#include <string>
#include <vector>

namespace gwatt::drivers::check {

struct ProcessState {
    std::size_t descriptors = 0, threads = 0;
    std::size_t memory = 0;  // bytes handed out by malloc; 0 where that cannot be known (sanitizers)
    std::string directory, locale;
    unsigned umask = 0;
    std::vector<std::string> environment;
    std::vector<void (*)(int)> handlers;
};
ProcessState look_at_process();

// Duties D18 and D19: what must not have changed at all.
void compare_manners(const ProcessState& before, const ProcessState& after, Report& report);

}  // namespace gwatt::drivers::check
