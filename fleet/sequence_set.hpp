#pragma once
// The sequence numbers taken of one stream, as intervals: knows duplicates and gaps, lets late ones fill their gap. A
// value. Its memory is bounded: beyond `limit` intervals the oldest gap is given up, and its numbers count as lost.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gwatt::fleet {

class SequenceSet {
public:
    static constexpr std::size_t limit = 64;                    // intervals
    static constexpr std::uint64_t largest_jump = 100'000'000;  // three years of one message a second

    enum class Take : std::uint8_t { next, late, duplicate, implausible };
    Take take(std::uint64_t sequence);

    bool empty() const { return intervals_.empty(); }
    std::uint64_t first() const { return intervals_.front().first; }
    std::uint64_t last() const { return intervals_.back().last; }
    std::uint64_t missing() const;  // numbers between first and last that may still come
    std::size_t gaps() const { return intervals_.empty() ? 0 : intervals_.size() - 1; }
    std::uint64_t lost() const { return lost_; }  // given up; one that comes after all is taken for a duplicate

private:
    struct Interval {
        std::uint64_t first, last;
    };
    Take insert(std::uint64_t sequence);
    std::vector<Interval> intervals_;  // ascending, never touching
    std::uint64_t lost_ = 0;
};

}  // namespace gwatt::fleet
