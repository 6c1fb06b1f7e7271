// Frames of both directions: what a runner with a wild plugin may send the agent, and what the runner is sent. Whatever the
// bytes are, what comes out obeys the agent's rules.
#include "agent/driver_host_judge.hpp"
#include "drivers/abi/driver.hpp"
#include "drivers/runner/frame.hpp"
#include "drivers/runner/option_values.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace {

namespace d = gwatt::drivers;
namespace frame = gwatt::drivers::frame;
using frame::Type;
using gwatt::proto::Monotonic;

void require(bool holds) {
    if (!holds) __builtin_trap();
}

constexpr const char* words[] = {"one", "two", nullptr};
constexpr std::array declared{
    d::required(d::option("device", GWATT_PATH, "Path.")),
    d::between(1, 247, d::option("unit", GWATT_INTEGER, "Address.", "1")),
    d::option("factor", GWATT_NUMBER, "Factor."),
    d::option("timeout", GWATT_DURATION, "Time.", "1s"),
    d::option("quick", GWATT_BOOLEAN, "Quick."),
    d::choice("word", words, "Word."),
    d::option("text", GWATT_TEXT, "Text."),
};

d::Plugin plugin() {
    d::Plugin made;
    made.table.name = "fuzz";
    made.table.options = declared.data();
    made.table.option_count = declared.size();
    made.option_stride = sizeof(gwatt_option);
    return made;
}

void take_options(frame::Bytes body) {
    std::array<frame::Pair, frame::max_pairs> pairs;
    std::string_view base;
    const int n = frame::decode_pairs(body, base, pairs);
    if (n < 0) return;
    static const d::Plugin known = plugin();
    static d::OptionValues values;
    std::size_t complaints = 0;
    const auto complain = [](void* count, std::string_view, const char* text) {
        ++*static_cast<std::size_t*>(count);
        require(*text != '\0');
    };
    const bool good = values.parse(known, {pairs.data(), static_cast<std::size_t>(n)}, base, complain, &complaints);
    require(good == (complaints == 0));
    if (!good) return;
    const d::Options options{declared, values.values()};
    require(*options.path("device") != '\0');
    require(options.integer("unit") >= 1 && options.integer("unit") <= 247);
    require(std::isfinite(options.number("factor")) && options.duration("timeout").count() >= 0 &&
            options.choice("word") < 2);
    require(std::string(options.text("text")).size() <= GWATT_MAX_TEXT);
}

void take_samples(frame::Bytes body, gwatt::agent::SampleJudge& judge,
                  const std::vector<gwatt::proto::Sensor>& sensors) {
    frame::SamplesAnswer answer;
    if (!frame::decode_samples(body, answer) || sensors.empty()) return;
    const Monotonic now{std::chrono::seconds(1000)};
    const std::uint32_t wanted[] = {0, static_cast<std::uint32_t>(sensors.size() - 1)};
    const std::span<const std::uint32_t> some(wanted, sensors.size() == 1 ? 1 : 2);
    std::vector<gwatt::proto::Reading> readings;
    const std::uint32_t refused =
        judge.judge(answer, {some, now - std::chrono::milliseconds(5), now, std::chrono::seconds(1)}, readings);
    require(refused <= answer.count() && readings.size() <= answer.count() + some.size() &&
            readings.size() >= some.size());
    for (const auto& reading : readings) {
        require(reading.sensor == wanted[0] || reading.sensor == wanted[1]);
        require(reading.time <= now + std::chrono::milliseconds(1));
        if (gwatt::proto::has_value(reading.quality))
            require(std::isfinite(reading.value) && reading.time > now - std::chrono::hours(200));
    }
}

void take_catalog(frame::Bytes body, std::vector<gwatt::proto::Sensor>& sensors) {
    frame::Reader reader{body};
    const frame::Result result = frame::read_result(reader);
    std::string why;
    std::vector<gwatt::proto::Sensor> found;
    if (!gwatt::agent::judge_catalog(reader, "bus", found, why)) return require(!why.empty());
    require(result.text.size() <= GWATT_MAX_TEXT && !found.empty() && found.size() <= GWATT_MAX_SENSORS);
    for (const auto& sensor : found) require(std::isfinite(sensor.resolution) && sensor.window.count() >= 0);
    sensors = std::move(found);
}

void take(Type type, frame::Bytes body, gwatt::agent::SampleJudge& judge, std::vector<gwatt::proto::Sensor>& sensors) {
    frame::ReadRequest request;
    frame::Reader reader{body};
    switch (type) {
        case Type::check:
        case Type::open: return take_options(body);
        case Type::read:
            if (frame::decode_read(body, request)) require(request.wanted.size() / 4 <= request.capacity);
            return;
        case Type::catalog: take_catalog(body, sensors); return judge.start(sensors);
        case Type::samples: return take_samples(body, judge, sensors);
        case Type::described:
            frame::read_result(reader);
            frame::read_description(reader);
            return;
        default:
            reader.u32();
            const std::string clean = gwatt::agent::clean_text(reader.text());
            require(gwatt::agent::clean_text(clean) == clean);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::vector<gwatt::proto::Sensor> sensors(2);
    gwatt::agent::SampleJudge judge;
    judge.start(sensors);
    frame::Bytes bytes{reinterpret_cast<const std::byte*>(data), size};
    frame::Header header;
    while (frame::decode_header(bytes, frame::max_body, header) && header.size <= bytes.size() - sizeof header) {
        take(static_cast<Type>(header.type), bytes.subspan(sizeof header, header.size), judge, sensors);
        bytes = bytes.subspan(sizeof header + header.size);
    }
    return 0;
}
