#pragma once
// The command line of gwatt-fleet. Start-up only.
#include <optional>
#include <string>

namespace gwatt::fleet {

struct Command {
    enum class Do { run, check, top };
    Do what = Do::run;
    std::string site;    // empty: none, with top only
    std::string broker;  // in place of the site file's
    bool once = false;
    double wait_seconds = 5;
};

// Nothing where the program is to end at once (--help, --version, a mistake, said already), with `exit_status` set.
std::optional<Command> parse_command(int argc, const char* const* argv, int& exit_status);

}  // namespace gwatt::fleet
