#include "drivers/simulated/rack.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

using namespace gwatt::drivers::simulated;
using namespace std::chrono_literals;

TEST_CASE("simulated: the energy of every shape is the integral of its power") {
    for (const Shape shape : {Shape::constant, Shape::square, Shape::sine, Shape::walk}) {
        CAPTURE(static_cast<int>(shape));
        const Load load(shape, 12000, 0.3, 60, 7);
        double sum = 0;
        constexpr int steps = 200000;
        constexpr double from = 123.4, to = 456.7, width = (to - from) / steps;
        for (int i = 0; i < steps; ++i) sum += load.power(from + (i + 0.5) * width) * width;
        CHECK(load.energy(to) - load.energy(from) == doctest::Approx(sum).epsilon(1e-5));
        for (int i = 0; i < 1000; ++i) CHECK(std::fabs(load.power(i * 0.37) - 12000) <= 12000 * 0.3 + 1e-6);
    }
}

TEST_CASE("simulated: the same seed gives the same rack, another seed another one") {
    const auto rack = [](std::uint64_t seed) {
        return Rack({.noise = 5, .seed = seed}, Load(Shape::walk, 12000, 0.3, 60, seed), 0);
    };
    const Rack a = rack(1), b = rack(1), c = rack(2);
    int same = 0;
    for (std::uint32_t i = 0; i < a.size(); ++i) {
        CHECK(a.value(i, 1234.5) == b.value(i, 1234.5));
        same += a.value(i, 1234.5) == c.value(i, 1234.5) ? 1 : 0;
    }
    CHECK(same < 10);
}

TEST_CASE("simulated: the supplies share the load, and input is output over efficiency") {
    Rack rack({.psus = 6, .gpus = 8, .efficiency = 0.9, .rack_meter = true}, Load(Shape::constant, 9000, 0, 60, 1), 0);
    double in = 0, out = 0, gpus = 0, meter = 0;
    const auto list = rack.sensors();
    for (std::uint32_t i = 0; i < rack.size(); ++i) {
        const std::string id = list[i].id;
        if (id.ends_with(".input_power") && id.starts_with("psu")) in += rack.value(i, 50);
        if (id.ends_with(".output_power")) out += rack.value(i, 50);
        if (id.starts_with("gpu") && id.ends_with(".power")) gpus += rack.value(i, 50);
        if (id == "meter.input_power") meter = rack.value(i, 50);
    }
    CHECK(out == doctest::Approx(9000).epsilon(1e-4));
    CHECK(in == doctest::Approx(10000).epsilon(1e-4));
    CHECK(gpus == doctest::Approx(7200).epsilon(1e-4));
    CHECK(meter == doctest::Approx(10000).epsilon(1e-4));
}

TEST_CASE("simulated: counters wrap where they say, and statistics bracket the average") {
    Rack rack({.psus = 1, .energy_wrap = 1000, .window = 10s}, Load(Shape::sine, 1000, 0.5, 60, 3), 0);
    const auto list = rack.sensors();
    double average = 0, lowest = 0, highest = 0;
    for (std::uint32_t i = 0; i < rack.size(); ++i) {
        if (list[i].kind == GWATT_KIND_CUMULATIVE) {
            CHECK(list[i].wraps_at == 1000);
            for (double t = 0; t < 100; t += 0.3) CHECK(rack.value(i, t) < 1000);
        }
        if (list[i].kind == GWATT_KIND_AVERAGE) average = rack.value(i, 77);
        if (list[i].kind == GWATT_KIND_MINIMUM) lowest = rack.value(i, 77);
        if (list[i].kind == GWATT_KIND_MAXIMUM) highest = rack.value(i, 77);
    }
    CHECK(lowest < average);
    CHECK(average < highest);
}

TEST_CASE("simulated: every value is a whole number of its steps") {
    Rack rack({.psus = 2, .gpus = 2, .noise = 3}, Load(Shape::walk, 12000, 0.3, 60, 1), 0);
    const auto list = rack.sensors();
    for (std::uint32_t i = 0; i < rack.size(); ++i) {
        const double steps = rack.value(i, 99.9) / list[i].resolution;
        CHECK(steps == doctest::Approx(std::round(steps)).epsilon(1e-12));
    }
}
