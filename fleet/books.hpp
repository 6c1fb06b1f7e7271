#pragma once
// The fleet's books over messages: received = used + duplicate + late + rejected by reason + parked. Filled by the
// subscriber (rejected, parked) and the ledger (the rest), read by outputs. Loop thread; plain values.
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace gwatt::fleet {

// Why a message was not used. A closed set; names are label values and never change.
enum class Reason : std::uint8_t {
    bad_topic,             // not gwatt/v1/<site>/<agent>/<stream>
    foreign_stream,        // ack, rollup, burst: not for this program
    too_large,             // above a limit of the decoder
    malformed,             // not protobuf, or a field is missing
    wrong_schema,          // another major version
    inconsistent,          // columns of different length, indices out of the catalog
    wrongly_addressed,     // says that it is from another agent or site than its topic does
    unlisted_agent,        // not in the site file, which says unlisted = "refuse"
    too_many_agents,       // above the limit on agents
    unknown_catalog,       // its catalog did not come in time, or there was no room to wait for it
    implausible_sequence,  // zero, or a jump that no outage explains
    forgotten_boot,        // of a boot that was dropped from memory: counting it again could count twice
};
inline constexpr std::size_t reason_count = 12;
std::string_view reason_name(Reason reason);

struct Books {
    std::uint64_t received = 0;
    std::uint64_t used = 0;       // in order
    std::uint64_t late = 0;       // used as well: filled a gap
    std::uint64_t duplicate = 0;  // taken before
    std::uint64_t parked = 0;     // waiting for their catalog now
    std::array<std::uint64_t, reason_count> rejected{};

    void reject(Reason reason) { ++rejected[static_cast<std::size_t>(reason)]; }
    std::uint64_t rejected_by(Reason reason) const { return rejected[static_cast<std::size_t>(reason)]; }
    std::uint64_t rejected_total() const;
    bool balanced() const { return received == used + late + duplicate + parked + rejected_total(); }
};

// Readings inside used messages that were refused one by one.
enum class PointReason : std::uint8_t {
    counter_went_back,  // less energy at a later time in one epoch
    implausible_power,  // more energy than the limit on watts allows for the time
    forgotten_epoch,    // of an epoch that was dropped from memory
};
inline constexpr std::size_t point_reason_count = 3;
std::string_view point_reason_name(PointReason reason);

struct PointBooks {
    std::array<std::uint64_t, point_reason_count> rejected{};
    std::uint64_t too_late_for_windows =
        0;                              // messages whose second was final already; their energy counts all the same
    std::uint64_t from_the_future = 0;  // messages with a time ahead of ours; their energy counts all the same
    void reject(PointReason reason) { ++rejected[static_cast<std::size_t>(reason)]; }
    std::uint64_t rejected_by(PointReason reason) const { return rejected[static_cast<std::size_t>(reason)]; }
};

}  // namespace gwatt::fleet
