// Live: energy and power of every energy point. Format: proto/gwatt/v1/live.proto.
#include "proto/codec_runs.hpp"
#include "proto/codec_steps.hpp"
#include "proto/codec_wire.hpp"

#include <algorithm>
#include <stdexcept>

namespace gwatt::proto {

namespace {

using Points = std::vector<Live::Point>;

const Sensor& sensor_of(const Catalog& catalog, std::size_t point) {
    return catalog.sensors[catalog.energy_points[point]];
}

// A column with one element a point; left empty when all are zero.
template <class Wire, class Get>
void put_column(const Points& points, google::protobuf::RepeatedField<Wire>& out, Get get) {
    out.Clear();
    if (std::all_of(points.begin(), points.end(), [&](const Live::Point& point) { return get(point) == 0; })) return;
    out.Reserve(static_cast<int>(points.size()));
    for (const Live::Point& point : points) out.AddAlreadyReserved(get(point));
}

// Differences of counters modulo 2^64: bounds come back exactly even from counters that contradict each other.
std::int64_t difference(std::uint64_t a, std::uint64_t b) { return static_cast<std::int64_t>(a - b); }

// Nobody knows an estimate to the millijoule: whole joules, where all are, save a byte or two of each.
constexpr std::uint64_t joule = 1000;
std::uint64_t estimated_unit(const Points& points) {
    const bool whole = std::all_of(points.begin(), points.end(), [](const Live::Point& p) {
        return p.estimated_mj % joule == 0 && p.estimated_low_mj % joule == 0 && p.estimated_high_mj % joule == 0;
    });
    return whole ? joule : 1;
}

void put_energy(const Points& points, pb::Live& out) {
    using Point = Live::Point;
    const std::uint64_t unit = estimated_unit(points);
    const auto below = [=](const Point& p) { return difference(p.estimated_mj / unit, p.estimated_low_mj / unit); };
    const auto above = [=](const Point& p) { return difference(p.estimated_high_mj / unit, p.estimated_mj / unit); };
    out.set_estimated_unit_mj(static_cast<std::uint32_t>(unit));
    put_column(points, *out.mutable_energy_mj(), [](const Point& p) { return p.energy_mj; });
    put_column(points, *out.mutable_estimated(), [=](const Point& p) { return p.estimated_mj / unit; });
    put_column(points, *out.mutable_estimated_below(), below);
    put_column(points, *out.mutable_estimated_skew(), [=](const Point& p) {
        return difference(static_cast<std::uint64_t>(above(p)), static_cast<std::uint64_t>(below(p)));
    });
    put_column(points, *out.mutable_exported_mj(), [](const Point& p) { return p.exported_mj; });
}

// Power of one interval in steps. Zero samples where it cannot be said.
struct PowerSteps {
    std::int64_t mean = 0;
    std::uint64_t mean_less_min = 0, max_less_mean = 0;
    bool sayable = false;
};

PowerSteps power_steps(const Live::Point& point, const Sensor& sensor) {
    if (point.samples == 0) return {};
    const Scale scale = live_scale(sensor);
    std::int64_t mean = 0, min = 0, max = 0;
    if (!scale.steps(point.mean, mean) || !scale.steps(point.min, min) || !scale.steps(point.max, max)) return {};
    // A mean of equal values may come out of its sum an ulp outside of them.
    return {mean, static_cast<std::uint64_t>(std::max<std::int64_t>(mean - min, 0)),
            static_cast<std::uint64_t>(std::max<std::int64_t>(max - mean, 0)), true};
}

template <class Wire> void clear_if_zero(google::protobuf::RepeatedField<Wire>& column) {
    if (std::all_of(column.begin(), column.end(), [](Wire n) { return n == 0; })) column.Clear();
}

// Returns how many points had samples but a power that the wire cannot say.
std::uint64_t put_power(const Live& message, const Catalog& catalog, pb::Live& out) {
    out.mutable_mean()->Clear();
    out.mutable_mean_less_min()->Clear();
    out.mutable_max_less_mean()->Clear();
    NumberRunWriter samples(*out.mutable_samples());
    QualityWriter quality(*out.mutable_quality());
    std::uint64_t refused = 0;
    for (std::size_t i = 0; i < message.points.size(); ++i) {
        const Live::Point& point = message.points[i];
        const PowerSteps power = power_steps(point, sensor_of(catalog, i));
        const bool refuse = point.samples > 0 && !power.sayable;
        const Quality told = refuse ? Quality::garbled : point.quality;
        out.add_mean(power.mean);
        out.add_mean_less_min(power.mean_less_min);
        out.add_max_less_mean(power.max_less_mean);
        samples.add(power.sayable ? point.samples : 0);
        if (told != Quality::good) quality.add(static_cast<std::uint32_t>(i), told);
        refused += refuse ? 1 : 0;
    }
    samples.finish();
    quality.finish();
    clear_if_zero(*out.mutable_mean_less_min());
    clear_if_zero(*out.mutable_max_less_mean());
    return refused;
}

void put_times(const Live& message, pb::Live& out) {
    const Monotonic now = message.header.clock.monotonic;
    out.set_start_ns((message.start - now).count());
    out.set_interval_ns(to_wire(message.interval));
    out.set_time_step_ns(to_wire(message.time_step));
    NumberRunWriter epoch(*out.mutable_epoch());
    auto& as_of = *out.mutable_as_of();
    as_of.Clear();
    std::int64_t last = 0;
    for (const Live::Point& point : message.points) {
        epoch.add(point.epoch);
        const std::int64_t time = to_time_steps(point.as_of - now, message.time_step);
        as_of.Add(time - last);
        last = time;
    }
    epoch.finish();
    clear_if_zero(as_of);
}

// Calls set(point, element) for every point; false if the column is neither empty nor of the right length.
template <class Wire, class Set>
bool take_column(const google::protobuf::RepeatedField<Wire>& column, Points& points, Set set) {
    if (!column.empty() && static_cast<std::size_t>(column.size()) != points.size()) return false;
    for (std::size_t i = 0; i < points.size(); ++i)
        set(points[i], column.empty() ? Wire{0} : column[static_cast<int>(i)]);
    return true;
}

bool take_energy(const pb::Live& wire, Points& points) {
    using Point = Live::Point;
    const std::uint64_t unit = wire.estimated_unit_mj() == 0 ? 1 : wire.estimated_unit_mj();
    if (unit != 1 && unit != joule) return false;
    // In units of the wire first; sums wrap, as they did when they were written.
    const bool columns = take_column(wire.energy_mj(), points, [](Point& p, std::uint64_t n) { p.energy_mj = n; }) &&
                         take_column(wire.estimated(), points, [](Point& p, std::uint64_t n) { p.estimated_mj = n; }) &&
                         take_column(wire.estimated_below(), points,
                                     [](Point& p, std::int64_t n) {
                                         p.estimated_low_mj = p.estimated_mj - static_cast<std::uint64_t>(n);
                                     }) &&
                         take_column(wire.estimated_skew(), points,
                                     [](Point& p, std::int64_t n) {
                                         p.estimated_high_mj = p.estimated_mj + (p.estimated_mj - p.estimated_low_mj) +
                                                               static_cast<std::uint64_t>(n);
                                     }) &&
                         take_column(wire.exported_mj(), points, [](Point& p, std::uint64_t n) { p.exported_mj = n; });
    if (!columns) return false;
    const std::uint64_t most = std::numeric_limits<std::uint64_t>::max() / unit;
    for (Point& p : points) {
        if (p.estimated_mj > most || p.estimated_low_mj > most || p.estimated_high_mj > most) return false;
        p.estimated_mj *= unit;
        p.estimated_low_mj *= unit;
        p.estimated_high_mj *= unit;
    }
    return true;
}

bool take_samples(const pb::Live& wire, Points& points) {
    for (Live::Point& point : points) point.quality = Quality::good;
    const auto set_samples = [&](std::size_t i, std::uint32_t n) { points[i].samples = n; };
    const auto set_quality = [&](std::size_t begin, std::size_t length, Quality quality) {
        for (std::size_t i = begin; i < begin + length; ++i) points[i].quality = quality;
    };
    return read_number_runs(wire.samples(), points.size(), set_samples) &&
           read_quality(wire.quality(), points.size(), set_quality);
}

// The element of a column that is all zero where it is empty.
template <class Wire> Wire element(const google::protobuf::RepeatedField<Wire>& column, std::size_t i) {
    return column.empty() ? Wire{0} : column[static_cast<int>(i)];
}

bool take_power(const pb::Live& wire, const Catalog& catalog, Points& points) {
    const auto sized = [&](int size) { return size == 0 || static_cast<std::size_t>(size) == points.size(); };
    if (!sized(wire.mean_size()) || !sized(wire.mean_less_min_size()) || !sized(wire.max_less_mean_size()))
        return false;
    constexpr auto most = static_cast<std::uint64_t>(Scale::limit) * 2;
    for (std::size_t i = 0; i < points.size(); ++i) {
        const std::int64_t mean = element(wire.mean(), i);
        const std::uint64_t below = element(wire.mean_less_min(), i), above = element(wire.max_less_mean(), i);
        if (!Scale::valid(mean) || below > most || above > most) return false;
        const std::int64_t min = mean - static_cast<std::int64_t>(below), max = mean + static_cast<std::int64_t>(above);
        if (!Scale::valid(min) || !Scale::valid(max)) return false;
        const Scale scale = live_scale(sensor_of(catalog, i));
        const auto watts = [&](std::int64_t n) {
            return points[i].samples > 0 ? scale.value(n) : std::numeric_limits<double>::quiet_NaN();
        };
        points[i].mean = watts(mean);
        points[i].min = watts(min);
        points[i].max = watts(max);
    }
    return true;
}

bool take_times(const pb::Live& wire, Live& to) {
    if (!is_span(wire.start_ns()) || !is_span(wire.interval_ns()) || !is_span(wire.time_step_ns())) return false;
    to.start = to.header.clock.monotonic + Duration(wire.start_ns());
    to.interval = to_duration(wire.interval_ns());
    to.time_step = std::max(to_duration(wire.time_step_ns()), Duration(1));
    const std::int64_t step = to.time_step.count(), bound = max_span_ns / step;
    std::int64_t time = 0;
    bool bounded = true;
    return take_column(wire.as_of(), to.points,
                       [&](Live::Point& point, std::int64_t n) {
                           bounded =
                               bounded && !__builtin_add_overflow(time, n, &time) && time <= bound && time >= -bound;
                           point.as_of = to.header.clock.monotonic + Duration(bounded ? time * step : 0);
                       }) &&
           bounded && read_number_runs(wire.epoch(), to.points.size(), [&](std::size_t i, std::uint32_t n) {
               to.points[i].epoch = n;
           });
}

bool energy_points_fit(const Catalog& catalog) {
    return std::all_of(catalog.energy_points.begin(), catalog.energy_points.end(),
                       [&](std::uint32_t sensor) { return sensor < catalog.sensors.size(); });
}

}  // namespace

Bytes Encoder::live(const Live& message, const Catalog& catalog) {
    if (message.points.size() > catalog.energy_points.size() || !energy_points_fit(catalog))
        throw std::invalid_argument("Live: points are not the first of the catalog's energy_points");
    if (message.time_step <= Duration::zero()) throw std::invalid_argument("Live: time_step is not positive");
    pb::Live& out = buffers_->live;
    put_header(message.header, *out.mutable_header());
    out.set_points(static_cast<std::uint32_t>(message.points.size()));
    put_times(message, out);
    put_energy(message.points, out);
    buffers_->refused_values += put_power(message, catalog, out);
    return buffers_->serialise(out);
}

Decoder::Result<const Live*> Decoder::live(Bytes bytes, const Catalog& catalog) {
    pb::Live& wire = buffers_->wire.live;
    if (!buffers_->parse_keeping_header(bytes, wire)) return buffers_->reason(bytes);
    Live& to = buffers_->live;
    const auto header = take_header(wire.header());
    if (!header) return header.error();
    to.header = *header;
    if (to.header.catalog != catalog.header.catalog) return DecodeError::unknown_catalog;
    if (wire.points() > catalog.energy_points.size() || !energy_points_fit(catalog)) return DecodeError::inconsistent;
    if (wire.points() > buffers_->limits.sensors) return DecodeError::too_large;
    to.points.resize(wire.points());
    if (!take_times(wire, to) || !take_energy(wire, to.points) || !take_samples(wire, to.points) ||
        !take_power(wire, catalog, to.points))
        return DecodeError::inconsistent;
    return &to;
}

}  // namespace gwatt::proto
