// gwatt-driver-check against the liars: it names the duty that each breaks, and finds nothing wrong with the honest ones.
#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

namespace {

struct Run {
    int status = -1;
    std::string output;
};

Run run(const std::string& arguments) {
    Run found;
    FILE* pipe = popen((std::string(GWATT_CHECK) + " " + arguments + " 2>&1").c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::array<char, 4096> text;
    while (const std::size_t n = fread(text.data(), 1, text.size(), pipe)) found.output.append(text.data(), n);
    const int status = pclose(pipe);
    found.status = WIFEXITED(status) ? WEXITSTATUS(status) : -2;
    return found;
}

std::string liar(const std::string& name) { return std::string(GWATT_LIARS) + "/" + name + ".so"; }
std::string plugin(const std::string& name) { return std::string(GWATT_PLUGINS) + "/" + name + ".so"; }

}  // namespace

TEST_CASE("the duty that a liar breaks is named") {
    struct Case {
        const char* lie;
        const char* says;
    };
    const Case cases[] = {
        {"too_small", "D2 its table has size 24"},
        {"null_functions", "D2 its table lacks open"},
        {"wrong_name", "D2 the file is called wrong_name, its table says somebody_else"},
        {"no_symbol", "D2 it does not export gwatt_driver_v1"},
        {"exports", "D1 exports more: liars_own_symbol"},
        {"sleeps", "BROKEN   D6 read of all"},
        {"spins", "D6 it does not come back from read"},
        {"hangs_in_open", "D6 it does not come back from open"},
        {"crashes", "in read"},
        {"throws", "D18 its process ended (Aborted) in read"},
        {"exits", "D18 its process ended (exit) in read"},
        {"overruns", "D9 writes or claims more samples"},
        {"claims", "D9 writes or claims more samples"},
        {"garbage", "D10 no value is NaN"},
        {"silent", "D8 4 wanted sensors have no sample"},
        {"duplicate_ids", "BROKEN   D13 ids are unique"},
        {"bad_ids", "D13 id \"PSU 3\" is not"},
        {"changing_ids", "BROKEN   D13 ids are the same after open again"},
        {"huge_list", "BROKEN   D2 there is a list of sensors"},
        {"null_list", "BROKEN   D2 there is a list of sensors"},
        {"no_bus", "D2 open said ok and gave no bus"},
        {"odd_result", "D8 read gave a result that it cannot have"},
        {"keeps_descriptors", "BROKEN   D15 no descriptor is left"},
        {"handles_signals", "BROKEN   D18 no signal handler"},
        {"changes_directory", "BROKEN   D19 the working directory"},
        {"changes_environment", "BROKEN   D19 the environment"},
        {"prints", "BROKEN   D20 nothing was written"},
        {"ignores_cancel", "BROKEN   D7"},
        {"slow_close", "BROKEN   D5 close ended after"},
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
        {"leaks", "bytes more in use after 200 opens"},
#endif
    };
    for (const Case& c : cases) {
        CAPTURE(std::string(c.lie));
        const std::string lie = c.lie;
        const bool slow = lie == "slow_close" || lie == "sleeps" || lie == "ignores_cancel";
        const Run found =
            run("--deadline-ms 200 --stuck-ms 3000 --opens " + std::string(slow ? "1 " : "200 ") + liar(c.lie));
        CHECK_MESSAGE(found.status == 1, found.output);
        CHECK_MESSAGE(found.output.find(c.says) != std::string::npos, found.output);
    }
}

TEST_CASE("honest drivers of every age pass") {
    for (const char* name : {"honest", "old_size", "larger_size", "floods"}) {
        CAPTURE(name);
        const Run found = run("--deadline-ms 200 " + liar(name));
        CHECK_MESSAGE(found.status == 0, found.output);
    }
    CHECK(run(liar("larger_size") + " first=7 second=x").status == 0);
    const Run wrong = run(liar("larger_size") + " second=x thrid=y");
    CHECK(wrong.output.find("thrid is no option of driver larger_size") != std::string::npos);
}

TEST_CASE("our own drivers keep the promise") {
    CHECK_MESSAGE(run(plugin("simulated") + " psus=6 gpus=8 window=10s rack_meter=true").status == 0, "simulated");
    for (const char* fault : {"timeout", "garbled", "gone", "busy", "denied", "unavailable"}) {
        CAPTURE(fault);
        const Run found = run("--opens 20 --deadline-ms 100 " + plugin("simulated") + " fault=" + fault);
        CHECK_MESSAGE(found.status == 0, found.output);
    }
    const std::filesystem::path tree = std::filesystem::current_path() / ("check_tree." + std::to_string(getpid()));
    std::filesystem::create_directories(tree / "hwmon0");
    for (const auto& [file, text] :
         {std::pair{"name", "pmbus"}, {"in1_input", "230000"}, {"power1_input", "1000000"}, {"temp1_input", "x"}})
        std::ofstream(tree / "hwmon0" / file) << text << "\n";
    const Run hwmon = run(plugin("hwmon") + " root=" + tree.string());
    CHECK_MESSAGE(hwmon.status == 0, hwmon.output);
    CHECK(run(plugin("hwmon") + " root=/nonexistent").status == 0);  // a failed open leaves nothing behind
    std::filesystem::remove_all(tree);
}

TEST_CASE("the manual says every option with type, default and help") {
    const Run manual = run("--directory " GWATT_PLUGINS " --help simulated");
    CHECK(manual.status == 0);
    for (const char* part :
         {"psus\n      Power supplies of the rack.\n      whole number from 0 to 256; default 6",
          "one of: constant, square, sine, walk; default walk", "duration from 0.001 to 10000000 s; default 60s"}) {
        CAPTURE(part);
        CHECK(manual.output.find(part) != std::string::npos);
    }
    CHECK(run("--help").status == 0);
    CHECK(run("").status == 64);
    CHECK(run("--nonsense x").status == 64);
    CHECK(run("/nonexistent.so").status == 1);
}
