// The whole way of a reading inside the agent, to what a subscriber decodes.
#include "tests/unit/agent/house.hpp"

#include <doctest/doctest.h>

using namespace gwatt;
using namespace gwatt::test;
using namespace std::chrono_literals;
using runtime::Duration;

namespace {

std::uint64_t last_energy(const Listener& listener, std::size_t point = 0) {
    return listener.lives.empty() ? 0 : listener.lives.rbegin()->second.points.at(point).energy_mj;
}

}  // namespace

TEST_CASE("every reading of a minute arrives once, with its value and within a millisecond of its time") {
    House house;
    house.bus[0]->delay = 6ms;
    house.power = [](std::uint32_t s, runtime::Monotonic t) {
        return 100.0 * (s + 1) + static_cast<double>(t.time_since_epoch() / 1s % 8) / 8;
    };
    house.open(0, 3);
    house.clock.advance(75s);
    REQUIRE(house.listener.catalogs.size() == 1);
    const proto::Catalog& catalog = house.listener.catalogs.begin()->second;
    REQUIRE(catalog.sensors.size() == 3);
    REQUIRE(house.listener.datas.size() >= 6);
    std::uint64_t sequence = 0;
    for (const auto& [number, data] : house.listener.datas) {
        CHECK(number == ++sequence);
        for (std::uint32_t s = 0; s < 3; ++s)
            for (std::uint32_t k = 0; k < data.samples; ++k) {
                CHECK(data.quality[s * data.samples + k] == proto::Quality::good);
                const auto time = data.start + data.period * k + data.scan_offset[s];
                CHECK(data.values[s * data.samples + k] == house.power(s, time));
                CHECK(time.time_since_epoch() % 1s == 3ms);  // the middle of the measurement
            }
        CHECK(data.off_grid.empty());
    }
    CHECK(house.balanced());
}

