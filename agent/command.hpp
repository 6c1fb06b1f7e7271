#pragma once
// The command line of gwatt-agent. Start-up only.
#include <optional>
#include <string>

namespace gwatt::agent {

struct Command {
    enum class Do { run, check, once };
    Do what = Do::run;
    std::string config = "/etc/gwatt/agent.toml";
};

// Nothing where the program is to end at once (--help, --version, a mistake, said already), with `exit_status` set.
std::optional<Command> parse_command(int argc, const char* const* argv, int& exit_status);

}  // namespace gwatt::agent
