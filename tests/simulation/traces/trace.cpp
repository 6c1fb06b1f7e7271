#include "tests/simulation/traces/trace.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string_view>

namespace gwatt::test {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& file, std::size_t line, const std::string& what) {
    throw std::runtime_error(file.string() + ":" + std::to_string(line) + ": " + what);
}

// What `xz --decompress --stdout FILE` prints.
std::string read_xz(const std::filesystem::path& file) {
    int ends[2];
    if (pipe(ends) != 0) {
        throw std::runtime_error("pipe failed");
    }
    const pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execlp("xz", "xz", "--decompress", "--stdout", "--", file.c_str(), nullptr);
        _exit(127);
    }
    close(ends[1]);
    std::string text;
    char block[65536];
    for (ssize_t n = 0; (n = read(ends[0], block, sizeof block)) > 0;) {
        text.append(block, static_cast<std::size_t>(n));
    }
    close(ends[0]);
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
        throw std::runtime_error(file.string() + ": xz could not decompress it (is xz-utils installed?)");
    }
    return text;
}

template <class Number> bool parse(std::string_view text, Number& value) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace

std::string read_text(const std::filesystem::path& file) {
    if (!std::filesystem::is_regular_file(file)) {
        throw std::runtime_error(file.string() + ": no such file");
    }
    if (file.extension() == ".xz") {
        return read_xz(file);
    }
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

Trace read_trace(const std::filesystem::path& file) {
    const std::string text = read_text(file);
    Trace trace;
    std::size_t number = 0;
    for (std::string_view rest = text; !rest.empty();) {
        const auto end = rest.find('\n');
        auto line = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        ++number;
        if (!line.empty() && line.back() == '\r') {
            line.remove_suffix(1);
        }
        if (number == 1) {
            if (line != "node,time_ms,watts" && line != "run,time_ms,watts") {
                refuse(file, 1,
                       "expected the header `node,time_ms,watts`, found `" + std::string(line.substr(0, 80)) + "`");
            }
            continue;
        }
        if (line.empty()) {
            continue;
        }
        const auto first = line.find(',');
        const auto second = first == std::string_view::npos ? first : line.find(',', first + 1);
        TraceSample sample;
        if (second == std::string_view::npos || !parse(line.substr(first + 1, second - first - 1), sample.time_ms) ||
            !parse(line.substr(second + 1), sample.watts)) {
            refuse(file, number, "expected `name,milliseconds,watts`, found `" + std::string(line.substr(0, 80)) + "`");
        }
        trace[std::string(line.substr(0, first))].push_back(sample);
    }
    if (trace.empty()) {
        refuse(file, number, "no samples");
    }
    return trace;
}

std::filesystem::path trace_folder() {
    if (const char* folder = std::getenv("GWATT_TRACES")) {
        return folder;
    }
    const std::filesystem::path beside = std::filesystem::path(GWATT_SOURCE_DIR) / ".." / "shared" / "traces";
    return std::filesystem::is_directory(beside) ? std::filesystem::canonical(beside) : std::filesystem::path{};
}

}  // namespace gwatt::test
