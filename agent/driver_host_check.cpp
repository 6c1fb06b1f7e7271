#include "agent/driver_host_check.hpp"

#include "agent/driver_host_judge.hpp"
#include "agent/driver_host_process.hpp"
#include "drivers/runner/frame.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cerrno>
#include <cstddef>
#include <optional>

namespace gwatt::agent {

namespace frame = drivers::frame;

namespace {

constexpr int answer_bound_ms = 10000;  // for each piece of the answer
constexpr int end_bound_ms = 2000;

bool readable(int fd, int timeout_ms) {
    pollfd waiting{fd, POLLIN, 0};
    int n = 0;
    do n = poll(&waiting, 1, timeout_ms);
    while (n < 0 && errno == EINTR);
    return n > 0;
}

// The body of the one answer; nothing when the runner ended, was too slow, or sent something else.
std::optional<std::vector<std::byte>> receive(int socket, frame::Type type) {
    std::vector<std::byte> input;
    for (;;) {
        frame::Header header;
        if (input.size() >= sizeof header) {
            if (!frame::decode_header(input, frame::max_body, header)) return {};
            if (input.size() == sizeof header + header.size) {
                if (header.type != static_cast<std::uint32_t>(type)) return {};
                return std::vector<std::byte>(input.begin() + sizeof header, input.end());
            }
        }
        const std::size_t wanted = input.size() < sizeof header ? sizeof header : sizeof header + header.size;
        const std::size_t used = input.size();
        if (!readable(socket, answer_bound_ms)) return {};
        input.resize(wanted);
        const ssize_t n = recv(socket, input.data() + used, wanted - used, 0);
        if (n <= 0) return {};
        input.resize(used + static_cast<std::size_t>(n));
    }
}

std::vector<OptionMistake> read_mistakes(frame::Bytes body) {
    frame::Reader reader{body};
    const frame::Result result = frame::read_result(reader);
    std::vector<OptionMistake> mistakes;
    if (result.result != GWATT_OK) mistakes.push_back({"", clean_text(result.text)});
    const std::uint32_t n = reader.count(frame::max_pairs, 8);
    for (std::uint32_t i = 0; i < n && reader.ok(); ++i) {
        std::string option = clean_text(reader.text());
        mistakes.push_back({std::move(option), clean_text(reader.text())});
    }
    if (!reader.complete()) mistakes.push_back({"", "the runner's answer cannot be read"});
    return mistakes;
}

std::vector<OptionMistake> ask(int socket, const BusConfig& config) {
    std::vector<std::byte> memory(sizeof(frame::Header) + frame::max_request);
    frame::Writer writer{memory};
    write_options(writer, config);
    const frame::Bytes request = writer.finish(frame::Type::check, 1);
    if (request.empty()) return {{"", "the options are too long"}};
    if (send(socket, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
        return {{"", "the runner does not take requests"}};
    const auto body = receive(socket, frame::Type::checked);
    return body ? read_mistakes(*body) : std::vector<OptionMistake>{{"", "the runner gave no answer"}};
}

void end(RunnerProcess& process) {
    process.socket = Descriptor{};  // a word to end
    if (!readable(process.pidfd.get(), end_bound_ms)) kill(process.pid, SIGKILL);
    waitpid(process.pid, nullptr, 0);
}

}  // namespace

std::vector<OptionMistake> check_bus(const BusConfig& config, const DriverHostPaths& paths) {
    auto process = start_runner(paths, config);
    if (!process) return {{"", "cannot start " + paths.runner + ": " + process.error().message()}};
    std::vector<OptionMistake> mistakes = ask(process->socket.get(), config);
    end(*process);
    return mistakes;
}

}  // namespace gwatt::agent
