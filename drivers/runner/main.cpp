// gwatt-driver: the process of one bus. Loads one plugin and answers the agent over descriptor 3; see frame.hpp. Started by
// gwatt-agent, never by people; links libc and the plugin, nothing else.
#include "drivers/runner/service.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <initializer_list>

namespace {

using namespace gwatt::drivers;

constexpr int usage_error = 64, os_error = 71;
constexpr unsigned patience_s = 10;              // after SIGTERM, when the agent is gone and nobody else will end us
constexpr rlim_t most_data = rlim_t{256} << 20;  // a driver that leaks ends itself, not the board

volatile sig_atomic_t interrupt_fd = -1;
volatile sig_atomic_t may_die = 1;

// Breaks what the driver waits in (no SA_RESTART); the process ends when the call has returned.
void on_term(int) {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t wrote = write(interrupt_fd, &one, sizeof one);
    if (may_die != 0) alarm(patience_s);
}

bool is_socket(int fd) {
    int type = 0;
    socklen_t size = sizeof type;
    return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

void close_from(int first) {
    if (syscall(SYS_close_range, static_cast<unsigned>(first), ~0U, 0U) == 0) return;
    for (int fd = first; fd < 4096; ++fd) close(fd);  // before Linux 5.9
}

// A line to a place where the kernel may refuse it; nothing depends on it.
void try_write(const char* file, const char* text) {
    const int fd = open(file, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return;
    [[maybe_unused]] const ssize_t wrote = write(fd, text, std::strlen(text));
    close(fd);
}

bool set_up_process() {
    close_from(frame::runner_fd + 1);
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nothing < 0 || dup2(nothing, 0) < 0 || dup2(nothing, 1) < 0) return false;
    close(nothing);
    fcntl(frame::runner_fd, F_SETFD, FD_CLOEXEC);
    const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0) return false;
    interrupt_fd = fd;
    struct sigaction term {};
    term.sa_handler = on_term;
    sigaction(SIGTERM, &term, nullptr);
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    for (int number : {SIGPIPE, SIGINT, SIGHUP})
        sigaction(number, &ignore, nullptr);  // a Ctrl-C is the agent's to take
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);  // a parent that died before this shows as the end of the socket
    try_write("/proc/self/oom_score_adj", "500");
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    const rlimit data{most_data, most_data};
    setrlimit(RLIMIT_DATA, &data);
#endif
    return true;
}

int usage(FILE* to) {
    std::fputs(
        "gwatt-driver reads one bus for gwatt-agent, which starts it.\n"
        "usage: gwatt-driver [--never-kill] DIRECTORY NAME    (descriptor 3: the agent's socket)\n"
        "       gwatt-driver --version\n",
        to);
    return to == stdout ? 0 : usage_error;
}

Channel channel;
Plugin plugin;
Service service;

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && std::strcmp(argv[1], "--version") == 0) return std::puts("gwatt-driver " GWATT_VERSION) < 0;
    if (argc == 2 && std::strcmp(argv[1], "--help") == 0) return usage(stdout);
    const bool never_kill = argc == 4 && std::strcmp(argv[1], "--never-kill") == 0;
    if (argc != 3 && !never_kill) return usage(stderr);
    const char* directory = argv[argc - 2];
    const char* name = argv[argc - 1];
    if (!is_socket(frame::runner_fd) || std::strchr(name, '/') != nullptr) return usage(stderr);
    if (never_kill) may_die = 0;
    if (!set_up_process()) return os_error;
    char title[16];
    std::snprintf(title, sizeof title, "gwatt:%.9s", name);
    prctl(PR_SET_NAME, title);

    char file[4096];
    static char why[GWATT_MAX_TEXT];
    const int length = std::snprintf(file, sizeof file, "%s/%s.so", directory, name);
    const bool fits = length > 0 && static_cast<std::size_t>(length) < sizeof file;
    const bool loaded = fits && load_plugin(file, name, plugin, why, sizeof why);
    channel.start(frame::runner_fd, interrupt_fd);
    service.start(channel, plugin, loaded ? nullptr : why);
    return service.run();
}
