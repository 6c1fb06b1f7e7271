// Real runs of 64 nodes (MLPerf Training 4.0, see the traces' README) against the totals that their submitter published.
#include "tests/simulation/traces/golden.hpp"
#include "tests/simulation/traces/replay.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdio>
#include <fstream>

using namespace gwatt;
using test::replay;
using test::ReplayOptions;

namespace {

double relative(double a, double b) { return std::abs(a / b - 1); }

std::filesystem::path smc() {
    const auto folder = test::trace_folder();
    return folder.empty() ? folder : folder / "smc-64x8xH100";
}

bool skipped(const std::filesystem::path& folder) {
    if (std::filesystem::is_directory(folder)) {
        return false;
    }
    MESSAGE("SKIPPED: no real traces here; set GWATT_TRACES to their folder");
    return true;
}

// A tolerance for each workload: LoRA's gaps of 9 to 20 s leave 0.7 % open in the file itself.
double tolerance(const std::string& workload) { return workload == "gpt3" ? 0.0002 : 0.009; }

test::Trace made_up_trace() {
    test::Trace trace;
    for (int node = 0; node < 5; ++node) {
        auto& samples = trace[std::to_string(node)];
        for (std::int64_t t = 0; t < 300'000; t += 1900 + 37 * node) {
            samples.push_back(
                {1'700'000'000'000 + t + 11 * node, 3000 + 500 * std::sin(static_cast<double>(t) / 9000 + node)});
        }
    }
    return trace;
}

}  // namespace

TEST_CASE("published totals come out, AC and DC apart, measured and estimated apart") {
    const auto folder = smc();
    if (skipped(folder)) {
        return;
    }
    for (const auto& golden : test::read_golden(folder / "golden_totals.csv")) {
        CAPTURE(golden.trace_file());
        const auto trace = test::read_trace(folder / golden.trace_file());
        ReplayOptions options;
        options.point = golden.measured == "ac" ? proto::Point::psu_in : proto::Point::rack_in;
        const auto result = replay(trace, options);
        std::printf("%-45s measured %9.4f kWh, estimated %7.4f kWh, published %7.2f kWh: %+.4f %%\n",
                    golden.trace_file().c_str(), result.measured_joules / 3.6e6, result.estimated_joules / 3.6e6,
                    golden.kwh, 100 * (result.joules() / 3.6e6 / golden.kwh - 1));
        CHECK(result.nodes == golden.nodes);
        CHECK(result.samples == golden.samples);
        CHECK(relative(result.joules() / 3.6e6, golden.kwh) <= tolerance(golden.workload));
        CHECK(relative(result.joules(), result.trapezoid_joules) <= 1e-6);
        CHECK(result.estimated_low <= result.estimated_joules);
        CHECK(result.estimated_joules <= result.estimated_high);
        CHECK((golden.workload == "gpt3" || result.estimated_joules > 0));
        CHECK(result.books_balance);
        CHECK(result.rejected == 0);
        CHECK(result.missing == 0);
    }
}

TEST_CASE("AC and DC of the same nodes published together: the total is AC alone") {
    const auto folder = smc();
    if (skipped(folder)) {
        return;
    }
    const auto ac = test::read_trace(folder / "llama2_70b_lora_5731-240517004956429471933_4_ac.csv.xz");
    const auto dc = test::read_trace(folder / "llama2_70b_lora_5731-240517004956429471933_4_dc.csv.xz");
    ReplayOptions options;
    options.second = &dc;
    const auto result = replay(ac, options);
    CHECK(relative(result.joules(), result.trapezoid_joules) <= 1e-6);
    CHECK(result.racks == 64);
}

TEST_CASE("half of all messages dropped, duplicated or reordered leave the total as it was") {
    const auto trace = made_up_trace();
    const auto calm = replay(trace, {});
    CHECK(relative(calm.joules(), calm.trapezoid_joules) <= 1e-6);
    CHECK(calm.estimated_joules == 0);
    for (const test::NetworkDials& network :
         {test::NetworkDials{.drop = 0.5}, test::NetworkDials{.duplicate = 0.5}, test::NetworkDials{.reorder = 0.5},
          test::NetworkDials{.lose_ack = 0.5},
          test::NetworkDials{.drop = 0.3, .lose_ack = 0.2, .duplicate = 0.5, .reorder = 0.5}}) {
        ReplayOptions options;
        options.network = network;
        options.seed = 7;
        const auto result = replay(trace, options);
        CAPTURE(network.drop);
        CAPTURE(network.duplicate);
        CAPTURE(network.reorder);
        CHECK(result.joules() == calm.joules());  // to the bit
        CHECK(result.estimated_joules == 0);
        CHECK(result.books_balance);
        CHECK((network.drop > 0) == (result.missing > 0));
        CHECK((network.duplicate > 0 || network.lose_ack > 0) == (result.duplicates > 0));
    }
}

TEST_CASE("a gap in a trace is booked as estimated, between its bounds, and not as measured") {
    test::Trace trace;
    for (std::int64_t t = 0; t <= 100'000; t += 2000) {
        if (t <= 40'000 || t >= 60'000) {
            trace["a"].push_back({1'700'000'000'000 + t, t <= 40'000 ? 1000.0 : 2000.0});
        }
    }
    const auto result = replay(trace, {});
    CHECK(result.gaps == 1);
    CHECK(result.measured_joules == doctest::Approx(40 * 1000 + 40 * 2000));
    CHECK(result.estimated_joules == doctest::Approx(20 * 1500));
    CHECK(result.estimated_low <= 20 * 1000.0);
    CHECK(result.estimated_high >= 20 * 2000.0);
}

TEST_CASE("a trace that is not one is refused with file and line") {
    const auto file = std::filesystem::temp_directory_path() / "gwatt_trace_test.csv";
    const auto complaint = [&](const char* text) -> std::string {
        std::ofstream(file) << text;
        try {
            test::read_trace(file);
        } catch (const std::exception& error) {
            return error.what();
        }
        return "taken";
    };
    CHECK(complaint("node,time_ms,watts\n1,1000,5\n1,2000,6.5\n") == "taken");
    CHECK(complaint("node,watts\n").find(":1: expected the header") != std::string::npos);
    CHECK(complaint("node,time_ms,watts\n1,1000,5\n1,x,6\n").find(":3: expected `name,milliseconds,watts`") !=
          std::string::npos);
    CHECK(complaint("node,time_ms,watts\n").find("no samples") != std::string::npos);
    std::filesystem::remove(file);
}
