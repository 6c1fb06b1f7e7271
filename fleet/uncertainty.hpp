#pragma once
// How wrong a sum of watts may be, in two parts (GUM, JCGM 100:2008, 5.2): random errors add in squares; systematic
// ones add linearly among meters of one model, because one model errs one way, and in squares between models. Loop
// thread.
//
// From a meter's accuracy band +-a: the whole band counts as systematic within its model (the worst case: correlation
// 1), as a rectangular distribution, u = a / sqrt(3). Intervals are +- 2 u (about 95 %).
#include "proto/reading.hpp"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace gwatt::fleet {

inline constexpr double coverage_factor = 2;
inline constexpr double assumed_accuracy = 0.02;  // relative, where a catalog says nothing; such points are counted

struct Accuracy {
    double half_width = 0;  // W
    bool assumed = false;
};
// Of one reading, from the sensor's band that holds |watts|, or the nearest band.
Accuracy accuracy_of(const proto::Sensor& sensor, double watts);

// Meters that err together. The first few groups are kinds of guesses; the others are models of meters, told apart by
// what their catalog says of them (point, resolution, accuracy bands).
class MeterGroups {
public:
    using Group = std::uint16_t;
    static constexpr Group other = 0;       // more models than can be told apart: taken as one
    static constexpr Group efficiency = 1;  // of PSUs, where only their output is measured
    static constexpr Group held = 2;        // last values
    static constexpr Group peers = 3;       // estimates from peers
    static constexpr Group declared = 4;    // estimates of the site file
    static constexpr Group first_model = 5;
    static constexpr std::size_t limit = 64;

    Group of(const proto::Sensor& sensor);
    Accuracy accuracy(Group group, double watts) const { return accuracy_of(sensors_[group], watts); }
    std::size_t size() const { return sensors_.size(); }

private:
    std::unordered_map<std::size_t, Group> models_;
    std::vector<proto::Sensor> sensors_ =
        std::vector<proto::Sensor>(first_model);  // one of each; guesses: nothing said
};

// A few amounts by group, for one rack. Fixed size; what does not fit counts as `other`.
class GroupShares {
public:
    struct Share {
        MeterGroups::Group group = MeterGroups::other;
        double half_width = 0;  // W
    };
    void clear() { used_ = 0; }
    void add(MeterGroups::Group group, double half_width);
    const Share* begin() const { return shares_; }
    const Share* end() const { return shares_ + used_; }

private:
    Share shares_[5];
    std::size_t used_ = 0;
};

// Errors of one sum.
class ErrorSum {
public:
    void clear();
    void add_random(double standard_uncertainty) { random_squares_ += standard_uncertainty * standard_uncertainty; }
    void add_systematic(MeterGroups::Group group, double half_width);
    double random() const;  // standard uncertainties, W
    double systematic() const;
    double expanded() const;  // coverage_factor times both together

private:
    double random_squares_ = 0;
    std::vector<double> half_widths_;  // by group
};

}  // namespace gwatt::fleet
