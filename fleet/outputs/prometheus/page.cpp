#include "fleet/outputs/prometheus/page.hpp"

#include "fleet/outputs/prometheus/text.hpp"

#include <chrono>
#include <functional>

namespace gwatt::fleet {

namespace {
double seconds(proto::Duration d) { return std::chrono::duration<double>(d).count(); }
double joules(std::int64_t mj) { return static_cast<double>(mj) / 1e3; }

// Families over the scopes of a report.
class Scopes {
public:
    Scopes(MetricsText& out, const Report& report, bool racks) : out_(out), report_(report), racks_(racks) {}

    using Get = std::function<double(const Total&)>;
    void each(std::string_view name, std::string_view type, std::string_view help, const Get& get,
              bool of_racks = false) {
        out_.family(name, type, help);
        visit(of_racks, [&](const Scope& scope, const Total& total) {
            out_.sample({{"scope", scope.path}, {"level", scope_level_name(scope.level)}}, get(total));
        });
    }
    using GetState = std::function<double(const Total&, State)>;
    void each_state(std::string_view name, std::string_view help, const GetState& get, bool of_racks = false) {
        out_.family(name, "gauge", help);
        visit(of_racks, [&](const Scope& scope, const Total& total) {
            for (std::size_t s = 0; s < state_count; ++s) {
                const auto state = static_cast<State>(s);
                out_.sample(
                    {{"scope", scope.path}, {"level", scope_level_name(scope.level)}, {"state", state_name(state)}},
                    get(total, state));
            }
        });
    }
    template <class Visit> void visit(bool of_racks, Visit visit) {
        for (std::size_t i = 0; i < report_.totals.size(); ++i) {
            const auto& scope = (*report_.scopes)[i];
            if (scope.level == ScopeLevel::rack && !(racks_ && of_racks)) continue;
            visit(scope, report_.totals[i]);
        }
    }

private:
    MetricsText& out_;
    const Report& report_;
    bool racks_;
};

void put_power(Scopes& scopes, MetricsText& out) {
    scopes.each(
        "gwatt_fleet_power_watts", "gauge",
        "Power now: measured, held and estimated racks. Missing racks are in no sum.",
        [](const Total& t) { return t.watts; }, true);
    scopes.each(
        "gwatt_fleet_power_low_watts", "gauge", "Lower end of the 95 % interval of gwatt_fleet_power_watts.",
        [](const Total& t) { return t.low; }, true);
    scopes.each(
        "gwatt_fleet_power_high_watts", "gauge",
        "Upper end of the 95 % interval, with the ratings of missing racks; +Inf where one has none.",
        [](const Total& t) { return t.high; }, true);
    out.family("gwatt_fleet_power_uncertainty_watts", "gauge",
               "Standard uncertainty in two parts: random adds in squares, systematic linearly within a meter model.");
    scopes.visit(false, [&](const Scope& scope, const Total& t) {
        out.sample({{"scope", scope.path}, {"part", "random"}}, t.random);
        out.sample({{"scope", scope.path}, {"part", "systematic"}}, t.systematic);
    });
    scopes.each_state("gwatt_fleet_power_by_state_watts",
                      "Power by how it is known; of missing racks the rating or the last known power.",
                      [](const Total& t, State s) { return t.watts_in[static_cast<std::size_t>(s)]; });
}

void put_coverage(Scopes& scopes, MetricsText& out) {
    scopes.each("gwatt_racks_expected", "gauge", "Racks of the site file, and agents that it does not list but admits.",
                [](const Total& t) { return t.racks; });
    scopes.each_state(
        "gwatt_racks", "Racks by how their power is known now.",
        [](const Total& t, State s) { return t.racks_in[static_cast<std::size_t>(s)]; }, true);
    scopes.each("gwatt_coverage_ratio", "gauge", "Measured racks over expected racks.",
                [](const Total& t) { return t.racks == 0 ? 0 : static_cast<double>(t.racks_in[0]) / t.racks; });
    out.family("gwatt_racks_by_method", "gauge",
               "Measured racks by the points their total stands on; model: PSU output over an assumed efficiency.");
    scopes.visit(false, [&](const Scope& scope, const Total& t) {
        for (std::size_t m = 1; m < cut_level_count; ++m)
            out.sample({{"scope", scope.path}, {"method", cut_level_name(static_cast<CutLevel>(m))}}, t.racks_by[m]);
    });
    scopes.each("gwatt_racks_without_cut", "gauge", "Racks whose catalog has no points that cover them.",
                [](const Total& t) { return t.without_cut; });
    scopes.each("gwatt_controllers_lost", "gauge",
                "Rack controllers gone by their MQTT will. That is not a rack without power.",
                [](const Total& t) { return t.controllers_lost; });
    scopes.each("gwatt_points_expected", "gauge", "Measurement points of the totals, one for each feed and supply.",
                [](const Total& t) { return t.points; });
    scopes.each("gwatt_points_measured", "gauge", "Those with a reading in the last message.",
                [](const Total& t) { return t.points_measured; });
    scopes.each("gwatt_points_accuracy_assumed", "gauge",
                "Those whose catalog states no accuracy from a data sheet or calibration.",
                [](const Total& t) { return t.points_assumed; });
    scopes.each(
        "gwatt_oldest_reading_age_seconds", "gauge", "Age of the oldest reading in the sum.",
        [](const Total& t) { return seconds(t.oldest); }, true);
    scopes.each("gwatt_clock_bound_seconds", "gauge", "Worst bound on a controller's UTC, of those that state one.",
                [](const Total& t) { return seconds(t.clock_bound); });
    scopes.each("gwatt_clocks_unbounded", "gauge", "Controllers that state no bound on their UTC.",
                [](const Total& t) { return t.clocks_unbounded; });
    scopes.each("gwatt_clocks_off", "gauge", "Controllers whose UTC is a minute or more from ours: placed by arrival.",
                [](const Total& t) { return t.clocks_off; });
}

void put_energy(Scopes& scopes, MetricsText& out) {
    out.family("gwatt_energy_joules_total", "counter",
               "Energy since start. measured: from joule counters. estimated: booked by agents, and gaps between two "
               "starts of an agent.");
    scopes.visit(true, [&](const Scope& scope, const Total& t) {
        out.sample({{"scope", scope.path}, {"level", scope_level_name(scope.level)}, {"kind", "measured"}},
                   t.measured_joules);
        out.sample({{"scope", scope.path}, {"level", scope_level_name(scope.level)}, {"kind", "estimated"}},
                   t.estimated_joules);
    });
    scopes.each("gwatt_energy_estimated_low_joules", "gauge", "Lower bound of the estimated energy.",
                [](const Total& t) { return t.estimated_low; });
    scopes.each("gwatt_energy_estimated_high_joules", "gauge", "Upper bound of the estimated energy.",
                [](const Total& t) { return t.estimated_high; });
    scopes.each("gwatt_energy_unsettled_joules", "gauge",
                "Estimated for racks that are silent now; taken back if their counters return.",
                [](const Total& t) { return t.unsettled_joules; });
}

// Families over the last windows.
class Windows {
public:
    using All = std::array<std::array<Window, window_seconds.size()>, 2>;
    Windows(MetricsText& out, const All& windows, const std::vector<Scope>& scopes)
        : out_(out), windows_(windows), scopes_(scopes) {}

