#include "agent/once_table.hpp"

#include "proto/units.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ostream>

namespace gwatt::agent {
namespace {

using Row = std::array<std::string, 5>;

Row row_of(const proto::Sensor& sensor, const proto::Reading& reading, runtime::Monotonic now) {
    Row row{sensor.name, "-", std::string(proto::unit(sensor.quantity)), to_string(reading.quality), "-"};
    if (!proto::has_value(reading.quality)) return row;
    row[1] = value_text(reading.value, sensor.resolution);
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - reading.time).count();
    row[4] = ms < 10'000 ? std::to_string(ms) + " ms" : std::to_string(ms / 1000) + " s";
    return row;
}

}  // namespace

const char* to_string(proto::Quality quality) {
    using proto::Quality;
    switch (quality) {
        case Quality::good: return "good";
        case Quality::stale: return "stale";
        case Quality::suspect: return "suspect";
        case Quality::overflow: return "overflow";
        case Quality::restarted: return "restarted";
        case Quality::unavailable: return "unavailable";
        case Quality::timeout: return "timeout";
        case Quality::garbled: return "garbled";
        case Quality::gone: return "gone";
        case Quality::busy: return "busy";
        case Quality::denied: return "denied";
        case Quality::fault: return "fault";
        case Quality::not_read: return "not read";
    }
    return "unknown";
}

std::string value_text(double value, double resolution) {
    char text[64];
    int digits = 0;
    for (double step = resolution; digits < 9 && step > 0 && std::abs(step - std::round(step)) > 1e-9 * step;
         step *= 10)
        ++digits;
    if (resolution > 0)
        std::snprintf(text, sizeof text, "%.*f", digits, value);
    else
        std::snprintf(text, sizeof text, "%.6g", value);
    return text;
}

void print_table(std::ostream& out, const CatalogPlan& plan, const std::vector<std::vector<proto::Reading>>& readings,
                 runtime::Monotonic now) {
    std::vector<Row> rows{{"SENSOR", "VALUE", "UNIT", "QUALITY", "AGE"}};
    for (std::size_t bus = 0; bus < plan.buses.size(); ++bus)
        for (const CatalogPlan::Slot& slot : plan.buses[bus]) {
            proto::Reading last{{}, 0, slot.bus_index, proto::Quality::not_read};
            for (const proto::Reading& reading : readings[bus])
                if (reading.sensor == slot.bus_index) last = reading;
            rows.push_back(row_of(plan.catalog.sensors[slot.catalog_index], last, now));
        }
    std::array<std::size_t, 5> width{};
    for (const Row& row : rows)
        for (std::size_t c = 0; c < row.size(); ++c) width[c] = std::max(width[c], row[c].size());
    for (const Row& row : rows) {
        std::string line;
        for (std::size_t c = 0; c < row.size(); ++c) {
            const std::string gap(width[c] - row[c].size(), ' ');
            const bool right = c == 1 || c == 4;  // numbers
            line += (c ? "  " : "") + (right ? gap + row[c] : row[c] + gap);
        }
        out << line << '\n';
    }
}

}  // namespace gwatt::agent
