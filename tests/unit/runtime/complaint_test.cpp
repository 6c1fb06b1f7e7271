#include "runtime/log.hpp"
#include "tests/support/virtual_clock.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace gwatt::runtime;
using gwatt::test::VirtualClock;

namespace {

struct House {
    boost::asio::io_context loop;
    VirtualClock clock{loop};
    std::vector<std::string> lines;
    Logger log{LogLevel::debug, [this](LogLevel, std::string_view line) { lines.emplace_back(line); }};
};

}  // namespace

TEST_CASE("a trouble that repeats every second for a day is said fewer than forty times") {
    House house;
    Complaint complaint(house.log, house.clock, "meter silent");
    for (int i = 0; i < 86400; ++i) {
        complaint.complain({{"meter", "psu0"}});
        house.clock.advance(1s);
    }
    CHECK(house.lines.size() > 20);
    CHECK(house.lines.size() < 40);
    CHECK(house.lines[0] == "WARNING meter silent meter=psu0");
    CHECK(house.lines[1] == "WARNING meter silent meter=psu0 times=61 for=60s");
    CHECK(house.lines[2] == "WARNING meter silent meter=psu0 times=181 for=180s");
    CHECK(complaint.count() == 86400);
}

TEST_CASE("recovery says how long and how often, once, and the next trouble is said at once") {
    House house;
    Complaint complaint(house.log, house.clock, "broker unreachable", LogLevel::error);
    complaint.recovered();
    CHECK(house.lines.empty());
    complaint.complain();
    house.clock.advance(10s);
    complaint.complain();
    house.clock.advance(5s);
    complaint.recovered();
    complaint.recovered();
    REQUIRE(house.lines.size() == 2);
    CHECK(house.lines[0] == "ERROR broker unreachable");
    CHECK(house.lines[1] == "INFO broker unreachable: recovered after=15s times=2");
    CHECK_FALSE(complaint.active());
    complaint.complain();
    CHECK(house.lines.size() == 3);
}
