#include "drivers/runner/frame.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace frame = gwatt::drivers::frame;
using frame::Type;

namespace {

std::vector<std::byte> body_of(frame::Bytes whole) { return {whole.begin() + sizeof(frame::Header), whole.end()}; }

std::vector<std::byte> samples_body(std::uint32_t claimed, std::uint32_t real, std::uint32_t text) {
    std::vector<std::byte> memory(65536);
    frame::Writer writer{memory};
    writer.number(frame::SamplesHead{GWATT_OK, claimed, text, 0});
    for (std::uint32_t i = 0; i < real; ++i) writer.number(gwatt_sample{7, 1.5, i, GWATT_QUALITY_GOOD});
    writer.bytes("abcdefgh", 8);
    return body_of(writer.finish(Type::samples, 1));
}

}  // namespace

TEST_CASE("frame: what is written is read back") {
    std::array<std::byte, 4096> memory;
    frame::Writer writer{memory};
    frame::Sensor sensor;
    sensor.quantity = GWATT_QUANTITY_POWER;
    sensor.id = "psu0.power";
    sensor.resolution = 0.125;
    sensor.bands = 2;
    sensor.accuracy[1] = {1, 2, 3, 4};
    frame::write_sensor(writer, sensor);
    const frame::Bytes whole = writer.finish(Type::catalog, 42);
    frame::Header header;
    REQUIRE(frame::decode_header(whole, frame::max_body, header));
    CHECK(header.request == 42);
    CHECK(header.size + sizeof header == whole.size());
    frame::Reader reader{whole.subspan(sizeof header)};
    const frame::Sensor read = frame::read_sensor(reader);
    CHECK(reader.complete());
    CHECK(read.id == "psu0.power");
    CHECK(read.resolution == 0.125);
    CHECK(read.bands == 2);
    CHECK(read.accuracy[1].absolute == 4);
}

TEST_CASE("frame: cut at any byte, nothing is read as if it were whole") {
    std::array<std::byte, 4096> memory;
    frame::Writer writer{memory};
    frame::Sensor sensor;
    sensor.id = "a";
    sensor.label = "label";
    sensor.bands = 1;
    frame::write_sensor(writer, sensor);
    const auto body = body_of(writer.finish(Type::catalog, 1));
    for (std::size_t n = 0; n < body.size(); ++n) {
        frame::Reader reader{{body.data(), n}};
        frame::read_sensor(reader);
        CHECK_FALSE(reader.ok());
    }
}

TEST_CASE("frame: a writer without room writes nothing beyond it and says so") {
    for (std::size_t size = 0; size < 64; ++size) {
        std::vector<std::byte> memory(size + 8, std::byte{0xEE});
        frame::Writer writer{{memory.data(), size}};
        writer.u32(1);
        writer.text("0123456789012345678901234567890123456789");
        const frame::Bytes made = writer.finish(Type::log, 0);
        CHECK(made.empty() == (size < sizeof(frame::Header) + 4 + 4 + 40));
        for (std::size_t i = size; i < memory.size(); ++i) CHECK(memory[i] == std::byte{0xEE});
    }
}

TEST_CASE("frame: heads with a wrong magic or a size beyond the limit are refused") {
    frame::Header header{frame::magic, 100, 1, 1};
    const auto bytes = [&] { return frame::Bytes{reinterpret_cast<const std::byte*>(&header), sizeof header}; };
    frame::Header out;
    CHECK(frame::decode_header(bytes(), 100, out));
    CHECK_FALSE(frame::decode_header(bytes(), 99, out));
    CHECK_FALSE(frame::decode_header(bytes().first(15), 100, out));
    header.magic ^= 1;
    CHECK_FALSE(frame::decode_header(bytes(), 100, out));
    header = {frame::magic, std::numeric_limits<std::uint32_t>::max(), 1, 1};
    CHECK_FALSE(frame::decode_header(bytes(), frame::max_body, out));
}

TEST_CASE("frame: samples are refused unless count, text and size agree") {
    frame::SamplesAnswer answer;
    const auto body = samples_body(3, 3, 8);
    REQUIRE(frame::decode_samples(body, answer));
    CHECK(answer.count() == 3);
    CHECK(answer[2].sensor == 2);
    CHECK(answer.text == "abcdefgh");
    CHECK_FALSE(frame::decode_samples(samples_body(4, 3, 8), answer));
    CHECK_FALSE(frame::decode_samples(samples_body(2, 3, 8), answer));
    CHECK_FALSE(frame::decode_samples(samples_body(3, 3, 9), answer));
    CHECK_FALSE(frame::decode_samples(samples_body(GWATT_MAX_SAMPLES + 1, 3, 8), answer));
    CHECK_FALSE(frame::decode_samples(samples_body(0xFFFFFFFF, 3, 8), answer));
    CHECK_FALSE(frame::decode_samples({}, answer));
}

TEST_CASE("frame: a read asks for something, with room for it") {
    const auto decodes = [](std::uint32_t capacity, std::uint32_t claimed, std::uint32_t real) {
        std::array<std::byte, 4096> memory;
        frame::Writer writer{memory};
        writer.i64(5);
        writer.u32(capacity);
        writer.u32(claimed);
        for (std::uint32_t i = 0; i < real; ++i) writer.u32(i);
        frame::ReadRequest request;
        const auto body = body_of(writer.finish(Type::read, 1));
        return frame::decode_read(body, request);
    };
    CHECK(decodes(10, 3, 3));
    CHECK_FALSE(decodes(2, 3, 3));
    CHECK_FALSE(decodes(10, 0, 0));
    CHECK_FALSE(decodes(10, 3, 2));
    CHECK_FALSE(decodes(10, 2, 3));
    CHECK_FALSE(decodes(GWATT_MAX_SAMPLES + 1, 3, 3));
}

TEST_CASE("frame: a count that cannot follow is refused before anything is counted") {
    std::array<std::byte, 64> memory;
    frame::Writer writer{memory};
    writer.text("/");
    writer.u32(frame::max_pairs);  // far more pairs than bytes
    const auto body = body_of(writer.finish(Type::open, 1));
    std::string_view base;
    std::array<frame::Pair, frame::max_pairs> pairs;
    CHECK(frame::decode_pairs(body, base, pairs) == -1);
}
