#include "fleet/books.hpp"

#include <numeric>

namespace gwatt::fleet {

std::string_view reason_name(Reason reason) {
    switch (reason) {
        case Reason::bad_topic: return "bad_topic";
        case Reason::foreign_stream: return "foreign_stream";
        case Reason::too_large: return "too_large";
        case Reason::malformed: return "malformed";
        case Reason::wrong_schema: return "wrong_schema";
        case Reason::inconsistent: return "inconsistent";
        case Reason::wrongly_addressed: return "wrongly_addressed";
        case Reason::unlisted_agent: return "unlisted_agent";
        case Reason::too_many_agents: return "too_many_agents";
        case Reason::unknown_catalog: return "unknown_catalog";
        case Reason::implausible_sequence: return "implausible_sequence";
        case Reason::forgotten_boot: return "forgotten_boot";
    }
    return "other";
}

std::string_view point_reason_name(PointReason reason) {
    switch (reason) {
        case PointReason::counter_went_back: return "counter_went_back";
        case PointReason::implausible_power: return "implausible_power";
        case PointReason::forgotten_epoch: return "forgotten_epoch";
    }
    return "other";
}

std::uint64_t Books::rejected_total() const {
    return std::accumulate(rejected.begin(), rejected.end(), std::uint64_t{0});
}

}  // namespace gwatt::fleet
