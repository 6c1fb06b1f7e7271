#pragma once
// What a silent rack probably draws: the median of the racks that run alike, per watt of rating where ratings are known.
// Offer all measured racks of one instant, then ask. Loop thread; keeps its memory from instant to instant.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace gwatt::fleet {

class Peers {
public:
    struct Estimate {
        double watts = 0;
        double spread = 0;      // standard deviation of one rack around it, from the median absolute deviation
        double half_width = 0;  // of the median itself: the error that all estimates of the group share
    };

    void clear(std::size_t groups);
    void offer(std::uint32_t group, double rating_watts, double watts);
    std::optional<Estimate> estimate(std::uint32_t group, double rating_watts);

private:
    struct Sample {
        std::vector<double> values;
        bool done = false;
        double median = 0, deviation = 0;
        void settle();
    };
    struct Group {
        Sample ratios, watts;  // of racks with a rating; of all
    };
    std::vector<Group> groups_;
    std::size_t used_ = 0;
};

}  // namespace gwatt::fleet
