#include "agent/batch.hpp"

#include <algorithm>

namespace gwatt::agent {

using runtime::Duration;
using runtime::Monotonic;
using namespace std::chrono_literals;

namespace {

constexpr Duration unread = Duration::min();

// How far a sample may be from its stated time before it gets an entry of its own: a hundredth of the period.
Duration grid_bound(Duration period) { return std::clamp<Duration>(period / 100, 1ms, 100ms); }

Duration rounded(Duration d, Duration step) {
    const Duration half = d < Duration::zero() ? -step / 2 : step / 2;
    return (d + half) / step * step;
}

}  // namespace

Batch::Batch(std::uint32_t group, proto::RateGroup shape, std::uint32_t samples)
    : group_(group), shape_(shape), whole_(std::max(samples, 1u)) {
    const std::size_t cells = std::size_t{shape_.count} * whole_;
    values_.resize(cells);
    quality_.resize(cells);
    lateness_.resize(cells);
    scratch_.reserve(whole_);
}

void Batch::begin(Monotonic start, std::uint32_t points) {
    open_ = true;
    start_ = start;
    points_ = std::clamp(points, 1u, whole_);
    touched_ = filled_ = 0;
    std::fill(values_.begin(), values_.end(), 0.0);
    std::fill(quality_.begin(), quality_.end(), proto::Quality::not_read);
    std::fill(lateness_.begin(), lateness_.end(), unread);
}

std::int64_t Batch::column(Monotonic grid) const {
    const Duration since = grid - start_ + shape_.period / 2;
    return since < Duration::zero() ? -1 : since / shape_.period;
}

Batch::Put Batch::put(std::uint32_t column, const proto::Reading& reading) {
    const std::size_t cell = std::size_t{reading.sensor - shape_.first} * whole_ + column;
    const bool taken = lateness_[cell] != unread;
    touched_ = std::max(touched_, column + 1);
    values_[cell] = proto::has_value(reading.quality) ? reading.value : 0;
    quality_[cell] = reading.quality;
    lateness_[cell] = reading.time - (start_ + shape_.period * column);
    if (taken) return Put::superseded;
    ++filled_;
    return Put::placed;
}

void Batch::copy_columns(proto::Data& out, std::uint32_t samples) const {
    for (std::size_t s = 0; s < shape_.count; ++s) {
        std::copy_n(&values_[s * whole_], samples, &out.values[s * samples]);
        std::copy_n(&quality_[s * whole_], samples, &out.quality[s * samples]);
    }
}

// A sensor's offset is the median of its samples'; samples farther from it than the bound get an entry.
void Batch::settle_times(proto::Data& out, std::uint32_t samples) {
    for (std::uint32_t s = 0; s < shape_.count; ++s) {
        const Duration* lateness = &lateness_[std::size_t{s} * whole_];
        scratch_.clear();
        for (std::uint32_t k = 0; k < samples; ++k)
            if (proto::has_value(out.quality[std::size_t{s} * samples + k])) scratch_.push_back(lateness[k]);
        Duration offset{};
        if (!scratch_.empty()) {
            const auto middle = scratch_.begin() + static_cast<std::ptrdiff_t>(scratch_.size() / 2);
            std::nth_element(scratch_.begin(), middle, scratch_.end());
            offset = rounded(*middle, out.time_step);
        }
        out.scan_offset[s] = offset;
        for (std::uint32_t k = 0; k < samples; ++k) {
            const std::uint32_t cell = s * samples + k;
            if (!proto::has_value(out.quality[cell])) continue;
            const Duration error = lateness[k] - offset;
            if (std::chrono::abs(error) > out.grid_bound) out.off_grid.push_back({cell, error});
        }
    }
}

void Batch::close(proto::Data& out) {
    const std::uint32_t samples = std::max(touched_, 1u);
    const std::size_t cells = std::size_t{shape_.count} * samples;
    out.group = group_;
    out.start = start_;
    out.period = shape_.period;
    out.samples = samples;
    out.values.resize(cells);
    out.quality.resize(cells);
    out.scan_offset.resize(shape_.count);
    out.off_grid.clear();
    out.time_step = shape_.period < 100ms ? Duration(100us) : proto::default_time_step;
    out.grid_bound = grid_bound(shape_.period);
    copy_columns(out, samples);
    settle_times(out, samples);
    open_ = false;
}

}  // namespace gwatt::agent
