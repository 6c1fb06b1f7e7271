#include "drivers/check/report.hpp"

#include <unistd.h>

#include <algorithm>

namespace gwatt::drivers::check {

void Report::line(const char* kind, const std::string& text) {
    std::string whole = std::string(kind) + " " + text;
    std::replace_if(
        whole.begin(), whole.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
    whole += '\n';
    [[maybe_unused]] const ssize_t wrote = write(fd_, whole.data(), whole.size());
}

}  // namespace gwatt::drivers::check
