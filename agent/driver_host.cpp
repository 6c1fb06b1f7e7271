#include "agent/driver_host.hpp"

#include "agent/driver_host_judge.hpp"
#include "agent/driver_host_link.hpp"
#include "agent/driver_host_log.hpp"
#include "runtime/backoff.hpp"
#include "runtime/log.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <signal.h>

#include <algorithm>
#include <array>
#include <utility>

namespace gwatt::agent {

namespace asio = boost::asio;
namespace frame = drivers::frame;
using proto::BusState;
using proto::Duration;
using proto::Monotonic;
using proto::Quality;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

namespace {

constexpr Duration describe_bound = seconds(10);      // loading a vendor library from flash takes its time
constexpr Duration sensors_bound = seconds(5);        // it does not block, but 4096 sensors on a slow board
constexpr Duration answer_slack = milliseconds(500);  // over a declared worst case
constexpr Duration late_grace = milliseconds(200);    // for a late answer, after it was asked to end
constexpr Duration kill_bound = seconds(2);           // SIGKILL to the end of the process, unless it is in the kernel
constexpr Duration first_pause = milliseconds(200), longest_pause = seconds(5), denied_pause = seconds(60);
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

struct DriverHost::State {
    // What the bus is able to do now.
    enum class Phase : std::uint8_t { away, open, failed, stopped };
    // What the last turns ask of the one who tends the bus.
    struct Asked {
        bool reopen = false, sensors = false, close_for_good = false, denied = false;
        bool anything() const { return reopen || sensors || close_for_good; }
    };

    State(asio::io_context& the_loop, runtime::Clock& the_clock, runtime::Logger& the_log, BusConfig the_config,
          DriverHostPaths the_paths);

    asio::awaitable<void> run();
    asio::awaitable<ScanResult> read(std::span<const std::uint32_t> wanted, Monotonic deadline);
    asio::awaitable<bool> changed();

    // Life of the runner.
    bool start();
    asio::awaitable<void> converse();
    asio::awaitable<bool> describe();
    asio::awaitable<bool> open();
    asio::awaitable<bool> fetch_sensors();
    asio::awaitable<void> tend();
    asio::awaitable<void> let_late_answer_come();
    asio::awaitable<void> close();
    asio::awaitable<void> end_runner();
    asio::awaitable<void> leave_behind();
    asio::awaitable<void> pause();

    // Waiting. All return early when woken; nothing is lost, because flags are looked at before waiting.
    bool cancelled() const { return life.cancelled() != asio::cancellation_type::none; }  // run()
    asio::awaitable<void> wait(Monotonic until);
    asio::awaitable<void> wait_for_end(Duration at_most);  // of the process; not cut short by cancellation
    asio::awaitable<bool> answer_within(Duration bound);   // of the request just sent
    void wake();

    // Requests and answers.
    bool alive() const { return link_ != nullptr && !link_->cut(); }
    bool send_request(frame::Writer& writer, frame::Type type, frame::Type answer);
    bool send_plain(frame::Type type, frame::Type answer);
    bool send_open();
    void take_frame(const frame::Header& header, frame::Bytes body);
    void take_answer(frame::Bytes body);
    void take_samples(frame::Bytes body);
    void take_catalog(frame::Bytes body);
    void take_opened(frame::Bytes body);
    void take_described(frame::Bytes body);
    bool send_read(Monotonic deadline);
    void heed(std::int32_t result, std::string_view text);
    void went_well();
    void count_failure(std::uint64_t& counter);

    ScanResult scan(Quality quality);
    ScanResult without_values(Quality quality);
    void trouble(std::string text);
    void fail_for_good(std::string text);
    void tried();

    asio::io_context& loop;
    asio::cancellation_state life;  // of run(), once it has begun
    runtime::Clock& clock;
    runtime::Logger& log;
    const BusConfig config;
    const DriverHostPaths paths;

    Phase phase = Phase::away;
    bool permanent = false;  // stays closed until the configuration changes
    bool hung = false;       // a polite word is of no use
    Asked asked;
    bool first_tried = false, first_told = false;
    Quality away_quality = Quality::not_read;
    std::string error, scan_error;
    std::uint32_t starts = 0;
    std::uint64_t generation = 0;
    BusCounters counters;

