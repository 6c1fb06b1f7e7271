#include "agent/catalog.hpp"

#include "proto/codec.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace gwatt::agent {
namespace {

using proto::Kind;
using proto::Quantity;

// What changes slowly, or says little when read often.
bool slow(const proto::Sensor& sensor) {
    switch (sensor.quantity) {
        case Quantity::power:
        case Quantity::energy:
        case Quantity::voltage:
        case Quantity::current:
        case Quantity::apparent_power:
        case Quantity::power_factor:
        case Quantity::frequency: return false;
        default: return true;
    }
}

struct Candidate {
    proto::Sensor sensor;
    std::uint32_t bus = 0, bus_index = 0;
    Duration period{};
    bool enabled = true;
};

void apply(const SensorRule& rule, Candidate& out) {
    if (rule.period) out.period = *rule.period;
    if (rule.enabled) out.enabled = *rule.enabled;
    if (rule.point) out.sensor.point = *rule.point;
    if (rule.feed) out.sensor.feed = *rule.feed;
    if (rule.label) out.sensor.label = *rule.label;
    if (rule.part_of) out.sensor.part_of = *rule.part_of;
    if (rule.name) out.sensor.name = *rule.name;
    if (rule.resolution && *rule.resolution > out.sensor.resolution) {  // the codec rounds to it
        out.sensor.resolution = *rule.resolution;
        out.sensor.offset = 0;
    }
}

std::string_view id_of(const proto::Sensor& sensor, std::string_view bus) {
    std::string_view name = sensor.name;
    if (name.size() > bus.size() && name.starts_with(bus) && name[bus.size()] == '.')
        name.remove_prefix(bus.size() + 1);
    return name;
}

Candidate make_candidate(const BusSensors& bus, std::uint32_t bus_number, std::uint32_t index) {
    Candidate out{.sensor = bus.sensors[index], .bus = bus_number, .bus_index = index};
    if (!bus.section) {
        out.period = bus.period;
        return out;
    }
    out.period = slow(out.sensor) ? bus.section->slow_period : bus.section->period;
    const std::string id(id_of(bus.sensors[index], bus.section->host.name));
    for (const SensorRule& rule : bus.section->rules)
        if (glob_matches(rule.match, id)) apply(rule, out);
    return out;
}

using Place = std::tuple<std::string_view, proto::Point, std::string_view>;
Place place_of(const proto::Sensor& sensor) { return {sensor.part_of, sensor.point, sensor.feed}; }

bool is_power(const proto::Sensor& s) {
    return s.quantity == Quantity::power &&
           (s.kind == Kind::instant || s.kind == Kind::average || s.kind == Kind::unspecified);
}
bool is_accumulator(const proto::Sensor& s) { return s.quantity == Quantity::energy && s.kind == Kind::cumulative; }
// Lower is better for a joule counter.
int rank(const proto::Sensor& s) { return s.kind == Kind::average ? (s.window.count() > 0 ? 0 : 2) : 1; }
bool has_place(const proto::Sensor& s) { return !s.part_of.empty() && s.point != proto::Point::unspecified; }

void add_groups(CatalogPlan& plan, const std::vector<Candidate>& chosen) {
    for (const Candidate& each : chosen) {
        const auto index = static_cast<std::uint32_t>(plan.catalog.sensors.size());
        auto& groups = plan.catalog.groups;
        if (groups.empty() || groups.back().period != each.period) groups.push_back({each.period, index, 0});
        ++groups.back().count;
        plan.buses[each.bus].push_back({each.bus_index, index, each.period});
        plan.catalog.sensors.push_back(each.sensor);
    }
}

// A published name must be unique; a configured one that is taken gives way to the driver's.
void settle_names(std::vector<Candidate>& chosen, std::span<const BusSensors> buses) {
    std::set<std::string, std::less<>> taken;
    for (Candidate& each : chosen)
        if (!taken.insert(each.sensor.name).second) {
            each.sensor.name = buses[each.bus].sensors[each.bus_index].name;
            taken.insert(each.sensor.name);
        }
}

}  // namespace

bool glob_matches(std::string_view pattern, std::string_view text) {
    std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
    while (t < text.size()) {
        if (p < pattern.size() && (pattern[p] == '?' || (pattern[p] == text[t] && pattern[p] != '*'))) {
            ++p;
            ++t;
        } else if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            mark = t;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            t = ++mark;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*') ++p;
    return p == pattern.size();
}

std::vector<std::uint32_t> choose_energy_points(std::span<const proto::Sensor> sensors) {
    std::map<Place, int> best;
    for (const proto::Sensor& sensor : sensors)
        if (is_power(sensor) && has_place(sensor)) {
            const auto [at, fresh] = best.emplace(place_of(sensor), rank(sensor));
            if (!fresh) at->second = std::min(at->second, rank(sensor));
        }
    std::vector<std::uint32_t> points;
    for (std::uint32_t i = 0; i < sensors.size(); ++i) {
        const proto::Sensor& sensor = sensors[i];
        const bool power = is_power(sensor) && (!has_place(sensor) || best.at(place_of(sensor)) == rank(sensor));
        if (power || (is_accumulator(sensor) && !(has_place(sensor) && best.contains(place_of(sensor)))))
            points.push_back(i);
    }
    return points;
}

std::optional<std::uint32_t> accumulator_of(std::span<const proto::Sensor> sensors, std::uint32_t power) {
    const proto::Sensor& wanted = sensors[power];
    if (!has_place(wanted)) return {};
    std::optional<std::uint32_t> found;
    for (std::uint32_t i = 0; i < sensors.size(); ++i) {
        const proto::Sensor& sensor = sensors[i];
        if (place_of(sensor) != place_of(wanted)) continue;
        if (i != power && is_power(sensor) && rank(sensor) == rank(wanted)) return {};
        if (!is_accumulator(sensor)) continue;
        if (found) return {};
        found = i;
    }
    return found;
}

CatalogPlan build_catalog(const AgentConfig& config, std::span<const BusSensors> buses) {
    std::vector<Candidate> chosen;
    for (std::uint32_t bus = 0; bus < buses.size(); ++bus)
        for (std::uint32_t i = 0; i < buses[bus].sensors.size(); ++i)
            if (Candidate each = make_candidate(buses[bus], bus, i); each.enabled) chosen.push_back(std::move(each));
    settle_names(chosen, buses);
    std::stable_sort(chosen.begin(), chosen.end(),
                     [](const Candidate& a, const Candidate& b) { return a.period < b.period; });
    CatalogPlan plan;
    plan.buses.resize(buses.size());
    plan.catalog.site = config.site;
    plan.catalog.agent = config.name;
    plan.catalog.hall = config.location.hall;
    plan.catalog.row = config.location.row;
    plan.catalog.rack = config.location.rack;
    plan.catalog.rating_watts = config.location.rating_watts;
    plan.catalog.software = "gwatt-agent " GWATT_VERSION;
    add_groups(plan, chosen);
    plan.catalog.energy_points = choose_energy_points(plan.catalog.sensors);
    plan.catalog.header.catalog = proto::catalog_hash(plan.catalog);
    return plan;
}

}  // namespace gwatt::agent
