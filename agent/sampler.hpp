#pragma once
// Reads one bus, on time: at UTC-aligned points of each sensor's period, all that is due in one read, which ends before the
// next point. One sampler a bus, each a coroutine of its own: a slow bus delays no other. Loop thread. Clock, bus and
// roster must outlive it. Every wanted sensor gets a reading for every point: a value, or the reason why there is none.
#include "agent/bus.hpp"
#include "agent/roster.hpp"
#include "agent/sampler_grid.hpp"
#include "agent/sampler_lateness.hpp"
#include "agent/scan.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <span>
#include <vector>

namespace gwatt::agent {

class Sampler {
public:
    // number: of the bus in the roster.
    Sampler(runtime::Clock& clock, Bus& bus, Roster& roster, std::size_t number, ScanSink sink)
        : clock_(clock), bus_(bus), roster_(roster), number_(number), sink_(std::move(sink)) {}

    boost::asio::awaitable<void> run();

    struct Counters {
        std::uint64_t reads = 0;           // of the bus
        std::uint64_t readings = 0;        // handed on, with or without a value
        std::uint64_t no_value = 0;        // of these, without
        std::uint64_t suspect = 0;         // of these, outside the plausible range
        std::uint64_t skipped_points = 0;  // grid points that passed unread
        std::uint64_t realigned = 0;       // steps of the wall clock
        std::uint64_t unwanted = 0;        // readings of sensors that were not asked for
    };
    const Counters& counters() const { return counters_; }
    Lateness& lateness() { return lateness_; }  // of the starts of reads

private:
    struct Wanted {
        std::uint32_t catalog_index = 0;
        std::uint32_t period = 0;  // index into the grid's periods
        double range_min = 0, range_max = 0;
        bool known = false;          // in the plan
        std::uint64_t answered = 0;  // the scan in which it last had a reading
    };

    bool planned() const { return bus_.generation() != 0 && roster_.generation(number_) == bus_.generation(); }
    boost::asio::awaitable<bool> until_planned();
    void adopt_plan();
    boost::asio::awaitable<bool> scan();
    void collect(const ScanResult& result, runtime::Monotonic grid);
    void add_reading(const proto::Reading& reading);
    void tell_skipped();
    void hand_on(runtime::Monotonic grid, bool realigned);

    runtime::Clock& clock_;
    Bus& bus_;
    Roster& roster_;
    std::size_t number_;
    ScanSink sink_;
    SamplingGrid grid_;
    Lateness lateness_;
    std::uint64_t version_ = 0, scans_ = 0;
    std::vector<Wanted> sensors_;       // by index of the bus
    std::vector<std::uint32_t> asked_;  // indices of the bus, of this read
    std::vector<proto::Reading> out_;
    Counters counters_;
};

}  // namespace gwatt::agent
