#pragma once
// Real power traces as messages. The folder is that of trace_folder(); what is not there is left out, and said so.
#include <filesystem>

namespace gwatt::bench {

void measure_real(const std::filesystem::path& folder);

}  // namespace gwatt::bench
