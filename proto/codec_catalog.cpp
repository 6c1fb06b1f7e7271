// Catalog: who the agent is and what it measures. Format: proto/gwatt/v1/catalog.proto.
#include "proto/codec_wire.hpp"

#include <algorithm>
#include <cmath>

namespace gwatt::proto {

namespace {

constexpr std::size_t max_bands = 64;     // accuracy bands of one sensor
constexpr std::size_t max_groups = 1024;  // rate groups of one catalog

void put_sensor(const Sensor& from, pb::Sensor& to) {
    put_text(from.name, *to.mutable_name());
    put_text(from.label, *to.mutable_label());
    put_text(from.part_of, *to.mutable_part_of());
    put_text(from.feed, *to.mutable_feed());
    to.set_quantity(static_cast<pb::Quantity>(from.quantity));
    to.set_kind(static_cast<pb::Kind>(from.kind));
    to.set_point(static_cast<pb::Point>(from.point));
    to.set_direction(static_cast<pb::Direction>(from.direction));
    to.set_resolution(from.resolution);
    to.set_offset(from.offset);
    to.set_window_ns(to_wire(from.window));
    to.set_refresh_ns(to_wire(from.refresh));
    to.set_wraps_at(from.wraps_at);
    to.set_range_min(from.range_min);
    to.set_range_max(from.range_max);
    to.set_basis(static_cast<pb::AccuracyBasis>(from.basis));
    for (const AccuracyBand& band : from.accuracy) {
        auto& out = *to.add_accuracy();
        out.set_from(band.from);
        out.set_to(band.to);
        out.set_relative(band.relative);
        out.set_absolute(band.absolute);
    }
}

// Everything but the header.
void put_body(const Catalog& from, pb::Catalog& to) {
    to.Clear();
    put_text(from.site, *to.mutable_site());
    put_text(from.agent, *to.mutable_agent());
    put_text(from.hall, *to.mutable_hall());
    put_text(from.row, *to.mutable_row());
    put_text(from.rack, *to.mutable_rack());
    put_text(from.software, *to.mutable_software());
    to.set_rating_watts(from.rating_watts);
    for (const Sensor& sensor : from.sensors) put_sensor(sensor, *to.add_sensors());
    for (const RateGroup& group : from.groups) {
        auto& out = *to.add_groups();
        out.set_period_ns(to_wire(group.period));
        out.set_first(group.first);
        out.set_count(group.count);
    }
    for (const std::uint32_t sensor : from.energy_points) to.add_energy_points(sensor);
}

std::uint64_t hash_of(const pb::Catalog& body) {
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char byte : body.SerializeAsString()) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3u;
    return hash == 0 ? 1 : hash;
}

bool all_finite(std::initializer_list<double> numbers) {
    return std::all_of(numbers.begin(), numbers.end(), [](double number) { return std::isfinite(number); });
}

// A scale that steps can be told apart on: see Scale. An offset beyond it would swallow the steps.
bool sane_scale(double resolution, double offset) {
    if (resolution == 0) return true;
    return std::isnormal(resolution) && resolution > 0 && std::fabs(offset) / resolution < 0x1p51;
}

Checked take_sensor(const pb::Sensor& from, const DecodeLimits& limits, Sensor& to) {
    if (!fits(from.name(), limits) || !fits(from.label(), limits) || !fits(from.part_of(), limits) ||
        !fits(from.feed(), limits))
        return DecodeError::too_large;
    if (!all_finite({from.resolution(), from.offset(), from.wraps_at(), from.range_min(), from.range_max()}) ||
        !sane_scale(from.resolution(), from.offset()) || !is_span(from.window_ns()) || !is_span(from.refresh_ns()))
        return DecodeError::inconsistent;
    to.name = from.name();
    to.label = from.label();
    to.part_of = from.part_of();
    to.feed = from.feed();
    to.quantity = open_enum<Quantity>(from.quantity());
    to.kind = open_enum<Kind>(from.kind());
    to.point = open_enum<Point>(from.point());
    to.direction = open_enum<Direction>(from.direction());
    to.resolution = from.resolution();
    to.offset = from.offset();
    to.window = to_duration(from.window_ns());
    to.refresh = to_duration(from.refresh_ns());
    to.wraps_at = from.wraps_at();
    to.range_min = from.range_min();
    to.range_max = from.range_max();
    to.basis = open_enum<AccuracyBasis>(from.basis());
    to.accuracy.clear();
    for (const auto& band : from.accuracy()) {
        if (!all_finite({band.from(), band.to(), band.relative(), band.absolute()})) return DecodeError::inconsistent;
        to.accuracy.push_back({band.from(), band.to(), band.relative(), band.absolute()});
    }
    return {};
}

Checked take_lists(const pb::Catalog& from, Catalog& to) {
    to.groups.clear();
    for (const auto& group : from.groups()) {
        if (!is_span(group.period_ns()) || std::uint64_t{group.first()} + group.count() > to.sensors.size())
            return DecodeError::inconsistent;
        to.groups.push_back({to_duration(group.period_ns()), group.first(), group.count()});
    }
    if (static_cast<std::size_t>(from.energy_points_size()) > to.sensors.size()) return DecodeError::inconsistent;
    to.energy_points.assign(from.energy_points().begin(), from.energy_points().end());
    const bool known = std::all_of(to.energy_points.begin(), to.energy_points.end(),
                                   [&](std::uint32_t sensor) { return sensor < to.sensors.size(); });
    if (!known) return DecodeError::inconsistent;
    return {};
}

Checked take_identity(const pb::Catalog& from, const DecodeLimits& limits, Catalog& to) {
    if (!fits(from.site(), limits) || !fits(from.agent(), limits) || !fits(from.hall(), limits) ||
        !fits(from.row(), limits) || !fits(from.rack(), limits) || !fits(from.software(), limits))
        return DecodeError::too_large;
    if (!std::isfinite(from.rating_watts())) return DecodeError::inconsistent;
    to.site = from.site();
    to.agent = from.agent();
    to.hall = from.hall();
    to.row = from.row();
    to.rack = from.rack();
    to.software = from.software();
    to.rating_watts = from.rating_watts();
    return {};
}

// What parsing would allocate: an empty sub-message costs two bytes on the wire and a hundred times that in memory.
bool counts_fit(Bytes bytes, const DecodeLimits& limits) {
    return bytes.size() <= limits.bytes &&
           count_fields(bytes, pb::Catalog::kSensorsFieldNumber, limits.sensors) <= limits.sensors &&
           count_fields(bytes, pb::Catalog::kGroupsFieldNumber, max_groups) <= max_groups &&
           nested_fields_fit(bytes, pb::Catalog::kSensorsFieldNumber, pb::Sensor::kAccuracyFieldNumber, max_bands);
}

}  // namespace

