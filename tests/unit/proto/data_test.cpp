#include "samples.hpp"

#include <doctest/doctest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>

using namespace gwatt::proto;
using namespace std::chrono_literals;

namespace {

bool same_bits(double a, double b) { return std::bit_cast<std::uint64_t>(a) == std::bit_cast<std::uint64_t>(b); }

void check_same(const Data& got, const Data& sent) {
    CHECK(got.group == sent.group);
    CHECK(got.start == sent.start);
    CHECK(got.period == sent.period);
    CHECK(got.samples == sent.samples);
    CHECK(got.grid_bound == sent.grid_bound);
    CHECK(got.time_step == sent.time_step);
    CHECK(got.quality == sent.quality);
    REQUIRE(got.values.size() == sent.values.size());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < sent.values.size(); ++i)
        wrong += has_value(sent.quality[i]) ? !same_bits(got.values[i], sent.values[i]) : !std::isnan(got.values[i]);
    CHECK(wrong == 0);
    if (!sent.scan_offset.empty()) CHECK(got.scan_offset == sent.scan_offset);
    REQUIRE(got.off_grid.size() == sent.off_grid.size());
    for (std::size_t i = 0; i < sent.off_grid.size(); ++i) {
        CHECK(got.off_grid[i].cell == sent.off_grid[i].cell);
        CHECK(got.off_grid[i].error == sent.off_grid[i].error);
    }
}

Catalog one_group(std::vector<Sensor> sensors) {
    Catalog c;
    c.header = samples::header(1);
    c.sensors = std::move(sensors);
    c.groups = {{1s, 0, static_cast<std::uint32_t>(c.sensors.size())}};
    c.header.catalog = catalog_hash(c);
    return c;
}

Data blank(const Catalog& catalog, std::uint32_t samples) {
    Data d;
    d.header = samples::header();
    d.header.catalog = catalog.header.catalog;
    d.start = d.header.clock.monotonic - 1s;
    d.period = 1s;
    d.samples = samples;
    d.values.assign(catalog.sensors.size() * samples, 0.0);
    d.quality.assign(d.values.size(), Quality::good);
    return d;
}

Sensor sensor(double resolution, double offset = 0) {
    Sensor s;
    s.quantity = Quantity::power;
    s.resolution = resolution;
    s.offset = offset;
    return s;
}

constexpr Quality all_qualities[] = {Quality::good,      Quality::stale,       Quality::suspect, Quality::overflow,
                                     Quality::restarted, Quality::unavailable, Quality::timeout, Quality::garbled,
                                     Quality::gone,      Quality::busy,        Quality::denied,  Quality::fault,
                                     Quality::not_read};

// A random message and its catalog: mostly good cells, runs of trouble, odd times, extreme values.
struct Random {
    explicit Random(std::uint64_t seed) : engine(seed) {}
    std::mt19937_64 engine;
    std::int64_t whole(std::int64_t from, std::int64_t to) { return std::uniform_int_distribution(from, to)(engine); }
    bool chance(double p) { return std::bernoulli_distribution(p)(engine); }

    Sensor any_sensor() {
        static constexpr double resolutions[] = {0, 1, 0.1, 0.01, 0.001, 0.125, 1.0 / 512, 1000, 1e-9, 3.7};
        return sensor(resolutions[whole(0, 9)], chance(0.2) ? static_cast<double>(whole(-1000, 1000)) / 8 : 0);
    }

    double any_value(const Sensor& s) {
        if (s.resolution == 0)
            return std::ldexp(std::uniform_real_distribution(-1.0, 1.0)(engine), static_cast<int>(whole(-1000, 1000)));
        // With an offset the steps near it are lost to rounding long before 2^51 of them.
        const std::int64_t most = s.offset == 0 ? (std::int64_t{1} << 51) - 1 : std::int64_t{1} << 30;
        const std::int64_t n = chance(0.05) ? whole(-most, most) : whole(-2000, 2000);
        return s.offset + static_cast<double>(n) * s.resolution;
    }

    Data any_data(const Catalog& c) {
        Data d = blank(c, static_cast<std::uint32_t>(whole(0, 12)));
        d.time_step = Duration(whole(1, 2'000'000));
        d.grid_bound = Duration(whole(0, 50'000'000));
        for (std::size_t s = 0; s < c.sensors.size(); ++s) {
            d.scan_offset.push_back(chance(0.7) && s > 0 ? d.scan_offset.back() : d.time_step * whole(-500, 500));
            for (std::size_t k = 0; k < d.samples; ++k) d.values[s * d.samples + k] = any_value(c.sensors[s]);
        }
        const double trouble = chance(0.5) ? 0 : 0.2;
        for (std::size_t i = 0; i < d.quality.size(); ++i) {
            if (chance(trouble)) d.quality[i] = i > 0 && chance(0.5) ? d.quality[i - 1] : all_qualities[whole(0, 12)];
            if (chance(trouble / 4))
                d.off_grid.push_back({static_cast<std::uint32_t>(i), d.time_step * whole(-99, 99)});
        }
        return d;
    }
};

}  // namespace

TEST_CASE("a message with everything in it once comes back") {
    Encoder encoder;
    Decoder decoder;
    const Catalog catalog = samples::catalog();
    const Data sent = samples::data(catalog);
    const auto got = decoder.data(encoder.data(sent, catalog), catalog);
    REQUIRE(got);
    check_same(**got, sent);
    CHECK(encoder.refused_values() == 0);
}

