#include "agent/self_device_list.hpp"

#include <sys/resource.h>

namespace gwatt::agent {
namespace {

using Kind = runtime::Counters::Kind;

std::uint64_t microseconds(Duration d) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(d).count());
}

}  // namespace

void CounterList::add(const std::string& bus, const Bus& source) {
    const runtime::Counters::Labels labels{{"bus", bus}};
    const BusCounters& c = source.counters();
    counters_.counter("gwatt_agent_bus_reads_total", labels, "Reads asked of the bus", c.reads);
    counters_.counter("gwatt_agent_bus_samples_total", labels, "Samples that the bus gave", c.samples);
    counters_.counter("gwatt_agent_bus_timeouts_total", labels, "Reads that did not end in time", c.timeouts);
    counters_.counter("gwatt_agent_bus_garbled_total", labels, "Answers that made no sense", c.garbled);
    counters_.counter("gwatt_agent_bus_errors_total", labels, "Reads that failed otherwise", c.errors);
    counters_.counter("gwatt_agent_bus_restarts_total", labels, "Restarts of the bus's runner", c.restarts);
    counters_.counter("gwatt_agent_bus_late_answers_total", labels, "Answers that came after the deadline",
                      c.late_answers);
}

void CounterList::add(const std::string& bus, Sampler& sampler) {
    const runtime::Counters::Labels labels{{"bus", bus}};
    const Sampler::Counters& c = sampler.counters();
    counters_.counter("gwatt_agent_sampler_reads_total", labels, "Reads started", c.reads);
    counters_.counter("gwatt_agent_sampler_readings_total", labels, "Readings handed on, with or without a value",
                      c.readings);
    counters_.counter("gwatt_agent_sampler_no_value_total", labels, "Readings without a value", c.no_value);
    counters_.counter("gwatt_agent_sampler_suspect_total", labels, "Readings outside the plausible range", c.suspect);
    counters_.counter("gwatt_agent_sampler_skipped_points_total", labels, "Grid points that passed unread",
                      c.skipped_points);
    counters_.counter("gwatt_agent_sampler_realigned_total", labels, "Steps of the wall clock", c.realigned);
    counters_.counter("gwatt_agent_sampler_unwanted_total", labels, "Readings of sensors not asked for", c.unwanted);
    Jitter& jitter = *jitter_.emplace_back(std::make_unique<Jitter>(Jitter{&sampler}));
    counters_.gauge("gwatt_agent_sampler_lateness_p99_microseconds", labels,
                    "Start of reads behind the grid, 99th percentile of the last minute", jitter.p99_us);
    counters_.gauge("gwatt_agent_sampler_lateness_max_microseconds", labels,
                    "Start of reads behind the grid, most of the last minute", jitter.most_us);
}

void CounterList::add(const Energy& energy) {
    const Energy::Counters& c = energy.counters();
    counters_.counter("gwatt_agent_energy_used_total", {}, "Readings that went into a joule counter", c.used);
    counters_.counter("gwatt_agent_energy_not_good_total", {}, "Readings of energy points without a good value",
                      c.not_good);
    counters_.counter("gwatt_agent_energy_out_of_order_total", {}, "Readings not later than the last of their sensor",
                      c.out_of_order);
    counters_.counter("gwatt_agent_energy_gaps_total", {}, "Gaps booked as estimated energy", c.gaps);
    counters_.counter("gwatt_agent_energy_wraps_total", {}, "Wraps of devices' energy counters", c.wraps);
    counters_.counter("gwatt_agent_energy_resets_total", {}, "Restarts and jumps of devices' energy counters",
                      c.resets);
}

void CounterList::add(const Batcher& batcher) {
    const Batcher::Counters& c = batcher.counters();
    batcher_ = &batcher;
    const char* dropped = "gwatt_agent_samples_dropped_total";
    const char* why = "Readings dropped, by reason";
    counters_.counter("gwatt_agent_readings_total", {}, "Readings taken from all buses", c.readings);
    counters_.counter(dropped, {{"reason", "superseded"}}, why, c.superseded);
    counters_.counter(dropped, {{"reason", "late"}}, why, c.late);
    counters_.counter(dropped, {{"reason", "unknown"}}, why, c.unknown);
    counters_.counter(dropped, {{"reason", "switched_off"}}, why, c.switched_off);
    counters_.counter("gwatt_agent_messages_total", {{"stream", "live"}}, "Messages made", c.live_messages);
    counters_.counter("gwatt_agent_messages_total", {{"stream", "data"}}, "Messages made", c.data_messages);
    counters_.gauge("gwatt_agent_open_samples", {}, "Readings in batches that are not closed yet", open_samples_);
    counters_.counter("gwatt_agent_uptime_seconds_total", {}, "Seconds since the agent started", uptime_s_);
    counters_.counter("gwatt_agent_cpu_milliseconds_total", {}, "Processor time of the agent itself", cpu_ms_);
    counters_.gauge("gwatt_agent_memory_max_bytes", {}, "Most memory that the agent itself had resident",
                    memory_bytes_);
}

