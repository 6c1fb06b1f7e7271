#include "agent/spool.hpp"

#include "tests/support/virtual_clock.hpp"

#include <doctest/doctest.h>

#include <random>
#include <set>

using namespace gwatt;
using namespace gwatt::agent;
using namespace gwatt::test;
using proto::Stream;

namespace {

constexpr std::array<bool, lanes> all_lanes{true, true, true, true};

struct Bench {
    explicit Bench(std::uint64_t bytes = 1 << 20, Duration age = 24h) : clock(loop), spool({bytes, age}, 30s, clock) {}
    std::uint64_t put(Stream stream, std::size_t bytes = 100, std::uint32_t samples = 10) {
        const std::string payload(bytes, 'x');
        return spool.append({stream, ++sequence, clock.now(), stream == Stream::data ? samples : 0, payload});
    }
    std::uint64_t take() {
        const auto taken = spool.take(all_lanes);
        return taken ? taken->record->id : 0;
    }
    std::uint64_t dropped(DropReason reason) const {
        return spool.counters().dropped[static_cast<std::size_t>(reason)];
    }
    bool balanced() const {
        const auto& c = spool.counters();
        std::uint64_t records = c.records + c.delivered, samples = c.samples + c.samples_delivered;
        for (std::size_t r = 0; r < drop_reasons; ++r) {
            records += c.dropped[r];
            samples += c.samples_dropped[r];
        }
        return records == c.appended && samples == c.samples_appended;
    }
    boost::asio::io_context loop;
    VirtualClock clock;
    Spool spool;
    std::uint64_t sequence = 0;
};

}  // namespace

TEST_CASE("live goes before data, the oldest first, and a record is taken once") {
    Bench bench;
    const auto d1 = bench.put(Stream::data), l1 = bench.put(Stream::live), d2 = bench.put(Stream::data),
               l2 = bench.put(Stream::live);
    CHECK(bench.take() == l1);
    CHECK(bench.take() == l2);
    CHECK(bench.take() == d1);
    CHECK(bench.take() == d2);
    CHECK(bench.take() == 0);
}

TEST_CASE("fresh records go before the backlog, which comes in its own lane") {
    Bench bench;
    const auto old_data = bench.put(Stream::data), old_live = bench.put(Stream::live);
    bench.clock.advance(31s);
    const auto data = bench.put(Stream::data), live = bench.put(Stream::live);
    std::vector<std::pair<std::uint64_t, Lane>> order;
    while (const auto taken = bench.spool.take(all_lanes)) order.emplace_back(taken->record->id, taken->lane);
    CHECK(order ==
          std::vector<std::pair<std::uint64_t, Lane>>{
              {live, Lane::live}, {data, Lane::data}, {old_live, Lane::backlog_live}, {old_data, Lane::backlog_data}});
}

TEST_CASE("a lane that is not allowed is left alone, and the others go on") {
    Bench bench;
    const auto live = bench.put(Stream::live), data = bench.put(Stream::data);
    const auto taken = bench.spool.take({false, true, true, true});
    REQUIRE(taken);
    CHECK(taken->record->id == data);
    CHECK_FALSE(bench.spool.take({false, true, true, true}));
    CHECK(bench.take() == live);
}

TEST_CASE("a record that was put back is the next again; one that is done is gone") {
    Bench bench;
    const auto a = bench.put(Stream::data), b = bench.put(Stream::data);
    CHECK(bench.take() == a);
    CHECK(bench.take() == b);
    bench.spool.requeue(a);
    CHECK(bench.take() == a);
    bench.spool.done(a);
    bench.spool.done(a);
    bench.spool.requeue(a);
    CHECK(bench.take() == 0);
    bench.spool.done(b);
    CHECK(bench.spool.empty());
    CHECK(bench.spool.bytes() == 0);
    CHECK(bench.spool.counters().delivered == 2);
    CHECK(bench.balanced());
}

