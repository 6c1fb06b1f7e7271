#pragma once
// From a catalog to cuts: sets of measurement points that cover a rack's load exactly once, the most upstream first.
// Computed from what points say they measure and where (point, part_of, feed), never from names. Pure; any thread.
//
// A rack has up to three cuts: its rack inputs; its PSU inputs (a PSU without one stands with its output and the loss
// model); its PSU outputs or busbar with the loss model. Points below (trays, GPUs) leave loads out: no cut. Points
// above a rack (PDU, UPS, feeder) belong to many racks: not a rack's cut.
#include "proto/messages.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gwatt::fleet {

// AC to DC conversion, where only the output is measured: input = output / efficiency.
inline constexpr double psu_efficiency = 0.94;
inline constexpr double psu_efficiency_bound = 0.03;  // +-, taken as one systematic error of all modelled points

enum class CutLevel : std::uint8_t { none, rack_in, psu_in, model };
inline constexpr std::size_t cut_level_count = 4;
std::string_view cut_level_name(CutLevel level);  // "none", "rack_in", "psu_in", "model"

struct Term {
    std::uint32_t point = 0;  // position in Live::points
    bool modelled = false;    // behind a PSU: divided by psu_efficiency
    bool both_ways = false;   // exported energy is subtracted
};

struct Cut {
    CutLevel level = CutLevel::none;
    std::vector<Term> terms;
    std::uint32_t feeds_missing = 0;  // of the feeds that the site file expects
};

inline constexpr std::size_t cut_limit = 3;

// In order of preference. `feeds`: names that must be there for a cut to be whole; empty: not said.
std::vector<Cut> cuts_of(const proto::Catalog& catalog, const std::vector<std::string>& feeds);

}  // namespace gwatt::fleet
