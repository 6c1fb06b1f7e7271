#include "agent/driver_host_state.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace gwatt::agent {
namespace {

constexpr int failures_to_reopen = 3;
constexpr int good_reads_to_trust = 3;  // then the back-off starts from its first step again
constexpr std::uint32_t stray_answers_to_cut = 100;

// The driver's deadline lies before the caller's, so that one that uses all of its time is still heard.
Monotonic driver_deadline(Monotonic now, Monotonic deadline, Duration overrun) {
    const Duration whole = std::max(Duration::zero(), deadline - now);
    const Duration margin = std::clamp<Duration>(whole / 20, milliseconds(1), milliseconds(20));
    return now + std::max(whole / 2, whole - margin - overrun);
}

std::uint32_t capacity_for(std::size_t wanted) {
    return static_cast<std::uint32_t>(std::min<std::size_t>(GWATT_MAX_SAMPLES, 4 * wanted + 64));
}

}  // namespace

// ---- requests and answers ----

bool DriverHost::State::send_request(frame::Writer& writer, frame::Type type, frame::Type answer) {
    if (!alive()) return false;
    last_id = last_id == UINT32_MAX ? 1 : last_id + 1;
    request = {last_id, answer, true, GWATT_BUG};
    if (link_->send(writer.finish(type, last_id))) return true;
    request.waiting = false;
    return false;
}

bool DriverHost::State::send_plain(frame::Type type, frame::Type answer) {
    frame::Writer writer{output};
    return send_request(writer, type, answer);
}

bool DriverHost::State::send_open() {
    std::vector<std::byte> memory(sizeof(frame::Header) + frame::max_request);
    frame::Writer writer{memory};
    write_options(writer, config);
    if (!writer.ok()) fail_for_good("the options are too long");
    return writer.ok() && send_request(writer, frame::Type::open, frame::Type::opened);
}

// True when the answer has come (its result is in request.result); a runner that owes one after `bound` is hung.
asio::awaitable<bool> DriverHost::State::answer_within(Duration bound) {
    const Monotonic until = clock.now() + bound;
    while (request.waiting && alive()) {
        if (cancelled()) co_return false;
        if (clock.now() >= until) {
            request.waiting = false;
            hung = true;
            trouble("no answer within " + std::to_string(std::chrono::duration_cast<milliseconds>(bound).count()) +
                    " ms");
            co_return false;
        }
        co_await wait(until);
    }
    co_return alive();
}

void DriverHost::State::take_frame(const frame::Header& header, frame::Bytes body) {
    const auto type = static_cast<frame::Type>(header.type);
    if (type == frame::Type::log) {
        if (!driver_log.take(body)) link_->cut("floods the log");
    } else if (request.waiting && header.request == request.id && type == request.answer) {
        request.waiting = false;
        take_answer(body);
        wake();
    } else {
        ++counters.late_answers;
        if (header.request == late_id) late_id = 0;
        if (++strays >= stray_answers_to_cut) link_->cut("sends answers that nobody asked for");
        wake();
    }
}

void DriverHost::State::take_answer(frame::Bytes body) {
    switch (request.answer) {
        case frame::Type::samples: return take_samples(body);
        case frame::Type::catalog: return take_catalog(body);
        case frame::Type::opened: return take_opened(body);
        case frame::Type::described: return take_described(body);
        default: request.result = GWATT_OK;
    }
}

void DriverHost::State::take_described(frame::Bytes body) {
    frame::Reader reader{body};
    const frame::Result said = frame::read_result(reader);
    const frame::Description description = frame::read_description(reader);
    if (!reader.complete()) return link_->cut("sent a description that cannot be read");
    request.result = said.result;
    error = clean_text(said.text);
    constexpr std::int64_t longest = nanoseconds(seconds(60)).count();
    open_worst = nanoseconds(std::clamp<std::int64_t>(description.open_worst_ns, 0, longest));
    close_worst = nanoseconds(std::clamp<std::int64_t>(description.close_worst_ns, 0, longest));
    read_overrun = nanoseconds(std::clamp<std::int64_t>(description.read_overrun_ns, 0, longest));
}

void DriverHost::State::take_opened(frame::Bytes body) {
    frame::Reader reader{body};
    const frame::Result said = frame::read_result(reader);
    const std::string_view option = reader.text();
    if (!reader.complete()) return link_->cut("sent an answer to open that cannot be read");
    request.result = said.result;
    error = clean_text(said.text);
    if (!option.empty()) error = "option " + clean_text(option) + ": " + error;
}

void DriverHost::State::take_catalog(frame::Bytes body) {
    frame::Reader reader{body};
    const frame::Result said = frame::read_result(reader);
    request.result = said.result;
    error = clean_text(said.text);
    new_sensors.clear();
    if (said.result != GWATT_OK) return;
    if (!judge_catalog(reader, config.name, new_sensors, error)) request.result = GWATT_BUG;
}

