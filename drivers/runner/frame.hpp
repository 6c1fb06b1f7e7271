#pragma once
// Frames between the agent's driver_host and a runner, over a stream socketpair on one machine (native byte order, no
// padding). Decoding never trusts a length: every reader stops at the end of its frame and says so with ok() == false.
// Needs no C++ library at link time (the runner has none). Any thread; a reader must not outlive its bytes.
//
//   frame    = header body       header = u32 magic, u32 bytes of body, u32 type, u32 request (answers repeat it; log: 0)
//   text     = u32 bytes, bytes (no NUL)
//
//   describe                          -> described: result, text driver, text version, text summary, i64 open worst,
//                                        i64 close worst, i64 read overrun
//   check    base, pairs              -> checked: result, u32 n, n of (text option, text what is wrong)
//   open     base, pairs              -> opened: result, text wrong option
//   sensors                           -> catalog: result, u32 n, n sensors
//   read     i64 deadline, u32 capacity, u32 n, n of u32
//                                     -> samples: i32 result, u32 n, u32 bytes of text, u32 0, n of gwatt_sample, text
//   close                             -> closed: empty
//   cancel   (of that request)        -> no answer of its own: the running call ends early and answers
//   stop                              -> closes the bus and exits, as the end of the stream does
//                                     -> log: u32 level, text
//   result   = i32 gwatt_result, text for people
//   pairs    = u32 n, n of (text name, text value); base = text: folder that relative paths start from
//
// Both ends are built together; nothing here is kept compatible between releases.
#include "drivers/abi/driver.h"

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <span>
#include <string_view>
#include <type_traits>

namespace gwatt::drivers::frame {

enum class Type : std::uint32_t {
    describe = 1,
    check = 2,
    open = 3,
    sensors = 4,
    read = 5,
    cancel = 6,
    stop = 7,
    close = 8,
    described = 17,
    checked = 18,
    opened = 19,
    catalog = 20,
    samples = 21,
    closed = 22,
    log = 32,
};

inline constexpr std::uint32_t magic = 0x31574747;      // "GGW1"
inline constexpr std::uint32_t max_body = 1U << 20;     // of any frame
inline constexpr std::uint32_t max_request = 1U << 16;  // of a frame to the runner
inline constexpr std::uint32_t max_pairs = 256;
inline constexpr int runner_fd = 3;  // where the runner finds its end

struct Header {
    std::uint32_t magic = frame::magic;
    std::uint32_t size = 0;  // of the body
    std::uint32_t type = 0;
    std::uint32_t request = 0;
};
static_assert(sizeof(Header) == 16);

using Bytes = std::span<const std::byte>;

// False when this cannot be the head of a frame: the stream is of no use any more.
inline bool decode_header(Bytes bytes, std::uint32_t limit, Header& header) {
    if (bytes.size() < sizeof(Header)) return false;
    std::memcpy(&header, bytes.data(), sizeof header);
    return header.magic == magic && header.size <= limit;
}

class Reader {
public:
    explicit Reader(Bytes bytes) : at_(bytes.data()), left_(bytes.size()) {}

    bool ok() const { return ok_; }
    // Everything was there, and nothing is left over.
    bool complete() const { return ok_ && left_ == 0; }
    std::size_t left() const { return left_; }

    template <class Number> Number number() {
        static_assert(sizeof(Number) >= 4 && std::is_trivially_copyable_v<Number>);
        Number value{};
        if (const std::byte* from = take(sizeof value)) std::memcpy(&value, from, sizeof value);
        return value;
    }
    std::uint32_t u32() { return number<std::uint32_t>(); }
    std::int32_t i32() { return number<std::int32_t>(); }
    std::int64_t i64() { return number<std::int64_t>(); }
    double f64() { return number<double>(); }

