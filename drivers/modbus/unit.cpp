#include "drivers/modbus/unit.hpp"

#include "drivers/profile/decode.hpp"

#include <algorithm>

namespace gwatt::drivers::modbus {

namespace {
constexpr Duration holes_last = std::chrono::minutes(10);   // a firmware update may fill them
constexpr Duration denied_lasts = std::chrono::minutes(1);  // then it is looked at again: someone may have swapped it
}  // namespace

void Unit::log(Level level, const std::string& what, const std::string& more) const {
    host_.log(level, what + ": unit=" + setting_.name + " address=" + std::to_string(setting_.address) +
                         (more.empty() ? "" : " ") + more);
}

bool Unit::prepare(UnitPlan& plan, Instant now) {
    for (auto& entry : plan.entries) entry.given = false;
    plan.next_span = plan.given = 0;
    plan.tried = plan.answered = false;
    plan.due = standing_.due(now);
    plan.over = !plan.due;
    plan.missing = plan.due ? GWATT_QUALITY_NOT_READ : GWATT_QUALITY_TIMEOUT;
    if (!plan.due) return false;
    if (standing_.dormant()) {
        met_ = known_ = false;
        latency_ = first_guess;
    }
    if (!holes_.empty() && (standing_.dormant() || now >= forget_holes_)) holes_.forget();
    if (plan.holes_version != holes_.version()) {
        merge(plan.places, profile_.longest_read, gap_, holes_, plan.spans);
        plan.holes_version = holes_.version();
    }
    return true;
}

Went Unit::turn(UnitPlan& plan, Instant deadline, Samples& out) {
    if (denied_ && host_.now() >= check_again_) met_ = false;
    if (!met_) {
        const auto before = talk_.counters().requests;
        const auto went = meet(deadline);
        const bool asked = talk_.counters().requests != before;
        plan.tried = plan.tried || asked;
        plan.answered = plan.answered || (asked && met_);
        if (went == Went::over && !asked) return Went::on;  // there is not the time now; perhaps when others are done
        if (went != Went::on) {
            plan.missing = GWATT_QUALITY_TIMEOUT;
            plan.over = went == Went::over;
            return went == Went::over ? Went::on : went;
        }
    }
    plan.over = denied_;
    if (denied_) plan.missing = GWATT_QUALITY_DENIED;
    while (!plan.over && plan.next_span < plan.spans.size()) {
        const auto& span = plan.spans[plan.next_span];
        if (!room_for(span.place, deadline)) return Went::on;
        const auto went = ask_range(plan, span.from, span.to, deadline, out);
        if (went == Went::gone || went == Went::cancelled) return went;
        plan.over = went == Went::over;
        ++plan.next_span;
    }
    const bool well = !plan.over;
    plan.over = true;
    return well && !told_ ? tell(deadline) : Went::on;
}

Duration Unit::need(const Place& place) const { return talk_.least_time(place.words) + latency_ + latency_ / 2; }

bool Unit::room_for(const Place& place, Instant deadline) const { return deadline - host_.now() > need(place); }

// With many units and little time, a share can be shorter than an answer takes: asking then would only disturb the line.
Instant Unit::extended(const UnitPlan& plan, Instant share) const {
    if (!known_ || plan.spans.empty()) return share;
    return std::max(share, host_.now() + need(plan.spans[0].place));
}

Answered Unit::ask(const Place& place, Instant deadline) {
    const Request request{
        .unit = setting_.address,
        .function = place.table == RegisterTable::holding ? Function::read_holding : Function::read_input,
        .first = place.first,
        .count = place.words};
    const auto begun = host_.now();
    auto answered = talk_.ask(request, deadline);
    // Noise on the line is worth one more try; silence is not.
    if (answered.answer == Answer::garbled && room_for(place, deadline))
        answered = talk_.ask(request, deadline);
    else if (answered.answer == Answer::reply)
        learn(host_.now() - begun - talk_.least_time(place.words));
    return answered;
}

// The longest latency of late: taken over at once where it grows, forgotten slowly.
void Unit::learn(Duration latency) {
    latency = std::max(latency, Duration{});
    latency_ = known_ ? std::max(latency, latency_ - latency_ / 16) : latency;
    known_ = true;
}

Went Unit::ask_range(UnitPlan& plan, std::uint32_t from, std::uint32_t to, Instant deadline, Samples& out) {
    const auto place = cover(plan.places, from, to);
    plan.tried = true;
    const auto answered = ask(place, deadline);
    if (answered.answer == Answer::reply) {
        plan.answered = true;
        deliver(plan, from, to, place, answered, out);
        return Went::on;
    }
    const auto went = judge(plan, answered);
    if (went != Went::refused) return went;
    if (to - from > 1) return divide(plan, from, to, deadline, out);
    holes_.absent(plan.places[from]);
    forget_holes_ = host_.now() + holes_last;
    plan.missing = GWATT_QUALITY_UNAVAILABLE;
    log(Level::info, "the unit refuses a register, going on without",
        "sensor=" + plan.entries[from].what->spec.id + " register=" + std::to_string(place.first));
    return Went::refused;
}

// A cut stays only where both sides of it were answered: then the hole is between them. Else it is inside of one.
Went Unit::divide(UnitPlan& plan, std::uint32_t from, std::uint32_t to, Instant deadline, Samples& out) {
    const auto at = best_cut(plan.places, from, to);
    holes_.cut(plan.places[at]);
    forget_holes_ = host_.now() + holes_last;
    Went went[2] = {Went::on, Went::on};
    for (const int half : {0, 1}) {
        const auto first = half == 0 ? from : at, last = half == 0 ? at : to;
        if (!room_for(cover(plan.places, first, last), deadline)) return Went::over;
        went[half] = ask_range(plan, first, last, deadline, out);
        if (went[half] != Went::on && went[half] != Went::refused) return went[half];
    }
    if (went[0] != Went::on || went[1] != Went::on) holes_.uncut(plan.places[at]);
    return Went::refused;
}

Went Unit::judge(UnitPlan& plan, const Answered& answered) {
    switch (answered.answer) {
        case Answer::gone:
        case Answer::desynced: return Went::gone;
        case Answer::cancelled: return Went::cancelled;
        case Answer::garbled: plan.missing = GWATT_QUALITY_GARBLED; return Went::over;
        case Answer::exception: return judge_exception(plan, answered.exception);
        case Answer::silent:
        case Answer::reply: break;
    }
    plan.missing = GWATT_QUALITY_TIMEOUT;
    return Went::over;
}

Went Unit::judge_exception(UnitPlan& plan, std::uint8_t code) {
    plan.answered = code != gateway_path_unavailable && code != gateway_target_silent;
    switch (code) {
        case illegal_data_address:
        case illegal_data_value: return Went::refused;
        case gateway_path_unavailable:
        case gateway_target_silent: plan.missing = GWATT_QUALITY_TIMEOUT; return Went::over;
        case acknowledge:
        case device_busy: plan.missing = GWATT_QUALITY_BUSY; return Went::over;
        case device_failure: plan.missing = GWATT_QUALITY_FAULT; return Went::on;
        default: break;
    }
    log(Level::warning, "the unit refuses to be read", "exception=" + std::to_string(code));
    plan.missing = GWATT_QUALITY_UNAVAILABLE;
    return Went::over;
}

void Unit::deliver(UnitPlan& plan, std::uint32_t from, std::uint32_t to, const Place& asked, const Answered& answered,
                   Samples& out) {
    for (auto i = from; i < to; ++i) {
        auto& entry = plan.entries[i];
        const auto at = std::size_t{2} * (plan.places[i].first - asked.first);
        const auto decoded =
            profile::decode(*entry.what, answered.registers.subspan(at, std::size_t{2} * plan.places[i].words));
        if (decoded.has_value)
            out.value(entry.sensor, answered.middle, decoded.value);
        else
            out.none(entry.sensor, answered.middle, GWATT_QUALITY_UNAVAILABLE);
        entry.given = true;
        ++plan.given;
    }
}

void Unit::finish(UnitPlan& plan, Samples& out) {
    const auto now = host_.now();
    for (std::size_t i = 0; i < plan.entries.size(); ++i) {
        if (plan.entries[i].given) continue;
        const bool absent = !holes_.empty() && holes_.is_absent(plan.places[i]);
        out.none(plan.entries[i].sensor, now, absent ? GWATT_QUALITY_UNAVAILABLE : plan.missing);
    }
    const bool nothing_left = plan.spans.empty() && !denied_;  // it refused everything
    if (!plan.due || (!plan.tried && !nothing_left) || plan.missing == GWATT_QUALITY_BUSY) return;
    if (plan.given > 0 || denied_) {
        const auto since = standing_.silent_since();
        if (standing_.answered())
            log(Level::info, "the unit answers again",
                "away_s=" + std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - since).count()));
        return;
    }
    if (!plan.answered) met_ = false;
    if (standing_.silent(now))
        log(Level::warning,
            plan.answered ? "the unit gives nothing, asking it rarely" : "the unit does not answer, asking it rarely");
}

