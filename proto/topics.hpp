#pragma once
// Topic strings: gwatt/v1/<site>/<agent>/<stream> and gwatt/v1/<site>/<agent>/history/<stream>. Any thread.
#include "proto/messages.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace gwatt::proto {

// Lower case letters, digits, dashes; 1 to 64 characters (NATS refuses dots and spaces).
bool valid_topic_level(std::string_view text);

std::string topic(std::string_view site, std::string_view agent, Stream stream, bool history = false);

struct TopicParts {
    std::string_view site, agent;
    Stream stream = Stream::data;
    bool history = false;
};
std::optional<TopicParts> parse_topic(std::string_view topic);  // views into `topic`

std::string_view stream_name(Stream stream);
std::string_view content_type(Stream stream);  // "application/x-protobuf; messageType=gwatt.v1.Live"

}  // namespace gwatt::proto
