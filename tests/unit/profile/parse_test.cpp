#include "drivers/profile/profile.hpp"

#include <doctest/doctest.h>

#include <string>

using namespace gwatt::drivers;
using namespace gwatt::drivers::profile;

namespace {
const std::string head = "name = \"x\"\n[unit]\nname = \"psu{n}\"\n";
std::string sensor(const std::string& body) { return head + "[[sensor]]\n" + body; }
const std::string plain = "id = \"p\"\nregister = 5\ntype = \"u16\"\nquantity = \"power\"\n";

// The one mistake of a text that has exactly one.
std::string mistake(const std::string& text) {
    const auto loaded = parse(text, "x.toml");
    CHECK(!loaded.profile);
    REQUIRE(!loaded.mistakes.empty());
    CHECK_MESSAGE(loaded.mistakes.size() == 1, loaded.mistakes.back());
    return loaded.mistakes.front();
}
bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }
Profile good(const std::string& text) {
    auto loaded = parse(text, "x.toml");
    REQUIRE_MESSAGE(loaded.profile, (loaded.mistakes.empty() ? "" : loaded.mistakes.front()));
    return *loaded.profile;
}
}  // namespace

TEST_CASE("a sensor gets its resolution from its fraction, and everything else from its keys") {
    const auto p =
        good(sensor(plain + "fraction_bits = 3\nlabel = \"input power\"\npoint = \"psu_in\"\nfeed = \"A\"\n"
                            "range = [0, 8000]\nrefresh = \"250ms\"\nno_value = [0xFFFF]\ntable = \"input\"\n"));
    REQUIRE(p.sensors.size() == 1);
    const auto& s = p.sensors[0];
    CHECK(s.spec.id == "p");
    CHECK(s.spec.label == "input power");
    CHECK(s.scale == 0.125);
    CHECK(s.spec.resolution == 0.125);
    CHECK(s.spec.quantity == GWATT_QUANTITY_POWER);
    CHECK(s.spec.kind == GWATT_KIND_INSTANT);
    CHECK(s.spec.point == GWATT_POINT_PSU_IN);
    CHECK(s.spec.feed == "A");
    CHECK(s.spec.range_max == 8000);
    CHECK(s.spec.refresh.count() == 250'000'000);
    CHECK(s.no_value == std::vector<std::uint64_t>{0xFFFF});
    const Place place{5, 1, RegisterTable::input};
    CHECK((s.place == place));
}

TEST_CASE("every quantity, kind and point has the number of driver.h") {
    CHECK(good(sensor("id = \"p\"\nregister = 5\ntype = \"u16\"\nquantity = \"count\"\n")).sensors[0].spec.quantity ==
          GWATT_QUANTITY_COUNT);
    CHECK(
        good(sensor("id = \"p\"\nregister = 5\ntype = \"u16\"\nquantity = \"rotation\"\n")).sensors[0].spec.quantity ==
        GWATT_QUANTITY_ROTATION);
    CHECK(good(sensor(plain + "point = \"battery\"\n")).sensors[0].spec.point == GWATT_POINT_BATTERY);
    CHECK(good(sensor(plain + "kind = \"maximum\"\nwindow = \"1min\"\n")).sensors[0].spec.kind == GWATT_KIND_MAXIMUM);
    CHECK(good(sensor(plain + "direction = \"both\"\n")).sensors[0].spec.direction == GWATT_DIRECTION_BOTH);
}

TEST_CASE("a counter wraps where its register does, in its unit") {
    const auto p = good(sensor(
        "id = \"e\"\nregister = 5\ntype = \"u32\"\nscale = 3600\nquantity = \"energy\"\nkind = \"cumulative\"\n"));
    CHECK(p.sensors[0].spec.wraps_at == 4294967296.0 * 3600);
    CHECK(p.sensors[0].spec.resolution == 3600);
    const auto never = good(sensor(
        "id = \"e\"\nregister = 5\ntype = \"u32\"\nquantity = \"energy\"\nkind = \"cumulative\"\nwraps_at = 0\n"));
    CHECK(never.sensors[0].spec.wraps_at == 0);
}

TEST_CASE("repeat makes one sensor for each step, numbered") {
    const auto p =
        good(sensor("id = \"outlet{i}.power\"\nlabel = \"outlet {i}\"\nregister = 0x101\nstep = 0x10\nrepeat = 6\n"
                    "number_from = 1\ntype = \"float32\"\nquantity = \"power\"\n"));
    REQUIRE(p.sensors.size() == 6);
    CHECK(p.sensors[0].spec.id == "outlet1.power");
    CHECK(p.sensors[5].spec.id == "outlet6.power");
    CHECK(p.sensors[5].spec.label == "outlet 6");
    CHECK(p.sensors[5].place.first == 0x151);
    CHECK(p.sensors[5].spec.resolution == 0);
}

