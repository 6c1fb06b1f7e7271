// gwatt-trace-replay: runs a power trace through agents and a fleet program in virtual time and prints its total.
#include "tests/simulation/traces/golden.hpp"
#include "tests/simulation/traces/replay.hpp"

#include <unistd.h>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <iostream>

namespace {

using namespace gwatt;

void print(const test::ReplayResult& r, const std::optional<test::Golden>& golden) {
    const auto kwh = [](double joules) { return joules / 3.6e6; };
    std::printf("nodes                %llu (%llu samples, %.1f s)\n", static_cast<unsigned long long>(r.nodes),
                static_cast<unsigned long long>(r.samples), r.seconds);
    std::printf(
        "messages             %llu received = %llu used + %llu late + %llu duplicate + %llu rejected; %llu missing\n",
        static_cast<unsigned long long>(r.received), static_cast<unsigned long long>(r.used),
        static_cast<unsigned long long>(r.late), static_cast<unsigned long long>(r.duplicates),
        static_cast<unsigned long long>(r.rejected), static_cast<unsigned long long>(r.missing));
    std::printf("measured             %.4f kWh\n", kwh(r.measured_joules));
    std::printf("estimated            %.4f kWh (between %.4f and %.4f; %llu gaps)\n", kwh(r.estimated_joules),
                kwh(r.estimated_low), kwh(r.estimated_high), static_cast<unsigned long long>(r.gaps));
    std::printf("total                %.4f kWh\n", kwh(r.joules()));
    std::printf("trapezoid of file    %.4f kWh (total %+.5f %%)\n", kwh(r.trapezoid_joules),
                100 * (r.joules() / r.trapezoid_joules - 1));
    if (golden) {
        std::printf("published total      %.2f kWh (total %+.4f %%)\n", golden->kwh,
                    100 * (kwh(r.joules()) / golden->kwh - 1));
    }
}

}  // namespace

int main(int count, char** arguments) {
    CLI::App app{
        "Runs a power trace (CSV `node,time_ms,watts`, plain or .xz) through one gwatt-agent a node and a "
        "gwatt-fleet,\n"
        "in virtual time, and prints the total beside the file's own trapezoid.",
        "gwatt-trace-replay"};
    std::string file, second, golden_file;
    std::string point = "psu_in", second_point = "psu_out";
    double gap = 5;
    test::ReplayOptions options;
    const std::map<std::string, proto::Point> points{{"rack_in", proto::Point::rack_in},
                                                     {"psu_in", proto::Point::psu_in},
                                                     {"psu_out", proto::Point::psu_out},
                                                     {"busbar", proto::Point::busbar}};
    app.add_option("trace", file, "The trace")->required();
    app.add_option("--point", point, "What its watts measure")->check(CLI::IsMember(points))->capture_default_str();
    app.add_option("--also", second,
                   "The same nodes at another point, published beside the first: never added to the total");
    app.add_option("--also-point", second_point, "What its watts measure")
        ->check(CLI::IsMember(points))
        ->capture_default_str();
    app.add_option("--gap", gap, "Seconds without a sample from which energy is estimated")
        ->check(CLI::Range(1.0, 3600.0))
        ->capture_default_str();
    app.add_option("--golden", golden_file, "golden_totals.csv: prints the published total of this trace beside ours");
    app.add_option("--drop", options.network.drop, "Share of messages lost behind the broker")
        ->check(CLI::Range(0.0, 1.0));
    app.add_option("--duplicate", options.network.duplicate, "Share of messages delivered twice")
        ->check(CLI::Range(0.0, 1.0));
    app.add_option("--reorder", options.network.reorder, "Share of messages delivered late")
        ->check(CLI::Range(0.0, 1.0));
    app.add_option("--lose-ack", options.network.lose_ack, "Share of acknowledgements lost")
        ->check(CLI::Range(0.0, 0.9));
    app.add_option("--seed", options.seed, "Of the network's dice")->capture_default_str();
    CLI11_PARSE(app, count, arguments);
    try {
        const auto trace = test::read_trace(file);
        test::Trace other;
        if (!second.empty()) {
            other = test::read_trace(second);
            options.second = &other;
        }
        options.point = points.at(point);
        options.second_point = points.at(second_point);
        options.gap = std::chrono::duration_cast<proto::Duration>(std::chrono::duration<double>(gap));
        if (isatty(STDERR_FILENO)) {
            options.progress = [](double done) { std::fprintf(stderr, "\r%3.0f %%", 100 * done); };
        }
        std::optional<test::Golden> golden;
        if (!golden_file.empty()) {
            golden = test::golden_of(golden_file, file);
        }
        const auto result = test::replay(trace, options);
        if (options.progress) {
            std::fprintf(stderr, "\r      \r");
        }
        print(result, golden);
        return result.books_balance && result.rejected == 0 ? 0 : 70;
    } catch (const std::exception& error) {
        std::cerr << "gwatt-trace-replay: " << error.what() << '\n';
        return 66;
    }
}
