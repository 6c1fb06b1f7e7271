#include "drivers/modbus/bus.hpp"

#include <algorithm>

namespace gwatt::drivers::modbus {

namespace {
constexpr Duration connect_limit = std::chrono::seconds(3);
constexpr Duration meet_limit = std::chrono::seconds(2);  // of open, for all units
constexpr std::size_t most_plans = 8;                     // sets of wanted sensors that are kept
constexpr const char* counter_ids[] = {"requests", "silent",         "garbled",    "exceptions",
                                       "bad_crc",  "foreign_frames", "stray_bytes"};

Descriptor open_port(Host host, const Settings& settings, Duration limit) {
    return settings.tty ? open_tty(host, settings) : connect_tcp(host, settings.port, limit);
}
}  // namespace

Bus::Bus(Host host, const Options& given) : Bus(host, read_settings(host, given), &open_port) {}

Bus::Bus(Host host, Settings settings, Opener opener)
    : host_(host),
      settings_(std::move(settings)),
      opener_(std::move(opener)),
      talk_(host, settings_.framing, {settings_.tty, settings_.baud, settings_.response_timeout, settings_.min_delay}) {
    for (const auto& unit : settings_.units)
        units_.emplace_back(host_, talk_, unit, settings_.profiles[unit.profile], settings_.gap);
    list_sensors();
    port_ = opener_(host_, settings_, connect_limit);
    talk_.attach(port_.get(), !settings_.tty);
    // A turn has no time for a name server: within a turn the connection is made anew to the same address.
    if (const auto peer = peer_of(port_.get()); !peer.empty()) settings_.port = peer;
    meet_all();
}

void Bus::list_sensors() {
    for (const auto& unit : settings_.units) {
        const auto& profile = settings_.profiles[unit.profile];
        owned_.push_back({static_cast<std::uint32_t>(list_.size()), profile.sensors});
        for (const auto& sensor : profile.sensors) {
            auto spec = sensor.spec;
            spec.id = unit.name + "." + spec.id;
            spec.label = unit.label + " " + spec.label;
            spec.part_of = unit.name;
            list_.add(std::move(spec));
        }
    }
    if (!settings_.line_counters) return;
    for (const auto* id : counter_ids)
        list_.add({.id = std::string("line.") + id,
                   .label = std::string("bus: ") + id,
                   .quantity = GWATT_QUANTITY_COUNT,
                   .kind = GWATT_KIND_CUMULATIVE,
                   .resolution = 1});
}

// A unit that does not answer now is met when it first answers.
void Bus::meet_all() {
    const auto deadline = host_.now() + meet_limit;
    auto left = static_cast<std::int64_t>(units_.size());
    for (auto& unit : units_) {
        const auto now = host_.now();
        const auto went = unit.meet(now + (deadline - now) / left--);
        if (went == Went::gone) throw Failure{Result::gone, settings_.port + " went away while it was opened"};
        if (went == Went::cancelled) throw Failure{Result::timeout, "cancelled"};
    }
}

Plan& Bus::plan_for(std::span<const std::uint32_t> wanted) {
    for (auto& plan : plans_)
        if (std::equal(wanted.begin(), wanted.end(), plan.wanted.begin(), plan.wanted.end())) {
            plan.used = turn_;
            return plan;
        }
    if (plans_.size() == most_plans)
        plans_.erase(std::min_element(plans_.begin(), plans_.end(),
                                      [](const Plan& a, const Plan& b) { return a.used < b.used; }));
    plans_.push_back(make_plan(wanted, owned_));
    plans_.back().used = turn_;
    return plans_.back();
}

Result Bus::read(std::span<const std::uint32_t> wanted, Samples& out, Instant deadline, Error error) {
    ++turn_;
    auto& plan = plan_for(wanted);
    talk_.distrust();
    const auto went = run(plan, deadline, out);
    if (went == Went::gone)
        for (auto& unit : plan.units) unit.missing = GWATT_QUALITY_GONE;
    for (auto& unit : plan.units) units_[unit.unit].finish(unit, out);
    give_counters(plan, out);
    return result(plan, went, error);
}

// Each unit gets its share of the time that is left, so what one does not need goes to those behind it; who comes first
// changes with every turn. What is unfinished then gets the rest.
Went Bus::run(Plan& plan, Instant deadline, Samples& out) {
    const auto count = plan.units.size();
    std::int64_t waiting = 0;
    for (auto& unit : plan.units) waiting += units_[unit.unit].prepare(unit, host_.now()) ? 1 : 0;
    for (const bool rest : {false, true})
        for (std::size_t i = 0; i < count; ++i) {
            auto& unit = plan.units[(i + turn_) % count];
            const auto now = host_.now();
            if (unit.over || now >= deadline) continue;
            const auto share = rest ? deadline : now + (deadline - now) / std::max<std::int64_t>(1, waiting--);
            const auto went = turn(unit, share, deadline, out);
            if (went != Went::on) return went;
        }
    return Went::on;
}

Went Bus::turn(UnitPlan& plan, Instant share, Instant deadline, Samples& out) {
    auto& unit = units_[plan.unit];
    auto went = unit.turn(plan, std::min(deadline, unit.extended(plan, share)), out);
    // A connection that was left alone may have been closed by the other side: that is worth one new one.
    if (went == Went::gone && !fresh_ && !settings_.tty && reconnect(deadline - host_.now()))
        went = unit.turn(plan, deadline, out);
    if (plan.answered) fresh_ = false;
    return went;
}

bool Bus::reconnect(Duration limit) {
    fresh_ = true;
    try {
        port_ = opener_(host_, settings_, std::min(limit, connect_limit));
    } catch (const Failure& failure) {
        host_.log(Level::info, failure.text);
        return false;
    }
    talk_.attach(port_.get(), true);
    for (auto& unit : units_) unit.doubt();
    return true;
}

Result Bus::result(const Plan& plan, Went went, Error error) const {
    if (went == Went::gone) return error(Result::gone, settings_.port + " is not there any more");
    bool tried = false, garbled = false;
    std::string silent;
    for (const auto& unit : plan.units) {
        if (unit.answered) return Result::ok;
        tried = tried || unit.tried;
        garbled = garbled || unit.missing == GWATT_QUALITY_GARBLED;
        if (unit.tried && silent.size() < 120) silent += " " + settings_.units[unit.unit].name;
    }
    if (!tried) return Result::ok;
    if (garbled) return error(Result::garbled, "no answer without damage from" + silent);
    return error(Result::timeout, "no answer from" + silent);
}

void Bus::give_counters(const Plan& plan, Samples& out) const {
    if (plan.counters.empty()) return;
    const auto& talk = talk_.counters();
    const auto& line = talk_.line();
    const std::uint64_t values[] = {talk.requests, talk.silent,  talk.garbled,    line.exceptions,
                                    line.bad_crc,  line.foreign, line.stray_bytes};
    const auto first = list_.size() - std::size(values);
    for (const auto sensor : plan.counters) out.value(sensor, host_.now(), static_cast<double>(values[sensor - first]));
}

}  // namespace gwatt::drivers::modbus