TEST_CASE("when it is full the oldest data goes first, live stays, and memory is bounded at every step") {
    Bench bench(64 << 10);
    for (int i = 0; i < 200; ++i) {
        bench.put(Stream::live, 200);
        bench.put(Stream::data, 2000);
        CHECK(bench.spool.bytes() <= 64 << 10);
        bench.clock.advance(1s);
    }
    CHECK(bench.dropped(DropReason::full) > 100);
    CHECK(bench.dropped(DropReason::full_live) == 0);
    CHECK(bench.dropped(DropReason::thinned) == 0);
    CHECK(bench.balanced());
}

TEST_CASE("live alone is thinned from its older half and keeps its newest, so that energy and time stay covered") {
    Bench bench(64 << 10);
    for (int i = 0; i < 5000; ++i) {
        bench.put(Stream::live, 200);
        bench.clock.advance(1s);
    }
    CHECK(bench.spool.bytes() <= 64 << 10);
    CHECK(bench.dropped(DropReason::thinned) > 4000);
    CHECK(bench.dropped(DropReason::full_live) == 0);
    CHECK(bench.balanced());
    std::vector<runtime::Monotonic> made;
    while (const auto taken = bench.spool.take(all_lanes)) made.push_back(taken->record->made);
    std::sort(made.begin(), made.end());
    CHECK(bench.clock.now() - made.front() >= 4900s);  // nothing but the beginning was reached
    CHECK(bench.clock.now() - made.back() == 1s);
    for (std::size_t i = 1; i < made.size(); ++i) CHECK(made[i] - made[i - 1] <= 601s);
}

TEST_CASE("records under way are not dropped under the feet of the publisher") {
    Bench bench(64 << 10);
    const auto first = bench.put(Stream::data, 1000);
    CHECK(bench.take() == first);
    for (int i = 0; i < 500; ++i) bench.put(Stream::data, 1000);
    bench.spool.requeue(first);
    CHECK(bench.take() == first);
    bench.spool.done(first);
    CHECK(bench.spool.counters().delivered == 1);
    CHECK(bench.balanced());
}

TEST_CASE("what is older than the age goes, but never the newest live record") {
    Bench bench(1 << 20, 1h);
    bench.put(Stream::data);
    bench.put(Stream::live);
    bench.clock.advance(2h);
    const auto live = bench.put(Stream::live);
    CHECK(bench.dropped(DropReason::age) == 2);
    CHECK(bench.spool.counters().records == 1);
    CHECK(bench.take() == live);
    CHECK(bench.balanced());
}

TEST_CASE("a record larger than the whole memory is dropped and counted, and harms nothing") {
    Bench bench(64 << 10);
    bench.put(Stream::data, 1 << 20);
    CHECK(bench.dropped(DropReason::full) == 1);
    CHECK(bench.spool.empty());
    const auto live = bench.put(Stream::live, 1 << 20);  // the newest live record stays, whatever it weighs
    CHECK(bench.take() == live);
    CHECK(bench.balanced());
}

TEST_CASE("whatever is done in whatever order, the books balance and no id is given out twice") {
    const auto seed = std::random_device{}();
    CAPTURE(seed);
    std::mt19937_64 random(seed);
    Bench bench(96 << 10, 10min);
    std::set<std::uint64_t> under_way;
    for (int i = 0; i < 20'000; ++i) {
        const auto some = under_way.empty()
                              ? 0
                              : *std::next(under_way.begin(), static_cast<std::ptrdiff_t>(random() % under_way.size()));
        switch (random() % 7) {
            case 0:
            case 1: bench.put(Stream::live, random() % 500); break;
            case 2: bench.put(Stream::data, random() % 5000); break;
            case 3:
                if (const auto id = bench.take()) REQUIRE(under_way.insert(id).second);
                break;
            case 4:
                if (some) bench.spool.done(some), under_way.erase(some);
                break;
            case 5:
                if (some) bench.spool.requeue(some), under_way.erase(some);
                break;
            case 6:
                if (some && random() % 4 == 0) bench.spool.drop(some, DropReason::refused), under_way.erase(some);
                break;
        }
        if (random() % 3 == 0) bench.clock.advance(std::chrono::milliseconds(random() % 3000));
        if (under_way.size() > 20) bench.spool.requeue(*under_way.begin()), under_way.erase(under_way.begin());
        REQUIRE(bench.balanced());
    }
}
