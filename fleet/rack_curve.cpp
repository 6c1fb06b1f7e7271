#include "fleet/rack_curve.hpp"

#include <algorithm>
#include <cmath>

namespace gwatt::fleet {

namespace {
std::int64_t second_of(std::int64_t ns) { return ns >= 0 ? ns / second_ns : (ns - second_ns + 1) / second_ns; }

// The part of `whole` that has flowed by `at` when it flows evenly from `from` to `to`. Whole millijoules; parts of
// neighbouring spans add up to the whole.
std::int64_t flowed(std::int64_t whole, std::int64_t from, std::int64_t to, std::int64_t at) {
    if (at <= from) return 0;
    if (at >= to) return whole;
    return static_cast<std::int64_t>(
        std::floor(static_cast<double>(whole) * (static_cast<double>(at - from) / static_cast<double>(to - from))));
}

struct Span {
    std::int64_t begin, end;  // the second that is asked for
    std::int64_t share(std::int64_t whole, std::int64_t from, std::int64_t to) const {
        return flowed(whole, from, to, end) - flowed(whole, from, to, begin);
    }
    std::int64_t overlap(std::int64_t from, std::int64_t to) const {
        return std::max<std::int64_t>(0, std::min(end, to) - std::max(begin, from));
    }
};

// The first cut, in order of preference, that both know whole; else the first that both have at all.
int common_cut(const CurveSample& a, const CurveSample& b) {
    for (const unsigned mask : {static_cast<unsigned>(a.whole & b.whole), static_cast<unsigned>(a.present & b.present)})
        for (unsigned i = 0; i < cut_limit; ++i)
            if ((mask >> i & 1u) != 0 && a.cuts[i].run == b.cuts[i].run) return static_cast<int>(i);
    return -1;
}

// The best cut with a power of its own.
int powered_cut(const CurveSample& sample) {
    for (unsigned i = 0; i < cut_limit; ++i)
        if ((sample.whole & sample.powered & 1u << i) != 0) return static_cast<int>(i);
    return -1;
}

std::int64_t millijoules(double watts, std::int64_t ns) {
    return static_cast<std::int64_t>(std::llround(watts * static_cast<double>(ns) * 1e-6));
}

// Adds the difference of the counters of both, if it can be one.
bool add_difference(const CurveSample& lo, const CurveSample& hi, const Span& span, const CurveLimits& limits,
                    SecondEnergy& out) {
    const int cut = common_cut(lo, hi);
    if (cut < 0) return false;
    const auto& a = lo.cuts[static_cast<std::size_t>(cut)];
    const auto& b = hi.cuts[static_cast<std::size_t>(cut)];
    const std::int64_t measured = b.measured_mj - a.measured_mj, estimated = b.estimated_mj - a.estimated_mj;
    const double most = limits.most_watts * 1e-6 * static_cast<double>(hi.time_ns - lo.time_ns + second_ns);
    if (estimated < 0 || std::fabs(static_cast<double>(measured)) > most || static_cast<double>(estimated) > most)
        return false;
    out.measured_mj += span.share(measured, lo.time_ns, hi.time_ns);
    out.estimated_mj += span.share(estimated, lo.time_ns, hi.time_ns);
    out.known_ns += span.overlap(lo.time_ns, hi.time_ns);
    return true;
}

// The interval of which the message gives its own mean, not reaching back beyond `from`.
void add_own_interval(const CurveSample& sample, std::int64_t from, const Span& span, const CurveLimits& limits,
                      SecondEnergy& out) {
    const int cut = powered_cut(sample);
    if (cut < 0) return;
    const double watts = static_cast<double>(sample.cuts[static_cast<std::size_t>(cut)].watts);
    const auto begin = std::max(sample.start_ns, from);
    if (!(std::fabs(watts) <= limits.most_watts) || begin >= sample.time_ns) return;
    out.measured_mj += span.share(millijoules(watts, sample.time_ns - begin), begin, sample.time_ns);
    out.known_ns += span.overlap(begin, sample.time_ns);
}

// The last power, from the last sample to `until`, for no longer than the hold time.
void hold(const RackCurve::Cursor& at, std::int64_t until, const Span& span, const CurveLimits& limits,
          SecondEnergy& out) {
    if (!at.has_watts || !(std::fabs(at.watts) <= limits.most_watts)) return;
    const auto time = span.overlap(at.last.time_ns, std::min(until, at.last.time_ns + limits.hold_ns));
    out.held_mj += millijoules(at.watts, time);
    out.held_ns += time;
}
}  // namespace

const CurveSample* RackCurve::at(std::int64_t second) const {
    const auto size = static_cast<std::int64_t>(ring_.size());
    const auto& sample = ring_[static_cast<std::size_t>(((second % size) + size) % size)];
    return sample.time_ns != 0 && second_of(sample.time_ns) == second ? &sample : nullptr;
}

bool RackCurve::insert(const CurveSample& sample) {
    const auto second = second_of(sample.time_ns);
    const auto size = static_cast<std::int64_t>(ring_.size());
    auto& place = ring_[static_cast<std::size_t>(((second % size) + size) % size)];
    const bool later = sample.time_ns > place.time_ns ||
                       (sample.time_ns == place.time_ns && sample.cuts[0].measured_mj > place.cuts[0].measured_mj);
    if (place.time_ns != 0 && !later) return false;
    place = sample;
    newest_ = std::max(newest_, second);
    return true;
}

void RackCurve::Cursor::pass(const CurveSample& sample) {
    last = sample;
    const int cut = powered_cut(sample);
    if (cut >= 0)
        watts = static_cast<double>(sample.cuts[static_cast<std::size_t>(cut)].watts), has_watts = true;
    else if (sample.whole == 0)
        has_watts = false;
}

SecondEnergy RackCurve::second(std::int64_t second, Cursor& cursor, const CurveLimits& limits) const {
    const Span span{second * second_ns, (second + 1) * second_ns};
    SecondEnergy out;
    bool reached = false;  // the end of the second
    for (auto s = second; s <= newest_ && !reached; ++s) {
        const auto* next = at(s);
        const bool first = cursor.last.time_ns == 0;
        if (!next || next->time_ns <= cursor.last.time_ns) continue;
        if (next->time_ns - span.end > limits.bridge_ns) break;
        if (first || !add_difference(cursor.last, *next, span, limits, out)) {
            const auto from = first ? INT64_MIN : cursor.last.time_ns;
            add_own_interval(*next, from, span, limits, out);
            if (!first) hold(cursor, std::max(next->start_ns, from), span, limits, out);
        }
        reached = next->time_ns >= span.end;
        if (!reached) cursor.pass(*next);
    }
    if (!reached && cursor.last.time_ns != 0) hold(cursor, span.end, span, limits, out);
    return out;
}

}  // namespace gwatt::fleet
