#include "tests/integration/mqtt_link/house.hpp"
#include "tests/integration/mqtt_link/slow_resolver.hpp"
#include "tests/support/broker.hpp"
#include "tests/support/scripted_broker.hpp"

#include <doctest/doctest.h>

using namespace gwatt::test;

namespace {

// How late the loop is, at worst, for a timer of 5 ms.
asio::awaitable<void> watch(gwatt::runtime::Clock& clock, Duration& worst) {
    for (;;) {
        const auto due = clock.now() + 5ms;
        co_await clock.sleep_until(due);
        worst = std::max<Duration>(worst, clock.now() - due);
    }
}

}  // namespace

TEST_CASE(
    "a resolver that takes seconds does not hold up the loop, nor does a publication to another broker meanwhile") {
    House house;
    Duration worst{};
    ScriptedBroker broker(house.loop);
    Party well(house, options_for(broker.port(), "well"));
    REQUIRE(well.connect());
    MqttOptions options = options_for(1883, "slow");
    options.host = "broker.slow.example";
    options.insecure = true;
    Party slow(house, options);
    asio::co_spawn(house.loop, watch(house.clock, worst), asio::detached);
    slow.run();
    REQUIRE(house.until([] { return slow_lookups() >= 1; }));
    well.publish_many(50, "t");  // blocks inside the library, away from the loop
    REQUIRE(house.until([&] { return slow.link.numbers().connect_failures[1] >= 1; }, 30s));
    CHECK(house.until([&] { return well.results.size() == 50; }, 30s));
    CHECK(well.outcomes(Delivery::taken) == 50);
    MESSAGE("worst lateness of the loop: " << std::chrono::duration<double, std::milli>(worst).count() << " ms");
    CHECK(worst < 1s);  // a third of one look-up
    // stop() of a link whose library call hangs keeps its bound
    REQUIRE(house.until([before = slow_lookups()] { return slow_lookups() > before; }));
    const auto start = house.clock.now();
    CHECK(slow.stop());
    CHECK(house.clock.now() - start < options.stop_timeout + 1s);
}

TEST_CASE("a broker that accepts and says nothing ends as a failed attempt within the time-out") {
    House house;
    Duration worst{};
    ScriptedBroker broker(house.loop);
    broker.behaviour().silent = true;
    MqttOptions options = options_for(broker.port(), "mute");
    options.connect_timeout = 1s;
    Party party(house, options);
    asio::co_spawn(house.loop, watch(house.clock, worst), asio::detached);
    party.run();
    CHECK(house.until([&] { return broker.seen().connections >= 1; }));
    const auto& failures = party.link.numbers().connect_failures;
    CHECK(house.until([&] { return failures[1] + failures[2] >= 1; }, 15s));
    broker.behaviour().silent = false;
    CHECK(house.until([&] { return party.link.connected(); }));
    CHECK(worst < 1s);
}
