#include "fleet/peers.hpp"

#include <algorithm>
#include <cmath>

namespace gwatt::fleet {

namespace {
// Mean of the two middle values where there are two: the same whatever the order.
double median_of(std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    if (values.size() % 2 == 1) return *middle;
    return (*middle + *std::max_element(values.begin(), middle)) / 2;
}
constexpr double sigma_per_deviation = 1.4826;  // of a normal distribution
constexpr double median_error = 1.2533;         // standard error of a median, in sigma / sqrt(n)
constexpr double spread_of_few = 0.25;          // relative, where fewer than three peers say nothing about spread
}  // namespace

void Peers::Sample::settle() {
    if (done) return;
    done = true;
    median = median_of(values);
    for (double& value : values) value = std::fabs(value - median);
    deviation = values.size() < 3 ? spread_of_few * std::fabs(median) : sigma_per_deviation * median_of(values);
}

void Peers::clear(std::size_t groups) {
    if (groups_.size() < groups) groups_.resize(groups);
    for (auto& group : groups_) {
        group.ratios.values.clear();
        group.watts.values.clear();
        group.ratios.done = group.watts.done = false;
    }
    used_ = groups;
}

void Peers::offer(std::uint32_t group, double rating_watts, double watts) {
    if (group >= used_) return;
    groups_[group].watts.values.push_back(watts);
    if (rating_watts > 0) groups_[group].ratios.values.push_back(watts / rating_watts);
}

std::optional<Peers::Estimate> Peers::estimate(std::uint32_t group, double rating_watts) {
    if (group >= used_) return {};
    const bool by_rating = rating_watts > 0 && !groups_[group].ratios.values.empty();
    auto& sample = by_rating ? groups_[group].ratios : groups_[group].watts;
    if (sample.values.empty()) return {};
    sample.settle();
    const double scale = by_rating ? rating_watts : 1;
    const double sigma = sample.deviation * scale;
    // Shared error as the half width of a rectangular distribution, as meters have it.
    const double shared = median_error * sigma / std::sqrt(static_cast<double>(sample.values.size())) * std::sqrt(3.0);
    return Estimate{sample.median * scale, sigma, shared};
}

}  // namespace gwatt::fleet
