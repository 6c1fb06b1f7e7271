#include "agent/driver_host_process.hpp"

#include "drivers/runner/frame.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace gwatt::agent {
namespace {

constexpr int runner_fd = drivers::frame::runner_fd;

boost::system::error_code system_error(int number) { return {number, boost::system::system_category()}; }

bool passes(std::string_view variable) {
    static constexpr std::array allowed = {
        "PATH=",           "LANG=",         "LC_",           "TZ=",           "LD_LIBRARY_PATH=",
        "QEMU_LD_PREFIX=", "ASAN_OPTIONS=", "LSAN_OPTIONS=", "TSAN_OPTIONS=", "UBSAN_OPTIONS="};
    for (const std::string_view start : allowed)
        if (variable.starts_with(start)) return true;
    return false;
}

std::vector<char*> runner_environment() {
    std::vector<char*> kept;
    for (char** variable = environ; *variable != nullptr; ++variable)
        if (passes(*variable)) kept.push_back(*variable);
    kept.push_back(nullptr);
    return kept;
}

// posix_spawn's two objects, with their ends.
struct SpawnPlan {
    SpawnPlan() {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
    }
    ~SpawnPlan() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    SpawnPlan(const SpawnPlan&) = delete;
    SpawnPlan& operator=(const SpawnPlan&) = delete;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
};

void prepare(SpawnPlan& plan, int runner_end) {
    posix_spawn_file_actions_adddup2(&plan.actions, runner_end, runner_fd);  // also clears close-on-exec if it is 3
    posix_spawn_file_actions_addopen(&plan.actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&plan.actions, 1, "/dev/null", O_WRONLY, 0);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&plan.attributes, &none);
    posix_spawnattr_setsigdefault(&plan.attributes, &all);
    posix_spawnattr_setflags(&plan.attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

}  // namespace

Descriptor::~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = other.release();
    }
    return *this;
}

int Descriptor::release() { return std::exchange(fd_, -1); }

boost::system::result<RunnerProcess> start_runner(const DriverHostPaths& paths, const BusConfig& config) {
    int ends[2] = {-1, -1};
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return system_error(errno);
    RunnerProcess made;
    made.socket = Descriptor{ends[0]};
    const Descriptor runner_end{ends[1]};
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) return system_error(errno);

    SpawnPlan plan;
    prepare(plan, runner_end.get());
    std::vector<std::string> words{paths.runner};
    if (!config.kill_allowed) words.emplace_back("--never-kill");
    words.push_back(paths.driver_directory);
    words.push_back(config.driver);
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    std::vector<char*> environment = runner_environment();
    const int error = posix_spawn(&made.pid, paths.runner.c_str(), &plan.actions, &plan.attributes, arguments.data(),
                                  environment.data());
    if (error != 0) return system_error(error);
    made.pidfd = Descriptor{static_cast<int>(syscall(SYS_pidfd_open, made.pid, 0))};
    if (made.pidfd.get() < 0) {
        const int why = errno;
        kill(made.pid, SIGKILL);
        waitpid(made.pid, nullptr, 0);  // it has just begun: this is short
        return system_error(why);
    }
    fcntl(made.pidfd.get(), F_SETFD, FD_CLOEXEC);
    return made;
}

void write_options(drivers::frame::Writer& writer, const BusConfig& config) {
    writer.text(config.base);
    writer.u32(static_cast<std::uint32_t>(config.options.size()));
    for (const auto& [name, value] : config.options) {
        writer.text(name);
        writer.text(value);
    }
}

bool reap_runner(int pid, std::string& how) {
    int status = 0;
    const pid_t ended = waitpid(pid, &status, WNOHANG);
    if (ended == 0) return false;
    if (ended < 0)
        how = "has ended";  // somebody else reaped it
    else if (WIFSIGNALED(status))
        how = "was killed by signal " + std::to_string(WTERMSIG(status)) + " (" + strsignal(WTERMSIG(status)) + ")";
    else
        how = "exited with status " + std::to_string(WEXITSTATUS(status));
    return true;
}

}  // namespace gwatt::agent
