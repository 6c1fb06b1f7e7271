#include "proto/codec_wire.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>

namespace gwatt::proto {

namespace {

using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

// Boost's base has a protected destructor on purpose; a category is never deleted.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnon-virtual-dtor"
class DecodeCategory final : public boost::system::error_category {
public:
    const char* name() const noexcept override { return "gwatt.decode"; }
    std::string message(int value) const override {
        switch (static_cast<DecodeError>(value)) {
            case DecodeError::malformed: return "malformed";
            case DecodeError::wrong_schema: return "wrong schema";
            case DecodeError::unknown_catalog: return "unknown catalog";
            case DecodeError::inconsistent: return "inconsistent";
            case DecodeError::too_large: return "too large";
        }
        return "unknown decode error";
    }
};
#pragma GCC diagnostic pop

// protobuf writes to stderr when it meets a damaged message; here every one is a value that the caller counts.
void silence_protobuf() {
    static const bool once = (google::protobuf::SetLogHandler(nullptr), true);
    static_cast<void>(once);
}

// The bytes of the first length-delimited field `number`; false if there is none or the message is damaged before it.
bool find_field(CodedInputStream& in, int number, int& length) {
    const auto wanted = WireFormatLite::MakeTag(number, WireFormatLite::WIRETYPE_LENGTH_DELIMITED);
    for (std::uint32_t tag = in.ReadTag(); tag != 0; tag = in.ReadTag()) {
        if (tag == wanted) return in.ReadVarintSizeAsInt(&length);
        if (!WireFormatLite::SkipField(&in, tag)) return false;
    }
    return false;
}

// Length of the UTF-8 sequence at the start of `text`, 0 if it is not valid (RFC 3629: no surrogates, nothing overlong).
std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char lead = byte(0);
    if (lead < 0x80) return 1;
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if ((byte(i) & 0xc0) != 0x80) return 0;
    const unsigned char second = byte(1);
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f)) return 0;
    if ((lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) return 0;
    return length;
}

}  // namespace

boost::system::error_code make_error_code(DecodeError error) {
    static const DecodeCategory category;
    return {static_cast<int>(error), category};
}

Encoder::Encoder() : buffers_(std::make_unique<Buffers>()) { silence_protobuf(); }
Encoder::~Encoder() = default;
std::uint64_t Encoder::refused_values() const { return buffers_->refused_values; }

Decoder::Decoder(DecodeLimits limits) : buffers_(std::make_unique<Buffers>()) {
    silence_protobuf();
    buffers_->limits = limits;
}
Decoder::~Decoder() = default;

Bytes Encoder::Buffers::serialise(const google::protobuf::MessageLite& message) {
    bytes.resize(message.ByteSizeLong());
    message.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(bytes.data()));
    return bytes;
}

bool Decoder::Buffers::parse(Bytes bytes, google::protobuf::MessageLite& message) const {
    message.Clear();
    return merge(bytes, message);
}

bool Decoder::Buffers::merge(Bytes bytes, google::protobuf::MessageLite& message) const {
    if (bytes.size() > limits.bytes || bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        return false;
    CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
    return message.MergeFromCodedStream(&in) && in.ConsumedEntireMessage();
}

Decoder::Result<Header> Decoder::header(Bytes bytes) {
    if (bytes.size() > buffers_->limits.bytes) return DecodeError::too_large;
    CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
    int length = 0;
    if (!find_field(in, 1, length)) return DecodeError::malformed;
    const int position = in.CurrentPosition();
    if (length > static_cast<int>(bytes.size()) - position) return DecodeError::malformed;
    auto& header = buffers_->wire.header;
    if (!buffers_->parse(bytes.substr(static_cast<std::size_t>(position), static_cast<std::size_t>(length)), header))
        return DecodeError::malformed;
    return take_header(header);
}

void put_header(const Header& from, pb::Header& to) {
    to.set_schema(from.schema);
    to.set_boot(from.boot);
    to.set_sequence(from.sequence);
    to.set_catalog(from.catalog);
    auto& clock = *to.mutable_clock();
    clock.set_monotonic_ns(from.clock.monotonic.time_since_epoch().count());
    clock.set_utc_ns(from.clock.utc.time_since_epoch().count());
    clock.set_state(static_cast<pb::ClockState>(from.clock.state));
    clock.set_offset_ns(from.clock.offset.count());
    clock.set_bound_ns(to_wire(from.clock.bound));
}

boost::system::result<Header> take_header(const pb::Header& from) {
    if (from.schema() != schema_version) return DecodeError::wrong_schema;
    const auto& clock = from.clock();
    const auto instant = [](std::int64_t ns) { return ns >= -max_instant_ns && ns <= max_instant_ns; };
    if (!instant(clock.monotonic_ns()) || !instant(clock.utc_ns()) || !instant(clock.offset_ns()) ||
        clock.bound_ns() > static_cast<std::uint64_t>(max_instant_ns))
        return DecodeError::inconsistent;
    Header to;
    to.schema = from.schema();
    to.boot = from.boot();
    to.sequence = from.sequence();
    to.catalog = from.catalog();
    to.clock.monotonic = Monotonic(Duration(clock.monotonic_ns()));
    to.clock.utc = Utc(Duration(clock.utc_ns()));
    to.clock.state = open_enum<ClockState>(clock.state());
    to.clock.offset = Duration(clock.offset_ns());
    to.clock.bound = to_duration(clock.bound_ns());
    return to;
}

void put_text(std::string_view from, std::string& to) {
    to.clear();
    while (!from.empty()) {
        const std::size_t length = utf8_length(from);
        const std::string_view piece = length == 0 ? std::string_view("\xef\xbf\xbd") : from.substr(0, length);
        if (to.size() + piece.size() > max_text) return;
        to.append(piece);
        from.remove_prefix(std::max<std::size_t>(length, 1));
    }
}

std::size_t count_fields(Bytes bytes, int number, std::size_t limit) {
    CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
    std::size_t count = 0;
    for (int length = 0; count <= limit && find_field(in, number, length); ++count)
        if (!in.Skip(length)) break;
    return count;
}

bool nested_fields_fit(Bytes bytes, int outer, int inner, std::size_t limit) {
    CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
    for (int length = 0; find_field(in, outer, length);) {
        const auto begin = static_cast<std::size_t>(in.CurrentPosition());
        if (!in.Skip(length)) break;  // cut off: will not parse
        if (count_fields(bytes.substr(begin, static_cast<std::size_t>(length)), inner, limit) > limit) return false;
    }
    return true;
}

}  // namespace gwatt::proto
