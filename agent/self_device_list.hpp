#pragma once
// Lists the counters of all stages under their names, and computes those that no stage keeps. Loop thread; the stages must
// outlive the list. The books that must balance, in readings:
//   readings_total = samples_delivered_total + the samples_dropped_total of all reasons + spool_samples + open_samples
#include "agent/batcher.hpp"
#include "agent/bus.hpp"
#include "agent/energy.hpp"
#include "agent/publisher.hpp"
#include "agent/sampler.hpp"
#include "agent/spool.hpp"
#include "runtime/counters.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace gwatt::agent {

class CounterList {
public:
    CounterList(runtime::Counters& counters, const runtime::Clock& clock)
        : counters_(counters), start_(clock.now()), clock_(clock) {}

    void add(const std::string& bus, const Bus& source);
    void add(const std::string& bus, Sampler& sampler);
    void add(const Energy& energy);
    void add(const Batcher& batcher);
    void add(const Spool& spool);
    void add(const Publisher& publisher);

    void refresh();  // before the counters are looked at

private:
    struct Jitter {  // of one bus, since the last refresh
        Sampler* sampler;
        std::uint64_t p99_us = 0, most_us = 0;
    };
    runtime::Counters& counters_;
    runtime::Monotonic start_;
    const runtime::Clock& clock_;
    const Batcher* batcher_ = nullptr;
    std::vector<std::unique_ptr<Jitter>> jitter_;  // addresses are listed
    std::uint64_t open_samples_ = 0, uptime_s_ = 0, cpu_ms_ = 0, memory_bytes_ = 0;
};

}  // namespace gwatt::agent
