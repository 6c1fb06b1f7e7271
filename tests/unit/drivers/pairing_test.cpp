// Old and new hosts with old and new drivers: each reads of the other what both know.
#include "drivers/abi/driver.hpp"
#include "drivers/runner/plugin.hpp"

#include <doctest/doctest.h>

#include <cstring>

namespace d = gwatt::drivers;

namespace {

// A table as a later edition would have it.
struct LaterDriver {
    gwatt_driver known;
    std::uint64_t later[4];
};
struct LaterOption {
    gwatt_option known;
    const char* later[2];
};
struct LaterSensor {
    gwatt_sensor known;
    double later[2];
};
struct LaterHost {
    gwatt_host known;
    void (*later)(void*);
};

std::int32_t no_open(const gwatt_host*, const gwatt_value*, std::uint32_t, gwatt_bus**, gwatt_error*) {
    return GWATT_GONE;
}
std::int32_t no_sensors(gwatt_bus*, const gwatt_sensor**, std::uint32_t*, gwatt_error*) { return GWATT_BUG; }
std::int32_t no_read(gwatt_bus*, const std::uint32_t*, std::uint32_t, gwatt_sample*, std::uint32_t, std::uint32_t*,
                     std::int64_t, gwatt_error*) {
    return GWATT_BUG;
}
void no_close(gwatt_bus*) {}

gwatt_driver table_of_size(std::uint32_t size) {
    gwatt_driver table{};
    table.size = size;
    table.name = "x";
    table.version = "1";
    table.summary = "X.";
    table.open = no_open;
    table.sensors = no_sensors;
    table.read = no_read;
    table.close = no_close;
    table.read_overrun_ns = 7;
    return table;
}

bool accepted(const gwatt_driver& table, d::Plugin& plugin) {
    char why[256];
    return d::accept_table(&table, "x", plugin, why, sizeof why);
}

}  // namespace

TEST_CASE("pairing: this host, an older driver: what it does not have is zero") {
    d::Plugin plugin;
    REQUIRE(accepted(table_of_size(d::least_table), plugin));
    CHECK(plugin.table.read_overrun_ns == 0);
    CHECK_FALSE(accepted(table_of_size(d::least_table - 1), plugin));
    CHECK_FALSE(accepted(table_of_size(0), plugin));
}

TEST_CASE("pairing: this host, a driver of its own age") {
    d::Plugin plugin;
    REQUIRE(accepted(table_of_size(sizeof(gwatt_driver)), plugin));
    CHECK(plugin.table.read_overrun_ns == 7);
}

TEST_CASE("pairing: this host, a later driver: arrays are stepped by their elements' size") {
    LaterOption options[2] = {};
    for (LaterOption& option : options) {
        option.known = d::option("a", GWATT_TEXT, "A.");
        option.known.size = sizeof(LaterOption);
        option.later[0] = "not for us";
    }
    options[1].known.name = "b";
    LaterDriver later{table_of_size(sizeof(LaterDriver)), {1, 2, 3, 4}};
    later.known.options = &options[0].known;
    later.known.option_count = 2;
    d::Plugin plugin;
    REQUIRE(accepted(later.known, plugin));
    CHECK(d::option_at(plugin, 1).name == std::string_view("b"));
    LaterSensor sensors[2] = {};
    for (LaterSensor& sensor : sensors) sensor.known.size = sizeof(LaterSensor);
    sensors[1].known.id = "second";
    const std::uint32_t stride = d::sensor_stride(&sensors[0].known);
    REQUIRE(stride == sizeof(LaterSensor));
    CHECK(d::sensor_at(&sensors[0].known, stride, 1).id == std::string_view("second"));
}

TEST_CASE("pairing: a driver of this edition takes a later and an earlier host by its size") {
    LaterHost later{};
    later.known.size = sizeof(LaterHost);
    later.known.log = [](void*, std::int32_t, const char*) {};
    later.later = [](void*) {};
    const gwatt_host known = d::known_part(&later.known);
    CHECK((known.log == later.known.log));
    gwatt_host earlier{};
    std::memset(static_cast<void*>(&earlier), 0xFF, sizeof earlier);  // what is beyond its size is not there
    earlier.size = offsetof(gwatt_host, log);
    CHECK((d::known_part(&earlier).log == nullptr));
    CHECK(d::known_part(static_cast<const gwatt_host*>(nullptr)).size == 0);
}

TEST_CASE("pairing: tables that cannot be are refused with a reason") {
    d::Plugin plugin;
    gwatt_driver table = table_of_size(sizeof(gwatt_driver));
    table.open_worst_ns = -1;
    CHECK_FALSE(accepted(table, plugin));
    table = table_of_size(sizeof(gwatt_driver));
    table.option_count = 3;  // and no options
    CHECK_FALSE(accepted(table, plugin));
    table.option_count = 100000;
    CHECK_FALSE(accepted(table, plugin));
    table = table_of_size(sizeof(gwatt_driver));
    table.name = "X";
    CHECK_FALSE(accepted(table, plugin));
    gwatt_sensor list{};
    CHECK(d::sensor_stride(&list) == 0);
    list.size = 1 << 20;
    CHECK(d::sensor_stride(&list) == 0);
    list.size = sizeof list + 1;
    CHECK(d::sensor_stride(&list) == 0);
    CHECK(d::sensor_stride(nullptr) == 0);
}