// --- what the unit is ---

bool Unit::fits(std::size_t index) {
    const auto& wanted = profile_.texts[index];
    const auto& said = texts_[index].second;
    const auto begins = [&](const std::string& prefix) { return said.starts_with(prefix); };
    if (wanted.expect.empty() || std::any_of(wanted.expect.begin(), wanted.expect.end(), begins)) return true;
    std::string expected;
    for (const auto& prefix : wanted.expect) expected += (expected.empty() ? "\"" : ", \"") + prefix + "\"";
    log(wanted.deny ? Level::error : Level::warning,
        wanted.deny ? "not the device that the profile is for, its sensors are denied"
                    : "not a device that the profile names, reading it all the same",
        "profile=" + profile_.name + " " + wanted.id + "=\"" + said + "\" expected=" + expected);
    return !wanted.deny;
}

Answered Unit::read_text(std::size_t index, Instant deadline) {
    const auto& text = profile_.texts[index];
    const auto answered = ask(text.place, deadline);
    const bool refused = answered.answer == Answer::exception && answered.exception <= illegal_data_value;
    if (answered.answer == Answer::reply)
        texts_[index] = {true, profile::decode_text(text, answered.registers)};
    else if (refused)
        texts_[index] = {true, ""};
    return answered;
}

Went Unit::meet(Instant deadline) {
    bool fitting = true;
    for (auto& text : texts_) text.first = false;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
        if (profile_.texts[i].expect.empty()) continue;
        if (!room_for(profile_.texts[i].place, deadline)) return Went::over;
        const auto answered = read_text(i, deadline);
        if (answered.answer == Answer::gone || answered.answer == Answer::desynced) return Went::gone;
        if (answered.answer == Answer::cancelled) return Went::cancelled;
        if (!texts_[i].first) return Went::over;
        fitting = fits(i) && fitting;
    }
    met_ = true;
    told_ = texts_.empty();
    denied_ = !fitting;
    check_again_ = host_.now() + denied_lasts;
    return Went::on;
}

// Reads one more text that nothing depends on, in time that is left; when all are known, says what the unit is.
Went Unit::tell(Instant deadline) {
    const auto next = std::find_if(texts_.begin(), texts_.end(), [](const auto& text) { return !text.first; });
    if (next != texts_.end()) {
        const auto index = static_cast<std::size_t>(next - texts_.begin());
        if (!room_for(profile_.texts[index].place, deadline)) return Went::on;
        const auto answered = read_text(index, deadline);
        if (answered.answer == Answer::cancelled) return Went::cancelled;
        if (answered.answer == Answer::gone || answered.answer == Answer::desynced) return Went::gone;
        if (answered.answer != Answer::reply) next->first = true;  // not worth a second try
        return Went::on;
    }
    std::string all = "profile=" + profile_.name;
    for (std::size_t i = 0; i < texts_.size(); ++i) all += " " + profile_.texts[i].id + "=\"" + texts_[i].second + "\"";
    log(Level::info, "the unit says what it is", all);
    told_ = true;
    return Went::on;
}

}  // namespace gwatt::drivers::modbus
