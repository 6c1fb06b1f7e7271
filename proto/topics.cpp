#include "proto/topics.hpp"

#include <algorithm>
#include <array>

namespace gwatt::proto {

namespace {

constexpr std::string_view prefix = "gwatt/v1/";
constexpr std::size_t max_level = 64;

struct StreamRow {
    Stream stream;
    std::string_view name, content_type;
};
constexpr std::array<StreamRow, 7> streams{{
    {Stream::catalog, "catalog", "application/x-protobuf; messageType=gwatt.v1.Catalog"},
    {Stream::status, "status", "application/x-protobuf; messageType=gwatt.v1.Status"},
    {Stream::live, "live", "application/x-protobuf; messageType=gwatt.v1.Live"},
    {Stream::data, "data", "application/x-protobuf; messageType=gwatt.v1.Data"},
    {Stream::burst, "burst", "application/x-protobuf; messageType=gwatt.v1.Data"},
    {Stream::ack, "ack", "application/x-protobuf; messageType=gwatt.v1.Ack"},
    {Stream::rollup, "rollup", "application/x-protobuf; messageType=gwatt.v1.Rollup"},
}};
static_assert([] {
    for (std::size_t i = 0; i < streams.size(); ++i)
        if (static_cast<std::size_t>(streams[i].stream) != i) return false;
    return true;
}());

const StreamRow& row(Stream stream) { return streams[static_cast<std::size_t>(stream)]; }

std::optional<Stream> stream_of(std::string_view name) {
    const auto found = std::find_if(streams.begin(), streams.end(), [&](const StreamRow& r) { return r.name == name; });
    if (found == streams.end()) return std::nullopt;
    return found->stream;
}

// Takes the text up to the next slash off the front; all of it when there is none.
std::string_view take_level(std::string_view& text) {
    const std::size_t end = std::min(text.find('/'), text.size());
    const std::string_view level = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return level;
}

}  // namespace

bool valid_topic_level(std::string_view text) {
    return !text.empty() && text.size() <= max_level && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

std::string topic(std::string_view site, std::string_view agent, Stream stream, bool history) {
    std::string text(prefix);
    text.append(site).append("/").append(agent).append(history ? "/history/" : "/").append(stream_name(stream));
    return text;
}

std::optional<TopicParts> parse_topic(std::string_view topic) {
    if (topic.substr(0, prefix.size()) != prefix || topic.back() == '/') return std::nullopt;
    topic.remove_prefix(prefix.size());
    TopicParts parts;
    parts.site = take_level(topic);
    parts.agent = take_level(topic);
    std::string_view name = take_level(topic);
    parts.history = name == "history";
    if (parts.history) name = take_level(topic);
    const auto stream = stream_of(name);
    if (!valid_topic_level(parts.site) || !valid_topic_level(parts.agent) || !stream || !topic.empty())
        return std::nullopt;
    parts.stream = *stream;
    return parts;
}

std::string_view stream_name(Stream stream) { return row(stream).name; }
std::string_view content_type(Stream stream) { return row(stream).content_type; }

}  // namespace gwatt::proto
