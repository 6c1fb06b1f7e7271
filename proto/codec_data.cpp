// Data: one column for all samples of a rate group. Format: proto/gwatt/v1/data.proto.
#include "proto/codec_runs.hpp"
#include "proto/codec_steps.hpp"
#include "proto/codec_wire.hpp"

#include <algorithm>
#include <stdexcept>

namespace gwatt::proto {

namespace {

// Writes the cells of one message into its columns.
class ColumnWriter {
public:
    ColumnWriter(pb::Data& out, std::size_t cells)
        : steps_(*out.mutable_steps()), numbers_(*out.mutable_numbers()), quality_(*out.mutable_quality()) {
        // Written through a pointer and cut to length in finish(): a call per sample would cost more than the sample.
        steps_.Resize(static_cast<int>(cells), 0);
        next_ = steps_.mutable_data();
        numbers_.Clear();
    }

    void sensor(const Sensor& sensor, std::span<const double> values, std::span<const Quality> quality) {
        if (sensor.resolution > 0)
            stepped(Scale(sensor.offset, sensor.resolution), values, quality);
        else
            plain(values, quality);
        cell_ += static_cast<std::uint32_t>(values.size());
    }

    void finish() {
        steps_.Truncate(static_cast<int>(next_ - steps_.data()));
        quality_.finish();
    }

    std::uint64_t refused() const { return refused_; }

private:
    void stepped(Scale scale, std::span<const double> values, std::span<const Quality> quality) {
        std::int64_t last = 0, n = 0;
        for (std::size_t k = 0; k < values.size(); ++k) {
            const bool present = has_value(quality[k]) && scale.steps(values[k], n);
            tell(k, quality[k], present);
            if (!present) continue;
            *next_++ = n - last;
            last = n;
        }
    }

    void plain(std::span<const double> values, std::span<const Quality> quality) {
        for (std::size_t k = 0; k < values.size(); ++k) {
            const bool present = has_value(quality[k]) && std::isfinite(values[k]);
            tell(k, quality[k], present);
            if (present) numbers_.Add(values[k]);
        }
    }

    void tell(std::size_t k, Quality quality, bool present) {
        if (has_value(quality) && !present) {
            ++refused_;
            quality = Quality::garbled;
        }
        if (quality != Quality::good) quality_.add(cell_ + static_cast<std::uint32_t>(k), quality);
    }

