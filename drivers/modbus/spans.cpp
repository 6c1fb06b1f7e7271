#include "drivers/modbus/spans.hpp"

#include <algorithm>

namespace gwatt::drivers::modbus {

namespace {
constexpr std::size_t most_holes = 256;  // of a unit; a device that refuses more is asked again and again
unsigned end_of(const Place& place) { return unsigned{place.first} + place.words; }
}  // namespace

void Holes::cut(const Place& place) {
    if (cuts_.size() < most_holes) cuts_.push_back(place);
    ++version_;
}

void Holes::uncut(const Place& place) {
    std::erase(cuts_, place);
    ++version_;
}

void Holes::absent(const Place& place) {
    if (absent_.size() < most_holes) absent_.push_back(place);
    ++version_;
}

bool Holes::is_absent(const Place& place) const {
    return std::find(absent_.begin(), absent_.end(), place) != absent_.end();
}

bool Holes::between(const Place& a, const Place& b) const {
    const auto cuts = [&](const Place& cut) {
        return cut.table == a.table && cut.first > a.first && cut.first < end_of(b);
    };
    const auto blocks = [&](const Place& gone) {
        return gone.table == a.table && end_of(gone) > a.first && gone.first < end_of(b);
    };
    return std::any_of(cuts_.begin(), cuts_.end(), cuts) || std::any_of(absent_.begin(), absent_.end(), blocks);
}

Place cover(std::span<const Place> places, std::uint32_t from, std::uint32_t to) {
    Place all = places[from];
    all.words = static_cast<std::uint16_t>(end_of(places[to - 1]) - all.first);
    return all;
}

void merge(std::span<const Place> places, unsigned longest, unsigned gap, const Holes& holes, std::vector<Span>& out) {
    out.clear();
    for (std::uint32_t i = 0; i < places.size(); ++i) {
        const auto& place = places[i];
        if (holes.is_absent(place)) continue;
        auto* last = out.empty() ? nullptr : &out.back();
        const bool joins = last != nullptr && last->to == i && last->place.table == place.table &&
                           place.first - end_of(last->place) <= gap && end_of(place) - last->place.first <= longest &&
                           (holes.empty() || !holes.between(last->place, place));
        if (!joins)
            out.push_back({place, i, i + 1});
        else
            last->place.words = static_cast<std::uint16_t>(end_of(place) - last->place.first), last->to = i + 1;
    }
}

std::uint32_t best_cut(std::span<const Place> places, std::uint32_t from, std::uint32_t to) {
    std::uint32_t best = from + (to - from) / 2;
    unsigned widest = 0;
    for (auto i = from + 1; i < to; ++i) {
        const unsigned gap = places[i].first - end_of(places[i - 1]);
        if (gap > widest) widest = gap, best = i;
    }
    return best;
}

}  // namespace gwatt::drivers::modbus