TEST_CASE("the joules that arrive are the integral of the power that the buses showed") {
    House house(2);
    house.power = [](std::uint32_t, runtime::Monotonic) { return 250.0; };
    house.open(0, 2);
    house.open(1, 1);
    house.clock.advance(3600s);
    const proto::Live& live = house.listener.lives.rbegin()->second;
    REQUIRE(live.points.size() == 3);
    for (const auto& point : live.points) {
        const auto first = house.listener.lives.begin()->second.points[0];
        CHECK(point.energy_mj - first.energy_mj ==
              250'000 * static_cast<std::uint64_t>((point.as_of - first.as_of) / 1s));
        CHECK(point.mean == 250);
        CHECK(point.quality == proto::Quality::good);
    }
    CHECK(house.listener.lives.size() >= 3598);
    CHECK(house.balanced());
}

TEST_CASE("catalog and status come before any record, at each connection again") {
    House house;
    house.open(0);
    house.clock.advance(20s);
    REQUIRE(house.listener.order.size() > 3);
    const auto is = [&](std::size_t i, const char* end) { return house.listener.order[i].ends_with(end); };
    const auto first_live = std::find_if(house.listener.order.begin(), house.listener.order.end(),
                                         [](auto& t) { return t.ends_with("/live"); });
    const auto first_catalog = std::find_if(house.listener.order.begin(), house.listener.order.end(),
                                            [](auto& t) { return t.ends_with("/catalog"); });
    CHECK(first_catalog < first_live);
    CHECK((is(0, "/status") || is(0, "/catalog")));
    house.broker.set({.down = true});
    house.clock.advance(5s);
    const std::size_t before = house.listener.order.size();
    house.broker.set({});
    house.clock.advance(5s);
    std::size_t retained = 0;
    for (std::size_t i = before; i < house.listener.order.size(); ++i)
        retained += is(i, "/catalog") || is(i, "/status");
    CHECK(retained >= 2);
    CHECK(house.listener.presences.back() == proto::Presence::online);
}

TEST_CASE("an outage of ten minutes loses nothing: fresh records come first, the backlog as history") {
    House house;
    house.open(0, 2);
    house.clock.advance(30s);
    house.broker.set({.down = true});
    house.clock.advance(600s);
    CHECK(house.balanced());
    CHECK(house.spool.counters().records > 600);
    house.broker.set({});
    house.clock.advance(120s);
    CHECK(house.balanced());
    CHECK(house.spool.counters().records < 30);
    CHECK(house.listener.history > 500);
    CHECK(house.listener.lives.rbegin()->first == house.listener.lives.size());  // no hole in the sequence
    CHECK(house.listener.datas.rbegin()->first == house.listener.datas.size());
    const auto& first = house.listener.lives.begin()->second.points[0];
    const auto& last = house.listener.lives.rbegin()->second.points[0];
    CHECK(last.energy_mj - first.energy_mj == 100'000 * static_cast<std::uint64_t>((last.as_of - first.as_of) / 1s));
}

TEST_CASE("lost acknowledgements make duplicates but neither holes nor energy from nowhere") {
    House house;
    house.broker.set({.lose_ack = 0.3, .duplicate = 0.1});
    house.open(0);
    house.clock.advance(600s);
    house.broker.set({});
    house.clock.advance(60s);
    CHECK(house.publisher.counters().lost > 50);
    CHECK(house.listener.lives.rbegin()->first == house.listener.lives.size());
    CHECK(house.listener.datas.rbegin()->first == house.listener.datas.size());
    CHECK(house.balanced());
    const auto& first = house.listener.lives.begin()->second.points[0];
    const auto& last = house.listener.lives.rbegin()->second.points[0];
    CHECK(last.energy_mj - first.energy_mj == 100'000 * static_cast<std::uint64_t>((last.as_of - first.as_of) / 1s));
}

TEST_CASE("a memory of 64 KiB and a long outage: detail goes, energy stays, and the books say what went") {
    auto config = House::config();
    config.spool.memory_bytes = 64 << 10;
    House house(1, config);
    house.open(0, 20);
    house.clock.advance(30s);
    const auto before = house.listener.lives.rbegin()->second.points[0];
    house.broker.set({.down = true});
    house.clock.advance(3h);
    CHECK(house.spool.bytes() <= 64 << 10);
    CHECK(house.balanced());
    const auto& dropped = house.spool.counters().dropped;
    CHECK(dropped[static_cast<std::size_t>(agent::DropReason::full)] > 0);
    CHECK(dropped[static_cast<std::size_t>(agent::DropReason::thinned)] > 0);
    house.broker.set({});
    house.clock.advance(60s);
    CHECK(house.balanced());
    const auto& after = house.listener.lives.rbegin()->second.points[0];
    CHECK(after.energy_mj - before.energy_mj ==
          100'000 * static_cast<std::uint64_t>((after.as_of - before.as_of) / 1s));
    CHECK(after.estimated_mj == 0);
}

TEST_CASE("a bus that hangs costs its own readings only, and its gap is declared in quality and energy") {
    House house(2);
    house.open(0);
    house.open(1);
    house.clock.advance(20s);
    house.bus[0]->hang = true;
    house.clock.advance(30s);
    house.bus[0]->hang = false;
    house.clock.advance(30s);
    const auto& live = house.listener.lives.rbegin()->second;
    CHECK(live.points[0].estimated_mj > 2'900'000);
    CHECK(live.points[1].estimated_mj == 0);
    for (std::size_t i = 1; i < house.bus[1]->asked.size(); ++i)
        CHECK(house.bus[1]->asked[i] - house.bus[1]->asked[i - 1] == 1s);
    CHECK(house.samplers[1]->lateness().most() == 0s);
    std::uint64_t timeouts = 0;
    for (const auto& [sequence, data] : house.listener.datas)
        timeouts +=
            static_cast<std::uint64_t>(std::count(data.quality.begin(), data.quality.end(), proto::Quality::timeout));
    CHECK(timeouts == 30);
    CHECK(house.balanced());
}

TEST_CASE("a bus that comes later makes a new catalog; batches are closed at the change and counters go on") {
    House house(2);
    house.open(0);
    house.clock.advance(25s);
    const std::uint64_t before = last_energy(house.listener);
    house.open(1);
    house.clock.advance(25s);
    CHECK(house.listener.catalogs.size() == 2);
    REQUIRE(house.listener.lives.rbegin()->second.points.size() == 2);
    CHECK(last_energy(house.listener, 0) >= before + 24'000'00);
    for (const auto& [sequence, data] : house.listener.datas)
        CHECK(house.listener.catalogs.contains(data.header.catalog));
    CHECK(house.balanced());
    std::set<std::int64_t> seen;
    for (const auto& [sequence, data] : house.listener.datas)
        for (std::uint32_t k = 0; k < data.samples; ++k)
            seen.insert((data.start + data.period * k).time_since_epoch() / 1s);
    CHECK(seen.size() >= 38);
    CHECK(*seen.rbegin() - *seen.begin() + 1 == static_cast<std::int64_t>(seen.size()));  // no grid point is missing
}

TEST_CASE("a step of the wall clock closes the batch and keeps the books, and energy does not see it") {
    for (Duration step : {Duration(-3700s), Duration(5300ms), Duration(400ms), Duration(-400ms)}) {
        House house;
        house.open(0);
        house.clock.advance(23s);
        house.clock.step_utc(step);
        house.clock.advance(60s);
        CAPTURE(step.count());
        CHECK(house.balanced());
        const auto& first = house.listener.lives.begin()->second.points[0];
        const auto& last = house.listener.lives.rbegin()->second.points[0];
        CHECK(last.estimated_mj == 0);
        const auto exact = static_cast<double>((last.as_of - first.as_of).count()) / 1e9 * 100'000;
        CHECK(static_cast<double>(last.energy_mj - first.energy_mj) == doctest::Approx(exact).epsilon(1e-9));
        const auto& asked = house.bus[0]->asked;
        for (std::size_t i = 1; i < asked.size(); ++i) {
            CHECK(asked[i] - asked[i - 1] >= 500ms);
            CHECK(asked[i] - asked[i - 1] <= 2s);
        }
        const auto last_read = house.clock.utc_now() + (asked.back() - house.clock.now());
        CHECK(last_read.time_since_epoch() % 1s == 0s);  // on the new grid
    }
}

TEST_CASE("a stop with manners sees everything out and says offline last") {
    House house;
    house.open(0, 2);
    house.clock.advance(15s);
    house.reading.cancel();
    house.batcher.finish();
    house.sending.spawn("finish", house.publisher.finish(house.clock.now() + 4s));
    house.clock.advance(5s);
    CHECK(house.spool.empty());
    CHECK(house.listener.presences.back() == proto::Presence::offline);
    CHECK(house.listener.order.back().ends_with("/status"));
    CHECK(house.batcher.counters().readings == house.listener.cells());
}

TEST_CASE("a stop without a broker ends by its deadline") {
    House house;
    house.open(0);
    house.clock.advance(15s);
    house.broker.set({.down = true});
    house.clock.advance(1s);
    house.reading.cancel();
    bool ended = false;
    house.sending.spawn("finish", [](House& h, bool& done) -> boost::asio::awaitable<void> {
        co_await h.publisher.finish(h.clock.now() + 4s);
        done = true;
    }(house, ended));
    house.clock.advance(5s);
    CHECK(ended);
}
