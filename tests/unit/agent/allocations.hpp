#pragma once
// How often this program has asked for memory.
#include <cstdint>

namespace gwatt::test {
std::uint64_t allocations();
}
