#include "tests/unit/modbus/line_double.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace gwatt::tests;
using namespace std::chrono_literals;

namespace {
const std::string head = "name = \"x\"\n[unit]\nname = \"psu{n}\"\n";
std::string sensor(const std::string& id, unsigned at, const std::string& more = "") {
    return "[[sensor]]\nid = \"" + id + "\"\nregister = " + std::to_string(at) +
           "\ntype = \"u16\"\nquantity = \"power\"\n" + more;
}
// Registers 10, 11, 20, 30.
const std::string four =
    head + sensor("a", 10, "fraction_bits = 3\n") + sensor("b", 11) + sensor("c", 20) + sensor("d", 30);
const std::string model = "[[text]]\nid = \"model\"\nregister = 0\nlength = 2\nexpect = [\"GOOD\"]\n";

void put_text(Device& device, const std::string& text) {
    for (std::uint16_t i = 0; i < text.size() / 2; ++i)
        device.registers[i] = static_cast<std::uint16_t>(text[2u * i] << 8 | text[2u * i + 1]);
}
void units(LineDouble& line, unsigned count) {
    for (unsigned u = 1; u <= count; ++u) line.devices[static_cast<std::uint8_t>(u)];
}
}  // namespace

TEST_CASE("neighbours over small gaps are read in one request, and each value lands on its sensor") {
    LineDouble line;
    units(line, 2);
    line.devices[2].registers = {{10, 8000}, {11, 7}, {20, 8}, {30, 9}};
    BusOnLine bus(line, four, "1-2");
    REQUIRE(bus.sensors().size() == 8);
    CHECK(std::string(bus.sensors()[4].id) == "psu1.a");
    CHECK(bus.read() == Result::ok);
    CHECK(line.asked.size() == 2);
    CHECK(line.asked_of(1) == 1);
    CHECK(bus.value("psu0.a") == 1.25);
    CHECK(bus.value("psu0.d") == 30);
    CHECK(bus.value("psu1.a") == 1000);
    CHECK(bus.value("psu1.b") == 7);
    CHECK(bus.value("psu1.c") == 8);
    CHECK(bus.value("psu1.d") == 9);
}

TEST_CASE("only what is wanted is read") {
    LineDouble line;
    units(line, 2);
    BusOnLine bus(line, four, "1-2");
    CHECK(bus.read({1, 7}, 1s) == Result::ok);
    CHECK(bus.samples.size() == 2);
    CHECK(bus.value("psu1.d") == 30);
    CHECK(line.asked.size() == 2);
    CHECK(line.asked_of(1) == 1);
}

TEST_CASE("300 registers of 200 values take three requests, and no value is cut in two") {
    LineDouble line;
    units(line, 1);
    const auto text =
        head +
        "[[sensor]]\nid = \"f{i}\"\nrepeat = 100\nregister = 0\ntype = \"float32\"\nquantity = \"power\"\n"
        "[[sensor]]\nid = \"i{i}\"\nrepeat = 100\nregister = 200\ntype = \"s16\"\nquantity = \"power\"\n";
    BusOnLine bus(line, text, "1");
    CHECK(bus.read() == Result::ok);
    CHECK(line.asked == std::vector<Asked>{{1, 0, 124}, {1, 124, 125}, {1, 249, 51}});
    CHECK(bus.value("psu0.i99") == 299);
    CHECK(bus.samples.size() == 200);
}

TEST_CASE("a sample's time is the middle of its exchange") {
    LineDouble line;
    units(line, 1);
    line.devices[1].latency = 100ms;
    BusOnLine bus(line, head + sensor("a", 10), "1");
    bus.read();
    const auto time = bus.sample("psu0.a")->time_ns - bus.begun;
    CHECK(time > 50'000'000);
    CHECK(time < 60'000'000);
    CHECK(bus.took > 100ms);
}