TEST_CASE("defaults of [modbus] reach the sensors") {
    const auto p = good(
        "name = \"x\"\n[modbus]\nunits = \"192-199, 0xC8\"\nbaud = 9600\nparity = \"none\"\nstop_bits = "
        "2\nlongest_read = 16\n"
        "table = \"input\"\nword_order = \"little\"\nbyte_order = \"little\"\n[unit]\nname = \"u\"\n[[sensor]]\n" +
        plain);
    CHECK(p.units == std::vector<std::pair<unsigned, unsigned>>{{192, 200}});
    CHECK(p.baud == 9600);
    CHECK(p.parity == Parity::none);
    CHECK(p.stop_bits == 2u);
    CHECK(p.longest_read == 16);
    CHECK(p.sensors[0].place.table == RegisterTable::input);
    CHECK(p.sensors[0].word_order == Order::little);
    CHECK(p.sensors[0].byte_order == Order::little);
}

TEST_CASE("the bits of a state are told in its label") {
    const auto p =
        good(sensor("id = \"a\"\nlabel = \"alarms\"\nregister = 60\ntype = \"u16\"\nquantity = "
                    "\"state\"\n[sensor.bits]\n11 = \"fan\"\n0 = \"PFC\"\n"));
    CHECK(p.sensors[0].spec.label == "alarms: 0 PFC, 11 fan");
}

TEST_CASE("an unknown key is refused with its line and the nearest known one") {
    const auto what = mistake(sensor(plain + "fractionbits = 3\n"));
    INFO(what);
    CHECK(has(what, "x.toml:9: sensor[0].fractionbits: unknown key (did you mean fraction_bits?)"));
    CHECK(has(mistake(head + "titel = 3\n[[sensor]]\n" + plain), "unit.titel: unknown key"));
}

TEST_CASE("an unknown word is refused with what was found, what was expected and the nearest") {
    const auto what = mistake(sensor("id = \"p\"\nregister = 5\ntype = \"u16\"\nquantity = \"powr\"\n"));
    CHECK(has(what, "x.toml:8: sensor[0].quantity: found \"powr\", expected one of power, energy"));
    CHECK(has(what, "(did you mean power?)"));
}

TEST_CASE("each mistake of a sensor is told") {
    CHECK(has(mistake(sensor("id = \"p\"\ntype = \"u16\"\nquantity = \"power\"\n")),
              "x.toml:4: sensor[0].register: missing, expected a whole number"));
    CHECK(has(mistake(sensor("id = \"p\"\nregister = 65535\ntype = \"u32\"\nquantity = \"power\"\n")),
              "from 0 to 65534"));
    CHECK(has(mistake(sensor("id = \"p\"\nregister = -1\ntype = \"u16\"\nquantity = \"power\"\n")), "found -1"));
    CHECK(has(mistake(sensor("id = \"P 1\"\nregister = 1\ntype = \"u16\"\nquantity = \"power\"\n")), "lower case"));
    CHECK(has(mistake(sensor(plain + "fraction_bits = 3\nscale = 2\n")), "exclude each other"));
    CHECK(has(mistake(sensor(plain + "scale = 0\n")), "found 0"));
    CHECK(has(mistake(sensor(plain + "scale = nan\n")), "finite"));
    CHECK(has(mistake(sensor(plain + "range = [1]\n")), "[lowest, highest]"));
    CHECK(has(mistake(sensor(plain + "range = [70000, 80000]\n")), "shows only"));
    CHECK(has(mistake(sensor(plain + "resolution = 1.5\n")), "whole multiple"));
    CHECK(has(mistake(sensor(plain + "no_value = [65536]\n")), "does not fit"));
    CHECK(has(mistake(sensor(plain + "no_value = [-1]\n")), "does not fit"));
    CHECK(has(mistake(sensor(plain + "kind = \"cumulative\"\n")), "only energy, charge and count"));
    CHECK(has(mistake(sensor(plain + "wraps_at = 5\n")), "only cumulative"));
    CHECK(has(mistake(sensor(plain + "refresh = \"1 fortnight\"\n")), "duration"));
    CHECK(has(mistake(sensor(plain + "repeat = 3\n")), "belong together"));
    CHECK(has(mistake(sensor(plain + "[sensor.bits]\n0 = \"a\"\n")), "only a state"));
    CHECK(has(mistake(sensor("id = \"p{i}\"\nregister = 65000\nrepeat = 1000\ntype = \"u16\"\nquantity = \"power\"\n")),
              "past register"));
    CHECK(
        has(mistake(sensor("id = \"p\"\nregister = 5\ntype = \"float32\"\nfraction_bits = 3\nquantity = \"power\"\n")),
            "has none"));
}

