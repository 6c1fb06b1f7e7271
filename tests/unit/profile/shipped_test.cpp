// The profiles that are shipped: they load, and the numbers that a total depends on are those of the register maps.
#include "drivers/profile/decode.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>

using namespace gwatt::drivers;
using namespace gwatt::drivers::profile;

namespace {
const std::filesystem::path folder = GWATT_PROFILES;

Profile shipped(const char* name) {
    auto loaded = load((folder / name).string());
    REQUIRE_MESSAGE(loaded.profile, (loaded.mistakes.empty() ? "" : loaded.mistakes.front()));
    return *loaded.profile;
}
const Sensor& find(const Profile& p, std::string_view id) {
    const auto at = std::find_if(p.sensors.begin(), p.sensors.end(), [&](const Sensor& s) { return s.spec.id == id; });
    REQUIRE_MESSAGE(at != p.sensors.end(), std::string(id));
    return *at;
}
double shown(const Profile& p, std::string_view id, std::uint16_t raw) {
    const std::uint8_t bytes[] = {static_cast<std::uint8_t>(raw >> 8), static_cast<std::uint8_t>(raw)};
    return decode(find(p, id), bytes).value;
}
unsigned at(const Profile& p, std::string_view id) { return find(p, id).place.first; }
}  // namespace

TEST_CASE("every shipped profile loads, is named as its file, and gives each power a point once") {
    std::size_t seen = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".toml") continue;
        ++seen;
        const auto loaded = load(entry.path().string());
        for (const auto& mistake : loaded.mistakes) FAIL_CHECK(mistake);
        REQUIRE(loaded.profile);
        CHECK(loaded.profile->name == entry.path().stem().string());
        for (const auto point : {GWATT_POINT_PSU_IN, GWATT_POINT_PSU_OUT})
            CHECK(std::count_if(loaded.profile->sensors.begin(), loaded.profile->sensors.end(), [&](const Sensor& s) {
                      return s.spec.quantity == GWATT_QUANTITY_POWER && s.spec.point == point;
                  }) <= 1);
    }
    CHECK(seen >= 3);
}

TEST_CASE("orv3_psu: registers, fractions and speed are those of the rackmon map") {
    const auto p = shipped("orv3_psu.toml");
    CHECK(p.baud == 19200);
    CHECK(p.parity == Parity::even);
    CHECK(at(p, "input_power") == 87);
    CHECK(find(p, "input_power").spec.point == GWATT_POINT_PSU_IN);
    CHECK(shown(p, "input_power", 0x2EE1) == 1500.125);
    CHECK(at(p, "output_power") == 82);
    CHECK(shown(p, "output_voltage", 0xC800) == 50.0);
    CHECK(shown(p, "input_voltage", 14720) == 230.0);
    CHECK(shown(p, "input_current", 6656) == 6.5);
    CHECK(shown(p, "power_factor", 512) == 1.0);
    CHECK(shown(p, "inlet_temperature", 0xFF80) == -1.0);
    CHECK(at(p, "faults") == 90);
    CHECK(at(p, "temperature_alarm") == 63);
}

TEST_CASE("orv3_hpr_psu differs from orv3_psu where the map does") {
    const auto p = shipped("orv3_hpr_psu.toml");
    CHECK(p.baud == 115200);
    CHECK(at(p, "input_power") == 87);
    CHECK(at(p, "input_power_instant") == 65);
    CHECK(find(p, "input_power_instant").spec.point == GWATT_POINT_UNSPECIFIED);
    CHECK(at(p, "faults") == 98);
    CHECK(at(p, "oring_voltage") == 118);
    CHECK(find(p, "input_power").spec.range_max == 8191.875);
    const auto& model = p.texts[1];
    CHECK(model.place.first == 8);
    CHECK(model.expect.front() == "ECD17020037");
}

TEST_CASE("orv2_psu: power is signed, and no read is longer than 16 registers") {
    const auto p = shipped("orv2_psu.toml");
    CHECK(p.longest_read == 16);
    CHECK(at(p, "input_power") == 148);
    CHECK(shown(p, "input_power", 0x7FFF) == 4095.875);
    CHECK(find(p, "input_power").type == Type::s16);
    CHECK(shown(p, "output_voltage", 25600) == 12.5);
}