void CounterList::add(const Spool& spool) {
    const Spool::Counters& c = spool.counters();
    counters_.counter("gwatt_agent_spool_appended_total", {}, "Messages put into the spool", c.appended);
    counters_.counter("gwatt_agent_spool_delivered_total", {}, "Messages that the broker has taken", c.delivered);
    counters_.counter("gwatt_agent_spool_requeued_total", {}, "Messages put back after a failed delivery", c.requeued);
    counters_.counter("gwatt_agent_samples_delivered_total", {}, "Readings that the broker has taken",
                      c.samples_delivered);
    for (std::size_t r = 0; r < drop_reasons; ++r) {
        const char* reason = to_string(static_cast<DropReason>(r));
        counters_.counter("gwatt_agent_messages_dropped_total", {{"reason", reason}}, "Messages dropped, by reason",
                          c.dropped[r]);
        counters_.counter("gwatt_agent_samples_dropped_total", {{"reason", reason}}, "Readings dropped, by reason",
                          c.samples_dropped[r]);
    }
    counters_.gauge("gwatt_agent_spool_records", {}, "Messages in the spool", c.records);
    counters_.gauge("gwatt_agent_spool_bytes", {}, "Memory that the spool holds", c.bytes);
    counters_.gauge("gwatt_agent_spool_samples", {}, "Readings in the spool", c.samples);
}

void CounterList::add(const Publisher& publisher) {
    const Publisher::Counters& c = publisher.counters();
    const char* name = "gwatt_agent_publish_answers_total";
    const char* help = "Answers of the broker to publications";
    counters_.counter(name, {{"answer", "taken"}}, help, c.taken);
    counters_.counter(name, {{"answer", "lost"}}, help, c.lost);
    counters_.counter(name, {{"answer", "not_authorised"}}, help, c.not_authorised);
    counters_.counter(name, {{"answer", "quota"}}, help, c.quota);
    counters_.counter(name, {{"answer", "too_large"}}, help, c.too_large);
    counters_.counter(name, {{"answer", "refused"}}, help, c.refused);
    counters_.counter("gwatt_agent_publish_history_total", {}, "Publications to history topics", c.history);
    counters_.counter("gwatt_agent_publish_payload_bytes_total", {}, "Bytes of payloads that the broker has taken",
                      c.payload_bytes);
    const Announcer::Counters& a = publisher.announced();
    counters_.counter("gwatt_agent_announced_total", {{"stream", "catalog"}},
                      "Retained messages that the broker has taken", a.catalogs);
    counters_.counter("gwatt_agent_announced_total", {{"stream", "status"}},
                      "Retained messages that the broker has taken", a.statuses);
    counters_.counter("gwatt_agent_announcements_failed_total", {}, "Retained messages that it has not taken",
                      a.not_taken);
    counters_.gauge("gwatt_agent_publish_in_flight", {}, "Publications that wait for an answer", c.in_flight);
}

void CounterList::refresh() {
    for (const auto& jitter : jitter_) {
        jitter->p99_us = microseconds(jitter->sampler->lateness().percentile(0.99));
        jitter->most_us = microseconds(jitter->sampler->lateness().most());
        jitter->sampler->lateness().clear();
    }
    if (batcher_) open_samples_ = batcher_->open_samples();
    uptime_s_ =
        static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(clock_.now() - start_).count());
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) return;
    const auto ms = [](const timeval& t) {
        return static_cast<std::uint64_t>(t.tv_sec) * 1000 + static_cast<std::uint64_t>(t.tv_usec) / 1000;
    };
    cpu_ms_ = ms(usage.ru_utime) + ms(usage.ru_stime);
    memory_bytes_ = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace gwatt::agent
