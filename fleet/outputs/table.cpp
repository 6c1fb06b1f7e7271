#include "fleet/outputs/table.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <numeric>
#include <vector>

namespace gwatt::fleet {

namespace {
std::string scaled(double value, const char* unit) {
    constexpr const char* prefixes[] = {"", "k", "M", "G", "T", "P"};
    std::size_t prefix = 0;
    double size = std::fabs(value);
    while (size >= 999.95 && prefix + 1 < std::size(prefixes)) size /= 1000, ++prefix;
    char text[48];
    const int digits = prefix == 0 && unit[1] == '\0' ? 0 : size >= 99.995 ? 1 : size >= 9.9995 ? 2 : 3;
    std::snprintf(text, sizeof text, "%s%.*f %s%s", value < 0 ? "-" : "", digits, size, prefixes[prefix], unit);
    return text;
}

const char* state_text(const Total& total) {
    const auto in = [&](State s) { return total.racks_in[static_cast<std::size_t>(s)]; };
    if (total.racks == 0) return "no racks";
    if (total.without_cut == total.racks) return "no total";
    if (total.racks == 1 && total.controllers_lost == 1) return "controller lost";
    if (in(State::missing) == total.racks) return "missing";
    if (in(State::measured) == total.racks) return total.points_measured < total.points ? "partial" : "live";
    if (in(State::missing) > 0) return "incomplete";
    if (in(State::estimated) > 0) return "estimated";
    return "held";
}

std::string row(const std::string& name, const Total& t) {
    const double bound = (t.high - t.low) / 2;
    const std::string power =
        std::isinf(t.high) ? watts_text(t.watts) + " +?" : watts_text(t.watts) + " +-" + watts_text(bound);
    char coverage[32], line[320];
    std::snprintf(coverage, sizeof coverage, "%u/%u", t.racks_in[static_cast<std::size_t>(State::measured)], t.racks);
    const double apart =
        t.watts_in[static_cast<std::size_t>(State::held)] + t.watts_in[static_cast<std::size_t>(State::estimated)];
    std::snprintf(line, sizeof line, "%-34.34s %24.24s %11.11s %11.11s %11.11s %11.11s %7.7s  %s", name.c_str(),
                  power.c_str(), joules_text(t.measured_joules).c_str(),
                  joules_text(t.estimated_joules + t.unsettled_joules).c_str(), coverage,
                  apart == 0 ? "-" : watts_text(apart).c_str(),
                  t.oldest == proto::Duration{} ? "-" : age_text(t.oldest).c_str(), state_text(t));
    return line;
}

// Depth first, as a tree is read: a scope, then what lies in it.
std::vector<std::size_t> in_order(const std::vector<Scope>& scopes) {
    std::vector<std::size_t> order(scopes.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        if ((a == 0) != (b == 0)) return a == 0;
        return scopes[a].path < scopes[b].path;
    });
    return order;
}

std::string indented(const Scope& scope) {
    const auto slash = scope.path.rfind('/');
    return std::string(2 * static_cast<std::size_t>(scope.level), ' ') +
           (slash == std::string::npos ? scope.path : scope.path.substr(slash + 1));
}

std::string clock_text(proto::Utc now) {
    const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
    return text;
}
}  // namespace

std::string watts_text(double watts) { return scaled(watts, "W"); }
std::string joules_text(double joules) { return scaled(joules / 3600, "Wh"); }

std::string age_text(proto::Duration age) {
    const double seconds = std::chrono::duration<double>(age).count();
    char text[32];
    if (seconds < 100)
        std::snprintf(text, sizeof text, "%.1f s", seconds);
    else if (seconds < 6000)
        std::snprintf(text, sizeof text, "%.0f min", seconds / 60);
    else
        std::snprintf(text, sizeof text, "%.1f h", seconds / 3600);
    return text;
}

std::string TerminalTable::text(std::size_t lines, std::size_t columns, bool colour) const {
    if (!report_) return "no report yet\n";
    std::string out;
    std::size_t used = 0;
    const auto put = [&](const std::string& line, const char* style) {
        const auto cut = columns == 0 ? line : line.substr(0, columns);
        out += colour && *style ? style + cut + "\x1b[0m" : cut;
        out += '\n';
        ++used;
    };
    char head[320];
    std::snprintf(head, sizeof head, "gwatt-fleet %s  messages %llu, rejected %llu, missing %llu",
                  clock_text(report_->now).c_str(), static_cast<unsigned long long>(report_->books.received),
                  static_cast<unsigned long long>(report_->books.rejected_total()),
                  static_cast<unsigned long long>(report_->gaps.messages));
    put(head, "\x1b[1m");
    std::snprintf(head, sizeof head, "%-34s %24s %11s %11s %11s %11s %7s  %s", "scope", "power (95 %)", "measured",
                  "estimated", "racks", "not live", "oldest", "state");
    put(head, "\x1b[7m");
    const auto order = in_order(*report_->scopes);
    for (std::size_t i = 0; i < order.size(); ++i) {
        if (lines != 0 && used + 1 >= lines && i + 1 < order.size()) {
            put("... " + std::to_string(order.size() - i) + " more", "");
            break;
        }
        const auto& total = report_->totals[order[i]];
        const auto& scope = (*report_->scopes)[order[i]];
        const bool trouble = total.racks_in[static_cast<std::size_t>(State::measured)] < total.racks;
        put(row(indented(scope), total), trouble ? "\x1b[33m" : scope.level == ScopeLevel::fleet ? "\x1b[1m" : "");
    }
    return out;
}

}  // namespace gwatt::fleet
