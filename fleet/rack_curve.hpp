#pragma once
// A rack's energy over time, from the counters in its messages: answers how much flowed in a given second, whatever the
// order in which the messages came. Keeps one sample a second of the last so many; a value. Loop thread.
//
// Between two samples with counters of one run, energy is their difference, spread evenly over the time between: a lost
// message moves energy by seconds and loses none. Shares are whole millijoules that add up to the difference exactly.
#include "fleet/topology.hpp"
#include "proto/reading.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace gwatt::fleet {

inline constexpr std::int64_t second_ns = 1'000'000'000;

struct CurveSample {
    std::int64_t time_ns = 0;   // UTC of the last reading in the counters; 0: no sample
    std::int64_t start_ns = 0;  // UTC of the beginning of the interval that `watts` is the mean of
    struct Level {
        std::int64_t measured_mj = 0, estimated_mj = 0;  // sums of the counters of one cut
        std::uint32_t run = 0;                           // equal where their differences count: same boot, same epochs
        float watts = 0;
    };
    std::array<Level, cut_limit> cuts{};
    std::uint8_t present = 0;  // bits: this cut exists
    std::uint8_t whole = 0;    // bits: every point of this cut is being read
    std::uint8_t powered = 0;  // bits: `watts` is known, every point was read in this interval
};

// What one second holds. Times are of the second: together at most 1e9.
struct SecondEnergy {
    std::int64_t measured_mj = 0;   // from counters, or from the message's own mean
    std::int64_t estimated_mj = 0;  // booked by the agent for time without readings
    std::int64_t held_mj = 0;       // last power, for at most the hold time
    std::int64_t known_ns = 0, held_ns = 0;
    std::int64_t sum() const { return measured_mj + estimated_mj + held_mj; }
    std::int64_t unknown_ns() const { return second_ns - known_ns - held_ns; }
};

struct CurveLimits {
    std::int64_t hold_ns = 30 * second_ns;
    std::int64_t bridge_ns = INT64_MAX / 4;  // how far past a second its next sample may lie
    double most_watts = 10e6;                // of a rack; differences above it are no energy
};

class RackCurve {
public:
    // Where a reader stands: the last sample before the second that it asks for next, and the last power.
    struct Cursor {
        CurveSample last;
        double watts = 0;
        bool has_watts = false;
        void pass(const CurveSample& sample);
    };

    explicit RackCurve(std::size_t seconds) : ring_(seconds) {}

    // False if a sample of that second or of one that shares its place has a later claim.
    bool insert(const CurveSample& sample);
    // Energy of [second, second + 1) in UTC seconds since 1970; call with ascending seconds.
    std::int64_t newest() const { return newest_; }  // second of the newest sample
    SecondEnergy second(std::int64_t second, Cursor& cursor, const CurveLimits& limits) const;

private:
    const CurveSample* at(std::int64_t second) const;
    std::vector<CurveSample> ring_;
    std::int64_t newest_ = INT64_MIN;
};

}  // namespace gwatt::fleet
