#pragma once
// Readings as an aligned table for people: sensor, value, unit, quality, age. Any thread.
#include "agent/catalog.hpp"

#include <iosfwd>
#include <string>
#include <vector>

namespace gwatt::agent {

// readings: by bus, with the bus's own sensor indices. Sensors without a reading are shown as not read.
void print_table(std::ostream& out, const CatalogPlan& plan, const std::vector<std::vector<proto::Reading>>& readings,
                 runtime::Monotonic now);

// A value with as many digits as the sensor's resolution has, or six that count.
std::string value_text(double value, double resolution);

const char* to_string(proto::Quality quality);

}  // namespace gwatt::agent
