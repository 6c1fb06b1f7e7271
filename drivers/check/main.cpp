// gwatt-driver-check: loads any driver and proves the promise of driver.h, as far as that can be done from outside.
#include "drivers/check/manual.hpp"
#include "drivers/check/trial.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

namespace {

using namespace gwatt::drivers;
using namespace gwatt::drivers::check;

constexpr int kept = 0, broken = 1, usage_error = 64;
constexpr int silence_ms = 70'000;  // no line for so long: the driver is stuck (the longest worst case is 60 s)

int usage(FILE* to) {
    std::fputs(
        "gwatt-driver-check loads a driver and proves the promise of driver.h.\n"
        "usage: gwatt-driver-check [--opens N] [--deadline-ms N] [--stuck-ms N] [--directory DIR] DRIVER [OPTION=VALUE "
        "...]\n"
        "       gwatt-driver-check --help DRIVER     its options\n"
        "DRIVER is a file or the name of an installed driver. Exit status: 0 kept, 1 broken, 64 usage.\n",
        to);
    return to == stdout ? kept : usage_error;
}

struct Arguments {
    TrialOptions trial;
    std::string directory = GWATT_INSTALLED_DRIVERS;
    bool help = false;
    int stuck_ms = silence_ms;
};

bool number_after(int argc, char** argv, int& i, long& number) {
    if (++i >= argc) return false;
    char* end = nullptr;
    number = std::strtol(argv[i], &end, 10);
    return end != argv[i] && *end == '\0' && number >= 0 && number <= 10'000'000;
}

bool parse(int argc, char** argv, Arguments& arguments) {
    long number = 0;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--help")
            arguments.help = true;
        else if (word == "--directory" && i + 1 < argc)
            arguments.directory = argv[++i];
        else if (word == "--opens" && number_after(argc, argv, i, number))
            arguments.trial.opens = static_cast<std::uint32_t>(number);
        else if (word == "--deadline-ms" && number_after(argc, argv, i, number))
            arguments.trial.deadline_ns = number * 1'000'000;
        else if (word == "--stuck-ms" && number_after(argc, argv, i, number))
            arguments.stuck_ms = static_cast<int>(number);
        else if (word.starts_with("--"))
            return false;
        else if (arguments.trial.file.empty())
            arguments.trial.file = word;
        else if (const auto equals = word.find('='); equals != std::string::npos)
            arguments.trial.options.emplace_back(word.substr(0, equals), word.substr(equals + 1));
        else
            return false;
    }
    if (arguments.trial.file.empty()) return false;
    if (arguments.trial.file.find('/') == std::string::npos && !arguments.trial.file.ends_with(".so"))
        arguments.trial.file = arguments.directory + "/" + arguments.trial.file + ".so";
    arguments.trial.file = std::filesystem::absolute(arguments.trial.file);
    arguments.trial.base = std::filesystem::current_path();
    return true;
}

int print_manual(const std::string& file) {
    Plugin plugin;
    char why[512];
    if (!load_plugin(file.c_str(), nullptr, plugin, why, sizeof why)) {
        std::fprintf(stderr, "gwatt-driver-check: %s: %s\n", file.c_str(), why);
        return broken;
    }
    std::fputs(manual(plugin).c_str(), stdout);
    return kept;
}

// In the process of its own. Its stdout and stderr are a file, to see whether the driver writes there.
[[noreturn]] void run_trial(const TrialOptions& options, int lines) {
    Report report(lines);
    char name[] = "/tmp/gwatt-driver-check.XXXXXX";
    const int spoken = mkstemp(name);
    unlink(name);
    const int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, 0);
    dup2(spoken, 1);
    dup2(spoken, 2);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const rlimit data{rlim_t{1} << 30, rlim_t{1} << 30};
    setrlimit(RLIMIT_DATA, &data);
#endif
    {
        Trial trial(options, report);
        trial.run();
    }
    std::fflush(nullptr);
    struct stat size {};
    fstat(spoken, &size);
    report.expect(size.st_size == 0, "D20", "nothing was written to stdout or stderr");
    report.at("exit");
    _exit(0);
}

struct Outcome {
    int ok = 0, broken = 0;
    std::string at;
    bool ended = false;
};

void take_line(const std::string& line, Outcome& outcome) {
    if (line.starts_with("at ")) {
        outcome.at = line.substr(3);
        outcome.ended = outcome.at == "exit";
    } else if (line.starts_with("ok ")) {
        ++outcome.ok;
        std::printf("   ok    %s\n", line.c_str() + 3);
    } else if (line.starts_with("broken ")) {
        ++outcome.broken;
        std::printf("BROKEN   %s\n", line.c_str() + 7);
    } else {
        std::printf("   --    %s\n", line.c_str() + 5);
    }
}

// Until the trial's end, its death, or its silence.
bool follow(int lines, int stuck_ms, Outcome& outcome) {
    std::string pending;
    for (;;) {
        pollfd waiting{lines, POLLIN, 0};
        if (poll(&waiting, 1, stuck_ms) == 0) return false;
        char text[4096];
        const ssize_t n = read(lines, text, sizeof text);
        if (n <= 0) return true;
        pending.append(text, static_cast<std::size_t>(n));
        for (std::size_t end = 0; (end = pending.find('\n')) != std::string::npos; pending.erase(0, end + 1))
            take_line(pending.substr(0, end), outcome);
    }
}

int check_driver(const Arguments& arguments) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return 71;
    std::fflush(nullptr);
    const pid_t child = fork();
    if (child < 0) return 71;
    if (child == 0) {
        close(ends[0]);
        run_trial(arguments.trial, ends[1]);
    }
    close(ends[1]);
    Outcome outcome;
    const bool followed = follow(ends[0], arguments.stuck_ms, outcome);
    if (!followed) kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    close(ends[0]);
    if (!followed) {
        std::printf("BROKEN   D6 it does not come back from %s\n", outcome.at.c_str());
        ++outcome.broken;
    } else if (!outcome.ended) {
        const char* how = WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "exit";
        std::printf("BROKEN   D18 its process ended (%s) in %s\n", how, outcome.at.c_str());
        ++outcome.broken;
    }
    std::printf("%s: %d kept, %d broken\n", arguments.trial.file.c_str(), outcome.ok, outcome.broken);
    return outcome.broken == 0 ? kept : broken;
}

}  // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    if (argc == 2 && std::strcmp(argv[1], "--help") == 0) return usage(stdout);
    if (argc == 2 && std::strcmp(argv[1], "--version") == 0) return std::puts("gwatt-driver-check " GWATT_VERSION) < 0;
    if (!parse(argc, argv, arguments)) return usage(stderr);
    return arguments.help ? print_manual(arguments.trial.file) : check_driver(arguments);
}
