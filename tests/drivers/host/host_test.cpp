// DriverHost against real runner processes with driver `simulated`: what becomes of each result and each sin.
#include "rig.hpp"

#include "agent/driver_host_check.hpp"

#include <doctest/doctest.h>

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <cstdio>

using namespace gwatt;
using namespace gwatt::test;
using proto::BusState;
using proto::Quality;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

Pairs fault(const std::string& name, const std::string& after = "0", const std::string& every = "1") {
    return {{"psus", "2"}, {"fault", name}, {"fault_after", after}, {"fault_every", every}};
}

bool all_are(const Scan& scan, Quality quality, std::size_t n) {
    return scan.readings.size() == n &&
           std::all_of(scan.readings.begin(), scan.readings.end(), [&](const auto& r) { return r.quality == quality; });
}

bool process_exists(int pid) { return kill(pid, 0) == 0; }

}  // namespace

TEST_CASE("a good bus gives one value for each wanted sensor, and its catalog is named after the bus") {
    Loop loop;
    Rig rig(loop, "simulated", {{"psus", "2"}, {"power", "10000"}, {"shape", "constant"}, {"efficiency", "1"}});
    REQUIRE(rig.open());
    REQUIRE(rig.host.sensors().size() == 18);
    CHECK(rig.host.sensors()[0].name == "bus.psu0.input_power");
    CHECK(rig.host.sensors()[0].part_of == "bus.psu0");
    CHECK(rig.host.sensors()[0].point == proto::Point::psu_in);
    CHECK(rig.host.sensors()[0].resolution == 0.125);
    const Scan scan = rig.read();
    CHECK(scan.quality == Quality::good);
    REQUIRE(scan.readings.size() == 18);
    CHECK(scan.with_value() == 18);
    CHECK(scan.readings[0].value + scan.readings[9].value == doctest::Approx(10000).epsilon(0.0001));
    CHECK(rig.host.counters().samples == 18);
    CHECK(rig.host.status().error.empty());
}

TEST_CASE("a stopped bus leaves no process behind and ends within its bound") {
    Loop loop;
    Rig rig(loop, "simulated", {});
    REQUIRE(rig.open());
    const int pid = rig.host.runner_pid();
    REQUIRE(pid > 0);
    const auto before = loop.clock.now();
    rig.stop();
    CHECK(rig.stopped());
    CHECK(loop.clock.now() - before < milliseconds(500));
    CHECK_FALSE(process_exists(pid));
    CHECK(rig.host.status().state == BusState::stopped);
    CHECK(rig.host.runner_pid() == 0);
}

TEST_CASE("a runner that hangs gives timeout at the deadline, is ended, and comes back") {
    Loop loop;
    Rig hanging(loop, "simulated", fault("hang", "1"));
    REQUIRE(hanging.open());
    CHECK(hanging.read().quality == Quality::good);
    const int pid = hanging.host.runner_pid();
    const Scan late = hanging.read(milliseconds(100));
    CHECK(late.quality == Quality::timeout);
    CHECK(all_are(late, Quality::timeout, 18));
    CHECK(late.took >= milliseconds(100));
    CHECK(late.took < milliseconds(200));
    CHECK(hanging.read(milliseconds(100)).quality == Quality::timeout);  // while it is being ended, at once
    REQUIRE(loop.until(
        [&] { return hanging.host.counters().restarts == 1 && hanging.host.status().state == BusState::degraded; },
        seconds(10)));
    CHECK_FALSE(process_exists(pid));
    CHECK(hanging.read().quality == Quality::good);
    CHECK(hanging.host.generation() == 1);  // the same catalog as before
}

TEST_CASE("a runner that spins is killed and comes back") {
    Loop loop;
    Rig rig(loop, "simulated", fault("spin", "1"));
    REQUIRE(rig.open());
    CHECK(rig.read().quality == Quality::good);
    const int pid = rig.host.runner_pid();
    CHECK(rig.read(milliseconds(50)).quality == Quality::timeout);
    REQUIRE(loop.until([&] { return rig.host.runner_pid() != pid && rig.host.status().state != BusState::failed; },
                       seconds(10)));
    CHECK_FALSE(process_exists(pid));
    CHECK(loop.logged("bus trouble"));
}

