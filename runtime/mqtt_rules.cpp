#include "runtime/mqtt_rules.hpp"

namespace gwatt::runtime {

namespace {

constexpr std::size_t longest_string = 65535;
constexpr std::string_view share_prefix = "$share/";

// Length of the UTF-8 sequence at the front (Unicode 15, table 3-7), 0 if it is malformed or U+0000.
std::size_t utf8_length(std::string_view text) {
    const auto at = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto tail = [&](std::size_t i) { return (at(i) & 0xc0U) == 0x80U; };
    const unsigned a = at(0);
    const unsigned b = at(1);
    if (a < 0x80) {
        return a == 0 ? 0 : 1;
    }
    if (a >= 0xc2 && a <= 0xdf) {
        return tail(1) ? 2 : 0;
    }
    if (a >= 0xe0 && a <= 0xef) {
        const bool overlong = a == 0xe0 && b < 0xa0;
        const bool surrogate = a == 0xed && b > 0x9f;
        return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (a >= 0xf0 && a <= 0xf4) {
        const bool overlong = a == 0xf0 && b < 0x90;
        const bool beyond = a == 0xf4 && b > 0x8f;
        return tail(1) && tail(2) && tail(3) && !overlong && !beyond ? 4 : 0;
    }
    return 0;
}

bool valid_string(std::string_view text) {
    if (text.empty() || text.size() > longest_string) {
        return false;
    }
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) {
            return false;
        }
        text.remove_prefix(length);
    }
    return true;
}

// Cuts the first level off `rest`; sets `more` when a separator followed it.
std::string_view next_level(std::string_view& rest, bool& more) {
    const std::size_t end = rest.find('/');
    more = end != std::string_view::npos;
    const std::string_view level = rest.substr(0, end);
    rest.remove_prefix(more ? end + 1 : rest.size());
    return level;
}

// The filter behind $share/group/; empty where that is malformed.
std::string_view without_share(std::string_view filter) {
    if (!filter.starts_with(share_prefix)) {
        return filter;
    }
    filter.remove_prefix(share_prefix.size());
    const std::size_t end = filter.find('/');
    if (end == std::string_view::npos || end == 0 ||
        filter.substr(0, end).find_first_of("+#") != std::string_view::npos) {
        return {};
    }
    return filter.substr(end + 1);
}

// 1.5.5: a variable byte integer.
std::uint64_t with_length(std::uint64_t bytes) {
    return bytes + (bytes < 128 ? 1U : bytes < 16384 ? 2U : bytes < 2097152 ? 3U : 4U);
}

}  // namespace

bool valid_topic_name(std::string_view topic) {
    return valid_string(topic) && topic.find_first_of("+#") == std::string_view::npos;
}

bool valid_topic_filter(std::string_view filter) {
    std::string_view rest = without_share(filter);
    if (!valid_string(filter) || rest.empty()) {
        return false;
    }
    for (bool more = true; more;) {
        const std::string_view level = next_level(rest, more);
        if (level == "#") {
            return !more;
        }
        if (level != "+" && level.find_first_of("+#") != std::string_view::npos) {
            return false;
        }
    }
    return true;
}

bool topic_matches(std::string_view filter, std::string_view topic) {
    filter = without_share(filter);
    if (filter.empty() || topic.empty() || (topic[0] == '$' && (filter[0] == '+' || filter[0] == '#'))) {
        return false;
    }
    bool more_filter = true;
    bool more_topic = true;
    while (more_filter && more_topic) {
        const std::string_view wanted = next_level(filter, more_filter);
        if (wanted == "#") {
            return true;
        }
        const std::string_view level = next_level(topic, more_topic);
        if (wanted != "+" && wanted != level) {
            return false;
        }
    }
    return more_filter ? filter == "#" : !more_topic;  // "a/#" matches "a" too
}

std::uint64_t publish_packet_size(const Publication& publication, MqttProtocol protocol) {
    std::uint64_t rest = 2 + publication.topic.size() + publication.payload.size();
    rest += publication.qos > 0 ? 2 : 0;  // packet identifier
    if (protocol == MqttProtocol::v5) {
        std::uint64_t properties = 0;
        properties += publication.content_type.empty() ? 0 : 3 + publication.content_type.size();
        properties += publication.expiry ? 5 : 0;
        rest += with_length(properties);
    }
    return 1 + with_length(rest);
}

}  // namespace gwatt::runtime
