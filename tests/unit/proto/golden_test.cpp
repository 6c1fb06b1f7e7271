#include "samples.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

using namespace gwatt::proto;

namespace {

std::string file(const std::string& name) {
    std::ifstream in(std::string(GWATT_GOLDEN) + "/" + name + ".hex");
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

std::string from_hex(const std::string& text) {
    std::string bytes, digits;
    for (const char c : text)
        if (c != '\n') digits += c;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes += static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16));
    return bytes;
}

}  // namespace

TEST_CASE("the encoding of every message is the committed one, byte for byte") {
    for (const auto& [name, bytes] : samples::golden()) {
        CAPTURE(name);
        const std::string expected = file(name);
        REQUIRE_FALSE(expected.empty());
        CHECK(samples::to_hex(bytes) == expected);
    }
}

TEST_CASE("the committed bytes still decode, and encode to themselves") {
    Decoder decoder;
    Encoder encoder;
    const auto stored = [](const char* name) { return from_hex(file(name)); };
    const auto catalog_bytes = stored("catalog");
    const auto catalog_result = decoder.catalog(catalog_bytes);
    REQUIRE(catalog_result);
    const Catalog catalog = **catalog_result;
    CHECK(encoder.catalog(catalog) == catalog_bytes);
    for (const char* name : {"data", "data_empty"}) {
        const auto bytes = stored(name);
        const auto message = decoder.data(bytes, catalog);
        REQUIRE(message);
        CHECK(encoder.data(**message, catalog) == bytes);
    }
    const auto live_bytes = stored("live"), status_bytes = stored("status"), ack_bytes = stored("ack"),
               rollup_bytes = stored("rollup");
    const auto live = decoder.live(live_bytes, catalog);
    const auto status = decoder.status(status_bytes);
    const auto ack = decoder.ack(ack_bytes);
    const auto rollup = decoder.rollup(rollup_bytes);
    REQUIRE(live);
    REQUIRE(status);
    REQUIRE(ack);
    REQUIRE(rollup);
    CHECK(encoder.live(**live, catalog) == live_bytes);
    CHECK(encoder.status(**status) == status_bytes);
    CHECK(encoder.ack(**ack) == ack_bytes);
    CHECK(encoder.rollup(**rollup) == rollup_bytes);
}