TEST_CASE("a silent unit costs its share and no more, and nobody else's values") {
    LineDouble line;
    units(line, 6);
    line.devices[3].silent = true;
    BusOnLine bus(line, four, "1-6");
    CHECK(bus.read(600ms) == Result::ok);
    for (const auto* id : {"psu0.a", "psu1.a", "psu3.a", "psu4.a", "psu5.a"}) CHECK(bus.value(id) == 1.25);
    CHECK(bus.quality("psu2.a") == GWATT_QUALITY_TIMEOUT);
    CHECK(bus.quality("psu2.d") == GWATT_QUALITY_TIMEOUT);
    CHECK(bus.took < 600ms);
}

TEST_CASE("a unit that stays silent is asked rarely, at most 30 s apart, and is back at once when it answers") {
    LineDouble line;
    units(line, 6);
    line.devices[3].silent = true;
    BusOnLine bus(line, four, "1-6");
    std::vector<int> asked_at;
    for (int second = 0; second < 200; ++second) {
        const auto next = line.now + 1'000'000'000;
        CHECK(bus.read() == Result::ok);
        CHECK(bus.value("psu5.d") == 30);
        CHECK(bus.quality("psu2.a") == GWATT_QUALITY_TIMEOUT);
        if (line.asked_of(3) > 0) asked_at.push_back(second);
        line.now = next;
    }
    REQUIRE(asked_at.size() >= 8);
    CHECK(asked_at.size() < 14);
    CHECK(asked_at[2] == 2);  // patience: three turns
    for (std::size_t i = 3; i < asked_at.size(); ++i) CHECK(asked_at[i] - asked_at[i - 1] <= 31);
    CHECK(asked_at.back() - asked_at[asked_at.size() - 2] >= 29);
    CHECK(line.has_logged("the unit does not answer, asking it rarely: unit=psu2 address=3"));
    line.devices[3].silent = false;
    int until_back = 0;
    for (; until_back < 40 && bus.value("psu2.a") != 1.25; ++until_back) bus.read(), line.now += 1'000'000'000;
    CHECK(until_back <= 31);
    CHECK(line.has_logged("the unit answers again: unit=psu2 address=3"));
}

TEST_CASE("when all units are silent the result is timeout, with names") {
    LineDouble line;
    BusOnLine bus(line, four, "1-2");
    CHECK(bus.read() == Result::timeout);
    CHECK(bus.text == "no answer from psu0 psu1");
    CHECK(bus.samples.size() == 8);
    CHECK(bus.took <= 1001ms);
}

TEST_CASE("a slow unit is waited for within its share, and what others leave") {
    LineDouble line;
    units(line, 6);
    line.devices[2].latency = 250ms;
    BusOnLine bus(line, four, "1-6");
    unsigned got = 0;
    for (int turn = 0; turn < 6; ++turn) {
        CHECK(bus.read() == Result::ok);
        got += bus.value("psu1.a") == 1.25 ? 1 : 0;
        CHECK(bus.value("psu0.a") == 1.25);
        CHECK(bus.value("psu5.a") == 1.25);
    }
    CHECK(got >= 3);
}

TEST_CASE("when there is not time for all, all have their turn over several") {
    LineDouble line;
    units(line, 6);
    BusOnLine bus(line, four, "1-6");
    std::map<std::string, int> got;
    for (int turn = 0; turn < 12; ++turn) {
        bus.read(150ms);  // one exchange takes about 45 ms
        CHECK(bus.took <= 151ms);
        for (unsigned u = 0; u < 6; ++u) {
            const auto id = "psu" + std::to_string(u) + ".a";
            if (bus.value(id) == 1.25)
                ++got[id];
            else
                CHECK(bus.quality(id) >= 16);
        }
    }
    CHECK(got.size() == 6);
}

