// What the agent believes of a runner, and what not.
#include "agent/driver_host_judge.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

using namespace gwatt;
using agent::SampleJudge;
using proto::Monotonic;
using proto::Quality;
using std::chrono::milliseconds;
using std::chrono::seconds;
namespace frame = gwatt::drivers::frame;

namespace {

struct Court {
    Court() : sensors(3) {
        sensors[1].range_min = 0;
        sensors[1].range_max = 100;
        judge.start(sensors);
    }
    // Judges samples as answered to a read of all three sensors.
    std::vector<proto::Reading> hear(std::vector<gwatt_sample> samples, std::int32_t result = GWATT_OK) {
        frame::SamplesAnswer answer;
        answer.result = result;
        answer.samples = std::as_bytes(std::span(samples));
        std::vector<proto::Reading> readings;
        const std::uint32_t all[] = {0, 1, 2};
        refused = judge.judge(answer, {all, now - milliseconds(10), now, seconds(1)}, readings);
        return readings;
    }
    gwatt_sample sample(std::uint32_t sensor, double value, proto::Duration age = milliseconds(5),
                        std::uint32_t quality = 0) const {
        return {(now - age).time_since_epoch().count(), value, sensor, quality};
    }
    Monotonic now{seconds(1000)};
    std::vector<proto::Sensor> sensors;
    SampleJudge judge;
    std::uint32_t refused = 0;
};

Quality of(const std::vector<proto::Reading>& readings, std::uint32_t sensor) {
    for (const auto& reading : readings)
        if (reading.sensor == sensor) return reading.quality;
    return static_cast<Quality>(255);
}

std::vector<std::byte> catalog(const std::vector<frame::Sensor>& sensors, std::uint32_t claimed) {
    std::vector<std::byte> memory(1 << 16);
    frame::Writer writer{memory};
    writer.u32(claimed);
    for (const auto& sensor : sensors) frame::write_sensor(writer, sensor);
    const frame::Bytes whole = writer.finish(frame::Type::catalog, 1);
    return {whole.begin() + sizeof(frame::Header), whole.end()};
}

std::string verdict(const std::vector<std::byte>& body, std::vector<proto::Sensor>& sensors) {
    frame::Reader reader{body};
    std::string why;
    return agent::judge_catalog(reader, "bus", sensors, why) ? "" : why;
}

frame::Sensor named(std::string_view id) {
    frame::Sensor made;
    made.id = id;
    made.quantity = GWATT_QUANTITY_POWER;
    made.kind = GWATT_KIND_INSTANT;
    return made;
}

}  // namespace

TEST_CASE("judge: a good sample is a good reading; a missing one is not read") {
    Court court;
    const auto readings = court.hear({court.sample(0, 5), court.sample(1, 50)});
    REQUIRE(readings.size() == 3);
    CHECK(readings[0].value == 5);
    CHECK(readings[0].time == court.now - milliseconds(5));
    CHECK(of(readings, 1) == Quality::good);
    CHECK(of(readings, 2) == Quality::not_read);
    CHECK(court.refused == 0);
}

TEST_CASE("judge: missing samples take the quality of the call") {
    Court court;
    for (const auto& [result, quality] : {std::pair{GWATT_TIMEOUT, Quality::timeout},
                                          {GWATT_GARBLED, Quality::garbled},
                                          {GWATT_GONE, Quality::gone},
                                          {GWATT_BUSY, Quality::busy},
                                          {GWATT_DENIED, Quality::denied},
                                          {GWATT_BUG, Quality::fault},
                                          {GWATT_CHANGED, Quality::not_read}}) {
        const auto readings = court.hear({}, result);
        REQUIRE(readings.size() == 3);
        for (const auto& reading : readings) CHECK(reading.quality == quality);
    }
    CHECK(agent::quality_of(4711) == Quality::fault);
    CHECK(agent::quality_of(-1) == Quality::fault);
}

TEST_CASE("judge: NaN, infinity, unknown qualities and impossible times are no value") {
    Court court;
    for (const gwatt_sample& bad :
         {court.sample(0, NAN), court.sample(0, INFINITY), court.sample(0, 5, milliseconds(5), 5),
          court.sample(0, 5, milliseconds(5), 99), court.sample(0, 5, milliseconds(5), 0xFFFFFFFF),
          court.sample(0, 5, -seconds(1)), court.sample(0, 5, seconds(10)), gwatt_sample{INT64_MAX, 5, 0, 0},
          gwatt_sample{INT64_MIN, 5, 0, 0}, gwatt_sample{0, 5, 0, 0}}) {
        const auto readings = court.hear({bad});
        CHECK(of(readings, 0) == Quality::garbled);
        CHECK(court.refused == 1);
        CHECK(readings[0].time == court.now);
    }
}

