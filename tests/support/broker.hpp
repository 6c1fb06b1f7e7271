#pragma once
// A real mosquitto for integration tests: on a free loopback port, with a configuration and files in a folder of its own,
// ended by its pid when the object goes. Blocking calls; test thread.
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace gwatt::test {

// A folder that goes with the object.
class TemporaryFolder {
public:
    TemporaryFolder();
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    const std::filesystem::path& path() const { return path_; }
    std::string write(const std::string& name, const std::string& text) const;  // returns the file's path

private:
    std::filesystem::path path_;
};

// A loopback TCP port that was free a moment ago.
std::uint16_t free_port();

// Starts a program and gives its pid; its output goes to the file `log`. Throws where it cannot be started.
pid_t start_process(const std::vector<std::string>& command, const std::string& log);
bool answers(std::uint16_t port);  // whether a loopback TCP port takes connections
void end_process(pid_t pid);       // SIGKILL, and waits for the end

class Broker {
public:
    // lines: of mosquitto.conf, behind `listener PORT 127.0.0.1`; @ stands for the folder. Throws std::runtime_error with
    // mosquitto's log where it does not come up within ten seconds.
    explicit Broker(std::string lines = "allow_anonymous true\n");
    ~Broker();
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    std::uint16_t port() const { return port_; }
    const TemporaryFolder& folder() const { return folder_; }
    void start();   // again, on the same port, after kill()
    void kill();    // SIGKILL
    void freeze();  // SIGSTOP: the connection stays, nobody answers
    void thaw();
    std::string log() const;

private:
    TemporaryFolder folder_;
    std::string lines_;
    std::uint16_t port_;
    pid_t pid_ = 0;
};

}  // namespace gwatt::test
