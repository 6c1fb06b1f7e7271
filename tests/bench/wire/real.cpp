#include "real.hpp"

#include "tally.hpp"
#include "tests/simulation/traces/trace.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>

namespace gwatt::bench {

namespace {

// One sensor: its values on the trace's own grid.
struct Column {
    double resolution = 1;
    std::uint32_t kind = 0;
    std::vector<double> values;
};
using Columns = std::vector<Column>;

proto::Catalog catalog_of(const Columns& columns, proto::Duration period) {
    proto::Catalog catalog;
    catalog.site = "dc-frankfurt-2";
    catalog.agent = "h03-r12-rack-07";
    for (const Column& column : columns) {
        proto::Sensor sensor;
        sensor.name = "meter.ch" + std::to_string(catalog.sensors.size());
        sensor.resolution = column.resolution;
        catalog.sensors.push_back(sensor);
    }
    catalog.groups = {{period, 0, static_cast<std::uint32_t>(columns.size())}};
    catalog.header.boot = 0x5eed5eed5eed5eed;
    catalog.header.catalog = proto::catalog_hash(catalog);
    return catalog;
}

// `samples` of every column a message, as many whole messages as the shortest column gives.
void measure(const std::string& name, const Columns& columns, proto::Duration period, std::uint32_t samples) {
    const proto::Catalog catalog = catalog_of(columns, period);
    std::vector<std::uint32_t> kinds;
    std::size_t length = columns.front().values.size();
    for (const Column& column : columns) {
        kinds.push_back(column.kind);
        length = std::min(length, column.values.size());
    }
    if (length < samples) return;  // too short for one message
    proto::Encoder encoder;
    Cost cost;
    DeltaEntropy entropy;
    proto::Data data;
    data.header = catalog.header;
    data.header.clock = {proto::Monotonic(std::chrono::hours(1000)), proto::Utc(std::chrono::seconds(1'790'000'000)),
                         proto::ClockState::ntp, std::chrono::microseconds(70), std::chrono::milliseconds(2)};
    data.period = period;
    data.samples = samples;
    data.quality.assign(columns.size() * samples, proto::Quality::good);
    data.values.resize(data.quality.size());
    for (std::size_t at = 0; at + samples <= length; at += samples) {
        for (std::size_t s = 0; s < columns.size(); ++s)
            std::copy_n(columns[s].values.begin() + static_cast<std::ptrdiff_t>(at), samples,
                        data.values.begin() + static_cast<std::ptrdiff_t>(s * samples));
        ++data.header.sequence;
        data.start = data.header.clock.monotonic += period * samples;
        data.header.clock.utc += period * samples;
        add_data(cost, encoder, data, catalog);
        entropy.add(data, catalog, kinds);
    }
    const std::string prefix = "wire.real." + name + ".k" + std::to_string(samples);
    print(prefix, cost.bytes_per_sample(), "B/sample");
    print(prefix + ".payload", static_cast<double>(cost.payload_bytes) / static_cast<double>(cost.samples), "B/sample");
    print(prefix + ".entropy", entropy.bytes_per_sample(), "B/sample");
}

// Nodes with the same values are one node logged twice: left out.
Columns nodes_of(const std::filesystem::path& file) {
    const test::Trace trace = test::read_trace(file);
    std::set<std::vector<double>> seen;
    Columns columns;
    std::size_t longest = 0;
    for (const auto& [node, samples] : trace) longest = std::max(longest, samples.size());
    for (const auto& [node, samples] : trace) {
        if (samples.size() * 10 < longest * 9) continue;  // broke off: would cut the others short
        Column column;
        for (const auto& sample : samples) column.values.push_back(sample.watts);
        // Doubles differ in length at the end at most.
        std::vector<double> key(
            column.values.begin(),
            column.values.begin() + static_cast<std::ptrdiff_t>(column.values.size() * 9 / 10 / 100 * 100));
        if (key.empty()) key = column.values;
        if (seen.insert(key).second) columns.push_back(std::move(column));
    }
    return columns;
}

// SPEC PTDaemon log: after Ch1, Ch2, Ch3 the pairs Watts, Volts, Amps, PF.
Columns channels_of(const std::filesystem::path& file) {
    static constexpr double resolutions[] = {0.1, 0.01, 0.001, 0.0001};
    static constexpr const char* words[] = {"Watts", "Volts", "Amps", "PF"};
    Columns columns(12);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        columns[i].kind = static_cast<std::uint32_t>(i % 4);
        columns[i].resolution = resolutions[i % 4];
    }
    std::istringstream text(test::read_text(file));
    for (std::string line; std::getline(text, line);) {
        std::vector<std::string> fields;
        std::istringstream in(line);
        for (std::string field; std::getline(in, field, ',');) fields.push_back(field);
        const auto first = std::find(fields.begin(), fields.end(), "Ch1");
        if (first == fields.end() || fields.end() - first != 27) continue;
        for (std::ptrdiff_t i = 0; i < 12; ++i) {
            const auto at = first + i / 4 * 9 + 1 + i % 4 * 2;
            if (*at != words[i % 4]) continue;
            columns[static_cast<std::size_t>(i)].values.push_back(std::stod(*(at + 1)));
        }
    }
    return columns;
}

}  // namespace

void measure_real(const std::filesystem::path& folder) {
    using std::chrono::seconds;
    const auto each = [&](const char* sub, auto use) {
        if (folder.empty() || !std::filesystem::is_directory(folder / sub)) {
            std::fprintf(stderr, "wire: no real traces %s: left out\n", sub);
            return;
        }
        std::set<std::filesystem::path> files;
        for (const auto& entry : std::filesystem::directory_iterator(folder / sub)) files.insert(entry.path());
        for (const auto& file : files)
            if (file.extension() == ".xz") use(file);
    };
    const auto both = [](const std::string& name, const Columns& columns, seconds period) {
        print("wire.real." + name + ".sensors", static_cast<double>(columns.size()), "sensors");
        for (const std::uint32_t samples : {10u, 60u}) measure(name, columns, period, samples);
    };
    each("smc-64x8xH100", [&](const std::filesystem::path& file) {
        const std::string text = file.filename().string();
        const bool ac = text.find("_ac.") != std::string::npos, gpt3 = text.find("gpt3") == 0;
        both(std::string("smc_") + (gpt3 ? "gpt3_" : "lora_") + (ac ? "ac" : "dc"), nodes_of(file), seconds(2));
    });
    each("h200x8-wall", [&](const std::filesystem::path& file) {
        const bool server = file.filename().string().find("Server") != std::string::npos;
        both(server ? "h200_wall_server" : "h200_wall_offline", channels_of(file), seconds(1));
    });
    each("lenovo-8xB200", [&](const std::filesystem::path& file) { both("lenovo", nodes_of(file), seconds(1)); });
}

}  // namespace gwatt::bench
