#include "agent/sampler.hpp"

#include <algorithm>
#include <cmath>

namespace gwatt::agent {

namespace asio = boost::asio;
using proto::Quality;
using runtime::Monotonic;

namespace {

constexpr std::uint64_t most_told_skips = 60;  // beyond these, skipped points are counted only

// What a read must leave free before the next point.
Duration margin(Duration until_next) { return std::clamp<Duration>(until_next / 20, 1ms, 50ms); }

}  // namespace

asio::awaitable<void> Sampler::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        if (!planned() || roster_.slots(number_).empty()) {
            const bool go_on = co_await until_planned();
            if (!go_on) co_return;
            continue;
        }
        if (version_ != roster_.version()) adopt_plan();
        const Monotonic point = grid_.plan(clock_.read());
        const bool woken = co_await clock_.sleep_until(point);
        if (!woken) co_return;
        if (!planned() || version_ != roster_.version() || grid_.missed(clock_.now())) continue;
        const bool go_on = co_await scan();
        if (!go_on) co_return;
    }
}

asio::awaitable<bool> Sampler::until_planned() {
    if (bus_.generation() == 0) {
        const bool opened = co_await bus_.changed();
        co_return opened;
    }
    roster_.note();
    const bool rebuilt = co_await roster_.changed();
    co_return rebuilt;
}

// The grid goes on where the periods stay the same.
void Sampler::adopt_plan() {
    version_ = roster_.version();
    std::vector<Duration> periods;
    sensors_.assign(bus_.sensors().size(), {});
    for (const CatalogPlan::Slot& slot : roster_.slots(number_)) {
        const proto::Sensor& sensor = roster_.catalog().sensors[slot.catalog_index];
        const auto at = std::find(periods.begin(), periods.end(), slot.period);
        const auto period = static_cast<std::uint32_t>(at - periods.begin());
        if (at == periods.end()) periods.push_back(slot.period);
        sensors_[slot.bus_index] = {slot.catalog_index, period, sensor.range_min, sensor.range_max, true, 0};
    }
    const auto now = grid_.periods();
    const bool same = std::equal(periods.begin(), periods.end(), now.begin(), now.end(),
                                 [](Duration a, const SamplingGrid::Period& b) { return a == b.length; });
    if (!same) grid_.set_periods(periods);
    asked_.reserve(sensors_.size());
    out_.reserve(sensors_.size() * 2);
}

void Sampler::hand_on(Monotonic grid, bool realigned) {
    counters_.readings += out_.size();
    counters_.no_value += static_cast<std::uint64_t>(
        std::count_if(out_.begin(), out_.end(), [](const proto::Reading& r) { return !proto::has_value(r.quality); }));
    if (!out_.empty()) sink_({grid, realigned, out_});
    out_.clear();
}

// Points that passed while nobody could read, as readings without a value.
void Sampler::tell_skipped() {
    for (std::uint32_t p = 0; p < grid_.periods().size(); ++p) {
        const SamplingGrid::Period& period = grid_.periods()[p];
        if (!period.due) continue;
        if (period.realigned) ++counters_.realigned;
        counters_.skipped_points += period.skipped;
        for (std::uint64_t back = std::min(period.skipped, most_told_skips); back > 0; --back) {
            const Monotonic grid = period.when - period.length * static_cast<std::int64_t>(back);
            for (const Wanted& wanted : sensors_)
                if (wanted.known && wanted.period == p)
                    out_.push_back({grid, 0, wanted.catalog_index, Quality::not_read});
            hand_on(grid, false);
        }
    }
}

void Sampler::add_reading(const proto::Reading& reading) {
    if (reading.sensor >= sensors_.size() || !sensors_[reading.sensor].known) {
        ++counters_.unwanted;
        return;
    }
    Wanted& wanted = sensors_[reading.sensor];
    proto::Reading out = reading;
    out.sensor = wanted.catalog_index;
    wanted.answered = scans_;
    if (proto::has_value(out.quality) && !std::isfinite(out.value)) out.quality = Quality::fault;
    const bool ranged = wanted.range_max > wanted.range_min;
    if (out.quality == Quality::good && ranged && (out.value < wanted.range_min || out.value > wanted.range_max)) {
        out.quality = Quality::suspect;
        ++counters_.suspect;
    }
    out_.push_back(out);
}

void Sampler::collect(const ScanResult& result, Monotonic grid) {
    for (const proto::Reading& reading : result.readings) add_reading(reading);
    const Quality why = proto::has_value(result.quality) ? Quality::not_read : result.quality;
    for (std::uint32_t index : asked_)
        if (sensors_[index].known && sensors_[index].answered != scans_)
            out_.push_back({grid, 0, sensors_[index].catalog_index, why});
}

asio::awaitable<bool> Sampler::scan() {
    ++scans_;
    asked_.clear();
    bool realigned = false;
    Monotonic grid{};
    for (std::uint32_t i = 0; i < sensors_.size(); ++i)
        if (sensors_[i].known && grid_.periods()[sensors_[i].period].due) asked_.push_back(i);
    for (const SamplingGrid::Period& period : grid_.periods())
        if (period.due) {
            grid = period.when;
            realigned = realigned || period.realigned;
        }
    tell_skipped();
    const Monotonic next = grid_.after();
    grid_.passed();
    lateness_.add(clock_.now() - grid);
    ++counters_.reads;
    const std::uint64_t generation = bus_.generation();
    const ScanResult result = co_await bus_.read(asked_, next - margin(next - grid));
    const auto state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return false;
    if (generation != bus_.generation()) co_return true;  // the indices mean something else now
    if (version_ != roster_.version()) adopt_plan();      // another bus has come
    collect(result, grid);
    hand_on(grid, realigned);
    co_return true;
}

}  // namespace gwatt::agent