TEST_CASE("a unit whose identity does not fit into its share is met in the time that others leave") {
    LineDouble line;
    line.baud = 1200;
    units(line, 4);
    for (auto& [address, device] : line.devices) put_text(device, "GOOD");
    line.devices[2].silent = true;  // at open
    auto text = model;
    text.replace(text.find("length = 2"), 10, "length = 8");
    BusOnLine bus(line, head + sensor("a", 10) + text, "1-4");
    line.devices[2].silent = false;
    bus.read(1100ms);  // its share is 275 ms and it is the first; the identity takes 296 ms; the others need 540 ms
    CHECK(bus.value("psu1.a") == 10);
}

TEST_CASE("a hole between sensors is found once and never crossed again") {
    LineDouble line;
    units(line, 1);
    line.devices[1].refused = {25};
    BusOnLine bus(line, four, "1");
    CHECK(bus.read() == Result::ok);  // all values come in the first turn already
    for (const auto* id : {"psu0.a", "psu0.b", "psu0.c", "psu0.d"}) CHECK(bus.value(id) > 0);
    for (int turn = 0; turn < 3; ++turn) bus.read();
    CHECK(line.asked == std::vector<Asked>{{1, 10, 11}, {1, 30, 1}});
}

TEST_CASE("a cut that turns out not to be the hole is undone") {
    LineDouble line;
    units(line, 1);
    line.devices[1].refused = {15};  // the widest gap is 21-29, so the first cut is there
    BusOnLine bus(line, head + sensor("a", 10) + sensor("b", 20) + sensor("d", 31), "1");
    for (int turn = 0; turn < 4; ++turn) {
        CHECK(bus.read() == Result::ok);
        for (const auto* id : {"psu0.a", "psu0.b", "psu0.d"}) CHECK(bus.value(id) > 0);
    }
    CHECK(line.asked == std::vector<Asked>{{1, 10, 1}, {1, 20, 12}});
}

TEST_CASE("a sensor whose register is refused is unavailable; its neighbours are read in as few requests as can be") {
    LineDouble line;
    units(line, 1);
    line.devices[1].refused = {14};
    std::string text = head;
    for (unsigned i = 10; i < 20; ++i) text += sensor("s" + std::to_string(i), i);
    BusOnLine bus(line, text, "1");
    for (int turn = 0; turn < 6; ++turn) {
        CHECK(bus.read() == Result::ok);
        for (unsigned i = 10; i < 20; ++i) {
            const auto id = "psu0.s" + std::to_string(i);
            if (i == 14)
                CHECK(bus.quality(id) == GWATT_QUALITY_UNAVAILABLE);
            else
                CHECK(bus.value(id) == i);
        }
    }
    CHECK(line.asked == std::vector<Asked>{{1, 10, 4}, {1, 15, 5}});
    CHECK(line.has_logged("the unit refuses a register"));
    line.devices[1].refused.clear();  // a firmware update
    line.now += 601'000'000'000;
    bus.read();
    CHECK(bus.value("psu0.s14") == 14);
}

TEST_CASE("a device that takes only short reads is read in short ones, and everything comes") {
    LineDouble line;
    units(line, 1);
    std::string text = head;
    for (unsigned i = 0; i < 40; ++i) text += sensor("s" + std::to_string(i), i);
    text.replace(text.find("[unit]"), 0, "[modbus]\nlongest_read = 16\n");
    BusOnLine bus(line, text, "1");
    bus.read();
    CHECK(line.asked == std::vector<Asked>{{1, 0, 16}, {1, 16, 16}, {1, 32, 8}});
}

TEST_CASE("a unit that refuses everything is asked rarely, and is read again when it does not") {
    LineDouble line;
    units(line, 2);
    line.devices[1].exception = illegal_data_address;  // as a supply in its boot loader
    BusOnLine bus(line, four, "1-2");
    std::size_t requests = 0;
    for (int second = 0; second < 60; ++second) {
        CHECK(bus.read() == Result::ok);
        CHECK(bus.quality("psu0.a") >= 16);
        CHECK(bus.value("psu1.a") == 1.25);
        requests += line.asked_of(1);
        line.now += 1'000'000'000;
    }
    CHECK(requests < 60);
    line.devices[1].exception = 0;
    for (int second = 0; second < 32; ++second) bus.read(), line.now += 1'000'000'000;
    for (const auto* id : {"psu0.a", "psu0.b", "psu0.c", "psu0.d"}) CHECK(bus.value(id) > 0);
}

