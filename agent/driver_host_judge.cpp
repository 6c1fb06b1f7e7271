#include "agent/driver_host_judge.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>
#include <utility>

namespace gwatt::agent {

namespace frame = drivers::frame;
using proto::Quality;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr proto::Duration clock_slack = milliseconds(1);  // both sides read one CLOCK_MONOTONIC
constexpr proto::Duration least_period = seconds(1);
constexpr std::size_t longest_id = 128;

// Length of the UTF-8 sequence at the front, 0 when there is none (RFC 3629: no overlong forms, no surrogates).
std::size_t sequence(std::string_view text) {
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U; };
    const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
    if (first >= 0xE0 && first <= 0xEF) {
        const bool fits = (first != 0xE0 || byte(1) >= 0xA0) && (first != 0xED || byte(1) < 0xA0);
        return fits && follows(1) && follows(2) ? 3 : 0;
    }
    if (first >= 0xF0 && first <= 0xF4) {
        const bool fits = (first != 0xF0 || byte(1) >= 0x90) && (first != 0xF4 || byte(1) < 0x90);
        return fits && follows(1) && follows(2) && follows(3) ? 4 : 0;
    }
    return 0;
}

bool is_id(std::string_view id) {
    if (id.empty() || id.size() > longest_id || id.front() == '.' || id.back() == '.') return false;
    return std::all_of(id.begin(), id.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; });
}

// Numbers that this build does not know are "unspecified".
template <class Enum> Enum known(std::uint32_t number, Enum last) {
    return number <= static_cast<std::uint32_t>(last) ? static_cast<Enum>(number) : Enum{};
}

double finite(double number) { return std::isfinite(number) ? number : 0; }
proto::Duration not_negative(std::int64_t ns) { return proto::Duration{std::max<std::int64_t>(0, ns)}; }

proto::Sensor sensor_of(const frame::Sensor& said, std::string_view bus) {
    proto::Sensor made;
    made.name = std::string(bus) + "." + std::string(said.id);
    made.label = clean_text(said.label);
    if (!said.part_of.empty()) made.part_of = std::string(bus) + "." + clean_text(said.part_of);
    made.feed = clean_text(said.feed);
    made.quantity = known(said.quantity, proto::Quantity::count);
    made.kind = known(said.kind, proto::Kind::cumulative);
    made.point = known(said.point, proto::Point::battery);
    made.direction = known(said.direction, proto::Direction::both);
    made.basis = known(said.basis, proto::AccuracyBasis::calibrated);
    made.window = not_negative(said.window_ns);
    made.refresh = not_negative(said.refresh_ns);
    made.resolution = std::max(0.0, finite(said.resolution));
    made.offset = finite(said.offset);
    made.wraps_at = std::max(0.0, finite(said.wraps_at));
    made.range_min = finite(said.range_min);
    made.range_max = finite(said.range_max);
    if (made.range_min > made.range_max) made.range_min = made.range_max = 0;
    for (std::uint32_t i = 0; i < said.bands; ++i) {
        const gwatt_accuracy& band = said.accuracy[i];
        if (band.from < band.to && band.relative >= 0 && band.absolute >= 0 &&
            std::isfinite(band.relative + band.absolute))
            made.accuracy.push_back({band.from, band.to, band.relative, band.absolute});
    }
    return made;
}

}  // namespace

std::string clean_text(std::string_view text) {
    std::string clean;
    clean.reserve(text.size());
    while (!text.empty()) {
        const std::size_t n = sequence(text);
        const bool control = n == 1 && (static_cast<unsigned char>(text[0]) < 0x20 || text[0] == 0x7F);
        if (n == 0 || control)
            clean += '?';
        else
            clean += text.substr(0, n);
        text.remove_prefix(std::max<std::size_t>(n, 1));
    }
    return clean;
}

bool judge_catalog(frame::Reader& reader, std::string_view bus, std::vector<proto::Sensor>& sensors, std::string& why) {
    const std::uint32_t n = reader.count(GWATT_MAX_SENSORS, frame::least_sensor);
    std::unordered_set<std::string> ids;
    sensors.clear();
    sensors.reserve(n);
    for (std::uint32_t i = 0; i < n && reader.ok(); ++i) {
        const frame::Sensor said = frame::read_sensor(reader);
        if (!reader.ok()) break;
        if (!is_id(said.id)) {
            why =
                "sensor " + std::to_string(i) + " has the id \"" + clean_text(said.id) + "\", which is not [a-z0-9_.]+";
            return false;
        }
        if (!ids.emplace(said.id).second) {
            why = "two sensors have the id " + std::string(said.id);
            return false;
        }
        sensors.push_back(sensor_of(said, bus));
    }
    if (reader.complete() && !sensors.empty()) return true;
    why = reader.ok() ? "the list of sensors is empty or has something behind it" : "the list of sensors is cut short";
    return false;
}

