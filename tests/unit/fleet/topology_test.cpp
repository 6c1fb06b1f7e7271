#include "fleet/topology.hpp"

#include "model_rack.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>

using namespace gwatt;
using namespace gwatt::fleet;
using gwatt::test::power_sensor;
using proto::Point;

namespace {
proto::Catalog catalog_of(std::vector<proto::Sensor> sensors) {
    proto::Catalog catalog;
    catalog.sensors = std::move(sensors);
    for (std::uint32_t i = 0; i < catalog.sensors.size(); ++i) catalog.energy_points.push_back(i);
    return catalog;
}
std::set<std::uint32_t> points(const Cut& cut) {
    std::set<std::uint32_t> out;
    for (const auto& term : cut.terms) out.insert(term.point);
    return out;
}
using Set = std::set<std::uint32_t>;
}  // namespace

TEST_CASE("AC and DC of one node are never added: the total is AC alone, DC stands by behind the loss model") {
    const auto cuts =
        cuts_of(catalog_of({power_sensor("n.ac", Point::rack_in), power_sensor("n.dc", Point::psu_out)}), {});
    REQUIRE(cuts.size() == 2);
    CHECK(cuts[0].level == CutLevel::rack_in);
    CHECK(points(cuts[0]) == Set{0});
    CHECK(cuts[1].level == CutLevel::model);
    CHECK(points(cuts[1]) == Set{1});
    CHECK(cuts[1].terms[0].modelled);
}

TEST_CASE("feeds A and B add up") {
    const auto cuts = cuts_of(catalog_of({power_sensor("a.in", Point::psu_in, "s.psu0", "A"),
                                          power_sensor("b.in", Point::psu_in, "s.psu1", "B")}),
                              {});
    REQUIRE(cuts.size() == 1);
    CHECK(points(cuts[0]) == Set{0, 1});
}

TEST_CASE("a sum over feeds and its feeds are not added, and a shelf and its PSUs are not added") {
    const auto feeds = cuts_of(
        catalog_of({power_sensor("n.sum", Point::rack_in, "pdu"), power_sensor("n.a", Point::rack_in, "pdu", "A"),
                    power_sensor("n.b", Point::rack_in, "pdu", "B")}),
        {});
    CHECK(points(feeds[0]) == Set{0});
    const auto shelf = cuts_of(
        catalog_of({power_sensor("p0", Point::psu_in, "shelf_a.psu0"),
                    power_sensor("p1", Point::psu_in, "shelf_a.psu1"), power_sensor("sum", Point::psu_in, "shelf_a"),
                    power_sensor("q0", Point::psu_in, "shelf_b.psu0")}),
        {});
    CHECK(points(shelf[0]) == Set{2, 3});
}

TEST_CASE("one power measured in three ways counts once, by its accumulator") {
    auto instant = power_sensor("p.now", Point::psu_in, "s.psu0");
    auto average = power_sensor("p.mean", Point::psu_in, "s.psu0");
    auto energy = power_sensor("p.energy", Point::psu_in, "s.psu0");
    average.kind = proto::Kind::average;
    energy.kind = proto::Kind::cumulative;
    auto peak = power_sensor("p.peak", Point::psu_in, "s.psu0");
    peak.kind = proto::Kind::maximum;
    const auto cuts = cuts_of(catalog_of({instant, average, energy, peak}), {});
    CHECK(points(cuts[0]) == Set{2});
}

TEST_CASE("a PSU without an input meter stands in the cut with its output and the loss model") {
    const auto cuts = cuts_of(
        catalog_of({power_sensor("p0.in", Point::psu_in, "s.psu0"), power_sensor("p0.out", Point::psu_out, "s.psu0"),
                    power_sensor("p1.out", Point::psu_out, "s.psu1")}),
        {});
    REQUIRE(cuts.size() == 2);
    CHECK(points(cuts[0]) == Set{0, 2});
    for (const auto& term : cuts[0].terms) CHECK(term.modelled == (term.point == 2));
    CHECK(points(cuts[1]) == Set{1, 2});
}

TEST_CASE("GPUs, trays and PDUs make no cut of a rack") {
    CHECK(cuts_of(catalog_of({power_sensor("g", Point::gpu), power_sensor("t", Point::tray),
                              power_sensor("p", Point::pdu_in)}),
                  {})
              .empty());
}

TEST_CASE("a cut that lacks an expected feed comes after one that has both") {
    const auto catalog = catalog_of({power_sensor("in.a", Point::rack_in, "pdu_a", "A"),
                                     power_sensor("p0", Point::psu_in, "s.psu0", "A"),
                                     power_sensor("p1", Point::psu_in, "s.psu1", "B")});
    const auto cuts = cuts_of(catalog, {"A", "B"});
    REQUIRE(cuts.size() == 2);
    CHECK(cuts[0].level == CutLevel::psu_in);
    CHECK(cuts[1].feeds_missing == 1);
}

TEST_CASE("in any cut of any rack, no point stands in the path of another") {
    for (unsigned seed = 1; seed <= 200; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        std::vector<proto::Sensor> sensors;
        const auto shelves = 1 + random() % 3;
        for (unsigned shelf = 0; shelf < shelves; ++shelf) {
            const auto name = "shelf" + std::to_string(shelf);
            if (random() % 3 == 0) sensors.push_back(power_sensor(name + ".in", Point::psu_in, name));
            for (unsigned psu = 0; psu < 3; ++psu) {
                const auto part = name + ".psu" + std::to_string(psu);
                if (random() % 2 == 0) sensors.push_back(power_sensor(part + ".in", Point::psu_in, part));
                sensors.push_back(power_sensor(part + ".out", Point::psu_out, part));
            }
        }
        std::shuffle(sensors.begin(), sensors.end(), random);
        const auto catalog = catalog_of(sensors);
        for (const auto& cut : cuts_of(catalog, {})) {
            // Every PSU is a leaf: it must be covered exactly once.
            for (unsigned shelf = 0; shelf < shelves; ++shelf) {
                for (unsigned psu = 0; psu < 3; ++psu) {
                    const auto part = "shelf" + std::to_string(shelf) + ".psu" + std::to_string(psu);
                    int covered = 0;
                    for (const auto& term : cut.terms) {
                        const auto& place = catalog.sensors[term.point].part_of;
                        if (place == part || part.starts_with(place + ".")) ++covered;
                    }
                    CHECK(covered == 1);
                }
            }
        }
    }
}