TEST_CASE("judge: a sample of a sensor that is not there or was not wanted is refused") {
    Court court;
    const auto readings = court.hear({court.sample(3, 5), court.sample(0xFFFFFFFF, 5)});
    CHECK(readings.size() == 3);
    CHECK(court.refused == 2);
}

TEST_CASE("judge: a value out of its plausible range is suspect and kept") {
    Court court;
    const auto readings = court.hear({court.sample(1, 101)});
    CHECK(of(readings, 1) == Quality::suspect);
    CHECK(readings[0].value == 101);
}

TEST_CASE("judge: times never go back, and the same time again is stale") {
    Court court;
    CHECK(of(court.hear({court.sample(0, 5, milliseconds(5))}), 0) == Quality::good);
    CHECK(of(court.hear({court.sample(0, 5, milliseconds(5))}), 0) == Quality::stale);
    CHECK(of(court.hear({court.sample(0, 5, milliseconds(6))}), 0) == Quality::garbled);
    court.now += seconds(1);
    const auto two = court.hear({court.sample(0, 1, milliseconds(400)), court.sample(0, 2, milliseconds(200))});
    CHECK(two.size() == 4);
    CHECK(two[1].value == 2);
}

TEST_CASE("judge: several failures of one sensor are one reading") {
    Court court;
    const auto readings =
        court.hear({court.sample(0, 0, {}, 17), court.sample(0, 0, {}, 17), court.sample(0, 0, {}, 18)});
    CHECK(readings.size() == 3);
    CHECK(of(readings, 0) == Quality::timeout);
}

TEST_CASE("judge: a list of sensors is refused for its ids, and cleaned of what cannot be") {
    std::vector<proto::Sensor> sensors;
    frame::Sensor odd = named("psu0.power");
    odd.label = "bad \xff utf\n8";
    odd.quantity = 4711;
    odd.point = 99;
    odd.resolution = -1;
    odd.window_ns = -5;
    odd.range_min = 5;
    odd.range_max = NAN;
    odd.bands = 2;
    odd.accuracy[0] = {0, 10, NAN, 0};
    odd.accuracy[1] = {0, 10, 0.1, 0};
    CHECK(verdict(catalog({odd}, 1), sensors) == "");
    CHECK(sensors[0].name == "bus.psu0.power");
    CHECK(sensors[0].label == "bad ? utf?8");
    CHECK(sensors[0].quantity == proto::Quantity::unspecified);
    CHECK(sensors[0].point == proto::Point::unspecified);
    CHECK(sensors[0].resolution == 0);
    CHECK(sensors[0].window == proto::Duration{});
    CHECK(sensors[0].range_min == 0);
    CHECK(sensors[0].accuracy.size() == 1);
    CHECK(verdict(catalog({named("a"), named("a")}, 2), sensors) == "two sensors have the id a");
    for (const char* id : {"", "A", "a b", ".a", "a.", "a/b", "\xc3\xa4"})
        CHECK(verdict(catalog({named(id)}, 1), sensors) != "");
    CHECK(verdict(catalog({named(std::string(129, 'a'))}, 1), sensors) != "");
    CHECK(verdict(catalog({}, 0), sensors) != "");
    CHECK(verdict(catalog({named("a")}, 2), sensors) != "");
    CHECK(verdict(catalog({named("a"), named("b")}, 1), sensors) != "");
    CHECK(verdict(catalog({named("a")}, 0xFFFFFFFF), sensors) != "");
}

TEST_CASE("judge: text is valid UTF-8 afterwards, and good text is untouched") {
    CHECK(agent::clean_text("plain ä € 😀") == "plain ä € 😀");
    CHECK(agent::clean_text("\xc0\xaf") == "??");            // overlong
    CHECK(agent::clean_text("\xed\xa0\x80") == "???");       // surrogate
    CHECK(agent::clean_text("\xf4\x90\x80\x80") == "????");  // beyond U+10FFFF
    CHECK(agent::clean_text("\xe2\x82") == "??");            // cut short
    CHECK(agent::clean_text("a\tb\x7f") == "a?b?");
}
