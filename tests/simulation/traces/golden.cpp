#include "tests/simulation/traces/golden.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace gwatt::test {

std::vector<Golden> read_golden(const std::filesystem::path& file) {
    std::ifstream in(file);
    if (!in) {
        throw std::runtime_error(file.string() + ": cannot be opened");
    }
    std::vector<Golden> all;
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        if (number == 1 || line.empty()) {
            continue;
        }
        std::istringstream fields(line);
        Golden golden;
        std::string nodes, samples, kwh;
        std::getline(fields, golden.measured, ',');
        std::getline(fields, golden.workload, ',');
        std::getline(fields, golden.run, ',');
        std::getline(fields, nodes, ',');
        std::getline(fields, samples, ',');
        std::getline(fields, kwh, ',');
        try {
            golden.nodes = std::stoull(nodes);
            golden.samples = std::stoull(samples);
            golden.kwh = std::stod(kwh);
        } catch (const std::exception&) {
            throw std::runtime_error(file.string() + ":" + std::to_string(number) +
                                     ": expected measured,workload,run,nodes,samples,kwh");
        }
        all.push_back(golden);
    }
    return all;
}

Golden golden_of(const std::filesystem::path& golden, const std::filesystem::path& trace) {
    const auto name = trace.filename().string();
    for (const auto& row : read_golden(golden)) {
        const auto expected = row.trace_file();
        if (name == expected || name + ".xz" == expected) {
            return row;
        }
    }
    throw std::runtime_error(golden.string() + ": no total for " + name);
}

}  // namespace gwatt::test
