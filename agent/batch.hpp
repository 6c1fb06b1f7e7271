#pragma once
// The open batch of one rate group: a matrix of cells over the grid, filled as readings come, closed once. Loop thread.
// Memory is kept from batch to batch: in the steady state nothing is allocated.
#include "agent/scan.hpp"
#include "proto/messages.hpp"

#include <cstdint>
#include <vector>

namespace gwatt::agent {

class Batch {
public:
    // group: index into the catalog's groups; samples: grid points of a whole batch.
    Batch(std::uint32_t group, proto::RateGroup shape, std::uint32_t samples);

    bool open() const { return open_; }
    const proto::RateGroup& shape() const { return shape_; }
    std::uint32_t whole() const { return whole_; }
    runtime::Monotonic end() const { return start_ + shape_.period * points_; }  // of an open batch

    // start: the first grid point; points: grid points until the end, 1 to whole().
    void begin(runtime::Monotonic start, std::uint32_t points);

    // The column for a grid point, which may lie outside of [0, points).
    std::int64_t column(runtime::Monotonic grid) const;

    enum class Put : std::uint8_t { placed, superseded };
    // A reading of this group at an inside column. superseded: it took the place of an earlier one of the same cell.
    Put put(std::uint32_t column, const proto::Reading& reading);

    std::uint32_t filled() const { return filled_; }  // cells that hold a reading

    // Ends the batch: fills `out` but for its header. Columns behind the last one touched are cut off.
    void close(proto::Data& out);

private:
    void copy_columns(proto::Data& out, std::uint32_t samples) const;
    void settle_times(proto::Data& out, std::uint32_t samples);

    std::uint32_t group_;
    proto::RateGroup shape_;
    std::uint32_t whole_, points_ = 0, touched_ = 0, filled_ = 0;
    bool open_ = false;
    runtime::Monotonic start_{};
    std::vector<double> values_;  // by sensor * whole_ + column
    std::vector<proto::Quality> quality_;
    std::vector<runtime::Duration> lateness_;  // sample time - grid point; unread: empty cell
    std::vector<runtime::Duration> scratch_;
};

}  // namespace gwatt::agent
