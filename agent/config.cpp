#include "agent/config.hpp"

#include "proto/topics.hpp"
#include "runtime/mqtt_options.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <set>

namespace gwatt::agent {
namespace {

using runtime::TomlTable;

constexpr Duration shortest_period = 10ms;
constexpr Duration longest_period = 1h;
constexpr std::size_t most_buses = 256;

// Lower case letters, digits, underscores: a bus's name starts the names of its sensors, a driver's is a file's name.
bool valid_name(std::string_view name) {
    return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

std::string named(TomlTable& table, std::string_view key) {
    std::string name = table.text(key);
    if (!name.empty() && !valid_name(name)) table.fault(key, "1 to 64 lower case letters, digits and underscores");
    return name;
}

std::string topic_level(TomlTable& table, std::string_view key) {
    std::string name = table.text(key);
    if (!name.empty() && !proto::valid_topic_level(name))
        table.fault(key, "1 to 64 lower case letters, digits and dashes");
    return name;
}

template <class T, class Get> std::optional<T> if_given(TomlTable& table, std::string_view key, Get get) {
    if (!table.has(key)) return {};
    return get(table, key);
}

std::optional<std::string> text_if_given(TomlTable& table, std::string_view key) {
    return if_given<std::string>(table, key, [](TomlTable& t, std::string_view k) { return t.text(k); });
}

void read_agent(TomlTable& root, AgentConfig& out) {
    auto table = root.table("agent");
    if (!table) return root.fault("agent", "a section [agent] with site and name");
    out.site = topic_level(*table, "site");
    out.name = topic_level(*table, "name");
    using runtime::LogLevel;
    out.log_level = table->choice<LogLevel>("log",
                                            {{"error", LogLevel::error},
                                             {"warning", LogLevel::warning},
                                             {"info", LogLevel::info},
                                             {"debug", LogLevel::debug}},
                                            LogLevel::info);
    using runtime::ClockState;
    out.clock_source =
        table->choice<ClockState>("clock", {{"ntp", ClockState::ntp}, {"ptp", ClockState::ptp}}, ClockState::ntp);
    out.paths.runner = table->text("runner", "");
    out.paths.driver_directory = table->text("drivers", "");
}

void read_location(TomlTable& root, LocationConfig& out) {
    auto table = root.table("location");
    if (!table) return;
    out.hall = table->text("hall", "");
    out.row = table->text("row", "");
    out.rack = table->text("rack", "");
    out.rating_watts = table->number("rating", 0, 1e8, 0);
}

void read_tls(TomlTable& mqtt, std::optional<TlsConfig>& out) {
    auto table = mqtt.table("tls");
    if (!table) return;
    out.emplace();
    out->ca = table->text("ca", "");
    out->certificate = table->text("cert", "");
    out->key = table->text("key", "");
    if (out->certificate.empty() != out->key.empty())
        table->fault(out->key.empty() ? "key" : "cert", "cert and key together, or neither");
}

void read_mqtt(TomlTable& root, MqttConfig& out) {
    if (auto table = root.table("mqtt")) {
        out.host = table->text("host", out.host);
        out.port = static_cast<std::uint16_t>(table->integer("port", 1, 65535, 0));
        out.protocol = table->choice<int>("protocol", {{"5", 5}, {"3.1.1", 4}}, out.protocol);
        out.insecure = table->flag("insecure", false);
        out.username = table->text("username", "");
        out.password_file = table->text("password_file", "");
        out.keepalive = std::chrono::seconds(table->integer("keepalive", 5, 3600, out.keepalive.count()));
        out.window = static_cast<std::uint16_t>(table->integer("window", 1, 1000, out.window));
        read_tls(*table, out.tls);
        if (out.host.empty()) table->fault("host", "a host name or an address");
        if (!out.tls && !out.insecure && !runtime::is_loopback(out.host))
            table->fault("host", "\"" + out.host + "\" without TLS",
                         "a section [mqtt.tls], or insecure = true where you mean it");
    }
    if (out.port == 0) out.port = out.tls ? 8883 : 1883;
}

void read_publish(TomlTable& root, PublishConfig& out) {
    auto table = root.table("publish");
    if (!table) return;
    out.live = table->flag("live", out.live);
    out.data = table->flag("data", out.data);
    out.live_interval = table->duration("live_interval", 100ms, 60s, out.live_interval);
    out.fast_batch = table->duration("fast_batch", 1s, 10min, out.fast_batch);
    out.slow_batch = table->duration("slow_batch", 1s, 1h, out.slow_batch);
    out.history_after = table->duration("history_after", 1s, 1h, out.history_after);
    out.history_rate = static_cast<std::uint32_t>(table->integer("history_rate", 1, 10000, out.history_rate));
}

void read_energy(TomlTable& root, EnergyConfig& out) {
    if (auto table = root.table("energy")) out.gap = table->duration("gap", 0s, 1h, out.gap);
}

void read_spool(TomlTable& root, SpoolConfig& out) {
    auto table = root.table("spool");
    if (!table) return;
    constexpr std::int64_t most = std::numeric_limits<std::int32_t>::max();
    out.memory_bytes = static_cast<std::uint64_t>(
        table->integer("memory_bytes", 64 << 10, most, static_cast<std::int64_t>(out.memory_bytes)));
    out.age = table->duration("age", 1min, std::chrono::hours(24 * 31), out.age);
}

const std::vector<std::pair<std::string_view, proto::Point>> points{
    {"utility", proto::Point::utility}, {"feeder", proto::Point::feeder},   {"ups_out", proto::Point::ups_out},
    {"pdu_in", proto::Point::pdu_in},   {"rack_in", proto::Point::rack_in}, {"psu_in", proto::Point::psu_in},
    {"psu_out", proto::Point::psu_out}, {"busbar", proto::Point::busbar},   {"tray", proto::Point::tray},
    {"module", proto::Point::module},   {"gpu", proto::Point::gpu},         {"cpu", proto::Point::cpu},
    {"memory", proto::Point::memory},   {"cooling", proto::Point::cooling}, {"battery", proto::Point::battery}};

void read_rule(TomlTable& table, SensorRule& out) {
    out.match = table.text("match");
    out.line = table.line("match");
    out.period = if_given<Duration>(table, "period", [](TomlTable& t, std::string_view k) {
        return t.duration(k, shortest_period, longest_period);
    });
    out.enabled = if_given<bool>(table, "enabled", [](TomlTable& t, std::string_view k) { return t.flag(k); });
    out.resolution =
        if_given<double>(table, "resolution", [](TomlTable& t, std::string_view k) { return t.number(k, 1e-9, 1e12); });
    out.point =
        if_given<proto::Point>(table, "point", [](TomlTable& t, std::string_view k) { return t.choice(k, points); });
    out.feed = text_if_given(table, "feed");
    out.name = text_if_given(table, "name");
    out.label = text_if_given(table, "label");
    out.part_of = text_if_given(table, "part_of");
    if (out.name && out.match.find_first_of("*?") != std::string::npos)
        table.fault("name", "a name for a match with * or ?", "match to name one sensor");
}

void read_options(TomlTable& bus, BusSection& out) {
    auto table = bus.table("options");
    if (!table) return;
    for (const std::string& key : table->keys()) {
        out.host.options.emplace_back(key, table->as_text(key));
        out.option_lines.push_back(table->line(key));
    }
}

void read_bus(TomlTable& table, BusSection& out) {
    out.line = table.line("name");
    out.host.name = named(table, "name");
    out.host.driver = named(table, "driver");
    out.period = table.duration("period", shortest_period, longest_period, out.period);
    out.slow_period =
        table.duration("slow_period", shortest_period, longest_period, std::max(out.period, out.slow_period));
    out.host.kill_allowed = table.flag("kill", true);
    read_options(table, out);
    for (TomlTable& rule : table.tables("sensor")) read_rule(rule, out.rules.emplace_back());
}

void read_buses(TomlTable& root, AgentConfig& out) {
    std::set<std::string> names{"agent"};  // the agent's own counters
    auto tables = root.tables("bus");
    if (tables.empty()) root.fault("bus", "at least one [[bus]]");
    if (tables.size() > most_buses)
        root.fault("bus", std::to_string(tables.size()) + " buses", "at most " + std::to_string(most_buses));
    for (TomlTable& table : tables) {
        read_bus(table, out.buses.emplace_back());
        out.buses.back().host.base = std::filesystem::path(out.file).parent_path().string();
        if (!names.insert(out.buses.back().host.name).second)
            table.fault("name", "another name: this one is taken, and \"agent\" is the agent itself");
    }
}

AgentConfig read(runtime::TomlDocument document, const std::string& file) {
    AgentConfig out;
    out.file = file;
    TomlTable root = document.root();
    read_agent(root, out);
    read_location(root, out.location);
    read_mqtt(root, out.mqtt);
    read_publish(root, out.publish);
    read_energy(root, out.energy);
    read_spool(root, out.spool);
    read_buses(root, out);
    document.finish();
    return out;
}

}  // namespace

AgentConfig parse_config(std::string_view text, const std::string& file, runtime::Environment environment) {
    return read(runtime::TomlDocument::parse(text, file, std::move(environment)), file);
}

AgentConfig load_config(const std::string& file, runtime::Environment environment) {
    return read(runtime::TomlDocument::load(file, std::move(environment)), file);
}

}  // namespace gwatt::agent
