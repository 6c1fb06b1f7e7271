#pragma once
// Judges what a runner says before anybody believes it: its list of sensors, and its samples. Nothing in a frame is
// trusted: names, numbers, indices, times, counts. Loop thread; holds no more than one entry a sensor.
#include "drivers/runner/frame.hpp"
#include "proto/reading.hpp"

#include <boost/system/result.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gwatt::agent {

// Text from a driver as valid UTF-8 on one line: what is not becomes '?'.
std::string clean_text(std::string_view text);

// The sensors of a `catalog` body, past its result. False with a text for people when the list cannot be used. Names get
// `bus.` in front.
bool judge_catalog(drivers::frame::Reader& reader, std::string_view bus, std::vector<proto::Sensor>& sensors,
                   std::string& why);

// The result of a call as the quality of readings that are missing because of it.
proto::Quality quality_of(std::int32_t result);

class SampleJudge {
public:
    void start(std::span<const proto::Sensor> sensors);  // a new catalog; must outlive the next start()

    struct Turn {
        std::span<const std::uint32_t> wanted;  // ascending, without repeats
        proto::Monotonic asked, now;
        proto::Duration period{};  // since the last turn; 0 unknown
    };
    // Appends to `readings`: what can be believed of the samples, and one no-value reading for each wanted sensor that
    // has none. Returns how many samples were refused.
    std::uint32_t judge(const drivers::frame::SamplesAnswer& answer, const Turn& turn,
                        std::vector<proto::Reading>& readings);

private:
    bool judge_one(const gwatt_sample& sample, const Turn& turn, proto::Reading& reading);
    bool time_is_possible(const proto::Reading& reading, const Turn& turn) const;

    std::span<const proto::Sensor> sensors_;
    std::vector<proto::Monotonic> last_;  // time of the last value, per sensor
    std::vector<bool> seen_;              // has a reading in this turn
};

}  // namespace gwatt::agent