TEST_CASE("ids and registers that are taken twice are refused, with both lines") {
    CHECK(has(mistake(sensor(plain + "[[sensor]]\nid = \"p\"\nregister = 6\ntype = \"u16\"\nquantity = \"power\"\n")),
              "x.toml:9: p: this id is already taken in line 4"));
    CHECK(has(mistake(sensor("id = \"a\"\nregister = 4\ntype = \"u32\"\nquantity = \"power\"\n[[sensor]]\n" + plain)),
              "p: register 5 belongs to a (line 4) already"));
    CHECK(
        good(sensor(plain +
                    "[[sensor]]\nid = \"q\"\ntable = \"input\"\nregister = 5\ntype = \"u16\"\nquantity = \"power\"\n"))
            .sensors.size() == 2);
    CHECK(has(mistake(head + "[[text]]\nid = \"t\"\nregister = 0\nlength = 8\n[[sensor]]\n" + plain), "belongs to t"));
}

TEST_CASE("several mistakes are told in one pass, and no more than 20") {
    std::string text = head;
    for (int i = 0; i < 30; ++i)
        text +=
            "[[sensor]]\nid = \"s" + std::to_string(i) + "\"\nregister = -1\ntype = \"u16\"\nquantity = \"power\"\n";
    CHECK(parse(text, "x.toml").mistakes.size() == 20);
}

TEST_CASE("texts carry what they must begin with") {
    const auto p = good(head +
                        "[[text]]\nid = \"model\"\nregister = 8\nlength = 8\nexpect = [\"ECD1702\"]\notherwise = "
                        "\"warn\"\n[[sensor]]\n" +
                        plain);
    REQUIRE(p.texts.size() == 1);
    CHECK(p.texts[0].expect == std::vector<std::string>{"ECD1702"});
    CHECK(!p.texts[0].deny);
    CHECK(
        has(mistake(head + "[[text]]\nid = \"m\"\nregister = 8\nlength = 1\nexpect = [\"ECD\"]\n[[sensor]]\n" + plain),
            "does not fit"));
}

TEST_CASE("what is not TOML, empty or too large is refused with a line") {
    CHECK(has(mistake("name = \n"), "x.toml:1: "));
    CHECK(!parse("", "x.toml").profile);
    CHECK(has(mistake(std::string(300 << 10, '#')), "larger than"));
    CHECK(has(load("/nowhere/x.toml").mistakes.at(0), "cannot be opened"));
    CHECK(!parse(std::string(200'000, '['), "x.toml").profile);
}

TEST_CASE("letters beyond ASCII may stand in quotes and comments, and nowhere else") {
    CHECK(good("# \xC3\xA9\n" + sensor(plain + "label = \"\xC3\xA9tat \\\" \xE7\x94\xB5\"\n")).sensors[0].spec.label ==
          "\xC3\xA9tat \" \xE7\x94\xB5");
    CHECK(good(sensor(plain + "label = \'\'\'\xC3\xA9\'\'\'\nfeed = \"\"\"A\"\"\"\n")).sensors[0].spec.label ==
          "\xC3\xA9");
    CHECK(has(mistake("name = \"x\"\n\xC3\xA9 = 1\n"), "x.toml:2: "));
    CHECK(has(mistake("[unit]\xD2\x91\n"), "x.toml:1: "));
}

TEST_CASE("unit lists are ranges and single addresses without repeats") {
    CHECK(parse_units("1-3,9") == std::vector<std::uint8_t>{1, 2, 3, 9});
    CHECK(parse_units(" 0xC8 - 0xC9 , 7 ") == std::vector<std::uint8_t>{200, 201, 7});
    for (const auto* bad : {"", "a", "1-", "3-1", "1,,2", "256", "1-3,2", "1;2", "-1", "1 2"})
        CHECK_MESSAGE(parse_units(bad).empty(), bad);
}

TEST_CASE("unit names take their number or their address") {
    CHECK(fill_in("psu{n}", 2, 202) == "psu2");
    CHECK(fill_in("shelf.u{unit}", 2, 202) == "shelf.u202");
}