TEST_CASE("a runner that must not be killed is left behind, and none is started beside it") {
    Loop loop;
    Rig rig(loop, "simulated", fault("spin", "1"), "", false);
    REQUIRE(rig.open());
    CHECK(rig.read().quality == Quality::good);
    const int pid = rig.host.runner_pid();
    CHECK(rig.read(milliseconds(50)).quality == Quality::timeout);
    REQUIRE(loop.until([&] { return loop.logged("runner left behind"); }, seconds(10)));
    loop.turn_for(milliseconds(300));
    CHECK(rig.host.runner_pid() == pid);
    CHECK(rig.host.status().state == BusState::failed);
    CHECK(rig.host.status().error.find("must not be killed") != std::string::npos);
    kill(pid, SIGKILL);  // a person does it
    REQUIRE(loop.until([&] { return rig.host.runner_pid() != pid && rig.host.runner_pid() != 0; }, seconds(10)));
    CHECK(rig.host.counters().restarts == 1);
}

TEST_CASE("a runner that crashes is a gap and comes back; the reason is told") {
    Loop loop;
    Rig rig(loop, "simulated", fault("crash", "2"));
    REQUIRE(rig.open());
    CHECK(rig.read().quality == Quality::good);
    CHECK(rig.read().quality == Quality::good);
    const Scan gone = rig.read();
    CHECK(gone.quality == Quality::gone);
    CHECK(all_are(gone, Quality::gone, 18));
    CHECK(gone.took < milliseconds(400));
    REQUIRE(loop.until([&] { return loop.logged("was killed by signal 6"); }, seconds(5)));
    REQUIRE(loop.until([&] { return rig.host.status().state == BusState::degraded; }, seconds(5)));
    CHECK(rig.read().quality == Quality::good);
    CHECK(rig.host.status().state == BusState::ok);
    CHECK(loop.logged("recovered"));
}

TEST_CASE("a runner that is killed from outside comes back") {
    Loop loop;
    Rig rig(loop, "simulated", {});
    REQUIRE(rig.open());
    kill(rig.host.runner_pid(), SIGKILL);
    REQUIRE(
        loop.until([&] { return rig.host.counters().restarts == 1 && rig.host.status().state == BusState::degraded; },
                   seconds(5)));
    CHECK(rig.read().quality == Quality::good);
}

TEST_CASE("a late answer is dropped and counted, and the runner lives on") {
    Loop loop;
    Rig rig(loop, "simulated", {{"psus", "1"}});
    REQUIRE(rig.open());
    const int pid = rig.host.runner_pid();
    kill(pid, SIGSTOP);
    CHECK(rig.read(milliseconds(50)).quality == Quality::timeout);
    kill(pid, SIGCONT);
    REQUIRE(loop.until([&] { return rig.host.counters().late_answers == 1; }, seconds(2)));
    CHECK(rig.read().quality == Quality::good);
    CHECK(rig.host.runner_pid() == pid);
    CHECK(rig.host.counters().timeouts == 1);
    CHECK(rig.host.counters().restarts == 0);
}

TEST_CASE("a second read while one is under way is busy, and leaves the first alone") {
    Loop loop;
    Rig rig(loop, "simulated", {{"psus", "2"}, {"latency", "100ms"}});
    REQUIRE(rig.open());
    Scan second;
    rig.at_the_same_time(second);
    const Scan first = rig.read();
    CHECK(first.quality == Quality::busy);
    CHECK(first.readings.empty());
    REQUIRE(loop.until([&] { return second.quality != Quality::not_read; }, seconds(2)));
    CHECK(second.quality == Quality::good);
    CHECK(second.with_value() == 18);
}

TEST_CASE("timeout uses the driver's time, is no restart, and three in a row reopen") {
    Loop loop;
    Rig rig(loop, "simulated", fault("timeout"));
    REQUIRE(rig.open());
    const int pid = rig.host.runner_pid();
    for (int i = 0; i < 3; ++i) {
        const Scan scan = rig.read(milliseconds(60));
        CHECK(scan.quality == Quality::timeout);
        CHECK(scan.took < milliseconds(60));  // the driver was heard: its own deadline lies before ours
        CHECK(all_are(scan, Quality::timeout, 18));
        CHECK(scan.error == "simulated: no answer");
    }
    CHECK(rig.host.counters().timeouts == 3);
    loop.turn_for(milliseconds(20));
    CHECK(rig.read().took < milliseconds(50));  // closed: said at once
    REQUIRE(loop.until([&] { return rig.host.status().state == BusState::degraded; }, seconds(3)));
    CHECK(rig.host.runner_pid() == pid);
    CHECK(rig.host.counters().restarts == 0);
}

