#include "fleet/command.hpp"

#include <CLI/CLI.hpp>

namespace gwatt::fleet {

std::optional<Command> parse_command(int argc, const char* const* argv, int& exit_status) {
    constexpr int usage = 64;  // sysexits.h: EX_USAGE
    Command out;
    CLI::App app("gwatt-fleet: adds up what racks publish over MQTT, with coverage and error");
    app.set_version_flag("--version", "gwatt-fleet " GWATT_VERSION);
    app.add_option("-s,--site", out.site, "site file: broker, expected racks, windows, metrics");
    app.add_option("--broker", out.broker, "HOST or HOST:PORT in place of the site file's");
    const auto* check = app.add_subcommand("check", "say what is wrong with the site file, and end")->fallthrough();
    auto* top = app.add_subcommand("top", "show fleet, sites and racks in the terminal")->fallthrough();
    top->add_flag("--once", out.once, "one plain table, then end; also where the output is no terminal");
    top->add_option("--wait", out.wait_seconds, "with --once: seconds to wait for every rack at most")
        ->check(CLI::Range(1, 3600));
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        exit_status = app.exit(error) == 0 ? 0 : usage;
        return {};
    }
    out.what = *check ? Command::Do::check : *top ? Command::Do::top : Command::Do::run;
    if (out.site.empty() && out.what != Command::Do::top) {
        std::cerr << "gwatt-fleet: --site is required (see --help)\n";
        exit_status = usage;
        return {};
    }
    return out;
}

}  // namespace gwatt::fleet
