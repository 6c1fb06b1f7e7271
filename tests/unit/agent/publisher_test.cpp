#include "tests/unit/agent/house.hpp"

#include <doctest/doctest.h>

using namespace gwatt;
using namespace gwatt::agent;
using namespace gwatt::test;
using runtime::Delivery;

namespace {

std::uint64_t dropped(const House& house, DropReason reason) {
    return house.spool.counters().dropped[static_cast<std::size_t>(reason)];
}

std::size_t said(const House& house, const char* text) {
    std::size_t n = 0;
    for (const auto& line : house.said) n += line.find(text) != std::string::npos;
    return n;
}

}  // namespace

TEST_CASE("a broker that says no is asked again rarely, is complained of once, and loses nothing") {
    House house;
    house.open(0);
    house.clock.advance(15s);
    const auto taken = house.publisher.counters().taken;
    house.broker.set({.answer = Delivery::not_authorised});
    house.clock.advance(60s);
    CHECK(house.publisher.counters().not_authorised < 60);  // a window at a time, then parked
    CHECK(said(house, "does not let us publish") == 1);
    house.broker.set({});
    house.clock.advance(600s);
    CHECK(house.publisher.counters().taken > taken + 600);
    CHECK(house.spool.counters().records < 40);
    CHECK(dropped(house, DropReason::refused) == 0);
    CHECK(house.listener.lives.rbegin()->first == house.listener.lives.size());
    CHECK(house.balanced());
}

TEST_CASE("a broker that is full is left alone for longer and longer, and everything arrives when it is not") {
    House house;
    house.open(0);
    house.clock.advance(15s);
    house.broker.set({.answer = Delivery::quota});
    house.clock.advance(300s);
    CHECK(house.publisher.counters().quota < 400);
    CHECK(house.publisher.counters().quota > 5);
    house.broker.set({});
    house.clock.advance(180s);
    CHECK(house.spool.counters().records < 30);
    CHECK(house.listener.lives.rbegin()->first == house.listener.lives.size());
    CHECK(house.balanced());
}

TEST_CASE("what is too large for the broker is dropped at once, and counted") {
    House house;
    house.open(0);
    house.clock.advance(15s);
    house.broker.set({.answer = Delivery::too_large});
    house.clock.advance(20s);
    CHECK(dropped(house, DropReason::too_large) >= 18);
    CHECK(said(house, "dropped") == 1);
    house.broker.set({});
    house.clock.advance(20s);
    CHECK(house.balanced());
    CHECK(house.spool.counters().records < 5);
}

TEST_CASE("a record that is refused three times in a row is dropped, and those behind it get their turn") {
    House house;
    house.open(0);
    house.clock.advance(15s);
    house.broker.set({.answer = Delivery::refused});
    house.clock.advance(3600s);
    CHECK(dropped(house, DropReason::refused) >= 1);
    CHECK(dropped(house, DropReason::refused) < 400);
    CHECK(house.publisher.counters().refused < 2000);  // in an hour: no spinning
    house.broker.set({});
    house.clock.advance(1800s);
    CHECK(house.spool.counters().records < 60);
    CHECK(house.balanced());
}

TEST_CASE("the backlog goes to history topics no faster than its rate, and live does not wait for it") {
    auto config = House::config();
    config.publish.history_rate = 10;
    House house(1, config);
    house.open(0);
    house.clock.advance(15s);
    house.broker.set({.down = true});
    house.clock.advance(300s);
    house.broker.set({});
    const std::size_t before = house.listener.order.size();
    house.clock.advance(10s);
    std::size_t history = 0, live = 0;
    for (std::size_t i = before; i < house.listener.order.size(); ++i) {
        history += house.listener.order[i].find("/history/") != std::string::npos;
        live += house.listener.order[i].ends_with("a/live");
    }
    CHECK(history >= 90);
    CHECK(history <= 111);
    CHECK(live >= 38);  // those of the last 30 s before and of the 10 s after
    house.clock.advance(60s);
    CHECK(house.balanced());
    CHECK(house.listener.lives.rbegin()->first == house.listener.lives.size());
}

TEST_CASE("a change in the state of a bus is published within two seconds, and no change is not") {
    House house(2);
    house.open(0);
    house.clock.advance(20s);
    const auto statuses = house.listener.presences.size();
    house.clock.advance(60s);
    CHECK(house.listener.presences.size() == statuses);
    house.open(1);  // starting -> ok
    house.clock.advance(2s);
    CHECK(house.listener.presences.size() == statuses + 1);
}

TEST_CASE("the last will says that the controller was lost, not that the rack is off") {
    House house;
    proto::Decoder decoder;
    const std::string payload = will_payload({"s", "a", 42}, house.clock);
    const auto status = decoder.status(payload);
    REQUIRE(status.has_value());
    CHECK((*status)->presence == proto::Presence::controller_lost);
    CHECK((*status)->header.boot == 42);
}

TEST_CASE("never more than the window is in flight, whatever has piled up") {
    House house;
    house.open(0, 5);
    house.broker.set({.down = true});
    house.clock.advance(900s);
    house.broker.set({});
    std::uint64_t most = 0;
    for (int i = 0; i < 2000; ++i) {
        house.clock.advance(5ms);
        most = std::max(most, house.publisher.counters().in_flight);
    }
    CHECK(most <= 20);
    CHECK(house.listener.lives.size() > 100);
}
