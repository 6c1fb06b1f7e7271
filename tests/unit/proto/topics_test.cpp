#include "proto/topics.hpp"

#include <doctest/doctest.h>

using namespace gwatt::proto;

TEST_CASE("a topic level is lower case letters, digits and dashes, 1 to 64 of them") {
    CHECK(valid_topic_level("rack-b07-12"));
    CHECK(valid_topic_level(std::string(64, 'a')));
    for (const char* bad : {"", "Rack", "a.b", "a b", "a/b", "a_b", "+", "#", "\xc3\xa4", "a\n"}) {
        CAPTURE(bad);
        CHECK_FALSE(valid_topic_level(bad));
    }
    CHECK_FALSE(valid_topic_level(std::string(65, 'a')));
    CHECK_FALSE(valid_topic_level(std::string_view("a\0b", 3)));
}

TEST_CASE("every topic that is made is read back as what it was made of") {
    for (const Stream stream :
         {Stream::catalog, Stream::status, Stream::live, Stream::data, Stream::burst, Stream::ack, Stream::rollup})
        for (const bool history : {false, true}) {
            const std::string text = topic("ams-1", "r-1", stream, history);
            CAPTURE(text);
            const auto parts = parse_topic(text);
            REQUIRE(parts);
            CHECK(parts->site == "ams-1");
            CHECK(parts->agent == "r-1");
            CHECK(parts->stream == stream);
            CHECK(parts->history == history);
        }
    CHECK(topic("ams-1", "r-1", Stream::data) == "gwatt/v1/ams-1/r-1/data");
    CHECK(topic("ams-1", "r-1", Stream::live, true) == "gwatt/v1/ams-1/r-1/history/live");
}

TEST_CASE("what is not one of our topics is not read as one") {
    for (const char* bad : {"",
                            "gwatt",
                            "gwatt/v1",
                            "gwatt/v1/",
                            "gwatt/v1/a",
                            "gwatt/v1/a/b",
                            "gwatt/v1/a/b/",
                            "gwatt/v1/a/b/nothing",
                            "gwatt/v1/a/b/data/",
                            "gwatt/v1/a/b/data/x",
                            "gwatt/v1/a/b/history",
                            "gwatt/v1/a/b/history/",
                            "gwatt/v1/a/b/history/x",
                            "gwatt/v1/a/b/history/history/data",
                            "gwatt/v2/a/b/data",
                            "Gwatt/v1/a/b/data",
                            "/gwatt/v1/a/b/data",
                            "gwatt/v1//b/data",
                            "gwatt/v1/a//data",
                            "gwatt/v1/A/b/data",
                            "gwatt/v1/a/+/data"}) {
        CAPTURE(bad);
        CHECK_FALSE(parse_topic(bad));
    }
}

TEST_CASE("the content type names the message of the stream") {
    CHECK(content_type(Stream::live) == "application/x-protobuf; messageType=gwatt.v1.Live");
    CHECK(content_type(Stream::burst) == "application/x-protobuf; messageType=gwatt.v1.Data");
    CHECK(stream_name(Stream::rollup) == "rollup");
}