std::uint64_t catalog_hash(const Catalog& catalog) {
    pb::Catalog body;
    put_body(catalog, body);
    return hash_of(body);
}

Bytes Encoder::catalog(const Catalog& message) {
    pb::Catalog& out = buffers_->catalog;
    put_body(message, out);
    Header header = message.header;
    if (header.catalog == 0) header.catalog = hash_of(out);
    put_header(header, *out.mutable_header());
    return buffers_->serialise(out);
}

Decoder::Result<const Catalog*> Decoder::catalog(Bytes bytes) {
    const DecodeLimits& limits = buffers_->limits;
    if (!counts_fit(bytes, limits)) return DecodeError::too_large;
    pb::Catalog& wire = buffers_->wire.catalog;
    if (!buffers_->parse(bytes, wire)) return buffers_->reason(bytes);
    Catalog& to = buffers_->catalog;
    const auto header = take_header(wire.header());
    if (!header) return header.error();
    to.header = *header;
    if (const auto identity = take_identity(wire, limits, to); !identity) return identity.error();
    to.sensors.resize(static_cast<std::size_t>(wire.sensors_size()));
    for (std::size_t i = 0; i < to.sensors.size(); ++i)
        if (const auto sensor = take_sensor(wire.sensors(static_cast<int>(i)), limits, to.sensors[i]); !sensor)
            return sensor.error();
    if (const auto lists = take_lists(wire, to); !lists) return lists.error();
    return &to;
}

}  // namespace gwatt::proto
