#pragma once
// Whether a unit is worth asking now. Pure, one thread. A unit that stays silent is dormant: tried again after a pause that
// doubles up to about 30 s, so that it costs the others almost nothing.
#include "drivers/abi/driver.hpp"

namespace gwatt::drivers::modbus {

class Standing {
public:
    static constexpr unsigned patience = 3;  // silent turns before it is dormant
    static constexpr Duration first_pause = std::chrono::seconds(2), longest_pause = std::chrono::seconds(30);

    bool due(Instant now) const { return !dormant() || now >= next_try_; }
    bool dormant() const { return silent_turns_ >= patience; }
    // True when this made it dormant.
    bool silent(Instant now) {
        if (silent_turns_ == 0) since_ = now;
        if (++silent_turns_ < patience) return false;
        pause_ = silent_turns_ == patience ? first_pause : std::min(pause_ * 2, longest_pause);
        next_try_ = now + pause_;
        return silent_turns_ == patience;
    }
    // True when it had been dormant: it may be another device now.
    bool answered() {
        const bool back = dormant();
        silent_turns_ = 0;
        return back;
    }
    Instant silent_since() const { return since_; }

private:
    unsigned silent_turns_ = 0;
    Duration pause_{};
    Instant next_try_{}, since_{};
};

}  // namespace gwatt::drivers::modbus