TEST_CASE("random messages come back bit for bit") {
    const std::uint64_t seed = std::random_device{}();
    INFO("seed ", seed);
    Random random(seed);
    Encoder encoder;
    Decoder decoder;
    for (int round = 0; round < 300; ++round) {
        std::vector<Sensor> sensors(static_cast<std::size_t>(random.whole(0, 20)));
        for (Sensor& s : sensors) s = random.any_sensor();
        const Catalog catalog = one_group(std::move(sensors));
        const Data sent = random.any_data(catalog);
        const std::string bytes(encoder.data(sent, catalog));
        const auto got = decoder.data(bytes, catalog);
        REQUIRE(got);
        check_same(**got, sent);
        CHECK(encoder.data(**got, catalog) == bytes);
    }
    CHECK(encoder.refused_values() == 0);
}

TEST_CASE("one sensor with one sample, and a group without samples, are messages like others") {
    Encoder encoder;
    Decoder decoder;
    const Catalog one = one_group({sensor(0.1)});
    Data single = blank(one, 1);
    single.values[0] = 1200.3;
    const auto got = decoder.data(encoder.data(single, one), one);
    REQUIRE(got);
    check_same(**got, single);
    const Catalog catalog = samples::catalog();
    const auto empty = decoder.data(encoder.data(samples::empty_data(catalog), catalog), catalog);
    REQUIRE(empty);
    CHECK((*empty)->values.empty());
    CHECK((*empty)->scan_offset.size() == 2);
}

TEST_CASE("a value between two steps is sent as the nearer one") {
    Encoder encoder;
    Decoder decoder;
    const Catalog catalog = one_group({sensor(0.125)});
    Data d = blank(catalog, 4);
    d.values = {1.05, 1.07, -1.05, 1.0625};
    const auto got = decoder.data(encoder.data(d, catalog), catalog);
    REQUIRE(got);
    CHECK((*got)->values == std::vector<double>{1.0, 1.125, -1.0, 1.0});  // a tie goes to the even step
}

TEST_CASE("what the wire cannot say goes out as garbled, is counted, and spoils no neighbour") {
    const double infinity = std::numeric_limits<double>::infinity();
    const double limit = static_cast<double>((std::int64_t{1} << 51) - 1);
    for (const double resolution : {0.0, 1.0}) {
        for (const double bad :
             {infinity, -infinity, std::numeric_limits<double>::quiet_NaN(), 1e300, -(limit + 1), limit + 1}) {
            if (resolution == 0 && std::isfinite(bad)) continue;
            CAPTURE(bad);
            Encoder encoder;
            Decoder decoder;
            const Catalog catalog = one_group({sensor(resolution), sensor(resolution)});
            Data d = blank(catalog, 3);
            d.values = {5, bad, 7, 8, 9, bad};
            d.quality[5] = Quality::suspect;
            const auto result = decoder.data(encoder.data(d, catalog), catalog);
            REQUIRE(result);
            const Data& got = **result;
            CHECK(got.quality == std::vector<Quality>{Quality::good, Quality::garbled, Quality::good, Quality::good,
                                                      Quality::good, Quality::garbled});
            CHECK(got.values[0] == 5);
            CHECK(got.values[2] == 7);
            CHECK(got.values[4] == 9);
            CHECK(encoder.refused_values() == 2);
        }
    }
}

TEST_CASE("the largest number of steps comes back whole, next to the smallest") {
    Encoder encoder;
    Decoder decoder;
    const Catalog catalog = one_group({sensor(0.1), sensor(1e-9), sensor(1e6)});
    Data d = blank(catalog, 2);
    const double most = static_cast<double>((std::int64_t{1} << 51) - 1);
    d.values = {most * 0.1, -most * 0.1, most * 1e-9, -most * 1e-9, most * 1e6, -most * 1e6};
    const auto got = decoder.data(encoder.data(d, catalog), catalog);
    REQUIRE(got);
    check_same(**got, d);
}

TEST_CASE("small times travel in steps of time_step, within half of it") {
    Encoder encoder;
    Decoder decoder;
    const Catalog catalog = one_group({sensor(1), sensor(1)});
    Data d = blank(catalog, 1);
    d.scan_offset = {1499us, -1500us};
    d.off_grid = {{1, 70'499us}};
    const auto got = decoder.data(encoder.data(d, catalog), catalog);
    REQUIRE(got);
    CHECK((*got)->scan_offset == std::vector<Duration>{1ms, -2ms});
    CHECK((*got)->off_grid[0].error == 70ms);
}

TEST_CASE("a message that contradicts its catalog is a bug of the caller and says so") {
    Encoder encoder;
    const Catalog catalog = samples::catalog();
    const auto refused = [&](auto change) {
        Data d = samples::data(catalog);
        change(d);
        CHECK_THROWS_AS(encoder.data(d, catalog), std::invalid_argument);
    };
    refused([](Data& d) { d.group = 2; });
    refused([](Data& d) { d.values.pop_back(); });
    refused([](Data& d) { d.quality.pop_back(); });
    refused([](Data& d) { d.samples = 5; });
    refused([](Data& d) { d.scan_offset.pop_back(); });
    refused([](Data& d) { d.off_grid = {{3, 1ms}, {3, 1ms}}; });
    refused([](Data& d) { d.off_grid = {{12, 1ms}}; });
    refused([](Data& d) { d.time_step = 0ns; });
}
