#include "drivers/check/process_state.hpp"

#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <filesystem>

namespace gwatt::drivers::check {
namespace {

std::size_t entries(const char* folder) {
    std::error_code ignored;
    std::size_t n = 0;
    for (std::filesystem::directory_iterator at(folder, ignored), end; at != end; at.increment(ignored)) ++n;
    return n;
}

std::size_t memory_in_use() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return 0;
#else
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
#endif
}

}  // namespace

ProcessState look_at_process() {
    ProcessState state;
    state.descriptors = entries("/proc/self/fd");
    state.threads = entries("/proc/self/task");
    state.memory = memory_in_use();
    state.directory = std::filesystem::current_path();
    state.locale = std::setlocale(LC_ALL, nullptr);
    state.umask = ::umask(0);
    ::umask(static_cast<mode_t>(state.umask));
    for (char** variable = environ; *variable != nullptr; ++variable) state.environment.emplace_back(*variable);
    for (int number = 1; number < NSIG; ++number) {
        struct sigaction action {};
        sigaction(number, nullptr, &action);
        state.handlers.push_back(action.sa_handler);
    }
    return state;
}

void compare_manners(const ProcessState& before, const ProcessState& after, Report& report) {
    report.expect(before.directory == after.directory, "D19", "the working directory is the same");
    report.expect(before.umask == after.umask, "D19", "the umask is the same");
    report.expect(before.locale == after.locale, "D19", "the locale is the same");
    report.expect(before.environment == after.environment, "D19", "the environment is the same");
    report.expect(before.handlers == after.handlers, "D18", "no signal handler was installed");
}

}  // namespace gwatt::drivers::check
