#pragma once
// The symbols that a shared object exports, from its file alone: nothing of it runs. This machine's ELF class only.
#include <string>
#include <vector>

namespace gwatt::drivers::check {

// Defined, global or weak, of default visibility. Throws std::runtime_error when the file is no shared object of ours.
std::vector<std::string> exported_symbols(const std::string& file);

}  // namespace gwatt::drivers::check
