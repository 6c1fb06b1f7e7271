#include "drivers/modbus/plan.hpp"

#include <algorithm>

namespace gwatt::drivers::modbus {

Plan make_plan(std::span<const std::uint32_t> wanted, std::span<const UnitSensors> units) {
    Plan plan;
    plan.wanted.assign(wanted.begin(), wanted.end());
    std::uint32_t unit = 0;
    for (const auto sensor : wanted) {
        while (unit < units.size() && sensor >= units[unit].first + units[unit].sensors.size()) ++unit;
        if (unit == units.size()) {
            plan.counters.push_back(sensor);
            continue;
        }
        if (plan.units.empty() || plan.units.back().unit != unit) plan.units.push_back({.unit = unit});
        plan.units.back().entries.push_back({sensor, &units[unit].sensors[sensor - units[unit].first], false});
    }
    for (auto& made : plan.units) {
        std::sort(made.entries.begin(), made.entries.end(), [](const Entry& a, const Entry& b) {
            return std::pair(a.what->place.table, a.what->place.first) <
                   std::pair(b.what->place.table, b.what->place.first);
        });
        for (const auto& entry : made.entries) made.places.push_back(entry.what->place);
    }
    return plan;
}

}  // namespace gwatt::drivers::modbus