    std::shared_ptr<DriverHostLink> link_;
    struct Request {
        std::uint32_t id = 0;
        frame::Type answer = frame::Type::log;
        bool waiting = false;
        std::int32_t result = GWATT_BUG;
    } request;
    std::uint32_t last_id = 0;
    std::uint32_t late_id = 0;  // a read that was given up and not yet answered; 0: none
    std::uint32_t strays = 0;   // answers of this runner that nobody waited for
    Duration open_worst = seconds(1), close_worst = seconds(1), read_overrun{};

    std::vector<proto::Sensor> sensors, new_sensors;
    SampleJudge judge;
    std::vector<std::uint32_t> wanted;
    std::vector<std::byte> output;
    std::vector<proto::Reading> readings;
    std::uint32_t capacity = 0;
    Monotonic asked_at{}, asked_before{};
    int failures = 0, good_reads = 0;

    runtime::Backoff backoff;
    runtime::Complaint complaint;
    DriverHostLog driver_log;
    asio::steady_timer tending;   // where run() waits
    asio::steady_timer reading;   // where read() waits
    asio::steady_timer changing;  // where changed() waits: many at once
};

DriverHost::State::State(asio::io_context& the_loop, runtime::Clock& the_clock, runtime::Logger& the_log,
                         BusConfig the_config, DriverHostPaths the_paths)
    : loop(the_loop),
      clock(the_clock),
      log(the_log),
      config(std::move(the_config)),
      paths(std::move(the_paths)),
      output(4096),
      backoff(first_pause, longest_pause, runtime::random_seed()),
      complaint(log, clock, "bus trouble"),
      driver_log(log, clock, config),
      tending(loop),
      reading(loop),
      changing(loop) {
    changing.expires_at(asio::steady_timer::time_point::max());
}

// ---- waiting ----

asio::awaitable<void> DriverHost::State::wait(Monotonic until) {
    tending.expires_at(until);
    co_await tending.async_wait(asio::as_tuple(asio::use_awaitable));
}

asio::awaitable<void> DriverHost::State::wait_for_end(Duration at_most) {
    const Monotonic until = clock.now() + at_most;
    while (!link_->ended() && clock.now() < until) {
        tending.expires_at(until);
        co_await tending.async_wait(
            asio::bind_cancellation_slot(asio::cancellation_slot(), asio::as_tuple(asio::use_awaitable)));
    }
}

void DriverHost::State::wake() {
    tending.cancel();
    reading.cancel();
}

void DriverHost::State::tried() {
    first_tried = true;
    changing.cancel();
}

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
    writer.text(config.base);
    writer.u32(static_cast<std::uint32_t>(config.options.size()));
    for (const auto& [name, value] : config.options) {
        writer.text(name);
        writer.text(value);
    }
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

void DriverHost::State::count_failure(std::uint64_t& counter) {
    ++counter;
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
        case GWATT_TIMEOUT: count_failure(counters.timeouts); break;
        case GWATT_GARBLED: count_failure(counters.garbled); break;
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

// ---- the life of a runner ----

bool DriverHost::State::start() {
    hung = false;
    asked = {};
    request = {};
    late_id = strays = 0;
    ++starts;
    if (starts > 1) ++counters.restarts;
    auto process = start_runner(paths, config);
    if (!process) {
        trouble("cannot start " + paths.runner + ": " + process.error().message());
        return false;
    }
    link_ = std::make_shared<DriverHostLink>(
        loop, std::move(*process),
        DriverHostLink::Listener{
            .frame = [this](const frame::Header& header, frame::Bytes body) { take_frame(header, body); },
            .change = [this] { wake(); }});
    link_->listen();
    return true;
}

asio::awaitable<bool> DriverHost::State::describe() {
    if (!send_plain(frame::Type::describe, frame::Type::described)) co_return false;
    const bool answered = co_await answer_within(describe_bound);
    if (!answered) co_return false;
    if (request.result != GWATT_OK) fail_for_good("cannot load driver " + config.driver + ": " + error);
    co_return request.result == GWATT_OK;
}

// True when the bus is open and its sensors are known. Otherwise the reason is in `error`, the wish in `asked`.
asio::awaitable<bool> DriverHost::State::open() {
    asked = {};
    if (!send_open()) co_return false;
    const bool answered = co_await answer_within(open_worst + answer_slack);
    if (!answered) co_return false;
    const std::int32_t result = request.result;
    if (result == GWATT_OK) {
        const bool fetched = co_await fetch_sensors();
        co_return fetched;
    }
    away_quality = quality_of(result);
    asked.denied = result == GWATT_DENIED;
    if (result == GWATT_BAD_CONFIG || result == GWATT_BUG)
        fail_for_good(error);
    else
        trouble(error);
    co_return false;
}

asio::awaitable<bool> DriverHost::State::fetch_sensors() {
    asked.sensors = false;
    if (!send_plain(frame::Type::sensors, frame::Type::catalog)) co_return false;
    const bool answered = co_await answer_within(sensors_bound);
    if (!answered) co_return false;
    if (request.result != GWATT_OK) {
        away_quality = quality_of(request.result);
        if (request.result == GWATT_BUG)
            fail_for_good(error);
        else
            trouble(error);
        co_return false;
    }
    if (generation == 0 || new_sensors != sensors) {
        sensors.swap(new_sensors);
        ++generation;
    }
    new_sensors.clear();
    judge.start(sensors);
    log.info(
        "bus open",
        {{"bus", config.name}, {"driver", config.driver}, {"sensors", sensors.size()}, {"generation", generation}});
    co_return true;
}

// With the runner, until it ends, hangs, or is of no use.
asio::awaitable<void> DriverHost::State::converse() {
    const bool described = co_await describe();
    while (described && alive() && !hung && !permanent) {
        failures = good_reads = 0;
        const bool opened = co_await open();
        if (opened) {
            phase = Phase::open;
            tried();
            co_await tend();
            phase = Phase::away;
        }
        tried();
        if (!alive() || hung || permanent || cancelled()) co_return;
        co_await pause();
    }
}

// While the bus is open: does what the last turns asked for.
asio::awaitable<void> DriverHost::State::tend() {
    while (alive() && !cancelled()) {
        if (late_id != 0) co_await let_late_answer_come();
        if (hung) co_return;
        if (request.waiting) {  // a read is under way: its end wakes us
            co_await wait(Monotonic::max());
            continue;
        }
        if (asked.close_for_good) fail_for_good(error);
        if (asked.close_for_good || asked.reopen) co_return co_await close();
        if (asked.sensors) {
            phase = Phase::away;
            const bool fetched = co_await fetch_sensors();
            if (!fetched) co_return co_await close();
            phase = Phase::open;
            tried();
            continue;
        }
        co_await wait(Monotonic::max());
    }
}

// A runner that is late is asked to end the call. If it then answers it is alive: nothing is restarted.
asio::awaitable<void> DriverHost::State::let_late_answer_come() {
    std::array<std::byte, sizeof(frame::Header)> memory;
    link_->send(frame::Writer{memory}.finish(frame::Type::cancel, late_id));
    const Monotonic until = clock.now() + late_grace + read_overrun;
    while (late_id != 0 && alive() && clock.now() < until && !cancelled()) co_await wait(until);
    hung = late_id != 0;
    if (!hung && ++failures >= failures_to_reopen) asked.reopen = true;
}

asio::awaitable<void> DriverHost::State::close() {
    phase = Phase::away;
    if (send_plain(frame::Type::close, frame::Type::closed)) co_await answer_within(close_worst + answer_slack);
}

asio::awaitable<void> DriverHost::State::pause() {
    const Duration length = asked.denied ? denied_pause : backoff.next();
    const Monotonic until = clock.now() + length;
    const bool had_runner = alive();
    while (clock.now() < until && alive() == had_runner && !cancelled()) co_await wait(until);
}

// Politely, then SIGTERM, then SIGKILL, each with its time.
asio::awaitable<void> DriverHost::State::end_runner() {
    if (link_ == nullptr) co_return;
    if (!link_->ended() && !hung) {
        std::array<std::byte, sizeof(frame::Header)> memory;
        link_->send(frame::Writer{memory}.finish(frame::Type::stop, 0));
        co_await wait_for_end(close_worst + answer_slack);
    }
    if (!link_->ended()) {
        link_->signal(SIGTERM);
        co_await wait_for_end(close_worst + answer_slack);
    }
    if (!link_->ended() && config.kill_allowed) {
        link_->signal(SIGKILL);
        co_await wait_for_end(kill_bound);
    }
    if (!link_->ended()) co_await leave_behind();
    link_->drop();
    link_.reset();
}

// Stuck in the kernel, or not to be killed. One such process at most: nothing is started beside it.
asio::awaitable<void> DriverHost::State::leave_behind() {
    error = "runner " + std::to_string(link_->pid()) + " does not end" +
            (config.kill_allowed ? ": it is stuck in the kernel" : ", and must not be killed");
    log.error("runner left behind", {{"bus", config.name}, {"driver", config.driver}, {"pid", link_->pid()}});
    away_quality = Quality::timeout;
    while (!link_->ended() && !cancelled()) co_await wait(Monotonic::max());
}

// No co_await stands in a condition here or above: g++ 12 lays such a frame out eight bytes off.
asio::awaitable<void> DriverHost::State::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    life = co_await asio::this_coro::cancellation_state;
    while (!permanent && !cancelled()) {
        const bool started = start();
        if (started) co_await converse();
        phase = Phase::away;
        const bool unexpected = started && !permanent && !cancelled();
        if (unexpected && link_->cut()) {
            away_quality = Quality::gone;
            if (!link_->ended()) co_await wait_for_end(milliseconds(100));  // the way it ended says more
            trouble("runner " + link_->why());
        } else if (unexpected && hung) {
            away_quality = Quality::timeout;
        }
        wake();
        tried();
        co_await end_runner();
        if (!permanent && !cancelled()) co_await pause();
    }
    phase = permanent ? Phase::failed : Phase::stopped;
    if (permanent && away_quality == Quality::not_read) away_quality = Quality::fault;
    while (!cancelled()) co_await wait(Monotonic::max());
    phase = Phase::stopped;
}

asio::awaitable<bool> DriverHost::State::changed() {
    if (first_tried && !first_told) {
        first_told = true;
        co_return true;
    }
    const std::uint64_t before = generation;
    const bool tried_before = first_tried;
    while (generation == before && first_tried == tried_before) {
        co_await changing.async_wait(asio::as_tuple(asio::use_awaitable));
        const asio::cancellation_state state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) co_return false;
    }
    first_told = true;
    co_return true;
}

// ---- the face ----

DriverHost::DriverHost(asio::io_context& loop, runtime::Clock& clock, runtime::Logger& log, BusConfig config,
                       DriverHostPaths paths)
    : state_(std::make_unique<State>(loop, clock, log, std::move(config), std::move(paths))) {}

// Only a run() that was cut off leaves a runner here; the closed socket tells it to end.
DriverHost::~DriverHost() {
    if (state_->link_ == nullptr) return;
    if (!state_->link_->ended()) state_->link_->signal(SIGTERM);
    state_->link_->drop();
}

asio::awaitable<void> DriverHost::run() { return state_->run(); }
std::span<const proto::Sensor> DriverHost::sensors() const { return state_->sensors; }
std::uint64_t DriverHost::generation() const { return state_->generation; }
asio::awaitable<bool> DriverHost::changed() { return state_->changed(); }
asio::awaitable<ScanResult> DriverHost::read(std::span<const std::uint32_t> wanted, runtime::Monotonic deadline) {
    return state_->read(wanted, deadline);
}
const std::string& DriverHost::name() const { return state_->config.name; }
int DriverHost::runner_pid() const {
    return state_->link_ != nullptr && !state_->link_->ended() ? state_->link_->pid() : 0;
}
const BusCounters& DriverHost::counters() const { return state_->counters; }

proto::BusStatus DriverHost::status() const {
    const State& state = *state_;
    BusState shown = BusState::starting;
    switch (state.phase) {
        case State::Phase::open: shown = state.complaint.active() ? BusState::degraded : BusState::ok; break;
        case State::Phase::away: shown = state.first_tried ? BusState::failed : BusState::starting; break;
        case State::Phase::failed: shown = BusState::failed; break;
        case State::Phase::stopped: shown = state.permanent ? BusState::failed : BusState::stopped; break;
    }
    return {state.config.name, state.config.driver, shown, static_cast<std::uint32_t>(state.counters.restarts),
            state.error};
}

}  // namespace gwatt::agent
