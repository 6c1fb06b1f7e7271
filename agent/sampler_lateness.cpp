#include "agent/sampler_lateness.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace gwatt::agent {

using runtime::Duration;

void Lateness::add(Duration late) {
    late = std::max(late, Duration::zero());
    most_ = std::max(most_, late);
    ++count_;
    const auto us = static_cast<std::uint64_t>(late.count() / 1000);
    std::size_t bucket = us;  // up to 8 us a bucket is 1 us
    if (us >= parts) {
        const auto octave = static_cast<std::size_t>(std::bit_width(us)) - 4;  // 8..15 us: octave 0
        bucket = (octave + 1) * parts + (static_cast<std::size_t>(us >> octave) - parts);
    }
    ++buckets_[std::min(bucket, buckets_.size() - 1)];
}

Duration Lateness::percentile(double share) const {
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets_.size() && count_ != 0; ++bucket) {
        seen += buckets_[bucket];
        if (seen < wanted || seen == 0) continue;
        const std::size_t octave = bucket / parts;
        const std::uint64_t upper =
            octave == 0 ? bucket + 1 : (std::uint64_t{bucket % parts + parts + 1} << (octave - 1));
        return std::min<Duration>(std::chrono::microseconds(upper), most_);
    }
    return Duration::zero();
}

void Lateness::merge(const Lateness& other) {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    most_ = std::max(most_, other.most_);
}

}  // namespace gwatt::agent