TEST_CASE("garbled is counted apart from timeout") {
    Loop loop;
    Rig rig(loop, "simulated", fault("garbled", "0", "2"));
    REQUIRE(rig.open());
    CHECK(rig.read().quality == Quality::good);
    CHECK(rig.read().quality == Quality::garbled);
    CHECK(rig.read().quality == Quality::good);
    CHECK(rig.host.counters().garbled == 1);
    CHECK(rig.host.counters().timeouts == 0);
}

TEST_CASE("gone closes and reopens; busy skips the turn and nothing is wrong") {
    Loop loop;
    Rig gone(loop, "simulated", fault("gone", "1", "1"));
    REQUIRE(gone.open());
    CHECK(gone.read().quality == Quality::good);
    CHECK(gone.read().quality == Quality::gone);
    CHECK(gone.read().quality == Quality::gone);
    REQUIRE(loop.until([&] { return gone.host.status().state == BusState::degraded; }, seconds(3)));
    CHECK(gone.read().quality == Quality::good);  // counts from open again
    Rig busy(loop, "simulated", fault("busy", "0", "2"));
    REQUIRE(busy.open());
    CHECK(busy.read().quality == Quality::good);
    CHECK(all_are(busy.read(), Quality::busy, 18));
    CHECK(busy.host.status().state == BusState::ok);
    CHECK(busy.read().quality == Quality::good);
}

TEST_CASE("changed brings a new catalog with a new generation") {
    Loop loop;
    Rig changing(loop, "simulated", {{"psus", "2"}, {"fault", "changed"}, {"fault_every", "3"}});
    REQUIRE(changing.open());
    const auto before = changing.host.sensors().size();
    CHECK(changing.read().quality == Quality::good);
    CHECK(changing.read().quality == Quality::good);
    CHECK(all_are(changing.read(), Quality::not_read, before));
    REQUIRE(loop.until([&] { return changing.host.generation() == 2; }, seconds(2)));
    CHECK(changing.host.sensors().size() == before + 1);
    CHECK(changing.read().with_value() == before + 1);
    CHECK(changing.host.counters().restarts == 0);
}

TEST_CASE("denied is told once and not tried again soon") {
    Loop loop;
    Rig rig(loop, "simulated", {{"open_fault", "denied"}});
    REQUIRE(loop.until([&] { return loop.logged("bus trouble"); }, seconds(3)));
    const int pid = rig.host.runner_pid();
    loop.turn_for(milliseconds(600));
    CHECK(rig.host.runner_pid() == pid);
    CHECK(std::count_if(loop.lines.begin(), loop.lines.end(),
                        [](const auto& line) { return line.find("bus trouble") != std::string::npos; }) == 1);
    CHECK(rig.read().quality == Quality::denied);
}

TEST_CASE("bad configuration and bugs are never tried again") {
    for (const char* what : {"bad_config", "bug"}) {
        CAPTURE(what);
        Loop loop;
        Rig rig(loop, "simulated", {{"open_fault", what}});
        REQUIRE(loop.until([&] { return rig.host.runner_pid() == 0 && rig.host.status().state == BusState::failed; },
                           seconds(3)));
        loop.turn_for(milliseconds(500));
        CHECK(rig.host.runner_pid() == 0);
        CHECK(rig.host.counters().restarts == 0);
        CHECK(loop.logged("bus stays closed until the configuration changes"));
        CHECK(rig.host.status().error.find("simulated: ") != std::string::npos);
    }
    Loop loop;
    Rig rig(loop, "simulated", fault("bug", "1"));
    REQUIRE(rig.open());
    CHECK(rig.read().quality == Quality::good);
    CHECK(rig.read().quality == Quality::fault);
    REQUIRE(loop.until([&] { return rig.host.runner_pid() == 0; }, seconds(3)));
    CHECK(rig.host.status().state == BusState::failed);
}

TEST_CASE("an unknown option is refused with the nearest name, by the bus and by the check") {
    Loop loop;
    Rig rig(loop, "simulated", {{"psu", "2"}});
    REQUIRE(loop.until([&] { return rig.host.status().state == BusState::failed; }, seconds(3)));
    CHECK(rig.host.status().error == "option psu: psu is no option of driver simulated; did you mean psus?");
    const agent::BusConfig config{
        .name = "b",
        .driver = "simulated",
        .options = {{"psu", "2"}, {"seed", "x"}, {"period", "3"}, {"shape", "sin"}, {"swing", "2"}}};
    const auto mistakes = agent::check_bus(config, {runner_path(), plugin_folder()});
    REQUIRE(mistakes.size() == 5);
    CHECK(mistakes[0].option == "psu");
    CHECK(mistakes[1].text == "found x, expected a whole number");
    CHECK(mistakes[2].text.starts_with("found 3, expected a duration like 250ms"));
    CHECK(mistakes[3].text.ends_with("did you mean sine?"));
    CHECK(mistakes[4].text == "found 2, expected a number from 0 to 1");
    CHECK(agent::check_bus({.name = "b", .driver = "simulated", .options = {}}, {runner_path(), plugin_folder()})
              .empty());
    const auto missing =
        agent::check_bus({.name = "b", .driver = "nosuch", .options = {}}, {runner_path(), plugin_folder()});
    REQUIRE(missing.size() == 1);
    CHECK(missing[0].option.empty());
    CHECK(missing[0].text.find("nosuch.so") != std::string::npos);
}

