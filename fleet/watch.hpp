#pragma once
// Says in the log what an operator should know of a report: messages refused, racks not measured. Once, then rarely, and
// when it is over. Loop thread; logger and clock must outlive it.
#include "fleet/report.hpp"
#include "runtime/log.hpp"

namespace gwatt::fleet {

class Watch {
public:
    Watch(const runtime::Logger& log, const runtime::Clock& clock)
        : refused_(log, clock, "messages refused"), uncovered_(log, clock, "racks not measured") {}
    void look(const Report& report);

private:
    runtime::Complaint refused_, uncovered_;
    std::uint64_t rejected_before_ = 0;
    std::uint32_t quiet_ = 0;  // reports since a message was refused
};

}  // namespace gwatt::fleet