    google::protobuf::RepeatedField<std::int64_t>& steps_;
    google::protobuf::RepeatedField<double>& numbers_;
    QualityWriter quality_;
    std::int64_t* next_ = nullptr;
    std::uint32_t cell_ = 0;
    std::uint64_t refused_ = 0;
};

void check(const Data& message, const Catalog& catalog) {
    if (message.group >= catalog.groups.size()) throw std::invalid_argument("Data: no such group in the catalog");
    const RateGroup& group = catalog.groups[message.group];
    const std::size_t cells = std::size_t{group.count} * message.samples;
    if (std::size_t{group.first} + group.count > catalog.sensors.size() || message.values.size() != cells ||
        message.quality.size() != cells || cells > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        throw std::invalid_argument("Data: columns do not have the length that group and samples ask for");
    if (!message.scan_offset.empty() && message.scan_offset.size() != group.count)
        throw std::invalid_argument("Data: scan_offset does not have one entry per sensor");
    if (message.time_step <= Duration::zero()) throw std::invalid_argument("Data: time_step is not positive");
    std::size_t next = 0;
    for (const auto& entry : message.off_grid) {
        if (entry.cell < next || entry.cell >= cells)
            throw std::invalid_argument("Data: off_grid is not in order of cells");
        next = std::size_t{entry.cell} + 1;
    }
}

void put_times(const Data& message, pb::Data& out) {
    out.set_start_ns((message.start - message.header.clock.monotonic).count());
    out.set_period_ns(to_wire(message.period));
    out.set_grid_bound_ns(to_wire(message.grid_bound));
    out.set_time_step_ns(to_wire(message.time_step));
    DifferenceRunWriter offsets(*out.mutable_scan_offset());
    for (const Duration offset : message.scan_offset) offsets.add(to_time_steps(offset, message.time_step));
    offsets.finish();
    auto& off_grid = *out.mutable_off_grid();
    off_grid.Clear();
    std::uint32_t last = 0;
    for (const auto& entry : message.off_grid) {
        off_grid.Add(entry.cell - last);
        off_grid.Add(to_time_steps(entry.error, message.time_step));
        last = entry.cell;
    }
}

// What is needed to read the columns, after the claims were checked.
struct Shape {
    std::span<const Sensor> sensors;
    std::size_t samples = 0;
    std::size_t cells() const { return sensors.size() * samples; }
};

boost::system::result<Shape> shape_of(const pb::Data& wire, const Catalog& catalog, const DecodeLimits& limits) {
    if (wire.group() >= catalog.groups.size()) return DecodeError::inconsistent;
    const RateGroup& group = catalog.groups[wire.group()];
    if (std::uint64_t{group.first} + group.count > catalog.sensors.size()) return DecodeError::inconsistent;
    if (std::uint64_t{group.count} * wire.samples() > limits.cells) return DecodeError::too_large;
    return Shape{std::span(catalog.sensors).subspan(group.first, group.count), wire.samples()};
}

Checked take_times(const pb::Data& wire, const Shape& shape, Data& to) {
    // The whole stretch is bounded, so that nobody's start + k * period + offset can overflow.
    if (!is_span(wire.start_ns()) || !is_span(wire.period_ns()) || !is_span(wire.grid_bound_ns()) ||
        !is_span(wire.time_step_ns()) ||
        wire.period_ns() > static_cast<std::uint64_t>(max_span_ns) / std::max<std::uint64_t>(wire.samples(), 1))
        return DecodeError::inconsistent;
    to.start = to.header.clock.monotonic + Duration(wire.start_ns());
    to.period = to_duration(wire.period_ns());
    to.grid_bound = to_duration(wire.grid_bound_ns());
    to.time_step = std::max(to_duration(wire.time_step_ns()), Duration(1));
    const std::int64_t step = to.time_step.count(), bound = max_span_ns / step;
    to.scan_offset.resize(shape.sensors.size());
    if (!read_runs(wire.scan_offset(), shape.sensors.size(), bound,
                   [&](std::size_t s, std::int64_t n) { to.scan_offset[s] = Duration(n * step); }))
        return DecodeError::inconsistent;
    to.off_grid.clear();
    if (wire.off_grid_size() % 2 != 0) return DecodeError::inconsistent;
    std::uint64_t cell = 0;
    for (int i = 0; i < wire.off_grid_size(); i += 2) {
        const std::int64_t gap = wire.off_grid(i), error = wire.off_grid(i + 1);
        if (gap < (i > 0 ? 1 : 0) || static_cast<std::uint64_t>(gap) >= shape.cells() - cell || error > bound ||
            error < -bound)
            return DecodeError::inconsistent;
        cell += static_cast<std::uint64_t>(gap);
        to.off_grid.push_back({static_cast<std::uint32_t>(cell), Duration(error * step)});
    }
    return {};
}

// Reads the cells of one message out of its columns. Nothing is read past a column's end, and in the end none is left.
class ColumnReader {
public:
    ColumnReader(const pb::Data& wire, bool all_present)
        : step_(wire.steps().data()),
          steps_end_(step_ + wire.steps_size()),
          number_(wire.numbers().data()),
          numbers_end_(number_ + wire.numbers_size()),
          all_present_(all_present) {}

    bool sensor(const Sensor& sensor, std::span<const Quality> quality, std::span<double> values) {
        if (sensor.resolution > 0) return stepped(Scale(sensor.offset, sensor.resolution), quality, values);
        return plain(quality, values);
    }

    bool at_end() const { return step_ == steps_end_ && number_ == numbers_end_; }

private:
    bool absent(Quality quality, double& value) const {
        if (all_present_ || has_value(quality)) return false;
        value = std::numeric_limits<double>::quiet_NaN();
        return true;
    }

    bool stepped(Scale scale, std::span<const Quality> quality, std::span<double> values) {
        std::int64_t n = 0;
        for (std::size_t k = 0; k < values.size(); ++k) {
            if (absent(quality[k], values[k])) continue;
            if (step_ == steps_end_) return false;
            // Wraps for a hostile difference, and is then out of range: the last n was less than 2^51.
            n = static_cast<std::int64_t>(static_cast<std::uint64_t>(n) + static_cast<std::uint64_t>(*step_++));
            if (!Scale::valid(n)) return false;
            values[k] = scale.value(n);
        }
        return true;
    }

    bool plain(std::span<const Quality> quality, std::span<double> values) {
        for (std::size_t k = 0; k < values.size(); ++k) {
            if (absent(quality[k], values[k])) continue;
            if (number_ == numbers_end_ || !std::isfinite(*number_)) return false;
            values[k] = *number_++;
        }
        return true;
    }

    const std::int64_t* step_;
    const std::int64_t* steps_end_;
    const double* number_;
    const double* numbers_end_;
    bool all_present_;
};

Checked take_cells(const pb::Data& wire, const Shape& shape, Data& to) {
    const std::size_t cells = shape.cells();
    // No more values than cells; that there are no fewer than needed shows as they are read.
    if (static_cast<std::size_t>(wire.steps_size()) + static_cast<std::size_t>(wire.numbers_size()) > cells)
        return DecodeError::inconsistent;
    to.quality.assign(cells, Quality::good);
    to.values.resize(cells);
    bool all_present = true;
    if (!read_quality(wire.quality(), cells, [&](std::size_t begin, std::size_t length, Quality quality) {
            std::fill_n(to.quality.begin() + static_cast<std::ptrdiff_t>(begin), length, quality);
            all_present = all_present && has_value(quality);
        }))
        return DecodeError::inconsistent;
    ColumnReader reader(wire, all_present);
    const std::span<const Quality> quality(to.quality);
    const std::span<double> values(to.values);
    for (std::size_t s = 0; s < shape.sensors.size(); ++s) {
        const std::size_t begin = s * shape.samples;
        if (!reader.sensor(shape.sensors[s], quality.subspan(begin, shape.samples),
                           values.subspan(begin, shape.samples)))
            return DecodeError::inconsistent;
    }
    if (!reader.at_end()) return DecodeError::inconsistent;
    return {};
}

}  // namespace

Bytes Encoder::data(const Data& message, const Catalog& catalog) {
    check(message, catalog);
    pb::Data& out = buffers_->data;
    put_header(message.header, *out.mutable_header());
    out.set_group(message.group);
    out.set_samples(message.samples);
    put_times(message, out);
    const RateGroup& group = catalog.groups[message.group];
    ColumnWriter column(out, message.values.size());
    const std::span<const double> values(message.values);
    const std::span<const Quality> quality(message.quality);
    for (std::size_t s = 0; s < group.count; ++s) {
        const std::size_t begin = s * message.samples;
        column.sensor(catalog.sensors[group.first + s], values.subspan(begin, message.samples),
                      quality.subspan(begin, message.samples));
    }
    column.finish();
    buffers_->refused_values += column.refused();
    return buffers_->serialise(out);
}

Decoder::Result<const Data*> Decoder::data(Bytes bytes, const Catalog& catalog) {
    pb::Data& wire = buffers_->wire.data;
    if (!buffers_->parse_keeping_header(bytes, wire)) return buffers_->reason(bytes);
    Data& to = buffers_->data;
    const auto header = take_header(wire.header());
    if (!header) return header.error();
    to.header = *header;
    if (to.header.catalog != catalog.header.catalog) return DecodeError::unknown_catalog;
    const auto shape = shape_of(wire, catalog, buffers_->limits);
    if (!shape) return shape.error();
    to.group = wire.group();
    to.samples = wire.samples();
    if (const auto times = take_times(wire, *shape, to); !times) return times.error();
    if (const auto cells = take_cells(wire, *shape, to); !cells) return cells.error();
    return &to;
}

}  // namespace gwatt::proto
