#pragma once
// What the standard rack is made of: included by standard_rack.cpp alone.
#include "proto/reading.hpp"

#include <cstdint>
#include <span>

namespace gwatt::test {

using proto::Point;
using proto::Quantity;

// One sensor of a device. The signal is a random walk with white noise on it, both normal: `walk` a second, `noise` a
// sample, in the sensor's unit; it starts anywhere in [low, high] and is turned back at three times their distance.
struct SensorModel {
    const char* id;
    Quantity quantity;
    double resolution, low, high, walk, noise;
};

inline constexpr double eighth = 0.125;

// Resolutions are those of the devices (0.1 W of a GPU, 1 W of PSUs and outlets, 0.01 V, 1/8 degree); the noise figures are those
// of synthetic racks elsewhere: outlets 2 W, PSU power 3 W, output 5 mV and 0.25 A, GPU 4 W a second and 3 W, temperatures 0.06
// degrees. A GPU at 0.1 W is by far the loudest of them.
inline constexpr SensorModel gpu_fast[] = {{"power", Quantity::power, 0.1, 600, 1150, 4, 3}};
inline constexpr SensorModel gpu_slow[] = {{"core_temp", Quantity::temperature, 1, 45, 70, .02, .3},
                                           {"memory_temp", Quantity::temperature, 1, 55, 85, .02, .3},
                                           {"utilisation", Quantity::ratio, .01, .85, 1, .005, .02}};
inline constexpr SensorModel tray_fast[] = {{"power", Quantity::power, 1, 4500, 6500, 8, 6}};
inline constexpr SensorModel tray_slow[] = {{"cpu0_power", Quantity::power, .1, 150, 280, 1, 1},
                                            {"cpu1_power", Quantity::power, .1, 150, 280, 1, 1},
                                            {"temp0", Quantity::temperature, eighth, 30, 60, .02, .06},
                                            {"temp1", Quantity::temperature, eighth, 30, 60, .02, .06},
                                            {"temp2", Quantity::temperature, eighth, 30, 60, .02, .06},
                                            {"temp3", Quantity::temperature, eighth, 30, 60, .02, .06},
                                            {"inlet_temp", Quantity::temperature, eighth, 20, 27, .01, .06},
                                            {"coolant_flow", Quantity::flow, .1, 3, 5, .005, .05},
                                            {"fan0", Quantity::rotation, 1, 8000, 9000, 2, 10},
                                            {"fan1", Quantity::rotation, 1, 8000, 9000, 2, 10}};
inline constexpr SensorModel psu_fast[] = {{"input_power", Quantity::power, 1, 3000, 4000, 3, 3},
                                           {"output_power", Quantity::power, 1, 2900, 3900, 3, 3}};
inline constexpr SensorModel psu_slow[] = {{"input_voltage", Quantity::voltage, .1, 270, 280, .02, .08},
                                           {"input_current", Quantity::current, .01, 11, 14, .01, .02},
                                           {"output_voltage", Quantity::voltage, .01, 50, 50.4, .001, .005},
                                           {"output_current", Quantity::current, .01, 60, 78, .25, .25},
                                           {"inlet_temp", Quantity::temperature, eighth, 25, 35, .02, .06},
                                           {"temp1", Quantity::temperature, eighth, 40, 70, .02, .06},
                                           {"temp2", Quantity::temperature, eighth, 40, 70, .02, .06},
                                           {"fan0", Quantity::rotation, 1, 9000, 12000, 3, 15},
                                           {"fan1", Quantity::rotation, 1, 9000, 12000, 3, 15},
                                           {"status", Quantity::state, 1, 0, 0, 0, 0}};
inline constexpr SensorModel bbu_fast[] = {{"power", Quantity::power, 1, 0, 4, 0, .4}};
inline constexpr SensorModel bbu_slow[] = {{"voltage", Quantity::voltage, .01, 44, 46, .0005, .005},
                                           {"current", Quantity::current, .01, 0, .1, 0, .01},
                                           {"charge", Quantity::ratio, .01, .97, 1, 0, 0},
                                           {"temp0", Quantity::temperature, eighth, 25, 32, .01, .06},
                                           {"temp1", Quantity::temperature, eighth, 25, 32, .01, .06},
                                           {"temp2", Quantity::temperature, eighth, 25, 32, .01, .06},
                                           {"status", Quantity::state, 1, 0, 0, 0, 0}};
inline constexpr SensorModel outlet_fast[] = {{"power", Quantity::power, 1, 300, 1200, 2, 2}};
inline constexpr SensorModel pdu_fast[] = {{"power", Quantity::power, 1, 20000, 28000, 10, 10}};
inline constexpr SensorModel pdu_slow[] = {{"voltage_l1", Quantity::voltage, .1, 238, 242, .02, .08},
                                           {"voltage_l2", Quantity::voltage, .1, 238, 242, .02, .08},
                                           {"voltage_l3", Quantity::voltage, .1, 238, 242, .02, .08},
                                           {"current_l1", Quantity::current, .01, 28, 38, .02, .05},
                                           {"current_l2", Quantity::current, .01, 28, 38, .02, .05},
                                           {"current_l3", Quantity::current, .01, 28, 38, .02, .05},
                                           {"frequency", Quantity::frequency, .01, 49.98, 50.02, .002, .005}};
inline constexpr SensorModel feed_fast[] = {{"power", Quantity::power, 1, 60000, 68000, 30, 30},
                                            {"apparent_power", Quantity::apparent_power, 1, 61000, 69000, 30, 30},
                                            {"power_factor", Quantity::power_factor, .0001, .97, .99, .0001, .0003},
                                            {"current_l1", Quantity::current, .01, 85, 95, .05, .1},
                                            {"current_l2", Quantity::current, .01, 85, 95, .05, .1},
                                            {"frequency", Quantity::frequency, .001, 49.98, 50.02, .001, .001}};
inline constexpr SensorModel feed_slow[] = {{"voltage_l1", Quantity::voltage, .1, 238, 242, .02, .08},
                                            {"voltage_l2", Quantity::voltage, .1, 238, 242, .02, .08},
                                            {"voltage_l3", Quantity::voltage, .1, 238, 242, .02, .08},
                                            {"current_n", Quantity::current, .01, 1, 3, .01, .05},
                                            {"thd_l1", Quantity::ratio, .001, .02, .04, .0002, .0005},
                                            {"energy", Quantity::energy, 3600, 1e9, 2e9, 65000, 0}};
inline constexpr SensorModel rack_fast[] = {{"power", Quantity::power, 1, 125000, 135000, 60, 60}};

// A kind of device: how many, how many of them share a bus, how many come in one answer (and so at one time, or not at all),
// where they stand in the power path.
struct RackModel {
    const char* name;
    std::uint32_t number, per_bus, per_answer;
    Point point;
    std::span<const SensorModel> fast, slow;
};

// A rack of 72 GPUs in 18 trays on two shelves' worth of PSUs and BBUs, two feeds with two PDUs each; about 130 kW.
// 72 + 18 + 36 x 2 + 36 + 4 x 24 + 4 + 2 x 6 + 1 = 311 and 72 x 3 + 18 x 10 + 36 x 10 + 36 x 7 + 4 x 7 + 2 x 6 = 1,048 sensors.
inline constexpr RackModel rack_models[] = {
    {"gpu", 72, 4, 1, Point::gpu, gpu_fast, gpu_slow},      {"tray", 18, 1, 1, Point::tray, tray_fast, tray_slow},
    {"psu", 36, 6, 1, Point::psu_in, psu_fast, psu_slow},   {"bbu", 36, 6, 1, Point::battery, bbu_fast, bbu_slow},
    {"outlet", 96, 24, 24, Point::pdu_in, outlet_fast, {}}, {"pdu", 4, 1, 1, Point::pdu_in, pdu_fast, pdu_slow},
    {"feed", 2, 1, 1, Point::feeder, feed_fast, feed_slow}, {"rack", 1, 1, 1, Point::rack_in, rack_fast, {}},
};

}  // namespace gwatt::test
