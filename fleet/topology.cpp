#include "fleet/topology.hpp"

#include <algorithm>
#include <map>
#include <tuple>

namespace gwatt::fleet {

using proto::Kind;
using proto::Point;
using proto::Sensor;

std::string_view cut_level_name(CutLevel level) {
    switch (level) {
        case CutLevel::none: return "none";
        case CutLevel::rack_in: return "rack_in";
        case CutLevel::psu_in: return "psu_in";
        case CutLevel::model: return "model";
    }
    return "none";
}

namespace {
struct Candidate {
    std::uint32_t point;  // position in Live
    const Sensor* sensor;
};
using Candidates = std::vector<Candidate>;

// What measures the same thing in several ways (an accumulator, a mean, an instant) counts once: the best way.
int preference(Kind kind) {
    switch (kind) {
        case Kind::cumulative: return 3;
        case Kind::average: return 2;
        case Kind::instant: return 1;
        default: return 0;  // minimum, maximum, unspecified
    }
}

bool inside(std::string_view part, std::string_view whole) {
    return part.size() > whole.size() && part.starts_with(whole) && (whole.empty() || part[whole.size()] == '.');
}

// Sensors of one kind of point, each way of measuring a place once. Without part_of nothing says that two are one.
Candidates candidates(const proto::Catalog& catalog, Point kind) {
    using Place =
        std::tuple<std::string_view, std::string_view, std::string_view>;  // part_of, feed, name if no part_of
    std::map<Place, int> best;
    Candidates found;
    for (std::uint32_t i = 0; i < catalog.energy_points.size(); ++i) {
        const auto index = catalog.energy_points[i];
        if (index >= catalog.sensors.size() || catalog.sensors[index].point != kind) continue;
        const Sensor& sensor = catalog.sensors[index];
        if (preference(sensor.kind) == 0) continue;
        found.push_back({i, &sensor});
        auto& way = best[{sensor.part_of, sensor.feed, sensor.part_of.empty() ? sensor.name : std::string_view{}}];
        way = std::max(way, preference(sensor.kind));
    }
    std::erase_if(found, [&](const Candidate& c) {
        const auto& s = *c.sensor;
        return preference(s.kind) < best[{s.part_of, s.feed, s.part_of.empty() ? s.name : std::string_view{}}];
    });
    return found;
}

// Whether the meter `above` sees all that the meter `below` of the same kind of point sees, and more: a sum over feeds
// covers each feed, a shelf covers its PSUs.
bool covers_same_kind(const Sensor& above, const Sensor& below) {
    if (above.part_of.empty() || below.part_of.empty()) return false;
    const bool wider_place = inside(below.part_of, above.part_of);
    const bool same_place = above.part_of == below.part_of;
    const bool all_feeds = above.feed.empty();
    return (wider_place && (all_feeds || above.feed == below.feed)) || (same_place && all_feeds && !below.feed.empty());
}

Candidates outermost(Candidates all) {
    Candidates out;
    for (const auto& c : all)
        if (std::none_of(all.begin(), all.end(),
                         [&](const Candidate& o) { return covers_same_kind(*o.sensor, *c.sensor); }))
            out.push_back(c);
    return out;
}

// Whether what leaves through `output` came in through `input`. An input that does not say where it is may be any.
bool behind(const Sensor& output, const Sensor& input) {
    if (input.part_of.empty() || output.part_of.empty()) return true;
    return output.part_of == input.part_of || inside(output.part_of, input.part_of) ||
           inside(input.part_of, output.part_of);
}

void add(Cut& cut, const Candidate& c, bool modelled) {
    cut.terms.push_back({c.point, modelled, c.sensor->direction == proto::Direction::both});
}

// All of `first`, and those of `second` that are on no path with one of `first`.
Cut mix(CutLevel level, const Candidates& first, bool first_modelled, const Candidates& second) {
    Cut cut{level, {}, 0};
    for (const auto& c : first) add(cut, c, first_modelled);
    for (const auto& c : second) {
        const bool covered = std::any_of(first.begin(), first.end(), [&](const Candidate& f) {
            return first_modelled ? behind(*f.sensor, *c.sensor) : behind(*c.sensor, *f.sensor);
        });
        if (!covered) add(cut, c, !first_modelled);
    }
    return cut;
}

std::uint32_t feeds_missing(const Cut& cut, const proto::Catalog& catalog, const std::vector<std::string>& feeds) {
    std::uint32_t missing = 0;
    for (const auto& feed : feeds) {
        const bool there = std::any_of(cut.terms.begin(), cut.terms.end(), [&](const Term& t) {
            const auto& said = catalog.sensors[catalog.energy_points[t.point]].feed;
            return said.empty() || said == feed;
        });
        if (!there) ++missing;
    }
    return missing;
}
}  // namespace

std::vector<Cut> cuts_of(const proto::Catalog& catalog, const std::vector<std::string>& feeds) {
    const auto rack = outermost(candidates(catalog, Point::rack_in));
    const auto input = outermost(candidates(catalog, Point::psu_in));
    auto output = outermost(candidates(catalog, Point::psu_out));
    if (output.empty()) output = outermost(candidates(catalog, Point::busbar));

    std::vector<Cut> cuts;
    if (!rack.empty()) cuts.push_back(mix(CutLevel::rack_in, rack, false, {}));
    if (!input.empty()) cuts.push_back(mix(CutLevel::psu_in, input, false, output));
    if (!output.empty()) cuts.push_back(mix(CutLevel::model, output, true, input));
    for (auto& cut : cuts) cut.feeds_missing = feeds_missing(cut, catalog, feeds);
    std::stable_sort(cuts.begin(), cuts.end(),
                     [](const Cut& a, const Cut& b) { return a.feeds_missing < b.feeds_missing; });
    return cuts;
}

}  // namespace gwatt::fleet
