#include "tally.hpp"

#include "tests/support/publish_size.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace gwatt::bench {

void DeltaEntropy::add(const proto::Data& data, const proto::Catalog& catalog, const std::vector<std::uint32_t>& kind) {
    const proto::RateGroup& group = catalog.groups[data.group];
    for (std::uint32_t s = 0; s < group.count; ++s) {
        const std::uint32_t sensor = group.first + s;
        for (std::uint32_t k = 0; k < data.samples; ++k) {
            const std::size_t cell = std::size_t{s} * data.samples + k;
            if (!has_value(data.quality[cell])) continue;
            const auto n =
                static_cast<std::int64_t>(std::llround(data.values[cell] / catalog.sensors[sensor].resolution));
            const auto [last, first] = last_.try_emplace(sensor, n);
            if (!first) ++histograms_[kind[sensor]][n - last->second];
            last->second = n;
        }
    }
}

void DeltaEntropy::merge(const DeltaEntropy& other) {
    for (const auto& [kind, histogram] : other.histograms_)
        for (const auto& [delta, count] : histogram) histograms_[kind][delta] += count;
}

double DeltaEntropy::bytes_per_sample() const {
    double bits = 0;
    std::uint64_t all = 0;
    for (const auto& [kind, histogram] : histograms_) {
        std::uint64_t total = 0;
        for (const auto& [delta, count] : histogram) total += count;
        for (const auto& [delta, count] : histogram)
            bits -= static_cast<double>(count) * std::log2(static_cast<double>(count) / static_cast<double>(total));
        all += total;
    }
    return bits / 8 / static_cast<double>(all);
}

namespace {

void add(Cost& cost, proto::Stream stream, std::size_t payload, const proto::Catalog& catalog) {
    ++cost.messages;
    cost.payload_bytes += payload;
    cost.packet_bytes += test::publish_size(proto::topic(catalog.site, catalog.agent, stream),
                                            proto::content_type(stream), payload, stream == proto::Stream::live);
}

}  // namespace

void add_data(Cost& cost, proto::Encoder& encoder, const proto::Data& data, const proto::Catalog& catalog) {
    add(cost, proto::Stream::data, encoder.data(data, catalog).size(), catalog);
    cost.samples += static_cast<std::uint64_t>(
        std::count_if(data.quality.begin(), data.quality.end(), [](proto::Quality q) { return has_value(q); }));
}

void add_live(Cost& cost, proto::Encoder& encoder, const proto::Live& live, const proto::Catalog& catalog) {
    add(cost, proto::Stream::live, encoder.live(live, catalog).size(), catalog);
    cost.samples += live.points.size();
}

void print(const std::string& name, double value, const char* unit) {
    std::printf("%s %.4g %s\n", name.c_str(), value, unit);
}

}  // namespace gwatt::bench
