#pragma once
// Size of a whole MQTT 5 PUBLISH packet at QoS 1, as mqtt_link sends it (MQTT 5.0, section 3.3). Pure functions.
#include <cstddef>
#include <string_view>

namespace gwatt::test {

constexpr std::size_t varint_size(std::size_t value) { return value < 128 ? 1 : 1 + varint_size(value >> 7); }

constexpr std::size_t publish_size(std::string_view topic, std::string_view content_type, std::size_t payload,
                                   bool with_expiry = false) {
    const std::size_t properties = 1 + 2 + content_type.size() + (with_expiry ? 1 + 4 : 0);
    const std::size_t rest = 2 + topic.size() + 2 + varint_size(properties) + properties + payload;
    return 1 + varint_size(rest) + rest;
}

}  // namespace gwatt::test
