#include "fleet/config.hpp"

#include "proto/topics.hpp"
#include "runtime/mqtt_options.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace gwatt::fleet {

using runtime::TomlTable;
using namespace std::chrono_literals;

namespace {
constexpr double most_rack_watts = 100e6;
constexpr std::size_t longest_name = 64;

// A name that people gave: printable, short, and without the slash that separates scopes.
std::string place(TomlTable& table, std::string_view key, std::string fallback = "") {
    auto text = table.text(key, std::move(fallback));
    const bool good = text.size() <= longest_name && std::none_of(text.begin(), text.end(), [](char c) {
                          return static_cast<unsigned char>(c) < 0x20 || c == '/' || c == 0x7f;
                      });
    if (!good) table.fault(key, "at most 64 characters, no slash, no control characters");
    return text;
}

std::string topic_level(TomlTable& table, std::string_view key, std::optional<std::string> fallback = {}) {
    auto text = table.text(key, std::move(fallback));
    if (table.has(key) && !proto::valid_topic_level(text))
        table.fault(key, "lower case letters, digits and dashes, 1 to 64 of them");
    return text;
}

std::uint16_t port(TomlTable& table, std::string_view key, std::uint16_t lowest, std::uint16_t fallback) {
    return static_cast<std::uint16_t>(table.integer(key, lowest, 65535, fallback));
}

void read_broker(TomlTable table, BrokerConfig& out) {
    out.host = table.text("host", out.host);
    out.port = port(table, "port", 1, out.port);
    out.protocol = table.choice<int>("protocol", {{"5", 5}, {"3.1.1", 4}}, out.protocol);
    out.insecure = table.flag("insecure", out.insecure);
    out.username = table.text("username", "");
    out.password_file = table.text("password_file", "");
    out.keepalive =
        std::chrono::duration_cast<std::chrono::seconds>(table.duration("keepalive", 1s, 1h, Duration(out.keepalive)));
    if (auto tls = table.table("tls")) {
        out.tls = TlsFiles{tls->text("ca", ""), tls->text("cert", ""), tls->text("key", "")};
        if (out.tls->certificate.empty() != out.tls->key.empty()) tls->fault("key", "cert and key together");
    }
    if (!out.tls && !out.insecure && !runtime::is_loopback(out.host))
        table.fault("host", "\"" + out.host + "\" without TLS",
                    "a section [mqtt.tls], or insecure = true where you mean it");
    if (out.port == 0) out.port = out.tls ? 8883 : 1883;
}

void read_fleet(TomlTable table, FleetConfig& out, std::string& site) {
    out.name = topic_level(table, "name", out.name);
    site = topic_level(table, "site", "");
    using Level = runtime::LogLevel;
    out.log_level = table.choice<Level>(
        "log", {{"error", Level::error}, {"warning", Level::warning}, {"info", Level::info}, {"debug", Level::debug}},
        out.log_level);
    out.admit_unlisted = table.choice<bool>("unlisted", {{"admit", true}, {"refuse", false}}, out.admit_unlisted);
    out.agents_limit = static_cast<std::size_t>(
        table.integer("agents_limit", 1, 1'000'000, static_cast<std::int64_t>(out.agents_limit)));
    out.most_watts = table.number("most_watts", 1, most_rack_watts, out.most_watts);
}

void read_windows(TomlTable table, WindowConfig& out) {
    out.provisional_after = table.duration("provisional_after", 2s, 10min, out.provisional_after);
    out.final_after = table.duration("final_after", 2s, 1h, out.final_after);
    out.hold = table.duration("hold", 2s, 10min, out.hold);
    if (out.final_after < out.provisional_after) table.fault("final_after", "at least provisional_after");
}

void read_metrics(TomlTable table, MetricsConfig& out) {
    out.address = table.text("address", out.address);
    out.port = port(table, "port", 0, out.port);
    out.racks = table.flag("racks", out.racks);
}

RackConfig read_rack(TomlTable& table, const std::string& site) {
    RackConfig out;
    out.agent = topic_level(table, "agent");
    out.site = site.empty() || table.has("site") ? topic_level(table, "site") : site;
    out.hall = place(table, "hall");
    out.row = place(table, "row");
    out.rack = place(table, "rack", out.agent);
    out.peers = place(table, "peers");
    out.rating_watts = table.number("rating_watts", 0, most_rack_watts, 0);
    if (table.has("estimated_watts")) out.estimated_watts = table.number("estimated_watts", 0, most_rack_watts);
    out.feeds = table.texts("feeds");
    return out;
}

void read_racks(TomlTable& root, const std::string& site, FleetConfig& out) {
    std::map<std::pair<std::string, std::string>, std::string> seen;
    for (auto& table : root.tables("rack")) {
        auto rack = read_rack(table, site);
        const auto [at, first] = seen.emplace(std::pair(rack.site, rack.agent), table.path());
        if (!first) table.fault("agent", "an agent of its own; " + at->second + " has this one");
        out.racks.push_back(std::move(rack));
    }
    if (out.racks.size() > out.agents_limit) root.fault("rack", "at most fleet.agents_limit racks");
}

FleetConfig read(runtime::TomlDocument document, const std::string& file) {
    FleetConfig out;
    out.file = file;
    std::string site;
    auto root = document.root();
    if (auto table = root.table("fleet")) read_fleet(*table, out, site);
    if (auto table = root.table("mqtt")) read_broker(*table, out.mqtt);
    if (auto table = root.table("windows")) read_windows(*table, out.windows);
    if (auto table = root.table("metrics")) read_metrics(*table, out.metrics);
    if (out.mqtt.port == 0) out.mqtt.port = 1883;
    read_racks(root, site, out);
    document.finish();
    return out;
}
}  // namespace

FleetConfig load_config(const std::string& file, runtime::Environment environment) {
    return read(runtime::TomlDocument::load(file, std::move(environment)), file);
}

FleetConfig parse_config(std::string_view text, const std::string& file, runtime::Environment environment) {
    return read(runtime::TomlDocument::parse(text, file, std::move(environment)), file);
}

}  // namespace gwatt::fleet
