// All that a publisher can send to the fleet program. The first byte says which message; the rest are its bytes. Whatever is
// accepted must survive: encode(decode(x)) is accepted, means the same, and encodes to itself from then on.
// Live and data are read with a fixed catalog, or (first byte 0x80 and above) with one that stands in front of them, its length
// in two bytes.
#include "proto/codec.hpp"
#include "tests/unit/proto/samples.hpp"

#include <cstdlib>
#include <cstring>
#include <string>

using namespace gwatt::proto;

namespace {

constexpr DecodeLimits limits{.bytes = 1u << 20, .sensors = 2000, .cells = 50'000, .text = max_text};

struct Side {
    Encoder encoder;
    Decoder decoder{limits};
};

void require(bool holds) {
    if (!holds) std::abort();
}

// decode, encode, decode, encode: the two encodings are the same. Both sides are kept, as in a running program.
template <class Decode, class Encode> void check(Bytes bytes, Decode decode, Encode encode) {
    static Side one, other;
    const auto first = decode(one.decoder, bytes);
    if (!first) {
        require(first.error().value() != 0 && !first.error().message().empty());
        return;
    }
    const std::string once(encode(one.encoder, **first));
    const auto second = decode(other.decoder, once);
    require(second.has_value());
    require(encode(other.encoder, **second) == once);
}

void check_with(const Catalog& catalog, int kind, Bytes bytes) {
    if (kind == 3)
        check(
            bytes, [&](Decoder& d, Bytes b) { return d.live(b, catalog); },
            [&](Encoder& e, const Live& m) { return e.live(m, catalog); });
    else
        check(
            bytes, [&](Decoder& d, Bytes b) { return d.data(b, catalog); },
            [&](Encoder& e, const Data& m) { return e.data(m, catalog); });
}

// The header that is read ahead must be the one in the message.
void check_header(Bytes bytes) {
    static Decoder decoder(limits);
    static_cast<void>(decoder.header(bytes));
}

// Messages name their catalog by hash: a fuzzer would never guess it, so it is given.
Catalog named(Catalog catalog, Bytes message) {
    static Decoder decoder(limits);
    if (const auto header = decoder.header(message)) catalog.header.catalog = header->catalog;
    return catalog;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    Bytes bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const int kind = (data[0] & 0x7f) % 7;
    const bool own_catalog = data[0] >= 0x80;
    static Decoder catalogs(limits);
    static const Catalog fixed = samples::catalog();
    switch (kind) {
        case 0: check_header(bytes); break;
        case 1:
            check(
                bytes, [](Decoder& d, Bytes b) { return d.catalog(b); },
                [](Encoder& e, const Catalog& m) { return e.catalog(m); });
            break;
        case 2:
            check(
                bytes, [](Decoder& d, Bytes b) { return d.status(b); },
                [](Encoder& e, const Status& m) { return e.status(m); });
            break;
        case 3:
        case 4: {
            if (!own_catalog) return check_with(named(fixed, bytes), kind, bytes), 0;
            if (bytes.size() < 2) return 0;
            const std::size_t length = static_cast<std::size_t>(data[1]) << 8 | data[2];
            bytes.remove_prefix(2);
            if (length > bytes.size()) return 0;
            const auto catalog = catalogs.catalog(bytes.substr(0, length));
            bytes.remove_prefix(length);
            if (catalog) check_with(named(**catalog, bytes), kind, bytes);
            break;
        }
        case 5:
            check(
                bytes, [](Decoder& d, Bytes b) { return d.ack(b); }, [](Encoder& e, const Ack& m) { return e.ack(m); });
            break;
        case 6:
            check(
                bytes, [](Decoder& d, Bytes b) { return d.rollup(b); },
                [](Encoder& e, const Rollup& m) { return e.rollup(m); });
            break;
    }
    return 0;
}
