#pragma once
// Power traces as files: CSV with a header line `node,time_ms,watts` (or `run,...`), plain or xz; UTC milliseconds.
// Read whole, for tests and for gwatt-trace-replay.
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace gwatt::test {

struct TraceSample {
    std::int64_t time_ms = 0;  // since 1970, UTC
    double watts = 0;
};

// Samples per node, in the file's order. Throws std::runtime_error naming file and line.
using Trace = std::map<std::string, std::vector<TraceSample>>;
Trace read_trace(const std::filesystem::path& file);

// Contents of a file, plain or xz (decompressed by the program xz). Throws std::runtime_error.
std::string read_text(const std::filesystem::path& file);

// Folder of the published traces: $GWATT_TRACES, else `shared/traces` beside the checkout; empty where there is none.
std::filesystem::path trace_folder();

}  // namespace gwatt::test
