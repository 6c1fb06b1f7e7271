#include "agent/batcher.hpp"

#include "tests/support/virtual_clock.hpp"
#include "tests/unit/agent/allocations.hpp"
#include "tests/unit/agent/sensors.hpp"

#include <doctest/doctest.h>

using namespace gwatt;
using namespace gwatt::agent;
using namespace gwatt::test;
using proto::Quality;
using runtime::Monotonic;

namespace {

struct Message {
    proto::Stream stream;
    std::uint64_t sequence;
    std::uint32_t samples;
    std::string payload;
};

struct Bench {
    explicit Bench(proto::Catalog with, PublishConfig config = {})
        : catalog(std::move(with)),
          clock(loop),
          energy(1, 0s),
          batcher(config, clock, energy, 9, [this](const Outgoing& m) {
              if (keep) messages.push_back({m.stream, m.sequence, m.samples, std::string(m.payload)});
              ++count;
          }) {
        energy.set_catalog(catalog);
        batcher.set_catalog(catalog);
    }
    // A scan at the grid point of the clock's now, each sensor at `late` behind it.
    void scan(std::uint32_t first, std::uint32_t n, Duration late = 3ms, Quality quality = Quality::good,
              bool realigned = false) {
        readings.clear();
        for (std::uint32_t i = 0; i < n; ++i) readings.push_back({clock.now() + late, 100.0 + i, first + i, quality});
        const Scan scan{clock.now(), realigned, readings};
        energy.take(readings);
        batcher.take(scan);
    }
    std::vector<proto::Data> datas() {
        std::vector<proto::Data> all;
        for (const Message& m : messages)
            if (m.stream == proto::Stream::data) {
                const auto data = decoder.data(m.payload, catalog);
                REQUIRE(data.has_value());
                all.push_back(**data);
            }
        return all;
    }
    std::vector<proto::Live> lives() {
        std::vector<proto::Live> all;
        for (const Message& m : messages)
            if (m.stream == proto::Stream::live) {
                const auto live = decoder.live(m.payload, catalog);
                REQUIRE(live.has_value());
                all.push_back(**live);
            }
        return all;
    }
    bool balanced() const {
        const auto& c = batcher.counters();
        std::uint64_t sent = 0;
        for (const Message& m : messages) sent += m.samples;
        return c.readings == sent + c.superseded + c.late + c.unknown + c.switched_off + batcher.open_samples();
    }

    proto::Catalog catalog;
    boost::asio::io_context loop;
    VirtualClock clock;
    Energy energy;
    Batcher batcher;
    proto::Decoder decoder;
    std::vector<Message> messages;
    std::vector<proto::Reading> readings;
    bool keep = true;
    std::uint64_t count = 0;
};

proto::Catalog two_groups() {
    proto::Catalog catalog = catalog_of({power_sensor("a"), power_sensor("b"), power_sensor("slow")}, 1s);
    catalog.groups = {{1s, 0, 2}, {10s, 2, 1}};
    catalog.header.catalog = proto::catalog_hash(catalog);
    return catalog;
}

}  // namespace

TEST_CASE("batches end at whole multiples of their length, the first one is as short as it takes") {
    Bench bench(two_groups());
    bench.clock.advance(4s);
    for (int i = 4; i < 130; ++i) {
        bench.scan(0, 2);
        if (i % 10 == 0) bench.scan(2, 1);
        bench.clock.advance(1s);
        bench.batcher.advance();
    }
    const auto datas = bench.datas();
    std::size_t fast = 0, slow = 0;
    for (const auto& data : datas) {
        const bool is_fast = data.group == 0;
        const std::size_t n = is_fast ? fast++ : slow++;
        CHECK(data.samples == (n == 0 ? (is_fast ? 6u : 5u) : (is_fast ? 10u : 6u)));
        CHECK(data.period == (is_fast ? 1s : 10s));
    }
    CHECK(fast == 13);
    CHECK(slow == 2);
    CHECK(bench.balanced());
}

TEST_CASE("cells that nobody filled are marked as not read, and a column that was not reached is not sent") {
    Bench bench(two_groups());
    bench.scan(0, 1);
    bench.clock.advance(2s);
    bench.scan(0, 2);
    bench.batcher.finish();
    const auto data = bench.datas().at(0);
    REQUIRE(data.samples == 3);
    CHECK(data.quality == std::vector<Quality>{Quality::good, Quality::not_read, Quality::good, Quality::not_read,
                                               Quality::not_read, Quality::good});
    CHECK(data.values[5] == 101);
    CHECK(bench.balanced());
}

TEST_CASE("a sample's time comes out within the bound: offsets per sensor, own times for those that strayed") {
    Bench bench(two_groups());
    std::vector<Monotonic> times;
    for (int i = 0; i < 10; ++i) {
        const Duration late = i == 4 ? Duration(250ms) : i == 7 ? Duration(-30ms) : Duration(37ms);
        times.push_back(bench.clock.now() + late);
        bench.scan(0, 2, late);
        bench.clock.advance(1s);
    }
    bench.batcher.advance();
    const auto data = bench.datas().at(0);
    CHECK(data.grid_bound == 10ms);
    REQUIRE(data.off_grid.size() == 4);
    std::vector<Duration> stray(data.values.size());
    for (const auto& each : data.off_grid) stray[each.cell] = each.error;
    for (std::uint32_t s = 0; s < 2; ++s)
        for (std::uint32_t k = 0; k < 10; ++k) {
            const Monotonic time = data.start + data.period * k + data.scan_offset[s] + stray[s * 10 + k];
            CHECK(std::chrono::abs(time - times[k]) <= data.grid_bound + data.time_step / 2);
        }
}

