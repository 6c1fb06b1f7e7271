#include "fleet/uncertainty.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

namespace gwatt::fleet {

Accuracy accuracy_of(const proto::Sensor& sensor, double watts) {
    const double size = std::fabs(watts);
    const proto::AccuracyBand* best = nullptr;
    double best_distance = 0;
    for (const auto& band : sensor.accuracy) {
        const double distance = size < band.from ? band.from - size : size >= band.to ? size - band.to : 0;
        if (!best || distance < best_distance) best = &band, best_distance = distance;
    }
    const double quantum = std::isfinite(sensor.resolution) ? std::fabs(sensor.resolution) / 2 : 0;
    if (!best) return {size * assumed_accuracy + quantum, true};
    const double half_width = std::fabs(best->relative) * size + std::fabs(best->absolute);
    if (!std::isfinite(half_width)) return {size * assumed_accuracy + quantum, true};
    return {half_width,
            sensor.basis == proto::AccuracyBasis::assumed || sensor.basis == proto::AccuracyBasis::unspecified};
}

MeterGroups::Group MeterGroups::of(const proto::Sensor& sensor) {
    std::size_t key = static_cast<std::size_t>(sensor.point);
    const auto mix = [&](double value) { key = key * 1099511628211u + std::hash<double>{}(value); };
    mix(sensor.resolution);
    mix(static_cast<double>(sensor.basis));
    for (const auto& band : sensor.accuracy) mix(band.from), mix(band.to), mix(band.relative), mix(band.absolute);
    if (const auto known = models_.find(key); known != models_.end()) return known->second;
    if (size() >= limit) return other;
    const auto group = static_cast<Group>(size());
    models_.emplace(key, group);
    sensors_.push_back(sensor);
    return group;
}

void GroupShares::add(MeterGroups::Group group, double half_width) {
    for (std::size_t i = 0; i < used_; ++i) {
        if (shares_[i].group == group) {
            shares_[i].half_width += half_width;
            return;
        }
    }
    if (used_ < std::size(shares_)) {
        shares_[used_++] = {group, half_width};
    } else {
        shares_[used_ - 1].group = MeterGroups::other;
        shares_[used_ - 1].half_width += half_width;
    }
}

void ErrorSum::clear() {
    random_squares_ = 0;
    std::fill(half_widths_.begin(), half_widths_.end(), 0.0);
}

void ErrorSum::add_systematic(MeterGroups::Group group, double half_width) {
    if (group >= half_widths_.size()) half_widths_.resize(group + 1u);
    half_widths_[group] += half_width;
}

double ErrorSum::random() const { return std::sqrt(random_squares_); }

double ErrorSum::systematic() const {
    double squares = 0;
    for (const double half_width : half_widths_) squares += half_width * half_width / 3;
    return std::sqrt(squares);
}

double ErrorSum::expanded() const { return coverage_factor * std::hypot(random(), systematic()); }

}  // namespace gwatt::fleet
