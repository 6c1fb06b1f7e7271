#include "drivers/abi/driver.hpp"
#include "drivers/runner/option_values.hpp"

#include <doctest/doctest.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

namespace d = gwatt::drivers;

namespace {

constexpr const char* colours[] = {"red", "green", "blue", nullptr};
constexpr std::array declared{
    d::required(d::option("device", GWATT_PATH, "The tty.")),
    d::between(1, 247, d::option("unit", GWATT_INTEGER, "Address.", "0x10")),
    d::between(0.5, 2, d::option("factor", GWATT_NUMBER, "Factor.")),
    d::between(0.001, 10, d::option("timeout", GWATT_DURATION, "Time.", "250ms")),
    d::option("quick", GWATT_BOOLEAN, "Quick.", "true"),
    d::choice("colour", colours, "Colour.", "green"),
    d::option("name", GWATT_TEXT, "Name."),
    d::option("map", GWATT_PATH, "Map.", "maps/x.toml"),
};

using Given = std::vector<std::pair<std::string, std::string>>;

struct Parsed {
    explicit Parsed(const Given& given) {
        plugin.table.name = "d";
        plugin.table.options = declared.data();
        plugin.table.option_count = declared.size();
        plugin.option_stride = sizeof(gwatt_option);
        std::vector<d::OptionPair> pairs;
        for (const auto& [name, value] : given) pairs.push_back({name, value});
        const auto take = [](void* self, std::string_view option, const char* text) {
            static_cast<Parsed*>(self)->wrong += std::string(option) + ": " + text + "\n";
        };
        good = values.parse(plugin, pairs, "/etc/gwatt", take, this);
    }
    d::Options options() const { return {declared, values.values()}; }
    d::Plugin plugin;
    d::OptionValues values;
    std::string wrong;
    bool good = false;
};

std::string complaint(const std::string& name, const std::string& value) {
    return Parsed({{"device", "/dev/ttyS1"}, {name, value}}).wrong;
}

}  // namespace

TEST_CASE("options: every type is parsed, defaults stand in, paths start from the configuration") {
    const Parsed parsed({{"device", "ttyS1"}, {"factor", "1.5"}, {"name", "Ä b"}, {"timeout", "1.5 s"}});
    REQUIRE_MESSAGE(parsed.good, parsed.wrong);
    const d::Options options = parsed.options();
    CHECK(options.path("device") == std::string("/etc/gwatt/ttyS1"));
    CHECK(options.path("map") == std::string("/etc/gwatt/maps/x.toml"));
    CHECK(options.integer("unit") == 16);
    CHECK(options.number("factor") == 1.5);
    CHECK(options.duration("timeout") == std::chrono::milliseconds(1500));
    CHECK(options.boolean("quick"));
    CHECK(options.choice("colour") == 1);
    CHECK(options.text("name") == std::string("Ä b"));
    const Parsed bare(Given{{"device", "/dev/ttyS1"}});
    CHECK_FALSE(bare.options().has("factor"));
    CHECK(bare.options().has("unit"));
    CHECK(bare.options().path("device") == std::string("/dev/ttyS1"));
}

TEST_CASE("options: each mistake says what was found, what was expected, and the nearest name") {
    CHECK(complaint("unti", "3") == "unti: unti is no option of driver d; did you mean unit?\n");
    CHECK(complaint("something_else", "3") == "something_else: something_else is no option of driver d\n");
    CHECK(complaint("unit", "300") == "unit: found 300, expected a whole number from 1 to 247\n");
    CHECK(complaint("unit", "0x1G") == "unit: found 0x1G, expected a whole number\n");
    CHECK(complaint("unit", "") == "unit: found , expected a whole number\n");
    CHECK(complaint("unit", "99999999999999999999") == "unit: found 99999999999999999999, expected a whole number\n");
    CHECK(complaint("factor", "nan") == "factor: found nan, expected a number\n");
    CHECK(complaint("factor", "0.1") == "factor: found 0.1, expected a number from 0.5 to 2\n");
    CHECK(complaint("timeout", "5") ==
          "timeout: found 5, expected a duration like 250ms (units ns, us, ms, s, min, h, d)\n");
    CHECK(complaint("timeout", "1h") == "timeout: found 1h, expected a duration from 0.001 to 10 s\n");
    CHECK(complaint("quick", "yes") == "quick: found yes, expected true or false\n");
    CHECK(complaint("colour", "grene") ==
          "colour: found grene, expected one of: red, green, blue; did you mean green?\n");
    CHECK(complaint("map", "") == "map: is empty, expected a path\n");
    CHECK(complaint("device", "/dev/ttyS2") == "device: is given twice\n");
    CHECK(complaint("name", std::string("a\0b", 3)) == "name: holds a NUL byte\n");
    CHECK(complaint("name", std::string(2000, 'x')) == "name: is 2000 bytes long, 1024 are the most\n");
    CHECK(complaint(std::string(300, 'u'), "1").find(" is no option of driver d\n") != std::string::npos);
    CHECK(Parsed(Given{}).wrong == "device: is missing: The tty.\n");
}

TEST_CASE("options: a folder with a NUL byte would make a path empty, and is refused") {
    const Parsed model(Given{{"device", "x"}});
    d::OptionValues values;
    const d::OptionPair pair{"device", "tty0"};
    int complaints = 0;
    const auto take = [](void* count, std::string_view, const char*) { ++*static_cast<int*>(count); };
    CHECK_FALSE(values.parse(model.plugin, {&pair, 1}, std::string_view("\0etc", 4), take, &complaints));
    CHECK(complaints == 1);
}

TEST_CASE("options: all mistakes are told, not the first alone") {
    const Parsed parsed({{"unit", "x"}, {"quick", "x"}, {"nonsense", "x"}});
    CHECK_FALSE(parsed.good);
    CHECK(std::count(parsed.wrong.begin(), parsed.wrong.end(), '\n') == 4);  // and the missing one
}

TEST_CASE("options: a driver that asks for what it did not declare has a bug, and is told") {
    const Parsed parsed(Given{{"device", "/dev/x"}});
    CHECK_THROWS_AS(parsed.options().text("nosuch"), d::Failure);
    CHECK_THROWS_AS(parsed.options().integer("factor"), d::Failure);
}
