// plugin_reader PLUGIN.so [OPTION=VALUE ...]: opens a bus and reads it as it is told on stdin; for tests in other languages.
//   open | close                                   want ID ...   (nothing: all)
//   read BUDGET_MS                                 quit (or end of stdin)
// Each command is answered by one line of JSON; log lines come between as {"log": [level, text]}.
#include "tests/support/plugin_host.hpp"

#include <cinttypes>
#include <cstdio>
#include <iostream>
#include <iterator>
#include <sstream>

namespace {
using gwatt::tests::PluginHost;

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        char code[8];
        std::snprintf(code, sizeof code, "\\u%04x", static_cast<unsigned char>(c));
        if (c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20)
            out += code;
        else
            out += c;
    }
    return out + "\"";
}

std::vector<std::uint32_t> chosen(const PluginHost& host, std::istringstream& words) {
    std::vector<std::uint32_t> wanted;
    std::vector<std::string> ids{std::istream_iterator<std::string>(words), {}};
    for (std::uint32_t i = 0; i < host.sensors().size(); ++i)
        if (ids.empty() || std::find(ids.begin(), ids.end(), host.sensors()[i].id) != ids.end()) wanted.push_back(i);
    return wanted;
}

void tell_open(PluginHost& host, const std::vector<std::pair<std::string, std::string>>& options) {
    const auto [result, text] = host.open(options);
    std::printf("{\"result\": %d, \"error\": %s, \"sensors\": [", result, quoted(text).c_str());
    const char* comma = "";
    for (const auto& [id, s] : host.sensors()) {
        std::printf(
            "%s{\"id\": %s, \"label\": %s, \"quantity\": %u, \"point\": %u, \"resolution\": %.17g, \"offset\": %.17g}",
            comma, quoted(id).c_str(), quoted(s.label ? s.label : "").c_str(), s.quantity, s.point, s.resolution,
            s.offset);
        comma = ", ";
    }
    std::printf("]}\n");
}

void tell_read(PluginHost& host, const std::vector<std::uint32_t>& wanted, double budget_ms) {
    const auto turn = host.read(wanted, static_cast<std::int64_t>(budget_ms * 1e6));
    std::printf("{\"result\": %d, \"error\": %s, \"begun\": %.9f, \"took\": %.9f, \"waits\": %u, \"samples\": {",
                turn.result, quoted(turn.error).c_str(), static_cast<double>(turn.begun_ns) / 1e9,
                static_cast<double>(turn.took_ns) / 1e9, turn.waits);
    const char* comma = "";
    for (const auto& s : turn.samples) {
        std::printf("%s%s: [%u, %.17g, %.9f]", comma, quoted(host.sensors().at(s.sensor).id).c_str(), s.quality,
                    s.value, static_cast<double>(s.time_ns) / 1e9);
        comma = ", ";
    }
    std::printf("}}\n");
}
}  // namespace

int main(int count, char** words) {
    if (count < 2) return 64;
    std::vector<std::pair<std::string, std::string>> options;
    for (int i = 2; i < count; ++i) {
        const std::string pair = words[i];
        options.emplace_back(pair.substr(0, pair.find('=')), pair.substr(std::min(pair.size(), pair.find('=') + 1)));
    }
    PluginHost host(words[1], [](int level, const char* text) {
        std::printf("{\"log\": [%d, %s]}\n", level, quoted(text).c_str());
    });
    std::vector<std::uint32_t> wanted;
    for (std::string line; std::getline(std::cin, line);) {
        std::istringstream in(line);
        std::string command;
        double budget = 0;
        in >> command;
        if (command == "open")
            tell_open(host, options), in.clear(), wanted = chosen(host, in);
        else if (command == "want")
            wanted = chosen(host, in), std::printf("{\"wanted\": %zu}\n", wanted.size());
        else if (command == "read" && in >> budget)
            tell_read(host, wanted, budget);
        else if (command == "close")
            host.close(), std::printf("{}\n");
        else
            break;
        std::fflush(stdout);
    }
    return 0;
}
