#include "agent/spool.hpp"

#include <algorithm>

namespace gwatt::agent {

using runtime::Monotonic;

namespace {

constexpr std::uint64_t bookkeeping = sizeof(Record) + 32;  // bytes of a record beside its payload
constexpr std::array<Duration, 3> thin_steps{10s, 60s, 600s};

std::uint64_t bytes_of(const Record& record) { return record.payload.capacity() + bookkeeping; }

}  // namespace

const char* to_string(DropReason reason) {
    switch (reason) {
        case DropReason::full: return "full";
        case DropReason::thinned: return "thinned";
        case DropReason::full_live: return "full_live";
        case DropReason::age: return "age";
        case DropReason::too_large: return "too_large";
        case DropReason::refused: return "refused";
    }
    return "unknown";
}

void Spool::forget(const Entry& entry) {
    --counters_.records;
    counters_.bytes -= bytes_of(entry.record);
    counters_.samples -= entry.record.samples;
}

void Spool::count_drop(const Entry& entry, DropReason reason) {
    const auto r = static_cast<std::size_t>(reason);
    ++counters_.dropped[r];
    counters_.samples_dropped[r] += entry.record.samples;
}

std::uint64_t Spool::append(const Outgoing& message) {
    Record record{next_id_++,   message.stream,  message.sequence,
                  message.made, message.samples, std::string(message.payload)};
    ++counters_.appended;
    counters_.samples_appended += record.samples;
    ++counters_.records;
    counters_.bytes += bytes_of(record);
    counters_.samples += record.samples;
    const std::uint64_t id = record.id;
    queue_of(message.stream).push_back({std::move(record), false});
    drop_aged(data_, 0);
    drop_aged(live_, 1);
    make_room();
    return id;
}

bool Spool::drop_oldest(Queue& queue, DropReason reason, std::size_t keep) {
    for (std::size_t i = 0; i + keep < queue.size(); ++i) {
        if (queue[i].under_way) continue;
        count_drop(queue[i], reason);
        forget(queue[i]);
        queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
        return true;
    }
    return false;
}

void Spool::drop_aged(Queue& queue, std::size_t keep) {
    const Monotonic oldest = clock_.now() - config_.age;
    while (queue.size() > keep && queue.front().record.made < oldest && !queue.front().under_way)
        drop_oldest(queue, DropReason::age, keep);
}

// Leaves out those of the older half that follow a kept one by less than a step; the smallest step that frees anything.
bool Spool::thin_live() {
    if (live_.size() < 4) return false;
    const std::uint64_t newest = live_[live_.size() / 2].record.id;
    for (Duration step : thin_steps) {
        std::optional<Monotonic> kept;
        const std::size_t before = live_.size();
        std::erase_if(live_, [&](const Entry& entry) {
            if (entry.record.id >= newest) return false;
            if (entry.under_way || !kept || entry.record.made - *kept >= step) {
                kept = entry.record.made;
                return false;
            }
            count_drop(entry, DropReason::thinned);
            forget(entry);
            return true;
        });
        if (live_.size() < before) return true;
    }
    return false;
}

void Spool::make_room() {
    while (counters_.bytes > config_.memory_bytes)
        if (!drop_oldest(data_, DropReason::full, 0) && !thin_live() && !drop_oldest(live_, DropReason::full_live, 1))
            return;
}

Spool::Entry* Spool::first_waiting(Queue& queue, bool backlog) {
    const Monotonic limit = clock_.now() - backlog_after_;
    auto at = queue.begin();
    if (!backlog)  // made-times grow with the ids
        at = std::partition_point(queue.begin(), queue.end(), [&](const Entry& e) { return e.record.made < limit; });
    at = std::find_if(at, queue.end(), [](const Entry& entry) { return !entry.under_way; });
    if (at == queue.end() || (backlog && at->record.made >= limit)) return nullptr;
    return &*at;
}

std::optional<Spool::Taken> Spool::take(const std::array<bool, lanes>& allowed) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
        const bool backlog = lane >= 2;
        Queue& queue = lane % 2 == 0 ? live_ : data_;
        if (!allowed[lane]) continue;
        if (Entry* entry = first_waiting(queue, backlog)) {
            entry->under_way = true;
            return Taken{&entry->record, static_cast<Lane>(lane)};
        }
    }
    return {};
}

Spool::Entry* Spool::find(std::uint64_t id) {
    for (Queue* queue : {&live_, &data_}) {
        const auto at = std::lower_bound(queue->begin(), queue->end(), id,
                                         [](const Entry& e, std::uint64_t i) { return e.record.id < i; });
        if (at != queue->end() && at->record.id == id) return &*at;
    }
    return nullptr;
}

bool Spool::erase(std::uint64_t id) {
    Entry* entry = find(id);
    if (!entry) return false;
    Queue& queue = queue_of(entry->record.stream);
    forget(*entry);
    const auto at = std::lower_bound(queue.begin(), queue.end(), id,
                                     [](const Entry& e, std::uint64_t i) { return e.record.id < i; });
    queue.erase(at);
    return true;
}

void Spool::done(std::uint64_t id) {
    const Entry* entry = find(id);
    if (!entry) return;
    ++counters_.delivered;
    counters_.samples_delivered += entry->record.samples;
    erase(id);
}

void Spool::drop(std::uint64_t id, DropReason reason) {
    const Entry* entry = find(id);
    if (!entry) return;
    count_drop(*entry, reason);
    erase(id);
}

void Spool::requeue(std::uint64_t id) {
    Entry* entry = find(id);
    if (!entry) return;
    entry->under_way = false;
    ++counters_.requeued;
}

}  // namespace gwatt::agent