void DriverHost::State::take_samples(frame::Bytes body) {
    frame::SamplesAnswer answer;
    if (!frame::decode_samples(body, answer) || answer.count() > capacity) {
        ++counters.garbled;
        return link_->cut("sent samples that cannot be read");
    }
    request.result = answer.result;
    scan_error = clean_text(answer.text);
    const Duration period = asked_before == Monotonic{} ? Duration{} : asked_at - asked_before;
    const std::size_t before = readings.size();
    counters.errors += judge.judge(answer, {wanted, asked_at, clock.now(), period}, readings);
    for (std::size_t i = before; i < readings.size(); ++i)
        counters.samples += proto::has_value(readings[i].quality) ? 1 : 0;
}

// ---- reading ----

bool DriverHost::State::send_read(Monotonic deadline) {
    capacity = capacity_for(wanted.size());
    output.resize(std::max(output.size(), sizeof(frame::Header) + 16 + wanted.size() * sizeof(std::uint32_t)));
    frame::Writer writer{output};
    writer.i64(driver_deadline(clock.now(), deadline, read_overrun).time_since_epoch().count());
    writer.u32(capacity);
    writer.u32(static_cast<std::uint32_t>(wanted.size()));
    writer.bytes(wanted.data(), wanted.size() * sizeof(std::uint32_t));
    return send_request(writer, frame::Type::read, frame::Type::samples);
}

ScanResult DriverHost::State::scan(Quality quality) { return {quality, scan_error, readings}; }

ScanResult DriverHost::State::without_values(Quality quality) {
    readings.clear();
    for (const std::uint32_t sensor : wanted)
        if (sensor < sensors.size()) readings.push_back({clock.now(), 0, sensor, quality});
    if (scan_error.empty()) scan_error = error;
    return scan(quality);
}

asio::awaitable<ScanResult> DriverHost::State::read(std::span<const std::uint32_t> which, Monotonic deadline) {
    ++counters.reads;
    if (phase == Phase::open && request.waiting) co_return ScanResult{Quality::busy, "another read is under way", {}};
    readings.clear();
    scan_error.clear();
    wanted.assign(which.begin(), which.end());
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    while (!wanted.empty() && wanted.back() >= sensors.size()) wanted.pop_back();  // of a catalog that is no more
    if (late_id != 0) co_return without_values(Quality::timeout);
    if (phase != Phase::open || !alive() || asked.anything()) co_return without_values(away_quality);
    if (wanted.empty()) co_return scan(Quality::good);

    asked_before = asked_at;
    asked_at = clock.now();
    if (!send_read(deadline)) co_return without_values(Quality::gone);
    const std::uint32_t id = request.id;
    while (request.waiting && alive() && clock.now() < deadline) {
        reading.expires_at(deadline);
        co_await reading.async_wait(asio::as_tuple(asio::use_awaitable));
        // Not cancelled(): awaiting a coroutine throws in a cancelled caller, and the request would stay open.
        const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) break;
    }
    if (!request.waiting && alive()) {
        heed(request.result, scan_error);
        co_return scan(quality_of(request.result));
    }
    request.waiting = false;
    if (!alive()) co_return without_values(Quality::gone);
    late_id = id;
    ++counters.timeouts;
    trouble("no answer by the deadline");
    wake();
    co_return without_values(Quality::timeout);
}

void DriverHost::State::went_well() {
    failures = 0;
    error.clear();
    if (++good_reads == good_reads_to_trust) backoff.reset();
    complaint.recovered({{"bus", config.name}});
}

void DriverHost::State::count_failure() {
    if (++failures >= failures_to_reopen) asked.reopen = true;
}

// Each result is what happens next: the table of driver.h.
void DriverHost::State::heed(std::int32_t result, std::string_view text) {
    if (result == GWATT_OK) return went_well();
    if (result == GWATT_BUSY) return;
    if (result == GWATT_CHANGED) {
        asked.sensors = true;
        away_quality = Quality::not_read;
        return wake();
    }
    good_reads = 0;
    away_quality = quality_of(result);
    switch (result) {
        case GWATT_TIMEOUT:
            ++counters.timeouts;
            count_failure();
            break;
        case GWATT_GARBLED:
            ++counters.garbled;
            count_failure();
            break;
        case GWATT_GONE:
            ++counters.errors;
            asked.reopen = true;
            break;
        case GWATT_DENIED:
            ++counters.errors;
            asked.reopen = asked.denied = true;
            break;
        default:
            ++counters.errors;
            asked.close_for_good = true;
            break;
    }
    trouble(text.empty() ? "the driver gave no reason" : std::string(text));
    wake();
}

void DriverHost::State::trouble(std::string text) {
    error = std::move(text);
    complaint.complain({{"bus", config.name}, {"driver", config.driver}, {"error", error}});
}

void DriverHost::State::fail_for_good(std::string text) {
    permanent = true;
    error = std::move(text);
    log.error("bus stays closed until the configuration changes",
              {{"bus", config.name}, {"driver", config.driver}, {"error", error}});
}

}  // namespace gwatt::agent
