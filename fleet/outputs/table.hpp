#pragma once
// The terminal view: fleet, sites, halls, rows and racks as one table of text. Loop thread; the report that it was shown
// last must be alive when text() is called.
#include "fleet/outputs/output.hpp"

#include <cstddef>
#include <string>

namespace gwatt::fleet {

class TerminalTable final : public Output {
public:
    void report(const Report& report) override { report_ = &report; }
    void window(const Window&) override {}

    // At most `lines` lines (0: all) of at most `columns` bytes (0: any). colour: ANSI, else plain.
    std::string text(std::size_t lines, std::size_t columns, bool colour) const;

private:
    const Report* report_ = nullptr;
};

std::string watts_text(double watts);    // "1.234 MW": four digits and a prefix
std::string joules_text(double joules);  // "12.34 kWh"
std::string age_text(proto::Duration age);

}  // namespace gwatt::fleet
