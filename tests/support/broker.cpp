#include "tests/support/broker.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

extern char** environ;

namespace gwatt::test {

namespace {

sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    return address;
}

std::string replaced(std::string text, char mark, const std::string& with) {
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += with.size()) {
        text.replace(at, 1, with);
    }
    return text;
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
    std::string name = std::filesystem::temp_directory_path() / "gwatt-test-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
        throw std::runtime_error("no temporary folder");
    }
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string TemporaryFolder::write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
    return path_ / name;
}

std::uint16_t free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address = loopback(0);
    socklen_t size = sizeof address;
    const bool good = ::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                      ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
    ::close(socket);
    if (!good) {
        throw std::runtime_error("no free port");
    }
    return ntohs(address.sin_port);
}

pid_t start_process(const std::vector<std::string>& command, const std::string& log) {
    std::vector<char*> arguments;
    for (const std::string& word : command) {
        arguments.push_back(const_cast<char*>(word.c_str()));
    }
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    ::posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t pid = 0;
    const int error = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        throw std::runtime_error("cannot start " + command[0]);
    }
    return pid;
}

bool answers(std::uint16_t port) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = loopback(port);
    const bool good = ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    return good;
}

void end_process(pid_t pid) {
    ::kill(pid, SIGKILL);
    int status = 0;
    ::waitpid(pid, &status, 0);
}

Broker::Broker(std::string lines) : lines_(std::move(lines)), port_(free_port()) { start(); }

Broker::~Broker() { kill(); }

void Broker::start() {
    if (pid_ != 0) {
        throw std::runtime_error("the broker is running already");
    }
    std::string text = "persistence false\nlog_type all\nlog_dest stderr\n";
    text += ::geteuid() == 0 ? "user root\n" : "";
    text += "listener " + std::to_string(port_) + " 127.0.0.1\n";
    text += replaced(lines_, '@', folder_.path());
    const std::string file = folder_.write("mosquitto.conf", text);
    const char* program = std::getenv("GWATT_MOSQUITTO");
    pid_ = start_process({program != nullptr ? program : "/usr/sbin/mosquitto", "-c", file}, folder_.path() / "log");
    for (int tries = 0; !answers(port_); ++tries) {
        int status = 0;
        const bool gone = ::waitpid(pid_, &status, WNOHANG) == pid_;
        if (gone || tries == 500) {
            pid_ = gone ? 0 : pid_;
            throw std::runtime_error("mosquitto does not come up: " + log());
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
}

void Broker::kill() {
    if (pid_ != 0) {
        end_process(pid_);
        pid_ = 0;
    }
}

void Broker::freeze() { ::kill(pid_, SIGSTOP); }
void Broker::thaw() { ::kill(pid_, SIGCONT); }

std::string Broker::log() const {
    std::ostringstream text;
    text << std::ifstream(folder_.path() / "log").rdbuf();
    return text.str();
}

}  // namespace gwatt::test
