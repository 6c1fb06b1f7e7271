#include "drivers/modbus/spans.hpp"
#include "drivers/modbus/standing.hpp"

#include <doctest/doctest.h>

using namespace gwatt::drivers::modbus;
using namespace std::chrono_literals;

namespace {
std::vector<Place> places(std::initializer_list<std::pair<unsigned, unsigned>> list) {
    std::vector<Place> out;
    for (const auto& [first, words] : list)
        out.push_back({static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(words)});
    return out;
}
std::vector<std::pair<unsigned, unsigned>> merged(const std::vector<Place>& list, unsigned longest, unsigned gap,
                                                  const Holes& holes = {}) {
    std::vector<Span> spans;
    merge(list, longest, gap, holes, spans);
    std::vector<std::pair<unsigned, unsigned>> out;
    for (const auto& span : spans) out.emplace_back(span.place.first, span.place.words);
    return out;
}
using Spans = std::vector<std::pair<unsigned, unsigned>>;
}  // namespace

TEST_CASE("a gap is skipped up to its limit") {
    const auto list = places({{10, 1}, {13, 2}});
    CHECK(merged(list, 125, 2) == Spans{{10, 5}});
    CHECK(merged(list, 125, 1) == Spans{{10, 1}, {13, 2}});
    CHECK(merged(list, 125, 0) == Spans{{10, 1}, {13, 2}});
}

TEST_CASE("no span is longer than allowed, and no place is cut") {
    CHECK(merged(places({{0, 2}, {2, 2}, {4, 2}}), 5, 0) == Spans{{0, 4}, {4, 2}});
    CHECK(merged(places({{65534, 1}, {65535, 1}}), 125, 0) == Spans{{65534, 2}});
}

TEST_CASE("holding and input registers are never read together") {
    auto list = places({{5, 1}, {6, 1}});
    list[1].table = RegisterTable::input;
    CHECK(merged(list, 125, 9) == Spans{{5, 1}, {6, 1}});
}

TEST_CASE("cuts and absent registers divide") {
    const auto list = places({{0, 1}, {1, 1}, {2, 1}, {3, 1}});
    Holes holes;
    holes.cut(list[2]);
    CHECK(merged(list, 125, 9, holes) == Spans{{0, 2}, {2, 2}});
    holes.uncut(list[2]);
    CHECK(merged(list, 125, 9, holes) == Spans{{0, 4}});
    holes.absent(list[1]);
    CHECK(merged(list, 125, 9, holes) == Spans{{0, 1}, {2, 2}});
    holes.forget();
    CHECK(merged(list, 125, 9, holes) == Spans{{0, 4}});
}

TEST_CASE("a refused span is divided at its widest gap, else in the middle") {
    CHECK(best_cut(places({{0, 1}, {3, 1}, {10, 1}, {12, 1}}), 0, 4) == 2);
    CHECK(best_cut(places({{0, 1}, {1, 1}, {2, 1}, {3, 1}}), 0, 4) == 2);
    CHECK(best_cut(places({{0, 1}, {1, 1}}), 0, 2) == 1);
}

TEST_CASE("pauses of a silent unit double from 2 s to 30 s, and end with its first answer") {
    Standing standing;
    gwatt::drivers::Instant now{1000s};
    CHECK(!standing.silent(now));
    CHECK(!standing.silent(now));
    CHECK(standing.due(now));
    CHECK(standing.silent(now));
    for (const auto pause : {2s, 4s, 8s, 16s, 30s, 30s}) {
        CHECK(!standing.due(now + pause - 1ms));
        CHECK(standing.due(now + pause));
        now += pause;
        CHECK(!standing.silent(now));
    }
    CHECK(standing.answered());
    CHECK(!standing.answered());
    CHECK(standing.due(now));
}
