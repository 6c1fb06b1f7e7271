#include "tests/integration/agent/agent_process.hpp"

#include <boost/asio/co_spawn.hpp>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

namespace gwatt::test {

using namespace std::chrono_literals;

namespace {

std::string read_file(const std::string& name) {
    std::ifstream in(name);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
}

int wait_for(pid_t& pid, std::chrono::seconds at_most) {
    for (auto waited = 0ms; waited <= at_most; waited += 10ms) {
        int status = 0;
        if (::waitpid(pid, &status, WNOHANG) == pid) {
            pid = 0;
            return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
        }
        std::this_thread::sleep_for(10ms);
    }
    return -1;
}

}  // namespace

AgentProcess::AgentProcess(const TemporaryFolder& folder, const std::string& config)
    : log_((folder.path() / "agent.log").string()) {
    pid_ = start_process({GWATT_AGENT, "--config", folder.write("agent.toml", config)}, log_);
}

AgentProcess::~AgentProcess() {
    if (pid_ != 0) end_process(pid_);
}

std::vector<pid_t> AgentProcess::runners() const {
    const std::string process = std::to_string(pid_);
    std::istringstream children(read_file("/proc/" + process + "/task/" + process + "/children"));
    std::vector<pid_t> all;
    for (pid_t child = 0; children >> child;) all.push_back(child);
    return all;
}

void AgentProcess::signal(int number) const { ::kill(pid_, number); }
int AgentProcess::wait(std::chrono::seconds at_most) { return wait_for(pid_, at_most); }
std::string AgentProcess::log() const { return read_file(log_); }

Finished run_to_end(const std::vector<std::string>& command, const TemporaryFolder& folder) {
    const std::string log = (folder.path() / "output.log").string();
    std::filesystem::remove(log);
    pid_t pid = start_process(command, log);
    const int status = wait_for(pid, 60s);
    if (pid != 0) end_process(pid);
    return {status, read_file(log)};
}

Subscriber::Subscriber(std::uint16_t port) {
    runtime::MqttOptions options;
    options.host = "127.0.0.1";
    options.port = port;
    link = std::make_unique<runtime::MqttLink>(loop, clock, log, options);
    link->subscribe("gwatt/v1/#", 1, [this](const runtime::ReceivedMessage& message) { take(message); });
    boost::asio::co_spawn(loop, link->run(), [this](std::exception_ptr) { ended = true; });
}

Subscriber::~Subscriber() {
    link->stop();
    for (int i = 0; i < 500 && !ended; ++i) loop.run_one_for(10ms);
}

bool Subscriber::until(std::chrono::seconds at_most, const std::function<bool()>& enough) {
    const auto end = clock.now() + at_most;
    while (!enough()) {
        if (clock.now() > end) return false;
        loop.run_one_for(20ms);
    }
    return true;
}

void Subscriber::take(const runtime::ReceivedMessage& message) {
    const auto parts = proto::parse_topic(message.topic);
    proto::Decoder decoder;
    if (parts && parts->history) ++history;
    if (!parts) {
        ++undecodable;
    } else if (parts->stream == proto::Stream::catalog) {
        if (const auto catalog = decoder.catalog(message.payload)) catalogs[(*catalog)->header.catalog] = **catalog;
    } else if (parts->stream == proto::Stream::status) {
        if (const auto status = decoder.status(message.payload)) statuses.push_back(**status);
    } else {
        const auto header = decoder.header(message.payload);
        const auto catalog = header ? catalogs.find(header->catalog) : catalogs.end();
        if (catalog == catalogs.end()) {
            ++undecodable;
        } else if (parts->stream == proto::Stream::live) {
            if (const auto live = decoder.live(message.payload, catalog->second)) lives.push_back(**live);
        } else if (const auto data = decoder.data(message.payload, catalog->second)) {
            datas.push_back(**data);
        }
    }
}

std::vector<double> Subscriber::values(const std::string& sensor) const {
    std::vector<double> all;
    for (const proto::Data& data : datas) {
        const proto::Catalog& catalog = catalogs.at(data.header.catalog);
        const proto::RateGroup& group = catalog.groups[data.group];
        for (std::uint32_t s = 0; s < group.count; ++s)
            if (catalog.sensors[group.first + s].name == sensor)
                for (std::uint32_t k = 0; k < data.samples; ++k)
                    if (proto::has_value(data.quality[s * data.samples + k]))
                        all.push_back(data.values[s * data.samples + k]);
    }
    return all;
}

}  // namespace gwatt::test
