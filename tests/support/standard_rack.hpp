#pragma once
// The standard rack of the benches: 311 sensors at 1 Hz and 1,048 at 0.1 Hz with synthetic signals, the same ones at every
// run. One thread. What it is made of is in standard_rack_table.hpp.
#include "proto/messages.hpp"

#include <cstdint>
#include <vector>

namespace gwatt::test {

struct RackModel;

class StandardRack {
public:
    StandardRack();

    const proto::Catalog& catalog() const { return catalog_; }
    static constexpr std::uint32_t fast = 0, slow = 1;  // rate groups: 10 s of 1 Hz, 60 s of 0.1 Hz a message

    // The next message of a rate group. Valid until the next call.
    const proto::Data& next(std::uint32_t group);
    static constexpr std::size_t points_of_total = 36;  // the first energy points: PSU inputs
    // The live message of second `k` (0 to 9) of the last fast message; in this order. Valid until the next call.
    const proto::Live& live(std::uint32_t k);

    // A class of like sensors (same device kind and row of the table), for pooled statistics.
    std::uint32_t sensor_class(std::uint32_t sensor) const { return signals_[sensor].kind; }

private:
    struct Signal {
        std::uint32_t kind = 0, bus = 0, device = 0;
        double level = 0, walk = 0, noise = 0, low = 0, high = 0;
        bool counts = false;  // an energy counter: `walk` is what it gains a sample
    };

    double uniform();  // [0, 1)
    double normal();
    double sample(std::uint32_t sensor);
    void add_device(const RackModel& model, std::uint32_t device, std::uint32_t group, std::uint32_t bus,
                    std::uint32_t kind);
    void add_group(std::uint32_t group, proto::Duration period);
    void header(proto::Header& to, proto::Stream stream, proto::Monotonic now);
    void spoil(proto::Data& data);

    proto::Catalog catalog_;
    std::vector<Signal> signals_;
    proto::Data data_[2];
    proto::Live live_;
    std::uint64_t random_ = 0x9e3779b97f4a7c15;
    std::uint64_t sequence_[7] = {};
    proto::Monotonic time_[2];
};

}  // namespace gwatt::test
