#include "model_rack.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace gwatt;
using namespace gwatt::fleet;
using namespace gwatt::test;

namespace {
ModelRack rack(std::string agent = "r1") {
    return ModelRack("s1", std::move(agent), {power_sensor("in", proto::Point::rack_in)},
                     [](std::size_t, double) { return 1000.0; });
}
}  // namespace

TEST_CASE("a message before its catalog waits and is used when the catalog comes") {
    ModelFleet fleet;
    auto r = rack();
    fleet.take(r.live_message(0), 1);
    CHECK(fleet.books.parked == 1);
    CHECK(fleet.books.balanced());
    fleet.take(r.catalog_message(), 1);
    CHECK(fleet.books.parked == 0);
    CHECK(fleet.books.used == 2);
    CHECK(fleet.books.balanced());
}

TEST_CASE("waiting messages are bounded in number and in time, and counted when given up") {
    ModelFleet fleet;
    auto r = rack();
    for (int s = 0; s < 100; ++s) fleet.take(r.live_message(s), s);
    CHECK(fleet.books.parked == SubscriberLimits{}.parked_per_agent);
    CHECK(fleet.books.rejected_by(Reason::unknown_catalog) == 100 - fleet.books.parked);
    fleet.subscriber.expire(arrival_at(1000).monotonic);
    CHECK(fleet.books.parked == 0);
    CHECK(fleet.books.rejected_by(Reason::unknown_catalog) == 100);
    CHECK(fleet.books.balanced());
}

TEST_CASE("a catalog of another agent or site than its topic says is refused") {
    ModelFleet fleet;
    auto wire = rack("r1").catalog_message();
    wire.topic = proto::topic("s1", "r2", proto::Stream::catalog);
    fleet.take(wire, 0);
    wire.topic = proto::topic("s2", "r1", proto::Stream::catalog);
    fleet.take(wire, 0);
    CHECK(fleet.books.rejected_by(Reason::wrongly_addressed) == 2);
    CHECK(fleet.inventory.racks().empty());
}

TEST_CASE("topics that are not ours and streams that are not for us are counted apart") {
    ModelFleet fleet;
    for (const auto* topic : {"", "gwatt", "gwatt/v2/s1/r1/live", "gwatt/v1/s1/r1", "gwatt/v1/S1/r1/live",
                              "gwatt/v1/s1/r1/live/x", "a/b/c/d/e"})
        fleet.take({topic, "x"}, 0);
    CHECK(fleet.books.rejected_by(Reason::bad_topic) == 7);
    for (const auto stream : {proto::Stream::ack, proto::Stream::rollup, proto::Stream::burst})
        fleet.take({proto::topic("s1", "r1", stream), ""}, 0);
    CHECK(fleet.books.rejected_by(Reason::foreign_stream) == 3);
    CHECK(fleet.books.balanced());
}

TEST_CASE("another major version is refused as that") {
    ModelFleet fleet;
    proto::Status status;
    status.header.schema = 2;
    proto::Encoder encoder;
    fleet.take({proto::topic("s1", "r1", proto::Stream::status), std::string(encoder.status(status))}, 0);
    CHECK(fleet.books.rejected_by(Reason::wrong_schema) == 1);
}

TEST_CASE("agents that the site file does not list are refused where it says so, and bounded where it does not") {
    SubscriberLimits refuse;
    refuse.admit_unlisted = false;
    ModelFleet closed({}, refuse);
    closed.expect({"s1", "r1", "", "", "", 0, {}, "", {}});
    closed.take(rack("r1").catalog_message(), 0);
    closed.take(rack("r2").catalog_message(), 0);
    CHECK(closed.books.used == 1);
    CHECK(closed.books.rejected_by(Reason::unlisted_agent) == 1);

    ModelFleet open({}, {}, 3);
    for (int i = 0; i < 10; ++i) open.take(rack("r" + std::to_string(i)).catalog_message(), 0);
    CHECK(open.inventory.racks().size() == 3);
    CHECK(open.books.rejected_by(Reason::too_many_agents) == 7);
    CHECK(open.books.balanced());
}

TEST_CASE("racks of one build share the list of their sensors") {
    Catalogs catalogs;
    for (AgentIndex a = 0; a < 100; ++a) catalogs.keep(a, rack("r" + std::to_string(a)).catalog);
    CHECK(catalogs.bodies() == 1);
    const auto wanted = rack("r7").catalog.header.catalog;
    REQUIRE(catalogs.find(7, wanted));
    CHECK(catalogs.find(7, wanted)->header.catalog == wanted);
    CHECK_FALSE(catalogs.find(8, wanted));
}

TEST_CASE("damaged, cut and random bytes are counted and never end the program") {
    for (unsigned seed = 1; seed <= 5; ++seed) {
        CAPTURE(seed);
        ModelFleet fleet;
        std::mt19937 random(seed);
        auto r = rack();
        const auto catalog = r.catalog_message();
        fleet.take(catalog, 0);
        for (int i = 0; i < 3000; ++i) {
            auto wire = random() % 3 == 0 ? catalog : r.live_message(i);
            switch (random() % 4) {
                case 0: wire.payload.resize(random() % (wire.payload.size() + 1)); break;
                case 1: wire.payload[random() % wire.payload.size()] = static_cast<char>(random()); break;
                case 2:
                    for (char& c : wire.payload) c = static_cast<char>(random());
                    break;
                default: wire.topic[random() % wire.topic.size()] = static_cast<char>(random()); break;
            }
            fleet.take(wire, i / 100.0);
            if (i % 100 == 0) {
                fleet.subscriber.expire(arrival_at(i / 100.0).monotonic);
                for (const auto& total : fleet.report(i / 100.0).totals) CHECK(std::isfinite(total.watts));
            }
        }
        CHECK(fleet.books.balanced());
        CHECK(fleet.books.rejected_total() > 100);
        // And a good rack still counts.
        auto good = rack("good");
        fleet.take(good.catalog_message(), 40);
        for (int s = 40; s < 50; ++s) fleet.take(good.live_message(s), s + 1);
        CHECK(fleet.total(50, "site/s1/rack/good").watts == doctest::Approx(1000));
    }
}
