#pragma once
// How late reads start, as a histogram: eight buckets an octave from 1 us to about a minute, so a percentile is right within
// 9 %. A value without allocations; loop thread.
#include "runtime/clock.hpp"

#include <array>
#include <cstdint>

namespace gwatt::agent {

class Lateness {
public:
    void add(runtime::Duration late);
    // The bucket's upper end under which at least `share` (0 to 1) of the samples lie; zero without samples.
    runtime::Duration percentile(double share) const;
    runtime::Duration most() const { return most_; }
    std::uint64_t count() const { return count_; }
    void merge(const Lateness& other);
    void clear() { *this = {}; }

private:
    static constexpr std::size_t octaves = 26, parts = 8;
    std::array<std::uint32_t, octaves * parts> buckets_{};
    std::uint64_t count_ = 0;
    runtime::Duration most_{};
};

}  // namespace gwatt::agent
