// Nothing in driver.h moves: offsets and sizes against the table kept here, for 64-bit and 32-bit pointers alike.
#include "drivers/abi/driver.h"
#include "proto/reading.hpp"

#include <doctest/doctest.h>

#include <cstddef>

namespace {

struct Row {
    const char* what;
    std::size_t found;
    std::size_t with_64_bit_pointers;
    std::size_t with_32_bit_pointers;
};

#define FIELD(type, field) #type "." #field, offsetof(type, field)

// Offsets of edition 1. Rows are added when fields are appended; no row ever changes.
const Row rows[] = {
    {FIELD(gwatt_host, size), 0, 0},
    {FIELD(gwatt_host, self), 8, 8},
    {FIELD(gwatt_host, now_ns), 16, 12},
    {FIELD(gwatt_host, wait), 24, 16},
    {FIELD(gwatt_host, log), 32, 20},
    {"sizeof gwatt_host", sizeof(gwatt_host), 40, 24},
    {FIELD(gwatt_error, size), 0, 0},
    {FIELD(gwatt_error, option), 4, 4},
    {FIELD(gwatt_error, text), 8, 8},
    {"sizeof gwatt_error", sizeof(gwatt_error), 256, 256},
    {FIELD(gwatt_option, size), 0, 0},
    {FIELD(gwatt_option, type), 4, 4},
    {FIELD(gwatt_option, minimum), 8, 8},
    {FIELD(gwatt_option, maximum), 16, 16},
    {FIELD(gwatt_option, name), 24, 24},
    {FIELD(gwatt_option, help), 32, 28},
    {FIELD(gwatt_option, default_text), 40, 32},
    {FIELD(gwatt_option, choices), 48, 36},
    {FIELD(gwatt_option, required), 56, 40},
    {FIELD(gwatt_option, reserved), 60, 44},
    {"sizeof gwatt_option", sizeof(gwatt_option), 64, 48},
    {FIELD(gwatt_value, type), 0, 0},
    {FIELD(gwatt_value, given), 4, 4},
    {FIELD(gwatt_value, as), 8, 8},
    {"sizeof gwatt_value", sizeof(gwatt_value), 16, 16},
    {FIELD(gwatt_sensor, size), 0, 0},
    {FIELD(gwatt_sensor, quantity), 4, 4},
    {FIELD(gwatt_sensor, kind), 8, 8},
    {FIELD(gwatt_sensor, point), 12, 12},
    {FIELD(gwatt_sensor, direction), 16, 16},
    {FIELD(gwatt_sensor, basis), 20, 20},
    {FIELD(gwatt_sensor, accuracy_count), 24, 24},
    {FIELD(gwatt_sensor, window_ns), 32, 32},
    {FIELD(gwatt_sensor, refresh_ns), 40, 40},
    {FIELD(gwatt_sensor, resolution), 48, 48},
    {FIELD(gwatt_sensor, offset), 56, 56},
    {FIELD(gwatt_sensor, wraps_at), 64, 64},
    {FIELD(gwatt_sensor, range_min), 72, 72},
    {FIELD(gwatt_sensor, range_max), 80, 80},
    {FIELD(gwatt_sensor, id), 88, 88},
    {FIELD(gwatt_sensor, label), 96, 92},
    {FIELD(gwatt_sensor, part_of), 104, 96},
    {FIELD(gwatt_sensor, feed), 112, 100},
    {FIELD(gwatt_sensor, accuracy), 120, 104},
    {FIELD(gwatt_sensor, reserved_pointer), 128, 108},
    {"sizeof gwatt_sensor", sizeof(gwatt_sensor), 136, 112},
    {FIELD(gwatt_sample, time_ns), 0, 0},
    {FIELD(gwatt_sample, value), 8, 8},
    {FIELD(gwatt_sample, sensor), 16, 16},
    {FIELD(gwatt_sample, quality), 20, 20},
    {"sizeof gwatt_sample", sizeof(gwatt_sample), 24, 24},
    {"sizeof gwatt_accuracy", sizeof(gwatt_accuracy), 32, 32},
    {FIELD(gwatt_driver, size), 0, 0},
    {FIELD(gwatt_driver, option_count), 4, 4},
    {FIELD(gwatt_driver, open_worst_ns), 8, 8},
    {FIELD(gwatt_driver, close_worst_ns), 16, 16},
    {FIELD(gwatt_driver, name), 24, 24},
    {FIELD(gwatt_driver, version), 32, 28},
    {FIELD(gwatt_driver, summary), 40, 32},
    {FIELD(gwatt_driver, options), 48, 36},
    {FIELD(gwatt_driver, open), 56, 40},
    {FIELD(gwatt_driver, sensors), 64, 44},
    {FIELD(gwatt_driver, read), 72, 48},
    {FIELD(gwatt_driver, close), 80, 52},
    {FIELD(gwatt_driver, read_overrun_ns), 88, 56},
    {"sizeof gwatt_driver", sizeof(gwatt_driver), 96, 64},
};

#undef FIELD

template <class Ours, class Theirs> bool same(Ours ours, Theirs theirs) {
    return static_cast<int>(ours) == static_cast<int>(theirs);
}

}  // namespace

