#pragma once
// What the codec's files share: generated messages, the kept buffers, small conversions. Seen by proto/codec* only.
#include "proto/codec.hpp"

#include "gwatt/v1/catalog.pb.h"
#include "gwatt/v1/data.pb.h"
#include "gwatt/v1/fleet.pb.h"
#include "gwatt/v1/header.pb.h"
#include "gwatt/v1/live.pb.h"
#include "gwatt/v1/status.pb.h"

#include <google/protobuf/message_lite.h>

#include <cstdint>
#include <limits>
#include <string>

namespace gwatt::proto {

namespace pb = ::gwatt::v1;

struct Encoder::Buffers {
    std::string bytes;
    std::uint64_t refused_values = 0;
    pb::Catalog catalog;
    pb::Status status;
    pb::Live live;
    pb::Data data;
    pb::Ack ack;
    pb::Rollup rollup;

    Bytes serialise(const google::protobuf::MessageLite& message);
};

struct Decoder::Buffers {
    DecodeLimits limits;
    struct {
        pb::Header header;
        pb::Catalog catalog;
        pb::Status status;
        pb::Live live;
        pb::Data data;
        pb::Ack ack;
        pb::Rollup rollup;
    } wire;
    Catalog catalog;
    Status status;
    Live live;
    Data data;
    Ack ack;
    Rollup rollup;

    // False if too long or not protobuf: see reason().
    bool parse(Bytes bytes, google::protobuf::MessageLite& message) const;
    // The same without letting go of the header's memory, as Clear() would: for messages that come by the thousand.
    template <class Message> bool parse_keeping_header(Bytes bytes, Message& message) const;
    bool merge(Bytes bytes, google::protobuf::MessageLite& message) const;
    DecodeError reason(Bytes bytes) const {
        return bytes.size() > limits.bytes ? DecodeError::too_large : DecodeError::malformed;
    }
};

template <class Message> bool Decoder::Buffers::parse_keeping_header(Bytes bytes, Message& message) const {
    pb::Header* header = message.unsafe_arena_release_header();
    message.Clear();
    if (header != nullptr) {
        pb::Clock* clock = header->unsafe_arena_release_clock();
        header->Clear();
        if (clock != nullptr) {
            clock->Clear();
            header->set_allocated_clock(clock);
        }
        message.set_allocated_header(header);
    }
    return merge(bytes, message);
}

// A step between decoding functions: success, or why not.
using Checked = boost::system::result<void>;

void put_header(const Header& from, pb::Header& to);
boost::system::result<Header> take_header(const pb::Header& from);

// Valid UTF-8 of at most max_text bytes: protobuf refuses anything else when it is read back.
void put_text(std::string_view from, std::string& to);
inline bool fits(const std::string& text, const DecodeLimits& limits) { return text.size() <= limits.text; }

// How often the length-delimited field `number` occurs at the top level of `bytes`, counted up to `limit` + 1: what a
// message would allocate is known before it is parsed.
std::size_t count_fields(Bytes bytes, int number, std::size_t limit);

// Whether every `outer` field of `bytes` holds at most `limit` fields `inner`.
bool nested_fields_fit(Bytes bytes, int outer, int inner, std::size_t limit);

// Bounds that keep sums of a few times inside 64 bits: instants to 2^61 ns (73 years), spans to 2^55 ns (417 days).
inline constexpr std::int64_t max_instant_ns = std::int64_t{1} << 61;
inline constexpr std::int64_t max_span_ns = std::int64_t{1} << 55;
inline bool is_span(std::int64_t ns) { return ns >= -max_span_ns && ns <= max_span_ns; }
inline bool is_span(std::uint64_t ns) { return ns <= static_cast<std::uint64_t>(max_span_ns); }
inline Duration to_duration(std::uint64_t ns) { return Duration(static_cast<std::int64_t>(ns)); }
inline std::uint64_t to_wire(Duration span) { return static_cast<std::uint64_t>(span.count() < 0 ? 0 : span.count()); }

// Enumerations of the wire are open: numbers that we do not know are kept where they fit into a byte, else 0.
template <class Enum, class Wire> Enum open_enum(Wire value) {
    const auto number = static_cast<std::int64_t>(value);
    return static_cast<Enum>(number >= 0 && number <= std::numeric_limits<std::uint8_t>::max() ? number : 0);
}

}  // namespace gwatt::proto
