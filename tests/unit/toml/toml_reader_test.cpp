#include "runtime/toml_reader.hpp"

#include <doctest/doctest.h>

using namespace gwatt::runtime;
using namespace std::chrono_literals;

namespace {
Environment with(std::string name, std::string value) {
    return [=](const std::string& asked) { return asked == name ? std::optional(value) : std::nullopt; };
}

template <class Use> std::string error_of(std::string_view text, Use use) {
    try {
        auto document = TomlDocument::parse(text, "f.toml", with("SECRET", "xyzzy"));
        auto root = document.root();
        use(root);
        document.finish();
    } catch (const ConfigError& error) {
        return error.what();
    }
    return "no error";
}
void nothing(TomlTable&) {}
}  // namespace

TEST_CASE("values come out as they stand in the file") {
    auto document = TomlDocument::parse(
        "name = 'a'\nport = 1883\nwatts = 2.5\nsame = 3\non = true\nwait = '1.5min'\nlist = ['x', '${SECRET}']\n"
        "[mqtt]\nhost = 'b'\n[[rack]]\nagent = 'r0'\n[[rack]]\nagent = 'r1'\n",
        "f.toml", with("SECRET", "xyzzy"));
    auto root = document.root();
    CHECK(root.text("name") == "a");
    CHECK(root.integer("port", 1, 65535) == 1883);
    CHECK(root.number("watts", 0, 10) == 2.5);
    CHECK(root.number("same", 0, 10) == 3.0);
    CHECK(root.flag("on"));
    CHECK(root.duration("wait", 0ns, 1h) == 90s);
    CHECK(root.texts("list") == std::vector<std::string>{"x", "xyzzy"});
    CHECK(root.table("mqtt")->text("host") == "b");
    auto racks = root.tables("rack");
    REQUIRE(racks.size() == 2);
    CHECK(racks[1].text("agent") == "r1");
    CHECK(racks[1].path() == "rack[1]");
    CHECK(racks[0].text("agent") == "r0");
    CHECK_NOTHROW(document.finish());
}

TEST_CASE("a missing key gives its fallback, and an error where it has none") {
    CHECK(error_of("", [](TomlTable& t) {
              CHECK(t.text("a", "b") == "b");
              CHECK(t.integer("n", 0, 9, 4) == 4);
              CHECK(t.duration("d", 0ns, 1h, 3s) == 3s);
              CHECK_FALSE(t.table("t"));
              CHECK(t.tables("ts").empty());
          }) == "no error");
    CHECK(error_of("[m]\n", [](TomlTable& t) { t.table("m")->text("host"); }) ==
          "f.toml:1: m.host: missing, expected text");
}

TEST_CASE("errors name file, line, found, expected and the nearest name") {
    CHECK(error_of("\nport = 70000", [](TomlTable& t) { t.integer("port", 1, 65535); }) ==
          "f.toml:2: port: found 70000, expected a whole number from 1 to 65535");
    CHECK(error_of("port = 'x'", [](TomlTable& t) { t.integer("port", 1, 9); }) ==
          "f.toml:1: port: found \"x\", expected a whole number from 1 to 9");
    CHECK(error_of("[mqtt]\n\nhots = 'x'", [](TomlTable& t) { t.table("mqtt")->text("host"); }) ==
          "f.toml:3: mqtt.hots: unknown key; did you mean \"host\"?");
    CHECK(error_of("wait = '10 parsecs'", [](TomlTable& t) { t.duration("wait", 1s, 1h); }) ==
          "f.toml:1: wait: found \"10 parsecs\", expected a duration from \"1s\" to \"1h\" (units ms, s, min, h, d)");
    const std::vector<std::pair<std::string_view, int>> modes{{"broker", 1}, {"confirmed", 2}};
    CHECK(error_of("mode = 'brokr'", [&](TomlTable& t) { t.choice("mode", modes); }) ==
          "f.toml:1: mode: found \"brokr\", expected one of \"broker\", \"confirmed\"; did you mean \"broker\"?");
    CHECK(error_of("a = \n", nothing).starts_with("f.toml:1: not TOML: "));
}

