#pragma once
// One rack as the fleet knows it: its cuts, its joule counters, its curve, its power now. Fed by its agent's messages in
// any order. Loop thread; the meter groups and the point books must outlive it.
#include "fleet/energy_book.hpp"
#include "fleet/message_sink.hpp"
#include "fleet/rack_curve.hpp"
#include "fleet/report.hpp"
#include "fleet/topology.hpp"
#include "fleet/uncertainty.hpp"

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

namespace gwatt::fleet {

struct RackLimits {
    double most_watts = 2e6;
    proto::Duration hold = std::chrono::seconds(30);
    proto::Duration clock_tolerance = std::chrono::seconds(60);  // beyond it a controller's UTC is not used
    proto::Utc watch_began;
};

class RackState {
public:
    RackState(const RackLimits& limits, MeterGroups& groups, PointBooks& books)
        : limits_(&limits), groups_(&groups), books_(&books) {}

    void learn(const proto::Catalog& catalog, const std::vector<std::string>& feeds);
    void status(const Envelope& from, const proto::Status& message);
    // The sample for the curve, if the message has one.
    std::optional<CurveSample> live(const Envelope& from, const proto::Live& message);

    struct Now {
        State state = State::missing;  // measured, held or missing; estimating is for others
        double watts = 0;              // last known, also when missing
        proto::Duration age{};
    };
    Now now(proto::Monotonic at) const;

    struct Power {  // of the last message with a power
        double watts = 0;
        double random = 0;  // standard uncertainty, W
        GroupShares systematic;
        CutLevel level = CutLevel::none;
        std::uint32_t points_measured = 0, points_assumed = 0;
    };
    const Power& power() const { return power_; }
    bool without_cut() const {
        return !layouts_.empty() && layouts_.back().cuts.empty();
    }  // nothing to make a total of
    bool controller_lost() const { return lost_; }
    bool clock_off() const { return clock_off_; }
    std::optional<proto::Duration> clock_bound() const;  // nothing: the controller states none
    std::uint32_t points() const { return points_; }     // of the cut in preference, feeds that are missing counted

    struct Energy {
        double measured = 0, estimated = 0, low = 0, high = 0, unsettled = 0;  // J
    };
    Energy energy() const;
    // Energy of a part of a second in which nothing was measured. Not booked where counters ran on through it.
    void book_gap(std::int64_t mj, std::int64_t second);

private:
    struct PointRef {
        std::uint32_t slot;
        MeterGroups::Group group;
        proto::Duration period;  // of the sensor; 0: not said
    };
    struct SlotTerm {
        std::uint32_t slot;
        bool modelled, both_ways;
    };
    struct Layout {  // of one catalog
        std::uint64_t catalog = 0;
        std::vector<PointRef> points;
        std::vector<Cut> cuts;
        std::vector<std::uint32_t> names;  // by cut: which sensors it stands on
    };
    struct Slot {  // one sensor, whatever the catalog
        PointEnergy energy;
        double watts = 0;
        proto::Monotonic time{};  // of watts, on the agent's clock of boot
        std::uint64_t boot = 0;
    };
    struct Boot {
        std::uint64_t id = 0;
        proto::Duration shift{};                         // added to the controller's UTC
        proto::Duration delay = proto::Duration::max();  // our monotonic clock less the agent's, least seen
    };
    struct Timing {
        proto::Monotonic upto;  // end of the interval
        proto::Duration to_utc;
        proto::Duration lived;  // of this start of the agent
        bool boot_watched;      // and whether all of that was under our eyes
    };

    const Layout* layout(std::uint64_t catalog) const;
    std::uint32_t slot_of(const proto::Sensor& sensor);
    Boot& boot_of(const Envelope& from, const proto::Header& header);
    Timing timing(const Envelope& from, const proto::Live& message, const Boot& boot) const;
    bool being_read(const PointRef& ref, const proto::Live::Point& point, const Timing& timing) const;
    void take_counters(const Layout& layout, const proto::Live& message, const Timing& timing);
    std::optional<CurveSample> sample(const Layout& layout, const proto::Live& message, const Timing& timing) const;
    bool take_power(const Layout& layout, const proto::Live& message, const Timing& timing);
    bool set_power(const Layout& layout, const Cut& cut, const proto::Live& message, const Timing& timing);
    void follow(const Layout& layout, const CurveSample& sample, const Timing& timing, proto::Duration interval);
    void bound_gap(const CurveSample& sample, const Timing& timing);
    void stand_on(const Layout& layout, std::size_t cut);
    Energy energy_of(const std::vector<SlotTerm>& terms) const;

    const RackLimits* limits_;
    MeterGroups* groups_;
    PointBooks* books_;
    std::vector<Layout> layouts_;  // newest last
    std::vector<Boot> boots_;
    std::vector<Slot> slots_;
    std::unordered_map<std::size_t, std::uint32_t> slot_index_;

    bool lost_ = false, clock_off_ = false;
    std::uint64_t current_boot_ = 0;
    proto::Monotonic last_upto_{};
    proto::Monotonic power_time_{};  // of the oldest reading in power_, on the agent's clock
    proto::Duration power_delay_{};  // our clock less the agent's
    proto::Duration live_for_{};     // age up to which power_ counts as measured
    proto::Duration bound_{};
    std::uint32_t points_ = 0;
    Power power_;
    CurveSample latest_;

    // What the cumulative energy stands on: changes only when another cut has been the better one for a while.
    std::vector<SlotTerm> standing_;
    std::uint32_t standing_names_ = 0;
    proto::Duration better_for_{};
    Energy settled_, base_;
    std::int64_t settled_gap_mj_ = 0, open_gap_mj_ = 0;
    struct Break {
        std::int64_t begin_ns, end_ns;
    };
    std::vector<Break> breaks_;  // times between two runs of the counters, the last few
};

}  // namespace gwatt::fleet
