#pragma once
// A power trace through the whole way, in virtual time: each node is an agent with one power point, whose messages
// cross a model network into a fleet program. What comes out is compared with what the file itself says.
#include "proto/reading.hpp"
#include "tests/simulation/traces/trace.hpp"
#include "tests/support/model_broker.hpp"

#include <cstdint>
#include <functional>

namespace gwatt::test {

struct ReplayOptions {
    proto::Point point = proto::Point::psu_in;  // what the trace's watts measure
    const Trace* second = nullptr;              // the same nodes at another point, published beside the first
    proto::Point second_point = proto::Point::psu_out;
    proto::Duration gap = std::chrono::seconds(5);  // time without a reading from which energy is booked as estimated
    NetworkDials network;
    std::uint64_t seed = 1;
    std::function<void(double)> progress;  // 0 to 1
};

struct ReplayResult {
    std::uint64_t nodes = 0, samples = 0, gaps = 0;
    double seconds = 0;           // from the first sample to the last
    double trapezoid_joules = 0;  // of the file's samples, without gwatt
    double measured_joules = 0, estimated_joules = 0, estimated_low = 0, estimated_high = 0;  // the fleet's total
    std::uint32_t racks = 0, racks_measured_at_end = 0;
    ModelBroker::Counters network;
    std::uint64_t received = 0, used = 0, late = 0, duplicates = 0, rejected = 0, missing = 0;
    bool books_balance = false;

    double joules() const { return measured_joules + estimated_joules; }
};

ReplayResult replay(const Trace& trace, const ReplayOptions& options);

}  // namespace gwatt::test