TEST_CASE("a scan after the end of a batch closes it first, and one from before its start is late") {
    Bench bench(two_groups());
    const Monotonic start = bench.clock.now();
    bench.scan(0, 2);
    bench.clock.advance(25s);
    bench.scan(0, 2);
    CHECK(bench.datas().size() == 1);
    const proto::Reading old{start, 1, 0, Quality::good};
    bench.batcher.take({start, false, {&old, 1}});
    CHECK(bench.batcher.counters().late == 1);
    CHECK(bench.balanced());
}

TEST_CASE("of two readings for one cell the later stays, and the other is counted") {
    Bench bench(two_groups());
    bench.scan(0, 2, 1ms);
    bench.scan(0, 2, 2ms);
    CHECK(bench.batcher.counters().superseded == 2);
    bench.batcher.finish();
    CHECK(bench.datas().at(0).scan_offset[0] == 2ms);
    CHECK(bench.balanced());
}

TEST_CASE("a re-aligned grid starts a batch of its own") {
    Bench bench(two_groups());
    bench.scan(0, 2);
    bench.clock.advance(1s);
    bench.scan(0, 2);
    bench.clock.step_utc(-7321s);
    bench.clock.advance(1300ms);
    bench.scan(0, 2, 3ms, Quality::good, true);
    bench.batcher.finish();
    const auto datas = bench.datas();
    REQUIRE(datas.size() == 2);
    CHECK(datas[0].samples == 2);
    CHECK(datas[1].samples == 1);
    CHECK(bench.balanced());
}

TEST_CASE("live comes once an interval with the counters, also where nothing new was read") {
    Bench bench(two_groups());
    for (int i = 0; i < 30; ++i) {
        if (i < 20) bench.scan(0, 2);
        bench.clock.advance(1s);
        bench.batcher.advance();
    }
    const auto lives = bench.lives();
    REQUIRE(lives.size() == 30);
    for (std::size_t i = 0; i < lives.size(); ++i) {
        CHECK(lives[i].header.sequence == i + 1);
        CHECK(lives[i].header.boot == 9);
        CHECK(lives[i].interval == 1s);
        REQUIRE(lives[i].points.size() == 3);
        CHECK(lives[i].points[0].samples == (i < 20 ? 1 : 0));
    }
    CHECK(lives[19].points[0].energy_mj == 1'900'000);
    CHECK(lives[29].points[0].energy_mj == 1'900'000);
    CHECK(lives[29].points[2].quality == Quality::not_read);
}

TEST_CASE("streams that are switched off are not made, and their readings are in the books") {
    PublishConfig config;
    config.data = false;
    Bench bench(two_groups(), config);
    bench.scan(0, 2);
    bench.clock.advance(30s);
    bench.batcher.advance();
    CHECK(bench.datas().empty());
    CHECK(bench.lives().size() == 1);
    CHECK(bench.balanced());
    config.data = true;
    config.live = false;
    Bench other(two_groups(), config);
    other.scan(0, 2);
    other.clock.advance(30s);
    other.batcher.advance();
    CHECK(other.lives().empty());
    CHECK(other.datas().size() == 1);
}

TEST_CASE("readings of no sensor of the catalog are counted and do no harm") {
    Bench bench(two_groups());
    const proto::Reading stranger{bench.clock.now(), 1, 99, Quality::good};
    bench.batcher.take({bench.clock.now(), true, {&stranger, 1}});
    CHECK(bench.batcher.counters().unknown == 1);
    bench.batcher.finish();
    bench.scan(0, 2);  // between two catalogs
    CHECK(bench.batcher.counters().unknown == 3);
    CHECK(bench.balanced());
}

TEST_CASE("in the steady state nothing is allocated per sample: not for a reading, and a few times a message at most") {
    std::vector<proto::Sensor> sensors;
    for (int i = 0; i < 311; ++i) sensors.push_back(power_sensor("sensor" + std::to_string(i)));
    Bench bench(catalog_of(sensors, 1s));
    bench.keep = false;
    const auto minute = [&] {
        for (int i = 0; i < 60; ++i) {
            bench.scan(0, 311, Duration(1ms) * (i % 7 == 0 ? 40 : 1));
            bench.clock.advance(1s);
            bench.batcher.advance();
        }
    };
    minute();
    minute();
    const std::uint64_t messages = bench.count;
    const std::uint64_t before = allocations();
    minute();
    const std::uint64_t made = allocations() - before;
    CHECK(bench.count - messages == 66);
    CAPTURE(made);
    CHECK(made <= 2 * 66);  // 18,660 samples went through
}