TEST_CASE("an exception ends the wait early") {
    LineDouble line;
    units(line, 1);
    line.devices[1].exception = device_busy;
    BusOnLine bus(line, four, "1");
    CHECK(bus.read() == Result::ok);
    CHECK(bus.quality("psu0.a") == GWATT_QUALITY_BUSY);
    CHECK(bus.took < 40ms);
    line.devices[1].exception = device_failure;
    bus.read();
    CHECK(bus.quality("psu0.a") == GWATT_QUALITY_FAULT);
    line.devices[1].exception = gateway_target_silent;
    CHECK(bus.read() == Result::timeout);
    CHECK(bus.quality("psu0.a") == GWATT_QUALITY_TIMEOUT);
}

TEST_CASE("a damaged reply is asked for once more in the same turn") {
    LineDouble line;
    units(line, 1);
    line.devices[1].damage = 1;
    BusOnLine bus(line, four, "1");
    CHECK(bus.read() == Result::ok);
    CHECK(bus.value("psu0.a") == 1.25);
    CHECK(line.asked.size() == 2);
    CHECK(bus.took < 200ms);
    line.devices[1].damage = 2;
    CHECK(bus.read() == Result::garbled);
    CHECK(bus.quality("psu0.a") == GWATT_QUALITY_GARBLED);
}

TEST_CASE("noise before replies costs nothing") {
    LineDouble line;
    units(line, 3);
    line.devices[2].before = {0x00, 0xFF, 0x01, 0x03, 0x3C};
    BusOnLine bus(line, four, "1-3");
    CHECK(bus.read() == Result::ok);
    for (const auto* id : {"psu0.a", "psu1.a", "psu2.a"}) CHECK(bus.value(id) == 1.25);
    CHECK(line.asked.size() == 3);
}

TEST_CASE("a device that is not what the profile is for is denied, and the others are read") {
    LineDouble line;
    units(line, 2);
    put_text(line.devices[1], "EVIL");
    put_text(line.devices[2], "GOOD");
    BusOnLine bus(line, four + model, "1-2");
    CHECK(
        line.has_logged("not the device that the profile is for, its sensors are denied: unit=psu0 address=1 profile=x "
                        "model=\"EVIL\" expected=\"GOOD\""));
    CHECK(bus.read() == Result::ok);
    CHECK(bus.quality("psu0.a") == GWATT_QUALITY_DENIED);
    CHECK(line.asked_of(1) == 0);
    CHECK(bus.value("psu1.a") == 1.25);
    put_text(line.devices[1], "GOOD");  // someone put the right one in
    line.now += 61'000'000'000;
    bus.read();
    CHECK(bus.value("psu0.a") == 1.25);
}

TEST_CASE("a unit that was silent is looked at again before its values are believed") {
    LineDouble line;
    units(line, 1);
    put_text(line.devices[1], "GOOD");
    BusOnLine bus(line, four + model, "1");
    bus.read();
    CHECK(bus.value("psu0.a") == 1.25);
    line.devices[1].silent = true;
    bus.read();
    line.devices[1].silent = false;
    put_text(line.devices[1], "EVIL");
    bus.read();
    CHECK(bus.quality("psu0.a") == GWATT_QUALITY_DENIED);
}

TEST_CASE("a unit that is silent at open is met when it first answers") {
    LineDouble line;
    units(line, 1);
    line.devices[1].silent = true;
    put_text(line.devices[1], "EVIL");
    BusOnLine bus(line, four + model, "1");
    line.devices[1].silent = false;
    bus.read();
    CHECK(bus.quality("psu0.a") == GWATT_QUALITY_DENIED);
}

