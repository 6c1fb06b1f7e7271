#include "fleet/watch.hpp"

namespace gwatt::fleet {

namespace {
constexpr std::uint32_t quiet_reports = 60;  // a minute without one: it is over
}

void Watch::look(const Report& report) {
    const auto rejected = report.books.rejected_total();
    if (rejected != rejected_before_) {
        refused_.complain({{"total", rejected}});
        quiet_ = 0;
    } else if (++quiet_ == quiet_reports) {
        refused_.recovered();
    }
    rejected_before_ = rejected;
    const auto& fleet = report.totals.front();
    const auto measured = fleet.racks_in[static_cast<std::size_t>(State::measured)];
    if (measured < fleet.racks)
        uncovered_.complain({{"measured", measured}, {"expected", fleet.racks}});
    else
        uncovered_.recovered({{"measured", measured}});
}

}  // namespace gwatt::fleet
