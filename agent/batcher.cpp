#include "agent/batcher.hpp"

#include <boost/asio/this_coro.hpp>

#include <algorithm>

namespace gwatt::agent {

using runtime::ClockReading;
using runtime::Monotonic;

namespace {

constexpr std::uint32_t most_cells = 100'000;  // of one data message: about 200 kB on the wire
constexpr Duration idle_pause = 100ms;         // without anything open

// The least whole multiple of `step` after `utc`.
runtime::Utc next_multiple(runtime::Utc utc, Duration step) {
    const auto since = utc.time_since_epoch();
    return runtime::Utc(since - since % step + step);
}

}  // namespace

Batcher::Batcher(const PublishConfig& config, runtime::Clock& clock, Energy& energy, std::uint64_t boot,
                 OutgoingSink sink)
    : config_(config), clock_(clock), energy_(energy), boot_(boot), sink_(std::move(sink)) {}

std::uint32_t Batcher::samples_of(const proto::RateGroup& group) const {
    const Duration length = group.period <= config_.fast_period ? config_.fast_batch : config_.slow_batch;
    const auto most = std::max<std::int64_t>(most_cells / std::max(group.count, 1u), 1);
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(length / group.period, 1, most));
}

void Batcher::set_catalog(const proto::Catalog& catalog) {
    finish();
    catalog_ = catalog;
    group_of_.assign(catalog_.sensors.size(), 0);
    for (std::uint32_t g = 0; g < catalog_.groups.size(); ++g) {
        const proto::RateGroup& group = catalog_.groups[g];
        batches_.emplace_back(g, group, samples_of(group));
        std::fill_n(group_of_.begin() + group.first, group.count, g);
    }
    live_.points.resize(catalog_.energy_points.size());
    live_start_ = clock_.now();
    plan_live();
}

void Batcher::plan_live() {
    const ClockReading now = clock_.read();
    live_end_ = now.monotonic + (next_multiple(now.utc, config_.live_interval) - now.utc);
    // After a small step back of the wall clock the next multiple is the one that has just been told.
    if (live_end_ - live_start_ < config_.live_interval / 2) live_end_ += config_.live_interval;
}

proto::Header Batcher::header(std::uint64_t sequence) const {
    const ClockReading now = clock_.read();
    proto::Header header;
    header.boot = boot_;
    header.sequence = sequence;
    header.catalog = catalog_.header.catalog;
    header.clock = {now.monotonic, now.utc, static_cast<proto::ClockState>(now.state), now.offset, now.bound};
    return header;
}

void Batcher::begin(Batch& batch, Monotonic grid) {
    const ClockReading now = clock_.read();
    const Duration period = batch.shape().period;
    const auto utc = (now.utc + (grid - now.monotonic)).time_since_epoch();
    const std::int64_t point = (utc + period / 2) / period;  // number of the grid point since 1970
    batch.begin(grid, batch.whole() - static_cast<std::uint32_t>(point % batch.whole()));
}

void Batcher::place(const proto::Reading& reading, const Scan& scan) {
    if (reading.sensor >= group_of_.size() || batches_.empty()) {
        ++counters_.unknown;
        return;
    }
    Batch& batch = batches_[group_of_[reading.sensor]];
    std::int64_t column = batch.open() ? batch.column(scan.grid) : 0;
    if (batch.open() && scan.grid >= batch.end() - batch.shape().period / 2) close(batch);
    if (!batch.open()) {
        begin(batch, scan.grid);
        column = 0;
    }
    if (column < 0) {
        ++counters_.late;
        return;
    }
    if (batch.put(static_cast<std::uint32_t>(column), reading) == Batch::Put::superseded) ++counters_.superseded;
}

void Batcher::take(const Scan& scan) {
    if (config_.live && scan.grid >= live_end_) advance();
    counters_.readings += scan.readings.size();
    if (!config_.data) {
        counters_.switched_off += scan.readings.size();
        return;
    }
    if (scan.realigned)
        for (const proto::Reading& reading : scan.readings)
            if (reading.sensor < group_of_.size()) close(batches_[group_of_[reading.sensor]]);
    for (const proto::Reading& reading : scan.readings) place(reading, scan);
}

void Batcher::close(Batch& batch) {
    if (!batch.open()) return;
    const Monotonic end = batch.end();
    const std::uint32_t samples = batch.filled();
    batch.close(data_);
    data_.header = header(++data_sequence_);
    ++counters_.data_messages;
    sink_({proto::Stream::data, data_sequence_, std::min(end, data_.header.clock.monotonic), samples,
           encoder_.data(data_, catalog_)});
}

void Batcher::close_live(Monotonic end) {
    if (!config_.live || live_.points.empty() || end <= live_start_) return;
    for (std::size_t i = 0; i < live_.points.size(); ++i) energy_.fill(i, live_.points[i]);
    live_.header = header(++live_sequence_);
    live_.start = live_start_;
    live_.interval = end - live_start_;
    ++counters_.live_messages;
    sink_({proto::Stream::live, live_sequence_, end, 0, encoder_.live(live_, catalog_)});
}

void Batcher::finish() {
    if (batches_.empty()) return;
    // At the very end of an interval too: readings may have come since it was closed, and their joules count.
    close_live(std::max(clock_.now(), live_start_ + std::chrono::milliseconds(1)));
    for (Batch& batch : batches_) close(batch);
    batches_.clear();
    group_of_.clear();
}

void Batcher::advance() {
    const Monotonic now = clock_.now();
    for (Batch& batch : batches_)
        if (batch.open() && now >= batch.end()) close(batch);
    if (batches_.empty() || now < live_end_) return;
    close_live(live_end_);
    live_start_ = live_end_;
    plan_live();
}

Monotonic Batcher::next_end() const {
    if (batches_.empty()) return clock_.now() + idle_pause;
    Monotonic next = live_end_;
    for (const Batch& batch : batches_)
        if (batch.open()) next = std::min(next, batch.end());
    return next;
}

boost::asio::awaitable<void> Batcher::run() {
    co_await boost::asio::this_coro::throw_if_cancelled(false);
    for (;;) {
        const Monotonic next = next_end();
        const bool woken = co_await clock_.sleep_until(next);
        if (!woken) co_return;
        advance();
    }
}

std::uint64_t Batcher::open_samples() const {
    std::uint64_t samples = 0;
    for (const Batch& batch : batches_)
        if (batch.open()) samples += batch.filled();
    return samples;
}

}  // namespace gwatt::agent