TEST_CASE("a line that hangs up is gone, with a quality for every sensor") {
    LineDouble line;
    units(line, 2);
    BusOnLine bus(line, four, "1-2");
    bus.read();
    line.hang_up();
    CHECK(bus.read() == Result::gone);
    CHECK(bus.samples.size() == 8);
    CHECK(bus.quality("psu1.d") == GWATT_QUALITY_GONE);
    CHECK(line.opened == 1);
}

TEST_CASE("tcp: a connection that was closed while idle is made anew within the turn") {
    LineDouble line;
    line.framing = Framing::tcp;
    units(line, 2);
    BusOnLine bus(line, four, "1-2");
    CHECK(bus.read() == Result::ok);
    line.hang_up();
    CHECK(bus.read() == Result::ok);
    CHECK(line.opened == 2);
    CHECK(bus.value("psu0.a") == 1.25);
    CHECK(bus.value("psu1.d") == 30);
}

TEST_CASE("a cancelled read returns without asking anyone else") {
    LineDouble line;
    units(line, 6);
    BusOnLine bus(line, four, "1-6");
    line.cancel = true;
    bus.read();
    CHECK(line.asked.size() <= 1);
    CHECK(bus.took < 10ms);
}

TEST_CASE("the line's own counters can be sensors") {
    LineDouble line;
    units(line, 1);
    line.devices[1].damage = 1;
    BusOnLine bus(line, four, "1-2", [](Settings& s) { s.line_counters = true; });
    bus.read();
    CHECK(bus.value("line.requests") == 3);
    CHECK(bus.value("line.bad_crc") == 1);
    CHECK(bus.value("line.silent") == 1);
}

TEST_CASE("whatever goes wrong, every wanted sensor has one sample and the turn ends in time") {
    for (unsigned seed = 1; seed <= 60; ++seed) {
        CAPTURE(seed);
        std::mt19937 chance(seed);
        const auto one_of = [&](unsigned n) { return std::uniform_int_distribution<unsigned>(0, n - 1)(chance); };
        LineDouble line;
        line.framing = seed % 4 == 0 ? Framing::tcp : Framing::rtu;
        units(line, 6);
        BusOnLine bus(line, four + model, "1-6");
        for (int turn = 0; turn < 40; ++turn) {
            auto& device = line.devices[static_cast<std::uint8_t>(1 + one_of(6))];
            device.silent = one_of(3) == 0;
            device.exception = one_of(4) == 0 ? static_cast<std::uint8_t>(1 + one_of(12)) : 0;
            device.refused = one_of(3) == 0 ? std::set<std::uint16_t>{static_cast<std::uint16_t>(8 + one_of(25))}
                                            : std::set<std::uint16_t>{};
            device.damage = one_of(4) == 0 ? 3 : 0;
            device.latency = std::chrono::milliseconds(one_of(5) == 0 ? 400 : 5);
            put_text(device, one_of(6) == 0 ? "EVIL" : "GOOD");
            std::vector<std::uint32_t> wanted;
            for (const auto i : bus.all)
                if (turn % 3 == 0 || one_of(2) == 0) wanted.push_back(i);
            if (wanted.empty()) continue;
            const auto budget = std::chrono::milliseconds(1 + one_of(1500));
            bus.read(wanted, budget);
            REQUIRE(bus.samples.size() == wanted.size());
            std::set<std::uint32_t> seen;
            for (const auto& s : bus.samples) {
                seen.insert(s.sensor);
                if (s.quality < 16) CHECK((s.time_ns >= bus.begun && s.time_ns <= line.now));
            }
            CHECK(seen == std::set<std::uint32_t>(wanted.begin(), wanted.end()));
            CHECK(bus.took <= budget + 5ms);
            line.now += 100'000'000;
        }
    }
}
