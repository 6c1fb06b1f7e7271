#pragma once
// Adds up what messages cost and what their samples are worth. One thread.
#include "proto/codec.hpp"
#include "proto/topics.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gwatt::bench {

// Order-0 entropy of the differences of successive values in steps, pooled by class of sensor: what an ideal coder that
// knows each class's distribution would need. Values that are missing do not count.
class DeltaEntropy {
public:
    // `kind` says which sensors are alike.
    void add(const proto::Data& data, const proto::Catalog& catalog, const std::vector<std::uint32_t>& kind);
    double bytes_per_sample() const;
    void merge(const DeltaEntropy& other);

private:
    std::map<std::uint32_t, std::map<std::int64_t, std::uint64_t>> histograms_;
    std::map<std::uint32_t, std::int64_t> last_;  // by sensor
};

// Whole PUBLISH packets and the samples in them.
struct Cost {
    std::uint64_t messages = 0, packet_bytes = 0, payload_bytes = 0, samples = 0;
    double bytes_per_sample() const { return static_cast<double>(packet_bytes) / static_cast<double>(samples); }
    double bytes_per_message() const { return static_cast<double>(packet_bytes) / static_cast<double>(messages); }
};

// Encodes and counts; topic and content type as the agent sends them.
void add_data(Cost& cost, proto::Encoder& encoder, const proto::Data& data, const proto::Catalog& catalog);
void add_live(Cost& cost, proto::Encoder& encoder, const proto::Live& live, const proto::Catalog& catalog);

void print(const std::string& name, double value, const char* unit);

}  // namespace gwatt::bench