    // A count of things of at least `each` bytes: more than can follow is an error, so that a loop over it is bounded.
    std::uint32_t count(std::uint32_t limit, std::size_t each) {
        const std::uint32_t n = u32();
        if (n > limit || n > left_ / each) fail();
        return ok_ ? n : 0;
    }
    std::string_view text(std::uint32_t limit = GWATT_MAX_TEXT) {
        const std::uint32_t size = u32();
        if (size > limit) fail();
        const std::byte* from = take(size);
        return from == nullptr ? std::string_view{} : std::string_view{reinterpret_cast<const char*>(from), size};
    }
    void fail() {
        ok_ = false;
        left_ = 0;
    }

private:
    const std::byte* take(std::size_t n) {
        if (!ok_ || n > left_) {
            fail();
            return nullptr;
        }
        const std::byte* from = at_;
        at_ += n;
        left_ -= n;
        return from;
    }
    const std::byte* at_;
    std::size_t left_;
    bool ok_ = true;
};

// Writes one frame into the caller's memory; what does not fit makes ok() false and is not written.
class Writer {
public:
    explicit Writer(std::span<std::byte> memory) : begin_(memory.data()), room_(memory.size()) {
        if (room_ < sizeof(Header))
            ok_ = false;
        else
            used_ = sizeof(Header);
    }
    template <class Number> void number(Number value) { bytes(&value, sizeof value); }
    void u32(std::uint32_t value) { number(value); }
    void i32(std::int32_t value) { number(value); }
    void i64(std::int64_t value) { number(value); }
    void f64(double value) { number(value); }
    void text(std::string_view value) {
        u32(static_cast<std::uint32_t>(value.size()));
        bytes(value.data(), value.size());
    }
    void bytes(const void* from, std::size_t n) {
        if (!ok_ || n > room_ - used_) {
            ok_ = false;
            return;
        }
        if (n > 0) std::memcpy(begin_ + used_, from, n);
        used_ += n;
    }
    // Leaves n bytes to be written later.
    void skip(std::size_t n) {
        if (!ok_ || n > room_ - used_)
            ok_ = false;
        else
            used_ += n;
    }
    bool ok() const { return ok_; }
    // The whole frame; empty when something did not fit.
    Bytes finish(Type type, std::uint32_t request) {
        if (!ok_) return {};
        const Header header{magic, static_cast<std::uint32_t>(used_ - sizeof(Header)), static_cast<std::uint32_t>(type),
                            request};
        std::memcpy(begin_, &header, sizeof header);
        return {begin_, used_};
    }

private:
    std::byte* begin_;
    std::size_t room_, used_ = 0;
    bool ok_ = true;
};

struct Result {
    std::int32_t result = GWATT_BUG;
    std::string_view text{};
};
inline Result read_result(Reader& reader) {
    Result found;
    found.result = reader.i32();
    found.text = reader.text();
    return found;
}

struct Description {
    std::string_view driver{}, version{}, summary{};
    std::int64_t open_worst_ns = 0, close_worst_ns = 0, read_overrun_ns = 0;
};
// What follows the result of `described`.
inline Description read_description(Reader& reader) {
    Description found;
    found.driver = reader.text();
    found.version = reader.text();
    found.summary = reader.text();
    found.open_worst_ns = reader.i64();
    found.close_worst_ns = reader.i64();
    found.read_overrun_ns = reader.i64();
    return found;
}

// gwatt_sensor with its texts in the frame.
struct Sensor {
    std::uint32_t quantity = 0, kind = 0, point = 0, direction = 0, basis = 0;
    std::int64_t window_ns = 0, refresh_ns = 0;
    double resolution = 0, offset = 0, wraps_at = 0, range_min = 0, range_max = 0;
    std::string_view id{}, label{}, part_of{}, feed{};
    std::uint32_t bands = 0;
    gwatt_accuracy accuracy[GWATT_MAX_BANDS] = {};
};
inline constexpr std::size_t least_sensor = 5 * 4 + 2 * 8 + 5 * 8 + 4 * 4 + 4;

inline Sensor read_sensor(Reader& reader) {
    Sensor found;
    for (std::uint32_t* field : {&found.quantity, &found.kind, &found.point, &found.direction, &found.basis})
        *field = reader.u32();
    found.window_ns = reader.i64();
    found.refresh_ns = reader.i64();
    for (double* field : {&found.resolution, &found.offset, &found.wraps_at, &found.range_min, &found.range_max})
        *field = reader.f64();
    for (std::string_view* field : {&found.id, &found.label, &found.part_of, &found.feed}) *field = reader.text();
    found.bands = reader.count(GWATT_MAX_BANDS, sizeof(gwatt_accuracy));
    for (std::uint32_t i = 0; i < found.bands; ++i) found.accuracy[i] = reader.number<gwatt_accuracy>();
    return found;
}

inline void write_sensor(Writer& writer, const Sensor& sensor) {
    for (std::uint32_t field : {sensor.quantity, sensor.kind, sensor.point, sensor.direction, sensor.basis})
        writer.u32(field);
    writer.i64(sensor.window_ns);
    writer.i64(sensor.refresh_ns);
    for (double field : {sensor.resolution, sensor.offset, sensor.wraps_at, sensor.range_min, sensor.range_max})
        writer.f64(field);
    for (std::string_view field : {sensor.id, sensor.label, sensor.part_of, sensor.feed}) writer.text(field);
    writer.u32(sensor.bands);
    writer.bytes(sensor.accuracy, sensor.bands * sizeof(gwatt_accuracy));
}

// Head of a `samples` body; the samples follow, then the text.
struct SamplesHead {
    std::int32_t result = GWATT_BUG;
    std::uint32_t count = 0;
    std::uint32_t text = 0;
    std::uint32_t zero = 0;
};
static_assert(sizeof(SamplesHead) == 16);

struct SamplesAnswer {
    std::int32_t result = GWATT_BUG;
    Bytes samples{};  // count * 24 bytes, any alignment
    std::string_view text{};
    std::size_t count() const { return samples.size() / sizeof(gwatt_sample); }
    gwatt_sample operator[](std::size_t i) const {
        gwatt_sample sample;
        std::memcpy(&sample, samples.data() + i * sizeof sample, sizeof sample);
        return sample;
    }
};
inline bool decode_samples(Bytes body, SamplesAnswer& answer) {
    SamplesHead head;
    if (body.size() < sizeof head) return false;
    std::memcpy(&head, body.data(), sizeof head);
    const std::size_t left = body.size() - sizeof head;
    if (head.count > GWATT_MAX_SAMPLES || head.text > GWATT_MAX_TEXT) return false;
    if (left != head.count * sizeof(gwatt_sample) + head.text) return false;
    answer.result = head.result;
    answer.samples = {body.data() + sizeof head, head.count * sizeof(gwatt_sample)};
    answer.text = {reinterpret_cast<const char*>(body.data()) + sizeof head + answer.samples.size(), head.text};
    return true;
}

// One option as the user wrote it.
struct Pair {
    std::string_view name{}, value{};
};
// The body of `check` and `open`. The number of pairs, or -1 when it is no such body.
inline int decode_pairs(Bytes body, std::string_view& base, std::span<Pair, max_pairs> pairs) {
    Reader reader{body};
    base = reader.text();
    const std::uint32_t n = reader.count(max_pairs, 8);
    for (std::uint32_t i = 0; i < n; ++i) {
        pairs[i].name = reader.text();
        pairs[i].value = reader.text(max_request);
    }
    return reader.complete() ? static_cast<int>(n) : -1;
}

struct ReadRequest {
    std::int64_t deadline_ns = 0;
    std::uint32_t capacity = 0;
    Bytes wanted{};  // n * 4 bytes
};
inline bool decode_read(Bytes body, ReadRequest& request) {
    Reader reader{body};
    request.deadline_ns = reader.i64();
    request.capacity = reader.u32();
    const std::uint32_t n = reader.count(GWATT_MAX_SENSORS, sizeof(std::uint32_t));
    if (!reader.ok() || n == 0 || reader.left() != n * sizeof(std::uint32_t)) return false;
    if (request.capacity < n || request.capacity > GWATT_MAX_SAMPLES) return false;
    request.wanted = body.subspan(body.size() - reader.left());
    return true;
}

}  // namespace gwatt::drivers::frame
