#pragma once
// One unit of a bus: reads what is wanted of it within its share of a turn, checks that it is the device its profile is
// for, learns which registers it refuses, and knows when it is not worth asking. One thread; what the constructor gets
// must outlive it.
#include "drivers/modbus/conversation.hpp"
#include "drivers/modbus/plan.hpp"
#include "drivers/modbus/settings.hpp"
#include "drivers/modbus/standing.hpp"

namespace gwatt::drivers::modbus {

enum class Went : std::uint8_t {
    on,         // the turn goes on with the next request or unit
    refused,    // the unit refused the registers
    over,       // the unit has nothing more to give in this turn
    gone,       // the line or connection is not there any more
    cancelled,  // the host wants the call to end
};

class Unit {
public:
    Unit(Host host, Conversation& talk, const UnitSetting& setting, const profile::Profile& profile, unsigned gap)
        : host_(host), talk_(talk), setting_(setting), profile_(profile), gap_(gap), texts_(profile.texts.size()) {}

    // Before a turn: whether it is to be asked; else the plan says why not.
    bool prepare(UnitPlan& plan, Instant now);
    // The share, or a little more where a unit that is known to answer would not get through with it.
    Instant extended(const UnitPlan& plan, Instant share) const;
    // Asks until the plan is over or the deadline comes; can be called again with a later deadline.
    Went turn(UnitPlan& plan, Instant deadline, Samples& out);
    // After a turn: gives what is missing its reason, and judges the unit.
    void finish(UnitPlan& plan, Samples& out);
    // Reads the texts that decide whether the profile fits. `on` when that is known, or when there are none.
    Went meet(Instant deadline);
    // It may be another device from now on.
    void doubt() { met_ = false; }
    const UnitSetting& setting() const { return setting_; }

private:
    Went ask_range(UnitPlan& plan, std::uint32_t from, std::uint32_t to, Instant deadline, Samples& out);
    Went divide(UnitPlan& plan, std::uint32_t from, std::uint32_t to, Instant deadline, Samples& out);
    Went judge(UnitPlan& plan, const Answered& answered);
    Went judge_exception(UnitPlan& plan, std::uint8_t code);
    void deliver(UnitPlan& plan, std::uint32_t from, std::uint32_t to, const Place& asked, const Answered& answered,
                 Samples& out);
    Answered ask(const Place& place, Instant deadline);
    Answered read_text(std::size_t index, Instant deadline);
    Went tell(Instant deadline);
    bool fits(std::size_t index);
    Duration need(const Place& place) const;
    void learn(Duration latency);
    bool room_for(const Place& place, Instant deadline) const;
    void log(Level level, const std::string& what, const std::string& more = {}) const;

    Host host_;
    Conversation& talk_;
    const UnitSetting& setting_;
    const profile::Profile& profile_;
    unsigned gap_;
    Standing standing_;
    Holes holes_;
    Instant forget_holes_{}, check_again_{};
    static constexpr Duration first_guess = std::chrono::milliseconds(20);
    Duration latency_ = first_guess;  // how long it thinks
    bool known_ = false;
    bool met_ = false, denied_ = false, told_ = false;
    std::vector<std::pair<bool, std::string>> texts_;  // read since it was last met, and what they say
};

}  // namespace gwatt::drivers::modbus
