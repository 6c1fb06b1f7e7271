#include "agent/command.hpp"

#include <CLI/CLI.hpp>

namespace gwatt::agent {

std::optional<Command> parse_command(int argc, const char* const* argv, int& exit_status) {
    constexpr int usage = 64;  // sysexits.h: EX_USAGE
    CLI::App app("gwatt-agent: reads a rack's power and publishes it over MQTT");
    Command command;
    bool once = false;
    app.add_option("-c,--config", command.config, "configuration file")->capture_default_str();
    app.add_flag("--once", once, "read every sensor once, print a table, end; needs no broker");
    app.set_version_flag("--version", "gwatt-agent " GWATT_VERSION);
    const CLI::App* check =
        app.add_subcommand("check", "say what is wrong with the configuration, and end")->fallthrough();
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        exit_status = app.exit(error) == 0 ? 0 : usage;
        return {};
    }
    if (*check && once) {
        std::cerr << "check and --once exclude each other\n";
        exit_status = usage;
        return {};
    }
    command.what = *check ? Command::Do::check : once ? Command::Do::once : Command::Do::run;
    return command;
}

}  // namespace gwatt::agent
