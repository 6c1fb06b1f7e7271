#include "agent/energy.hpp"

#include "agent/catalog.hpp"

#include <algorithm>
#include <cmath>

namespace gwatt::agent {
namespace {

using proto::Quality;

constexpr std::size_t most_retired = 20'000;
constexpr double largest_step_mj = 9e15;  // 9 TJ in one step, and still exact in a double

Duration period_of(const proto::Catalog& catalog, std::uint32_t sensor) {
    for (const proto::RateGroup& group : catalog.groups)
        if (sensor >= group.first && sensor - group.first < group.count) return group.period;
    return Duration::zero();
}

// The same thing under the same name: its counter may go on.
bool same_point(const proto::Sensor& a, const proto::Sensor& b) {
    return a.quantity == b.quantity && a.point == b.point && a.feed == b.feed && a.part_of == b.part_of &&
           a.direction == b.direction;
}

}  // namespace

void MillijouleCounter::add(double joules) {
    const double millijoules = joules * 1000 + part_;
    if (!(millijoules > 0)) return;
    const double whole = std::min(std::floor(millijoules), largest_step_mj);
    part_ = std::min(millijoules - whole, 1.0 - 1e-16);
    whole_ += static_cast<std::uint64_t>(whole);
}

void Energy::Interval::add(double watts) {
    min = samples ? std::min(min, watts) : watts;
    max = samples ? std::max(max, watts) : watts;
    sum += watts;
    ++samples;
}

void Energy::Books::add(const Joules& joules) {
    measured.add(joules.measured);
    estimated.add(joules.estimated);
    estimated_low.add(joules.estimated_low);
    estimated_high.add(joules.estimated_high);
    exported.add(joules.exported);
}

Energy::Meter Energy::make_meter(const proto::Catalog& catalog, std::uint32_t point) const {
    const proto::Sensor& sensor = catalog.sensors[point];
    const bool power = sensor.quantity == proto::Quantity::power;
    IntegralLimits limits;
    limits.gap = std::max(period_of(catalog, point) * 5 / 2, least_gap_);
    if (power) {
        limits.window = sensor.kind == proto::Kind::average ? sensor.window : Duration::zero();
        limits.range_min = sensor.range_min;
        limits.range_max = sensor.range_max;
    }
    Meter meter;
    meter.sensor = sensor;
    meter.has_power = power;
    meter.books.integral = PowerIntegral(limits);
    meter.books.epoch = next_epoch_;
    if (const auto own = power ? accumulator_of(catalog.sensors, point) : std::optional(point)) {
        meter.books.accumulator.emplace(catalog.sensors[*own].wraps_at, catalog.sensors[*own].resolution);
        meter.accumulator_silence =
            std::max({period_of(catalog, *own) * 5 / 2, least_gap_, Duration(std::chrono::seconds(60))});
    }
    return meter;
}

// The counters that a point of this name had before, if it is the same thing; else a new epoch.
void Energy::go_on(Meter& meter) {
    const auto old = retired_.find(meter.sensor.name);
    if (old == retired_.end()) return;
    Meter& before = old->second;
    if (same_point(before.sensor, meter.sensor) &&
        before.books.accumulator.has_value() == meter.books.accumulator.has_value()) {
        const IntegralLimits limits = meter.books.integral.limits();
        meter.books = std::move(before.books);
        meter.books.integral.set_limits(limits);
    } else {
        meter.books.epoch = ++next_epoch_;
    }
    retired_.erase(old);
}

void Energy::connect(const proto::Catalog& catalog, std::uint32_t point) {
    Meter meter = make_meter(catalog, point);
    go_on(meter);
    const auto index = static_cast<std::uint32_t>(meters_.size());
    if (meter.has_power)
        if (const auto own = accumulator_of(catalog.sensors, point)) uses_[*own] = {Role::accumulator, index};
    uses_[point] = {meter.has_power ? Role::power : Role::accumulator, index};
    meters_.push_back(std::move(meter));
}

void Energy::set_catalog(const proto::Catalog& catalog) {
    for (Meter& meter : meters_) {
        std::string name = meter.sensor.name;
        retired_.insert_or_assign(std::move(name), std::move(meter));
    }
    meters_.clear();
    uses_.assign(catalog.sensors.size(), Use{});
    for (std::uint32_t point : catalog.energy_points)
        if (point < catalog.sensors.size()) connect(catalog, point);
    if (retired_.size() > most_retired) {  // forgotten counters would start from zero: in a new epoch
        retired_.clear();
        ++next_epoch_;
    }
}

void Energy::take_power(Meter& meter, const proto::Reading& reading) {
    Books& books = meter.books;
    const std::uint64_t out_of_order = books.integral.out_of_order();
    const std::optional<Joules> joules = books.integral.add(reading.time, reading.value);
    if (books.integral.out_of_order() != out_of_order) {
        ++counters_.out_of_order;
        return;
    }
    ++counters_.used;
    books.interval.add(reading.value);
    const bool counter_leads = books.accumulator && books.accumulator->started();
    if (!joules) {
        if (!counter_leads) books.as_of = std::max(books.as_of, books.integral.booked_until());
        return;
    }
    if (joules->estimated_high > 0) ++counters_.gaps;
    if (counter_leads) {
        books.pending += *joules;
        if (reading.time - books.accumulator->last_time() <= meter.accumulator_silence) return;
        books.add(books.pending);  // the counter has fallen silent
        books.pending = {};
        books.accumulator->forget();
    } else {
        books.add(*joules);
    }
    books.as_of = books.integral.booked_until();
}

// The device's counter cannot say what flowed over `span`: the power samples can, or the last known rate is a guess.
void Energy::bridge_reset(Meter& meter, Monotonic time, Duration span) {
    Books& books = meter.books;
    if (books.integral.started()) {
        books.pending += books.integral.hold_until(time);
        books.add(books.pending);
        return;
    }
    Joules guess;
    const double seconds = std::chrono::duration<double>(span).count();
    guess.estimated = books.rate * seconds;
    guess.estimated_high = guess.estimated * 2;
    books.add(guess);
}

void Energy::take_accumulator(Meter& meter, const proto::Reading& reading) {
    using Outcome = EnergyAccumulator::Outcome;
    Books& books = meter.books;
    const std::uint64_t wraps = books.accumulator->wraps();
    // What was seen so far bounds the power less well than what the device declares.
    const double most = books.integral.most_watts() * (books.integral.range_declared() ? 1 : 4);
    const auto step = books.accumulator->add(reading.time, reading.value, most, reading.quality == Quality::restarted);
    counters_.wraps += books.accumulator->wraps() - wraps;
    if (step.outcome == Outcome::out_of_order) {
        ++counters_.out_of_order;
        return;
    }
    ++counters_.used;
    if (step.outcome == Outcome::first) {
        books.add(books.integral.hold_until(reading.time));
    } else if (step.outcome == Outcome::reset) {
        ++counters_.resets;
        bridge_reset(meter, reading.time, step.span);
    } else {
        books.measured.add(step.joules);
        books.exported.add(books.pending.exported);
        books.rate = step.joules / std::chrono::duration<double>(step.span).count();
        if (!meter.has_power) books.interval.add(books.rate);
        books.integral.hold_until(reading.time);
    }
    books.pending = {};
    books.as_of = reading.time;
}

void Energy::take_one(const proto::Reading& reading, Use use) {
    Meter& meter = meters_[use.meter];
    const bool speaks = use.role == Role::power || !meter.has_power;  // whose quality the point shows
    if (speaks) {
        meter.books.last = reading.quality;
        auto& worst = meter.books.interval.worst;
        worst = std::max(worst.value_or(reading.quality), reading.quality);
    }
    const bool good = reading.quality == Quality::good || reading.quality == Quality::restarted;
    if (!good || !std::isfinite(reading.value)) {
        ++counters_.not_good;
        return;
    }
    if (use.role == Role::power)
        take_power(meter, reading);
    else
        take_accumulator(meter, reading);
}

void Energy::take(std::span<const proto::Reading> readings) {
    for (const proto::Reading& reading : readings)
        if (reading.sensor < uses_.size() && uses_[reading.sensor].role != Role::none)
            take_one(reading, uses_[reading.sensor]);
}

void Energy::fill(std::size_t i, proto::Live::Point& out) {
    Books& books = meters_[i].books;
    const Interval& interval = books.interval;
    out.epoch = books.epoch;
    out.energy_mj = books.measured.value();
    out.estimated_mj = books.estimated.value();
    out.estimated_low_mj = books.estimated_low.value();
    out.estimated_high_mj = books.estimated_high.value();
    out.exported_mj = books.exported.value();
    out.samples = interval.samples;
    out.mean = interval.samples ? interval.sum / interval.samples : 0;
    out.min = interval.min;
    out.max = interval.max;
    out.quality = interval.worst.value_or(books.last);
    out.as_of = books.as_of;
    books.interval = {};
}

}  // namespace gwatt::agent