TEST_CASE("what a driver leaves out or makes up is marked and counted") {
    struct Case {
        const char* fault;
        Quality quality;
        std::uint64_t refused;
    };
    for (const Case& c : {Case{"unavailable", Quality::unavailable, 0}, Case{"nan", Quality::garbled, 18},
                          Case{"future", Quality::garbled, 18}, Case{"old", Quality::garbled, 18},
                          Case{"index", Quality::not_read, 18}}) {
        CAPTURE(c.fault);
        Loop loop;
        Rig rig(loop, "simulated", fault(c.fault));
        REQUIRE(rig.open());
        const Scan scan = rig.read();
        CHECK(all_are(scan, c.quality, 18));
        CHECK(rig.host.counters().errors == c.refused);
        CHECK(rig.host.counters().samples == 0);
    }
    Loop loop;
    Rig partial(loop, "simulated", fault("partial"));
    REQUIRE(partial.open());
    const Scan scan = partial.read();
    CHECK(scan.readings.size() == 18);
    CHECK(scan.with_value() == 9);
    Rig overfill(loop, "simulated", fault("overfill", "1"));
    REQUIRE(overfill.open());
    CHECK(overfill.read().quality == Quality::good);
    CHECK(overfill.read().quality == Quality::fault);
    REQUIRE(loop.until([&] { return overfill.host.runner_pid() == 0; }, seconds(3)));
}

TEST_CASE("a driver that floods the log is heard a little and read all the same") {
    Loop loop;
    Rig rig(loop, "simulated", fault("flood"));
    REQUIRE(rig.open());
    for (int i = 0; i < 5; ++i) CHECK(rig.read().quality == Quality::good);
    const auto lines = std::count_if(loop.lines.begin(), loop.lines.end(), [](const auto& line) {
        return line.find("a line of a flood") != std::string::npos;
    });
    CHECK(lines >= 1);
    CHECK(lines <= 20);
}

TEST_CASE("a driver that hangs in open is ended and tried again") {
    const std::string file = "host_test_fault." + std::to_string(getpid());
    std::ofstream(file) << "x";
    Loop loop;
    Rig rig(loop, "simulated", {{"open_fault", "hang"}, {"fault_file", std::filesystem::absolute(file).string()}});
    REQUIRE(loop.until([&] { return loop.logged("no answer within 1500 ms"); }, seconds(5)));
    std::remove(file.c_str());
    REQUIRE(loop.until([&] { return rig.host.generation() == 1; }, seconds(10)));
    CHECK(rig.host.counters().restarts >= 1);
}

TEST_CASE("a missing runner or driver is told, and costs nothing else") {
    Loop loop;
    Rig rig(loop, "nosuch", {});
    REQUIRE(loop.until([&] { return rig.host.status().state == BusState::failed; }, seconds(3)));
    CHECK(rig.host.status().error.find("cannot load driver nosuch") != std::string::npos);
    CHECK(loop.until([&] { return rig.host.runner_pid() == 0; }, seconds(3)));
}

// What one more bus costs, beside the pages that all runners share. Printed, and held.
TEST_CASE("a runner owns less than half a MiB") {
    Loop loop;
    Rig rig(loop, "simulated", {});
    REQUIRE(rig.open());
    CHECK(rig.read().quality == Quality::good);
    std::ifstream rollup("/proc/" + std::to_string(rig.host.runner_pid()) + "/smaps_rollup");
    std::string word;
    long kib = 0, pss = -1, own = 0;
    while (rollup >> word) {
        if (word == "Pss:" && rollup >> kib) pss = kib;
        if (word == "Private_Dirty:" && rollup >> kib) own = kib;
    }
    std::printf("runner with driver simulated: PSS %ld KiB, of its own %ld KiB\n", pss, own);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    CHECK(pss > 0);
    CHECK(own < 512);
#endif
}
