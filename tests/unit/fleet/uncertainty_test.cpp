#include "fleet/uncertainty.hpp"

#include "model_rack.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace gwatt;
using namespace gwatt::fleet;

TEST_CASE("one model errs one way: a class 1 meter on every rack gives 0.577 percent however many racks there are") {
    // power-domain: u = 0.577 % for class 1, rectangular; rho = 1 over 10,000 racks of 130 kW gives 15 MW at k = 2.
    ErrorSum sum;
    for (int i = 0; i < 10'000; ++i) sum.add_systematic(MeterGroups::first_model, 1300);
    CHECK(sum.systematic() / 1.3e9 == doctest::Approx(0.00577).epsilon(0.001));
    CHECK(sum.expanded() == doctest::Approx(15.0e6).epsilon(0.01));
}

TEST_CASE("random errors add in squares") {
    ErrorSum sum;
    for (int i = 0; i < 10'000; ++i) sum.add_random(750);
    CHECK(sum.random() == doctest::Approx(75'000));
}

TEST_CASE("two models add in squares, two meters of one model linearly") {
    ErrorSum one, two;
    one.add_systematic(5, 3), one.add_systematic(5, 4);
    two.add_systematic(5, 3), two.add_systematic(6, 4);
    CHECK(one.systematic() == doctest::Approx(7 / std::sqrt(3.0)));
    CHECK(two.systematic() == doctest::Approx(5 / std::sqrt(3.0)));
}

TEST_CASE("accuracy is taken from the band of the load, and from the nearest band outside of all") {
    proto::Sensor sensor = test::power_sensor("p", proto::Point::psu_in);
    sensor.accuracy = {{10, 100, 0.05, 1}, {100, 1000, 0.01, 2}};
    CHECK(accuracy_of(sensor, 50).half_width == doctest::Approx(3.5));
    CHECK(accuracy_of(sensor, 500).half_width == doctest::Approx(7));
    CHECK(accuracy_of(sensor, 2000).half_width == doctest::Approx(22));
    CHECK(accuracy_of(sensor, 1).half_width == doctest::Approx(1.05));
    CHECK_FALSE(accuracy_of(sensor, 500).assumed);
}

TEST_CASE("accuracy that is not stated is assumed and said to be") {
    proto::Sensor sensor;
    CHECK(accuracy_of(sensor, 1000).half_width == doctest::Approx(1000 * assumed_accuracy));
    CHECK(accuracy_of(sensor, 1000).assumed);
}

TEST_CASE("meters of one model share a group, and models beyond the limit share one as well") {
    MeterGroups groups;
    auto a = test::power_sensor("a", proto::Point::psu_in), b = test::power_sensor("b", proto::Point::psu_in);
    CHECK(groups.of(a) == groups.of(b));
    b.accuracy[0].relative = 0.02;
    CHECK(groups.of(a) != groups.of(b));
    for (int i = 0; i < 1000; ++i) b.resolution = i, groups.of(b);
    CHECK(groups.size() == MeterGroups::limit);
    b.resolution = 5000;
    CHECK(groups.of(b) == MeterGroups::other);
}

TEST_CASE("a rack with more models than there is room for loses none of its error") {
    GroupShares shares;
    for (MeterGroups::Group g = 5; g < 15; ++g) shares.add(g, 1);
    double sum = 0;
    for (const auto& share : shares) sum += share.half_width;
    CHECK(sum == 10);
}