TEST_CASE("no field of the driver ABI has moved") {
    static_assert(sizeof(void*) == 8 || sizeof(void*) == 4);
    for (const Row& row : rows) {
        CAPTURE(row.what);
        CHECK(row.found == (sizeof(void*) == 8 ? row.with_64_bit_pointers : row.with_32_bit_pointers));
    }
}

TEST_CASE("the ABI's numbers are those of proto") {
    using namespace gwatt::proto;
    CHECK(same(GWATT_QUANTITY_POWER, Quantity::power));
    CHECK(same(GWATT_QUANTITY_ENERGY, Quantity::energy));
    CHECK(same(GWATT_QUANTITY_VOLTAGE, Quantity::voltage));
    CHECK(same(GWATT_QUANTITY_CURRENT, Quantity::current));
    CHECK(same(GWATT_QUANTITY_APPARENT_POWER, Quantity::apparent_power));
    CHECK(same(GWATT_QUANTITY_POWER_FACTOR, Quantity::power_factor));
    CHECK(same(GWATT_QUANTITY_TEMPERATURE, Quantity::temperature));
    CHECK(same(GWATT_QUANTITY_FREQUENCY, Quantity::frequency));
    CHECK(same(GWATT_QUANTITY_ROTATION, Quantity::rotation));
    CHECK(same(GWATT_QUANTITY_RATIO, Quantity::ratio));
    CHECK(same(GWATT_QUANTITY_FLOW, Quantity::flow));
    CHECK(same(GWATT_QUANTITY_PRESSURE, Quantity::pressure));
    CHECK(same(GWATT_QUANTITY_HUMIDITY, Quantity::humidity));
    CHECK(same(GWATT_QUANTITY_CHARGE, Quantity::charge));
    CHECK(same(GWATT_QUANTITY_STATE, Quantity::state));
    CHECK(same(GWATT_QUANTITY_COUNT, Quantity::count));
    CHECK(same(GWATT_KIND_INSTANT, Kind::instant));
    CHECK(same(GWATT_KIND_AVERAGE, Kind::average));
    CHECK(same(GWATT_KIND_MINIMUM, Kind::minimum));
    CHECK(same(GWATT_KIND_MAXIMUM, Kind::maximum));
    CHECK(same(GWATT_KIND_CUMULATIVE, Kind::cumulative));
    CHECK(same(GWATT_POINT_UTILITY, Point::utility));
    CHECK(same(GWATT_POINT_FEEDER, Point::feeder));
    CHECK(same(GWATT_POINT_UPS_OUT, Point::ups_out));
    CHECK(same(GWATT_POINT_PDU_IN, Point::pdu_in));
    CHECK(same(GWATT_POINT_RACK_IN, Point::rack_in));
    CHECK(same(GWATT_POINT_PSU_IN, Point::psu_in));
    CHECK(same(GWATT_POINT_PSU_OUT, Point::psu_out));
    CHECK(same(GWATT_POINT_BUSBAR, Point::busbar));
    CHECK(same(GWATT_POINT_TRAY, Point::tray));
    CHECK(same(GWATT_POINT_MODULE, Point::module));
    CHECK(same(GWATT_POINT_GPU, Point::gpu));
    CHECK(same(GWATT_POINT_CPU, Point::cpu));
    CHECK(same(GWATT_POINT_MEMORY, Point::memory));
    CHECK(same(GWATT_POINT_COOLING, Point::cooling));
    CHECK(same(GWATT_POINT_BATTERY, Point::battery));
    CHECK(same(GWATT_DIRECTION_SOURCE, Direction::source));
    CHECK(same(GWATT_DIRECTION_BOTH, Direction::both));
    CHECK(same(GWATT_BASIS_ASSUMED, AccuracyBasis::assumed));
    CHECK(same(GWATT_BASIS_DATA_SHEET, AccuracyBasis::data_sheet));
    CHECK(same(GWATT_BASIS_CALIBRATED, AccuracyBasis::calibrated));
    CHECK(same(GWATT_QUALITY_GOOD, Quality::good));
    CHECK(same(GWATT_QUALITY_STALE, Quality::stale));
    CHECK(same(GWATT_QUALITY_SUSPECT, Quality::suspect));
    CHECK(same(GWATT_QUALITY_OVERFLOW, Quality::overflow));
    CHECK(same(GWATT_QUALITY_RESTARTED, Quality::restarted));
    CHECK(same(GWATT_QUALITY_UNAVAILABLE, Quality::unavailable));
    CHECK(same(GWATT_QUALITY_TIMEOUT, Quality::timeout));
    CHECK(same(GWATT_QUALITY_GARBLED, Quality::garbled));
    CHECK(same(GWATT_QUALITY_GONE, Quality::gone));
    CHECK(same(GWATT_QUALITY_BUSY, Quality::busy));
    CHECK(same(GWATT_QUALITY_DENIED, Quality::denied));
    CHECK(same(GWATT_QUALITY_FAULT, Quality::fault));
    CHECK(same(GWATT_QUALITY_NOT_READ, Quality::not_read));
}
