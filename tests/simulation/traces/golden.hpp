#pragma once
// Totals that the submitter of a trace published: golden_totals.csv, `measured,workload,run,nodes,samples,published_total_kwh`.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gwatt::test {

struct Golden {
    std::string measured, workload, run;  // "ac", "gpt3", "5849-..."
    std::uint64_t nodes = 0, samples = 0;
    double kwh = 0;
    std::string trace_file() const { return workload + "_" + run + "_" + measured + ".csv.xz"; }
};

// Throws std::runtime_error naming file and line.
std::vector<Golden> read_golden(const std::filesystem::path& file);

// The row that belongs to a trace by the trace's name; throws where there is none.
Golden golden_of(const std::filesystem::path& golden, const std::filesystem::path& trace);

}  // namespace gwatt::test
