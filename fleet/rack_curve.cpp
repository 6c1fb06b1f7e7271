#include "fleet/rack_curve.hpp"

#include <algorithm>
#include <cmath>

namespace gwatt::fleet {

namespace {
std::int64_t second_of(std::int64_t ns) { return ns >= 0 ? ns / second_ns : (ns - second_ns + 1) / second_ns; }

// The part of `whole` that has flowed by `at` when it flows evenly from `from` to `to`. Whole millijoules; parts of
// neighbouring spans add up to the whole.
std::int64_t flowed(std::int64_t whole, std::int64_t from, std::int64_t to, std::int64_t at)
{
    if (at <= from) return 0;
    if (at >= to) return whole;
    return static_cast<std::int64_t>(std::floor(static_cast<double>(whole) * (static_cast<double>(at - from) / static_cast<double>(to - from))));
}

struct Span {
    std::int64_t begin, end;  // the second that is asked for
    std::int64_t share(std::int64_t whole, std::int64_t from, std::int64_t to) const
    {
        return flowed(whole, from, to, end) - flowed(whole, from, to, begin);
    }
    std::int64_t overlap(std::int64_t from, std::int64_t to) const { return std::max<std::int64_t>(0, std::min(end, to) - std::max(begin, from)); }
};

// The first cut, in order of preference, that both know whole; else the first that both have at all.
int common_cut(const CurveSample& a, const CurveSample& b)
{
    for (const unsigned mask : {static_cast<unsigned>(a.whole & b.whole), static_cast<unsigned>(a.present & b.present)})
        for (unsigned i = 0; i < cut_limit; ++i)
            if ((mask >> i & 1u) != 0 && a.cuts[i].run == b.cuts[i].run) return static_cast<int>(i);
    return -1;
}

int best_cut(const CurveSample& sample)
{
    for (const unsigned mask : {static_cast<unsigned>(sample.whole), static_cast<unsigned>(sample.present)})
        for (unsigned i = 0; i < cut_limit; ++i)
            if ((mask >> i & 1u) != 0) return static_cast<int>(i);
    return -1;
}

std::int64_t millijoules(double watts, std::int64_t ns) { return static_cast<std::int64_t>(std::llround(watts * static_cast<double>(ns) * 1e-6)); }

// Adds the difference of the counters of both, if it can be one.
bool add_difference(const CurveSample& lo, const CurveSample& hi, const Span& span, const CurveLimits& limits, SecondEnergy& out)
{
    const int cut = common_cut(lo, hi);
    if (cut < 0) return false;
    const auto& a = lo.cuts[static_cast<std::size_t>(cut)];
    const auto& b = hi.cuts[static_cast<std::size_t>(cut)];
    const std::int64_t measured = b.measured_mj - a.measured_mj, estimated = b.estimated_mj - a.estimated_mj;
    const double most = limits.most_watts * 1e-6 * static_cast<double>(hi.time_ns - lo.time_ns + second_ns);
    if (estimated < 0 || std::fabs(static_cast<double>(measured)) > most || static_cast<double>(estimated) > most) return false;
    out.measured_mj += span.share(measured, lo.time_ns, hi.time_ns);
    out.estimated_mj += span.share(estimated, lo.time_ns, hi.time_ns);
    out.known_ns += span.overlap(lo.time_ns, hi.time_ns);
    return true;
}

// The interval of which the message gives its own mean, not reaching back beyond `from`.
void add_own_interval(const CurveSample& sample, std::int64_t from, const Span& span, const CurveLimits& limits, SecondEnergy& out)
{
    const int cut = best_cut(sample);
    if (cut < 0 || (sample.whole >> cut & 1) == 0) return;
    const double watts = static_cast<double>(sample.cuts[static_cast<std::size_t>(cut)].watts);
    if (!(std::fabs(watts) <= limits.most_watts)) return;
    const auto begin = std::max(sample.start_ns, from);
    if (begin >= sample.time_ns) return;
    out.measured_mj += span.share(millijoules(watts, sample.time_ns - begin), begin, sample.time_ns);
    out.known_ns += span.overlap(begin, sample.time_ns);
}

// The last power, from `lo` to `until`, for no longer than the hold time.
void hold(const CurveSample& lo, std::int64_t until, const Span& span, const CurveLimits& limits, SecondEnergy& out)
{
    const int cut = best_cut(lo);
    if (cut < 0 || (lo.whole >> cut & 1) == 0) return;
    const double watts = static_cast<double>(lo.cuts[static_cast<std::size_t>(cut)].watts);
    if (!(std::fabs(watts) <= limits.most_watts)) return;
    const auto end = std::min(until, lo.time_ns + limits.hold_ns);
    const auto time = span.overlap(lo.time_ns, end);
    out.held_mj += millijoules(watts, time);
    out.held_ns += time;
}
}  // namespace

const CurveSample* RackCurve::at(std::int64_t second) const
{
    const auto size = static_cast<std::int64_t>(ring_.size());
    const auto& sample = ring_[static_cast<std::size_t>(((second % size) + size) % size)];
    return sample.time_ns != 0 && second_of(sample.time_ns) == second ? &sample : nullptr;
}

bool RackCurve::insert(const CurveSample& sample)
{
    const auto second = second_of(sample.time_ns);
    const auto size = static_cast<std::int64_t>(ring_.size());
    auto& place = ring_[static_cast<std::size_t>(((second % size) + size) % size)];
    const bool later = sample.time_ns > place.time_ns
                       || (sample.time_ns == place.time_ns && sample.cuts[0].measured_mj > place.cuts[0].measured_mj);
    if (place.time_ns != 0 && !later) return false;
    place = sample;
    newest_ = std::max(newest_, second);
    return true;
}

SecondEnergy RackCurve::second(std::int64_t second, Cursor& cursor, const CurveLimits& limits) const
{
    const Span span{second * second_ns, (second + 1) * second_ns};
    SecondEnergy out;
    const CurveSample* lo = cursor.last.time_ns != 0 ? &cursor.last : nullptr;
    for (auto s = second; s <= newest_; ++s) {
        const auto* hi = at(s);
        if (!hi || (lo && hi->time_ns <= lo->time_ns)) continue;
        if (hi->time_ns - span.end > limits.bridge_ns) break;
        if (!lo || !add_difference(*lo, *hi, span, limits, out)) {
            const auto from = lo ? lo->time_ns : INT64_MIN;
            add_own_interval(*hi, from, span, limits, out);
            if (lo) hold(*lo, std::max(hi->start_ns, from), span, limits, out);
        }
        lo = hi;
        if (hi->time_ns >= span.end) break;
    }
    if (lo && lo->time_ns < span.end) hold(*lo, span.end, span, limits, out);
    if (const auto* inside = at(second)) cursor.last = *inside;
    return out;
}

}  // namespace gwatt::fleet