    template <class Visit> void visit(Visit visit) {
        for (const auto& sizes : windows_) {
            for (const auto& window : sizes) {
                for (std::size_t i = 0; i < window.sums.size(); ++i)
                    if (scopes_[i].level != ScopeLevel::rack && window.sums[i].seconds > 0)
                        visit(scopes_[i].path, window, window.sums[i]);
            }
        }
    }
    template <class Get> void each(std::string_view name, std::string_view help, Get get) {
        out_.family(name, "gauge", help);
        visit([&](const std::string& path, const Window& w, const WindowSum& sum) {
            out_.sample(
                {{"scope", path}, {"window", window_name(w.size)}, {"state", w.final ? "final" : "provisional"}},
                get(w, sum));
        });
    }

private:
    MetricsText& out_;
    const All& windows_;
    const std::vector<Scope>& scopes_;
};

void put_windows(Windows& windows, MetricsText& out) {
    windows.each(
        "gwatt_window_end_timestamp_seconds", "End of the last window of each size, UTC.",
        [](const Window& w, const WindowSum&) { return w.start + window_seconds[static_cast<std::size_t>(w.size)]; });
    windows.each("gwatt_window_seconds", "Seconds of the window that were watched.",
                 [](const Window&, const WindowSum& s) { return s.seconds; });
    out.family("gwatt_window_energy_joules", "gauge", "Energy of the last window by how it is known.");
    windows.visit([&](const std::string& path, const Window& w, const WindowSum& sum) {
        const std::pair<std::string_view, std::int64_t> kinds[] = {{"measured", sum.measured_mj},
                                                                   {"agent_estimated", sum.agent_mj},
                                                                   {"held", sum.held_mj},
                                                                   {"peer_estimated", sum.peers_mj}};
        for (const auto& [kind, mj] : kinds)
            out.sample({{"scope", path},
                        {"window", window_name(w.size)},
                        {"state", w.final ? "final" : "provisional"},
                        {"kind", kind}},
                       joules(mj));
    });
    windows.each("gwatt_window_mean_watts", "Mean power of the last window.",
                 [](const Window&, const WindowSum& s) { return s.mean_watts(); });
    windows.each("gwatt_window_min_watts", "Lowest second of the sum in the last window.",
                 [](const Window&, const WindowSum& s) { return joules(s.least_mj); });
    windows.each("gwatt_window_max_watts", "Highest second of the sum in the last window: the coincident peak.",
                 [](const Window&, const WindowSum& s) { return joules(s.most_mj); });
    windows.each("gwatt_window_coverage_ratio", "Measured rack seconds over expected rack seconds of the last window.",
                 [](const Window&, const WindowSum& s) {
                     double all = 0;
                     for (const auto n : s.rack_seconds) all += static_cast<double>(n);
                     return all == 0 ? 0 : static_cast<double>(s.rack_seconds[0]) / all;
                 });
}

template <class Number>
void put_one(MetricsText& out, std::string_view name, std::string_view type, std::string_view help, Number value) {
    out.family(name, type, help);
    out.sample({}, value);
}

void put_books(MetricsText& out, const Report& report) {
    const auto& books = report.books;
    put_one(out, "gwatt_messages_received_total", "counter", "Messages from MQTT. Equals taken + rejected + parked.",
            books.received);
    out.family("gwatt_messages_taken_total", "counter",
               "Messages by what the ledger made of them: used in order, late into a gap, duplicate.");
    out.sample({{"outcome", "used"}}, books.used);
    out.sample({{"outcome", "late"}}, books.late);
    out.sample({{"outcome", "duplicate"}}, books.duplicate);
    out.family("gwatt_messages_rejected_total", "counter", "Messages refused, by reason.");
    for (std::size_t r = 0; r < reason_count; ++r)
        out.sample({{"reason", reason_name(static_cast<Reason>(r))}}, books.rejected[r]);
    put_one(out, "gwatt_messages_parked", "gauge", "Messages that wait for their catalog.", books.parked);
    put_one(out, "gwatt_messages_missing", "gauge", "Sequence numbers not seen that may still come.",
            report.gaps.messages);
    put_one(out, "gwatt_message_gaps", "gauge", "Holes that they make.", report.gaps.gaps);
    put_one(out, "gwatt_messages_lost_total", "counter", "Sequence numbers given up.", report.gaps.lost);
    put_one(out, "gwatt_boots_total", "counter", "Starts of agents seen.", report.gaps.boots);
    out.family("gwatt_readings_rejected_total", "counter",
               "Counters and powers refused inside of used messages, by reason.");
    for (std::size_t r = 0; r < point_reason_count; ++r)
        out.sample({{"reason", point_reason_name(static_cast<PointReason>(r))}}, report.point_books.rejected[r]);
    put_one(out, "gwatt_messages_late_for_windows_total", "counter",
            "Messages after their second was final; their energy counts in the totals.",
            report.point_books.too_late_for_windows);
    put_one(out, "gwatt_messages_from_future_total", "counter",
            "Messages with a time ahead of ours; their energy counts in the totals.",
            report.point_books.from_the_future);
}

void put_counters(MetricsText& out, const runtime::Counters& counters) {
    std::string_view family;
    for (const auto& entry : counters.all()) {
        if (entry.name != family)
            out.family(entry.name, entry.kind == runtime::Counters::Kind::counter ? "counter" : "gauge", entry.help);
        family = entry.name;
        out.sample(entry.labels, *entry.value);
    }
}
}  // namespace

void PrometheusPage::report(const Report& report) {
    report_ = &report;
    text_.reset();
}

void PrometheusPage::window(const Window& window) {
    windows_[window.final ? 1 : 0][static_cast<std::size_t>(window.size)] = window;
    text_.reset();
}

std::shared_ptr<const std::string> PrometheusPage::text() {
    if (text_) return text_;
    auto text = std::make_shared<std::string>();
    MetricsText out(*text);
    out.family("gwatt_build_info", "gauge", "Version of gwatt-fleet.");
    out.sample({{"version", GWATT_VERSION}}, 1);
    if (report_) {
        Scopes scopes(out, *report_, racks_);
        put_power(scopes, out);
        put_coverage(scopes, out);
        put_energy(scopes, out);
        Windows windows(out, windows_, *report_->scopes);
        put_windows(windows, out);
        put_books(out, *report_);
    }
    put_counters(out, counters_);
    text_ = std::move(text);
    return text_;
}

}  // namespace gwatt::fleet
