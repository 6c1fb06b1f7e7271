#include "samples.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <random>

using namespace gwatt::proto;
using namespace std::chrono_literals;

namespace {

void check_same(const Live& got, const Live& sent) {
    CHECK(got.start == sent.start);
    CHECK(got.interval == sent.interval);
    REQUIRE(got.points.size() == sent.points.size());
    for (std::size_t i = 0; i < sent.points.size(); ++i) {
        CAPTURE(i);
        const Live::Point &a = got.points[i], &b = sent.points[i];
        CHECK(a.epoch == b.epoch);
        CHECK(a.energy_mj == b.energy_mj);
        CHECK(a.estimated_mj == b.estimated_mj);
        CHECK(a.estimated_low_mj == b.estimated_low_mj);
        CHECK(a.estimated_high_mj == b.estimated_high_mj);
        CHECK(a.exported_mj == b.exported_mj);
        CHECK(a.samples == b.samples);
        CHECK(a.quality == b.quality);
        CHECK(a.as_of == b.as_of);
        if (b.samples == 0) {
            CHECK(std::isnan(a.mean));
            continue;
        }
        CHECK(a.mean == b.mean);
        CHECK(a.min == b.min);
        CHECK(a.max == b.max);
    }
}

}  // namespace

TEST_CASE("a live message comes back with every column") {
    Encoder encoder;
    Decoder decoder;
    const Catalog catalog = samples::catalog();
    const Live sent = samples::live(catalog);
    const auto got = decoder.live(encoder.live(sent, catalog), catalog);
    REQUIRE(got);
    check_same(**got, sent);
}

TEST_CASE("random live messages come back, whatever the counters say") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed ", seed);
    std::mt19937_64 engine(seed);
    const auto whole = [&](std::int64_t from, std::int64_t to) {
        return std::uniform_int_distribution(from, to)(engine);
    };
    std::uint64_t unit = 1;
    const auto counter = [&] {
        return (whole(0, 9) == 0 ? engine() : static_cast<std::uint64_t>(whole(0, 5000))) / unit * unit;
    };
    Encoder encoder;
    Decoder decoder;
    Catalog catalog = samples::catalog();
    catalog.energy_points = {0, 2, 0, 0, 2, 0, 0, 0};  // longer columns, so that runs are runs
    catalog.header.catalog = catalog_hash(catalog);
    for (int round = 0; round < 300; ++round) {
        Live sent = samples::live(catalog);
        sent.points.assign(catalog.energy_points.size(), {});
        unit = round % 2 == 0 ? 1 : 1000;
        for (std::size_t i = 0; i < sent.points.size(); ++i) {
            const bool plain = catalog.energy_points[i] == 2;
            const double step = plain ? 0.01 : 0.1;
            Live::Point& p = sent.points[i];
            p = {static_cast<std::uint32_t>(whole(0, 2)),
                 counter(),
                 counter(),
                 counter(),
                 counter(),
                 counter(),
                 0,
                 0,
                 0,
                 static_cast<std::uint32_t>(whole(0, 3)),
                 static_cast<Quality>(whole(0, 3) * 8),
                 sent.start + whole(-5, 5) * 1ms};
            const std::int64_t mean = whole(-100000, 100000);
            p.mean = static_cast<double>(mean) * step;
            p.min = static_cast<double>(mean - whole(0, 300)) * step;
            p.max = static_cast<double>(mean + whole(0, 300)) * step;
        }
        const std::string bytes(encoder.live(sent, catalog));
        const auto got = decoder.live(bytes, catalog);
        REQUIRE(got);
        check_same(**got, sent);
        CHECK(encoder.live(**got, catalog) == bytes);
    }
}

TEST_CASE("columns without news take no room") {
    Encoder encoder;
    Catalog catalog = samples::catalog();
    catalog.energy_points.assign(100, 0);
    catalog.header.catalog = catalog_hash(catalog);
    Live live = samples::live(catalog);
    live.points.assign(100, {});
    for (Live::Point& p : live.points) {
        p.energy_mj = 1'000'000'000;   // five bytes
        p.mean = p.min = p.max = 800;  // two bytes
        p.samples = 1;
        p.as_of = live.start;  // one byte
    }
    CHECK(encoder.live(live, catalog).size() <= 100 * 8 + 100);
}

TEST_CASE("a power that the wire cannot say goes out as no samples, garbled, and is counted") {
    Encoder encoder;
    Decoder decoder;
    const Catalog catalog = samples::catalog();
    Live sent = samples::live(catalog);
    sent.points[0].max = std::numeric_limits<double>::infinity();
    const auto got = decoder.live(encoder.live(sent, catalog), catalog);
    REQUIRE(got);
    CHECK((*got)->points[0].samples == 0);
    CHECK((*got)->points[0].quality == Quality::garbled);
    CHECK((*got)->points[0].energy_mj == sent.points[0].energy_mj);
    CHECK(encoder.refused_values() == 1);
}

TEST_CASE("a mean that rounding puts an ulp outside its minimum is still a message") {
    Encoder encoder;
    Decoder decoder;
    const Catalog catalog = samples::catalog();
    Live sent = samples::live(catalog);
    sent.points[0].mean = 99.94;
    sent.points[0].min = sent.points[0].max = 99.96;
    const auto got = decoder.live(encoder.live(sent, catalog), catalog);
    REQUIRE(got);
    CHECK((*got)->points[0].min <= (*got)->points[0].mean);
    CHECK((*got)->points[0].max >= (*got)->points[0].mean);
}

TEST_CASE("a live message may speak of the first energy points alone") {
    Encoder encoder;
    Decoder decoder;
    const Catalog catalog = samples::catalog();
    Live sent = samples::live(catalog);
    sent.points.pop_back();
    const auto got = decoder.live(encoder.live(sent, catalog), catalog);
    REQUIRE(got);
    check_same(**got, sent);
}

TEST_CASE("live points that are not the catalog's are a bug of the caller") {
    Encoder encoder;
    const Catalog catalog = samples::catalog();
    Live sent = samples::live(catalog);
    sent.points.push_back(sent.points.front());
    CHECK_THROWS_AS(encoder.live(sent, catalog), std::invalid_argument);
}
