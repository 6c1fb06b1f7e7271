#pragma once
// Which registers are read in one request. Pure values of one unit, one thread. A span covers neighbours and skips small
// gaps, but never what the device is known to refuse.
#include "drivers/profile/profile.hpp"

#include <cstdint>
#include <span>
#include <vector>

namespace gwatt::drivers::modbus {

using profile::Place;
using profile::RegisterTable;

// What a unit has refused (ILLEGAL DATA ADDRESS), learned while reading.
class Holes {
public:
    // No span may contain both the register before `place` and its first one.
    void cut(const Place& place);
    void uncut(const Place& place);
    // These registers are not there.
    void absent(const Place& place);
    bool is_absent(const Place& place) const;
    // Whether the registers from a.first to the end of b touch a cut or an absent register between the two.
    bool between(const Place& a, const Place& b) const;
    void forget() { cuts_.clear(), absent_.clear(), ++version_; }
    bool empty() const { return cuts_.empty() && absent_.empty(); }
    std::uint32_t version() const { return version_; }  // changes when a plan made with these holes is out of date

private:
    std::vector<Place> cuts_, absent_;
    std::uint32_t version_ = 0;
};

struct Span {
    Place place;                     // what is asked for
    std::uint32_t from = 0, to = 0;  // the places it serves: [from, to) of the sorted list
};

// places: sorted by table and register, without overlaps. Absent places belong to no span.
void merge(std::span<const Place> places, unsigned longest, unsigned gap, const Holes& holes, std::vector<Span>& out);
// The registers of places[from] to places[to - 1].
Place cover(std::span<const Place> places, std::uint32_t from, std::uint32_t to);
// Where a refused span is best divided: before the place behind its widest gap, else in the middle. to - from >= 2.
std::uint32_t best_cut(std::span<const Place> places, std::uint32_t from, std::uint32_t to);

}  // namespace gwatt::drivers::modbus
