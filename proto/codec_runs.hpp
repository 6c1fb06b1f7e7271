#pragma once
// Runs on the wire: quality as [gap, length, quality], slowly changing columns as [length, change]. Seen by proto/codec*
// only. Readers trust no number: every position is checked against the length of the column.
#include "proto/reading.hpp"

#include <google/protobuf/repeated_field.h>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace gwatt::proto {

// Cells must come in rising order; good cells need not be told.
class QualityWriter {
public:
    explicit QualityWriter(google::protobuf::RepeatedField<std::uint32_t>& out) : out_(out) { out_.Clear(); }

    void add(std::uint32_t cell, Quality quality) {
        if (length_ > 0 && cell == begin_ + length_ && quality == quality_) {
            ++length_;
            return;
        }
        finish();
        begin_ = cell;
        length_ = 1;
        quality_ = quality;
    }

    void finish() {
        if (length_ == 0) return;
        out_.Add(begin_ - end_);
        out_.Add(length_);
        out_.Add(static_cast<std::uint32_t>(quality_));
        end_ = begin_ + length_;
        length_ = 0;
    }

private:
    google::protobuf::RepeatedField<std::uint32_t>& out_;
    std::uint32_t end_ = 0, begin_ = 0, length_ = 0;
    Quality quality_ = Quality::good;
};

// Calls set(begin, length, quality) for every run; false if a run lies outside [0, cells) or is empty.
template <class Set>
bool read_quality(const google::protobuf::RepeatedField<std::uint32_t>& runs, std::size_t cells, Set set) {
    if (runs.size() % 3 != 0) return false;
    std::size_t end = 0;
    for (int i = 0; i < runs.size(); i += 3) {
        const std::uint32_t gap = runs[i], length = runs[i + 1], quality = runs[i + 2];
        if (gap > cells - end || length == 0 || length > cells - end - gap || quality > 255) return false;
        set(end + gap, std::size_t{length}, static_cast<Quality>(quality));
        end += gap + std::size_t{length};
    }
    return true;
}

// A column as [length, value] (Differences: [length, value minus that of the last run]); all zero leaves it empty.
template <class Wire, bool Differences> class RunWriter {
public:
    explicit RunWriter(google::protobuf::RepeatedField<Wire>& out) : out_(out) { out_.Clear(); }

    void add(std::int64_t value) {
        if (length_ > 0 && value == value_) {
            ++length_;
            return;
        }
        flush();
        value_ = value;
        length_ = 1;
    }

    void finish() {
        if (out_.empty() && value_ == 0) return;
        flush();
    }

private:
    void flush() {
        if (length_ == 0) return;
        out_.Add(static_cast<Wire>(length_));
        out_.Add(static_cast<Wire>(Differences ? value_ - last_ : value_));
        last_ = value_;
    }

    google::protobuf::RepeatedField<Wire>& out_;
    std::int64_t last_ = 0, value_ = 0;
    std::uint32_t length_ = 0;
};

using NumberRunWriter = RunWriter<std::uint32_t, false>;
using DifferenceRunWriter = RunWriter<std::int64_t, true>;

// Calls set(index, value) for every element of the column; false unless the runs cover it exactly, or are empty. `bound`
// limits |value|.
template <class Set>
bool read_runs(const google::protobuf::RepeatedField<std::int64_t>& runs, std::size_t length, std::int64_t bound,
               Set set) {
    if (runs.empty()) {
        for (std::size_t i = 0; i < length; ++i) set(i, std::int64_t{0});
        return true;
    }
    if (runs.size() % 2 != 0) return false;
    std::size_t done = 0;
    std::int64_t value = 0;
    for (int i = 0; i < runs.size(); i += 2) {
        const std::int64_t count = runs[i];
        if (count <= 0 || static_cast<std::uint64_t>(count) > length - done) return false;
        if (__builtin_add_overflow(value, runs[i + 1], &value) || value > bound || value < -bound) return false;
        for (std::int64_t k = 0; k < count; ++k) set(done++, value);
    }
    return done == length;
}

// The same for columns of plain numbers: [length, number].
template <class Set>
bool read_number_runs(const google::protobuf::RepeatedField<std::uint32_t>& runs, std::size_t length, Set set) {
    if (runs.size() % 2 != 0) return false;
    std::size_t done = 0;
    for (int i = 0; i < runs.size(); i += 2) {
        const std::uint32_t count = runs[i];
        if (count == 0 || count > length - done) return false;
        for (std::uint32_t k = 0; k < count; ++k) set(done++, runs[i + 1]);
    }
    if (!runs.empty()) return done == length;
    for (; done < length; ++done) set(done, std::uint32_t{0});
    return true;
}

}  // namespace gwatt::proto
