#include "samples.hpp"

#include <doctest/doctest.h>

using namespace gwatt::proto;
using namespace std::chrono_literals;

namespace {

void check_header(const Header& a, const Header& b) {
    CHECK(a.schema == b.schema);
    CHECK(a.boot == b.boot);
    CHECK(a.sequence == b.sequence);
    CHECK(a.catalog == b.catalog);
    CHECK(a.clock.monotonic == b.clock.monotonic);
    CHECK(a.clock.utc == b.clock.utc);
    CHECK(a.clock.state == b.clock.state);
    CHECK(a.clock.offset == b.clock.offset);
    CHECK(a.clock.bound == b.clock.bound);
}

}  // namespace

TEST_CASE("a catalog comes back with every field") {
    Encoder encoder;
    Decoder decoder;
    const Catalog sent = samples::catalog();
    const auto result = decoder.catalog(encoder.catalog(sent));
    REQUIRE(result);
    const Catalog& got = **result;
    check_header(got.header, sent.header);
    CHECK(got.site == sent.site);
    CHECK(got.agent == sent.agent);
    CHECK(got.hall == sent.hall);
    CHECK(got.row == sent.row);
    CHECK(got.rack == sent.rack);
    CHECK(got.rating_watts == sent.rating_watts);
    CHECK(got.software == sent.software);
    CHECK(got.sensors == sent.sensors);
    CHECK(got.groups == sent.groups);
    CHECK(got.energy_points == sent.energy_points);
}

TEST_CASE("the hash of a catalog speaks of its body alone") {
    Catalog a = samples::catalog(), b = a;
    b.header.sequence += 1;
    b.header.boot = 99;
    CHECK(catalog_hash(a) == catalog_hash(b));
    b.sensors[4].resolution = 0.25;
    CHECK(catalog_hash(a) != catalog_hash(b));
    CHECK(catalog_hash(Catalog{}) != 0);
}

TEST_CASE("a catalog without a hash gets it from the encoder") {
    Encoder encoder;
    Decoder decoder;
    Catalog sent = samples::catalog();
    sent.header.catalog = 0;
    const auto got = decoder.catalog(encoder.catalog(sent));
    REQUIRE(got);
    CHECK((*got)->header.catalog == catalog_hash(sent));
}

TEST_CASE("text that is not UTF-8 or too long is mended, so that the message can be read") {
    Encoder encoder;
    Decoder decoder;
    Catalog sent = samples::catalog();
    sent.sensors[0].label =
        "35 \xb0"
        "C \xed\xa0\x80 \xc3";
    sent.hall = std::string(255, 'x') + "\xc3\xa4";
    const auto got = decoder.catalog(encoder.catalog(sent));
    REQUIRE(got);
    const std::string mark = "\xef\xbf\xbd";
    CHECK((*got)->sensors[0].label == "35 " + mark + "C " + mark + mark + mark + " " + mark);
    CHECK((*got)->hall == std::string(255, 'x'));
}

TEST_CASE("a status comes back with every bus") {
    Encoder encoder;
    Decoder decoder;
    const Status sent = samples::status();
    const auto result = decoder.status(encoder.status(sent));
    REQUIRE(result);
    const Status& got = **result;
    check_header(got.header, sent.header);
    CHECK(got.presence == sent.presence);
    CHECK(got.software == sent.software);
    REQUIRE(got.buses.size() == 2);
    CHECK(got.buses[1].name == "gpus");
    CHECK(got.buses[1].driver == "nvml");
    CHECK(got.buses[1].state == BusState::failed);
    CHECK(got.buses[1].restarts == 12);
    CHECK(got.buses[1].error == "library not found");
}

TEST_CASE("an ack comes back, without streams that this reader does not know") {
    Encoder encoder;
    Decoder decoder;
    Ack sent = samples::ack();
    sent.streams.push_back({static_cast<Stream>(77), 5});
    const auto got = decoder.ack(encoder.ack(sent));
    REQUIRE(got);
    CHECK((*got)->boot == sent.boot);
    REQUIRE((*got)->streams.size() == 2);
    CHECK((*got)->streams[1].stream == Stream::data);
    CHECK((*got)->streams[1].contiguous == 1'000'000'000'000);
}

TEST_CASE("a roll-up comes back with every number") {
    Encoder encoder;
    Decoder decoder;
    const Rollup sent = samples::rollup();
    const auto result = decoder.rollup(encoder.rollup(sent));
    REQUIRE(result);
    const Rollup& got = **result;
    CHECK(got.scope == sent.scope);
    CHECK(got.start == sent.start);
    CHECK(got.window == sent.window);
    CHECK(got.version == sent.version);
    CHECK(got.watts == sent.watts);
    CHECK(got.watts_low == sent.watts_low);
    CHECK(got.watts_high == sent.watts_high);
    CHECK(got.measured_joules == sent.measured_joules);
    CHECK(got.estimated_joules == sent.estimated_joules);
    CHECK(got.racks_expected == sent.racks_expected);
    CHECK(got.racks_measured == sent.racks_measured);
    CHECK(got.racks_held == sent.racks_held);
    CHECK(got.racks_estimated == sent.racks_estimated);
    CHECK(got.racks_missing == sent.racks_missing);
    CHECK(got.oldest == sent.oldest);
    CHECK(got.clock_bound == sent.clock_bound);
}

TEST_CASE("the header of a message can be read without its catalog") {
    Encoder encoder;
    Decoder decoder;
    const Catalog catalog = samples::catalog();
    const Live live = samples::live(catalog);
    const auto of_live = decoder.header(encoder.live(live, catalog));
    REQUIRE(of_live.has_value());
    check_header(*of_live, live.header);
    const Data data = samples::data(catalog);
    const auto of_data = decoder.header(encoder.data(data, catalog));
    REQUIRE(of_data.has_value());
    check_header(*of_data, data.header);
}
