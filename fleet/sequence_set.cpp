#include "fleet/sequence_set.hpp"

#include <algorithm>

namespace gwatt::fleet {

SequenceSet::Take SequenceSet::take(std::uint64_t sequence) {
    if (sequence == 0 || sequence == UINT64_MAX) return Take::implausible;
    if (intervals_.empty()) {
        intervals_.push_back({sequence, sequence});
        return Take::next;
    }
    auto& newest = intervals_.back();
    if (sequence == newest.last + 1) {
        newest.last = sequence;
        return Take::next;
    }
    if (sequence > newest.last && sequence - newest.last > largest_jump) return Take::implausible;
    return insert(sequence);
}

SequenceSet::Take SequenceSet::insert(std::uint64_t sequence) {
    const auto after = std::upper_bound(intervals_.begin(), intervals_.end(), sequence,
                                        [](std::uint64_t s, const Interval& i) { return s < i.first; });
    const bool newest = after == intervals_.end();
    const bool has_before = after != intervals_.begin();
    if (has_before && sequence <= (after - 1)->last) return Take::duplicate;
    if (!has_before && lost_ != 0) return Take::duplicate;  // may have been taken before memory of it was given up
    const bool joins_before = has_before && (after - 1)->last + 1 == sequence;
    const bool joins_after = !newest && after->first == sequence + 1;
    if (joins_before && joins_after) {
        (after - 1)->last = after->last;
        intervals_.erase(after);
    } else if (joins_before) {
        (after - 1)->last = sequence;
    } else if (joins_after) {
        after->first = sequence;
    } else {
        intervals_.insert(after, {sequence, sequence});
    }
    if (intervals_.size() > limit) {
        lost_ += intervals_[1].first - intervals_[0].last - 1;
        intervals_[0].last = intervals_[1].last;
        intervals_.erase(intervals_.begin() + 1);
    }
    return newest ? Take::next : Take::late;
}

std::uint64_t SequenceSet::missing() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 1; i < intervals_.size(); ++i) sum += intervals_[i].first - intervals_[i - 1].last - 1;
    return sum;
}

}  // namespace gwatt::fleet
