#pragma once
// The joule counters: one for each energy point of the catalog. Takes readings with any times (irregular, with gaps, from
// several buses) and keeps, in whole millijoules with the remainder carried, what was measured, what was estimated for
// gaps with its bounds, and what flowed the other way. Loop thread; no sockets, no clock. How joules are found, best first:
//   1. the device's energy counter, where the place has one: its differences, through wraps. Where it restarts or jumps,
//      the time across is booked from the power samples, or at the last known rate as estimated;
//   2. mean x window, where the power is the device's mean over a declared window;
//   3. the trapezoid between samples.
// Only readings of quality good or restarted count: a stale value is not a new measurement, a suspect or overflown one
// not a true one. Without good readings time is a gap, which is booked as estimated when the next good one comes.
// Counters never step back inside an epoch. The epoch is the one given at the start; a point that comes back as another
// kind of thing under the same name gets a new one.
#include "agent/energy_accumulator.hpp"
#include "agent/energy_integral.hpp"
#include "proto/messages.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace gwatt::agent {

// Whole millijoules; the remainder is carried, so that nothing drifts.
class MillijouleCounter {
public:
    void add(double joules);
    std::uint64_t value() const { return whole_; }

private:
    std::uint64_t whole_ = 0;
    double part_ = 0;  // 0 <= part_ < 1
};

class Energy {
public:
    // epoch: differs from that of the agent's last start. least_gap: a gap is longer than this and than 2.5 periods (one
    // missing sample, with jitter, is still bridged as measured).
    Energy(std::uint32_t epoch, Duration least_gap) : next_epoch_(epoch), least_gap_(least_gap) {}

    // Points that were there before keep their counters; those that go are remembered by name.
    void set_catalog(const proto::Catalog& catalog);
    void take(std::span<const proto::Reading> readings);

    std::size_t size() const { return meters_.size(); }
    // The counters of point i, and mean, min, max, quality of what came since the last call of this function.
    void fill(std::size_t i, proto::Live::Point& out);

    struct Counters {
        std::uint64_t used = 0;          // readings that went into a counter
        std::uint64_t not_good = 0;      // readings without a good value
        std::uint64_t out_of_order = 0;  // readings not later than the last, among them duplicates
        std::uint64_t gaps = 0, wraps = 0, resets = 0;
    };
    const Counters& counters() const { return counters_; }

private:
    struct Interval {
        double sum = 0, min = 0, max = 0;
        std::uint32_t samples = 0;
        std::optional<proto::Quality> worst;
        void add(double watts);
    };
    // What a point has counted; goes on over a change of the catalog.
    struct Books {
        PowerIntegral integral;
        std::optional<EnergyAccumulator> accumulator;
        std::uint32_t epoch = 0;
        MillijouleCounter measured, estimated, estimated_low, estimated_high, exported;
        Joules pending;   // from power samples since the accumulator's last reading
        double rate = 0;  // W, from the accumulator's last difference
        Monotonic as_of{};
        Interval interval;
        proto::Quality last = proto::Quality::not_read;

        void add(const Joules& joules);
    };
    struct Meter {
        proto::Sensor sensor;
        bool has_power = false;
        Duration accumulator_silence{};  // longer than this without it: the power samples take over
        Books books;
    };
    enum class Role : std::uint8_t { none, power, accumulator };
    struct Use {
        Role role = Role::none;
        std::uint32_t meter = 0;
    };

    Meter make_meter(const proto::Catalog& catalog, std::uint32_t point) const;
    void go_on(Meter& meter);
    void connect(const proto::Catalog& catalog, std::uint32_t point);
    void take_one(const proto::Reading& reading, Use use);
    void take_power(Meter& meter, const proto::Reading& reading);
    void take_accumulator(Meter& meter, const proto::Reading& reading);
    static void bridge_reset(Meter& meter, Monotonic time, Duration span);

    std::uint32_t next_epoch_;
    Duration least_gap_;
    std::vector<Meter> meters_;
    std::vector<Use> uses_;  // by catalog index
    std::map<std::string, Meter, std::less<>> retired_;
    Counters counters_;
};

}  // namespace gwatt::agent