TEST_CASE("a key that nobody asked for is an error at its own line, also in tables nobody opened") {
    CHECK(error_of("a = 1\nprot = 2", [](TomlTable& t) {
              t.integer("a", 0, 1);
              t.integer("port", 0, 9, 1);
          }) == "f.toml:2: prot: unknown key; did you mean \"port\"?");
    CHECK(error_of("[x]\na = 1", nothing) == "f.toml:1: x: unknown key");
    CHECK(error_of("[[r]]\nq = 1", [](TomlTable& t) { t.tables("r"); }) == "f.toml:2: r[0].q: unknown key");
}

TEST_CASE("a variable that is not in the environment is an error, and a doubled dollar is not a variable") {
    CHECK(error_of("p = '${NOPE}'", [](TomlTable& t) { t.text("p"); }) ==
          "f.toml:1: p: found ${NOPE}, expected that variable in the environment");
    CHECK(error_of("p = '${SECRET'", [](TomlTable& t) { t.text("p"); }) ==
          "f.toml:1: p: found \"${SECRET\", expected a } to close ${");
    CHECK(error_of("p = 'a$${SECRET}${SECRET}'", [](TomlTable& t) { CHECK(t.text("p") == "a${SECRET}xyzzy"); }) ==
          "no error");
}

TEST_CASE("all mistakes of a file are told at once, in the order of their lines") {
    CHECK(error_of("[a]\nn = 99\nprot = 1\n[b]\nw = 'x'\n",
                   [](TomlTable& t) {
                       CHECK(t.table("b")->duration("w", 1s, 1h, 5s) == 5s);
                       auto a = *t.table("a");
                       CHECK(a.integer("n", 3, 9) == 3);
                       a.integer("port", 0, 9);
                       a.fault("n", "99 and a half", "less");
                   }) ==
          "f.toml:2: a.n: found 99, expected a whole number from 3 to 9\n"
          "f.toml:2: a.n: found 99 and a half, expected less\n"
          "f.toml:3: a.prot: unknown key; did you mean \"port\"?\n"
          "f.toml:5: b.w: found \"x\", expected a duration from \"1s\" to \"1h\" (units ms, s, min, h, d)");
}

TEST_CASE("refuse() throws at once, with what was found before") {
    std::string said;
    auto document = TomlDocument::parse("n = 99\nm = 1", "f.toml");
    auto root = document.root();
    root.integer("n", 0, 9);
    CHECK_THROWS_WITH_AS(root.refuse("m", "two"),
                         "f.toml:1: n: found 99, expected a whole number from 0 to 9\n"
                         "f.toml:2: m: found 1, expected two",
                         ConfigError);
}

TEST_CASE("a variable that is unset or empty takes the default behind :-") {
    CHECK(error_of("p = '${NOPE:-q}${SECRET:-r}${NOPE:-}'", [](TomlTable& t) { CHECK(t.text("p") == "qxyzzy"); }) ==
          "no error");
}

TEST_CASE("driver options come out as text whatever they were written as") {
    CHECK(error_of("[o]\nlist = [1, 'two']", [](TomlTable& t) {
              auto o = *t.table("o");
              CHECK(o.as_text("list") == "1,two");
              CHECK(o.line("list") == 2);
          }) == "no error");
    CHECK(error_of("[o]\nunits = 3\nspeed = 1.5\nparity = 'e'\ntcp = false\n", [](TomlTable& t) {
              auto o = *t.table("o");
              CHECK(o.keys() == std::vector<std::string>{"parity", "speed", "tcp", "units"});
              CHECK(o.as_text("units") == "3");
              CHECK(o.as_text("speed") == "1.5");
              CHECK(o.as_text("parity") == "e");
              CHECK(o.as_text("tcp") == "false");
          }) == "no error");
}

TEST_CASE("a file that cannot be read is an error that names it") {
    CHECK_THROWS_WITH_AS(TomlDocument::load("/nonexistent/f.toml"), "/nonexistent/f.toml: cannot be read", ConfigError);
}

// toml++ 3.3 asserts and assumes on these; built with ASan and UBSan the first two once ended the program.
TEST_CASE("letters outside of quotes and broken brackets are errors with their line, whatever they are") {
    for (const char* text : {"[[[", "n = 1\n\xC3\xA9 = 2", "a.\xC9\x99 = 1", "x = \xD0\xB0", "[\xC2\xA1]", "[[\xD2\x99",
                             "= 1", "[]", "\xFF"}) {
        CAPTURE(text);
        const std::string error = error_of(text, nothing);
        CHECK(error.starts_with("f.toml:"));
    }
}
