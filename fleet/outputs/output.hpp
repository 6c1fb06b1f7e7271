#pragma once
// What an output is: something that is shown every report and every window. Loop thread. A report and what it points to
// live until the next call; a window's sums during the call.
#include "fleet/report.hpp"

namespace gwatt::fleet {

class Output {
public:
    virtual ~Output() = default;
    virtual void report(const Report& report) = 0;  // about once a second
    virtual void window(const Window& window) = 0;  // provisional, later final
};

}  // namespace gwatt::fleet
