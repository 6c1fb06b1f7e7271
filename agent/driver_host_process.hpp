#pragma once
// Starts the runner process of one bus and learns of its end, by a pidfd: no SIGCHLD, no race with other children. Loop
// thread only. Needs Linux 5.4.
#include "agent/bus.hpp"
#include "drivers/runner/frame.hpp"

#include <boost/system/result.hpp>

#include <string>

namespace gwatt::agent {

// Owned descriptor; -1 is none.
class Descriptor {
public:
    explicit Descriptor(int fd = -1) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor();
    int get() const { return fd_; }
    int release();

private:
    int fd_;
};

struct RunnerProcess {
    int pid = 0;
    Descriptor pidfd;   // readable when the process has ended
    Descriptor socket;  // our end, non-blocking
};

// The runner gets its socket, /dev/null twice, our stderr, and of the environment only what a loader needs: secrets that
// the configuration took from the environment stay here.
boost::system::result<RunnerProcess> start_runner(const DriverHostPaths& paths, const BusConfig& config);

// The body of the frames that carry a bus's options to its runner, `open` and `check`.
void write_options(drivers::frame::Writer& writer, const BusConfig& config);

// True when the process has ended and is reaped; `how` says how ("was killed by signal 9 (Killed)").
bool reap_runner(int pid, std::string& how);

}  // namespace gwatt::agent