Quality quality_of(std::int32_t result) {
    switch (result) {
        case GWATT_OK: return Quality::good;
        case GWATT_TIMEOUT: return Quality::timeout;
        case GWATT_GARBLED: return Quality::garbled;
        case GWATT_GONE: return Quality::gone;
        case GWATT_BUSY: return Quality::busy;
        case GWATT_CHANGED: return Quality::not_read;
        case GWATT_DENIED: return Quality::denied;
        default: return Quality::fault;
    }
}

void SampleJudge::start(std::span<const proto::Sensor> sensors) {
    sensors_ = sensors;
    last_.assign(sensors.size(), proto::Monotonic::min());
    seen_.assign(sensors.size(), false);
}

// Not in the future, and no older than two periods, what the sensor averages over, and what the hardware needs for
// something new.
bool SampleJudge::time_is_possible(const proto::Reading& reading, const Turn& turn) const {
    if (reading.time > turn.now + clock_slack) return false;
    const proto::Sensor& sensor = sensors_[reading.sensor];
    constexpr proto::Duration longest = std::chrono::hours(24);
    const proto::Duration allowed = 2 * std::clamp(turn.period, least_period, longest) +
                                    std::min(sensor.window, longest) + 2 * std::min(sensor.refresh, longest);
    return reading.time >= turn.asked - allowed && reading.time >= last_[reading.sensor];
}

// False when it cannot be said whose it is. A sample with an impossible part becomes `garbled`: no value.
bool SampleJudge::judge_one(const gwatt_sample& sample, const Turn& turn, proto::Reading& reading) {
    if (sample.sensor >= sensors_.size()) return false;
    if (!std::binary_search(turn.wanted.begin(), turn.wanted.end(), sample.sensor)) return false;
    reading.sensor = sample.sensor;
    reading.time = proto::Monotonic{proto::Duration{sample.time_ns}};
    reading.value = sample.value;
    const auto quality = static_cast<Quality>(sample.quality);
    const bool valued = sample.quality <= GWATT_QUALITY_RESTARTED;
    const bool valueless = sample.quality >= GWATT_QUALITY_UNAVAILABLE && sample.quality <= GWATT_QUALITY_NOT_READ;
    if (valueless || !valued || !std::isfinite(sample.value) || !time_is_possible(reading, turn)) {
        reading = {turn.now, 0, sample.sensor, valueless ? quality : Quality::garbled};
        return true;
    }
    reading.quality = quality;
    proto::Monotonic& last = last_[sample.sensor];
    if (reading.time == last && quality == Quality::good) reading.quality = Quality::stale;
    last = reading.time;
    const proto::Sensor& sensor = sensors_[sample.sensor];
    const bool ranged = sensor.range_min != 0 || sensor.range_max != 0;
    if (ranged && (reading.value < sensor.range_min || reading.value > sensor.range_max) &&
        (reading.quality == Quality::good || reading.quality == Quality::stale))
        reading.quality = Quality::suspect;
    return true;
}

std::uint32_t SampleJudge::judge(const frame::SamplesAnswer& answer, const Turn& turn,
                                 std::vector<proto::Reading>& readings) {
    std::uint32_t refused = 0;
    for (const std::uint32_t sensor : turn.wanted)
        if (sensor < seen_.size()) seen_[sensor] = false;
    for (std::size_t i = 0; i < answer.count(); ++i) {
        const gwatt_sample sample = answer[i];
        proto::Reading reading;
        if (!judge_one(sample, turn, reading)) {
            ++refused;
            continue;
        }
        if (reading.quality == Quality::garbled && sample.quality != GWATT_QUALITY_GARBLED) ++refused;
        if (seen_[sample.sensor] && !proto::has_value(reading.quality)) continue;  // one such reading is enough
        seen_[sample.sensor] = true;
        readings.push_back(reading);
    }
    const Quality missing = answer.result == GWATT_OK ? Quality::not_read : quality_of(answer.result);
    for (const std::uint32_t sensor : turn.wanted)
        if (sensor < seen_.size() && !seen_[sensor]) readings.push_back({turn.now, 0, sensor, missing});
    return refused;
}

}  // namespace gwatt::agent
