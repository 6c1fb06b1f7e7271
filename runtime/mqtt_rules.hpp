#pragma once
// Rules of the MQTT standard (OASIS MQTT 5.0; section numbers are its) that a client has to keep by itself, because the
// client library does not: a packet that breaks them costs the connection. Pure functions, any thread.
#include "runtime/mqtt.hpp"

#include <cstdint>
#include <string_view>

namespace gwatt::runtime {

enum class MqttProtocol : std::uint8_t { v5, v311 };

// 4.7: not empty, at most 65535 bytes of UTF-8 without U+0000; a name has no wildcard, a filter has + and # only as
// whole levels, # only at the end. $share/group/filter is a filter.
bool valid_topic_name(std::string_view topic);
bool valid_topic_filter(std::string_view filter);

// 4.7.1: whether a topic matches a filter; $share/group/ is skipped, and no wildcard at the front matches $SYS and its like.
bool topic_matches(std::string_view filter, std::string_view topic);

// 3.3: bytes of the whole PUBLISH packet.
std::uint64_t publish_packet_size(const Publication& publication, MqttProtocol protocol);

}  // namespace gwatt::runtime
