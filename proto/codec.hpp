#pragma once
// Messages to bytes and back. The only user of generated protobuf. One Encoder or Decoder per thread; both keep their
// buffers, so that a steady state allocates nothing per sample. A returned span or reference lives until the next call
// on the same object. The wire format is in proto/gwatt/v1/*.proto and docs/wire.md.
#include "proto/messages.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace gwatt::proto {

using Bytes = std::string_view;

// Why bytes were refused. A closed set: the fleet counts by it.
enum class DecodeError {
    malformed = 1,    // not protobuf, or a field is missing
    wrong_schema,     // another major version
    unknown_catalog,  // made with another catalog than the given one
    inconsistent,     // columns of different length, indices out of the catalog
    too_large,        // more than the limits below
};
boost::system::error_code make_error_code(DecodeError error);

// Strings are cut to this many bytes when encoded.
inline constexpr std::size_t max_text = 256;

// Limits on what a message may claim, so that a hostile one cannot make a reader allocate without bound.
struct DecodeLimits {
    std::size_t bytes = 4u << 20;
    std::size_t sensors = 20'000;
    std::size_t cells = 2'000'000;  // sensors * samples of one Data
    std::size_t text = max_text;    // bytes of one string
};

// Throws std::invalid_argument where a message contradicts itself or its catalog: a bug of the caller.
class Encoder {
public:
    Encoder();
    ~Encoder();
    Bytes catalog(const Catalog& message);  // header.catalog 0: fills in catalog_hash()
    Bytes status(const Status& message);
    Bytes live(const Live& message, const Catalog& catalog);
    Bytes data(const Data& message, const Catalog& catalog);
    Bytes ack(const Ack& message);
    Bytes rollup(const Rollup& message);

    // Values that the wire cannot say (not finite, or 2^51 steps and more) and that went out as Quality::garbled.
    std::uint64_t refused_values() const;

    struct Buffers;

private:
    std::unique_ptr<Buffers> buffers_;
};

class Decoder {
public:
    explicit Decoder(DecodeLimits limits = {});
    ~Decoder();
    template <class T> using Result = boost::system::result<T>;
    Result<const Catalog*> catalog(Bytes bytes);
    Result<const Status*> status(Bytes bytes);
    Result<Header> header(Bytes bytes);  // of a live or data message: to find its catalog
    Result<const Live*> live(Bytes bytes, const Catalog& catalog);
    Result<const Data*> data(Bytes bytes, const Catalog& catalog);
    Result<const Ack*> ack(Bytes bytes);
    Result<const Rollup*> rollup(Bytes bytes);

    struct Buffers;

private:
    std::unique_ptr<Buffers> buffers_;
};

// Content hash of a catalog (everything but its header): FNV-1a 64 over the encoded body, never 0.
std::uint64_t catalog_hash(const Catalog& catalog);

}  // namespace gwatt::proto

template <> struct boost::system::is_error_code_enum<gwatt::proto::DecodeError> : std::true_type {};
