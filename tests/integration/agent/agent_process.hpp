#pragma once
// gwatt-agent as a process, and a subscriber that decodes what it publishes. Test thread; blocking calls.
#include "proto/codec.hpp"
#include "proto/topics.hpp"
#include "runtime/clock.hpp"
#include "runtime/mqtt_link.hpp"
#include "tests/support/broker.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gwatt::test {

class AgentProcess {
public:
    AgentProcess(const TemporaryFolder& folder, const std::string& config);
    ~AgentProcess();
    AgentProcess(const AgentProcess&) = delete;
    AgentProcess& operator=(const AgentProcess&) = delete;

    pid_t pid() const { return pid_; }
    std::vector<pid_t> runners() const;  // in the order in which they were started
    void signal(int number) const;
    int wait(std::chrono::seconds at_most);  // exit status; -1 where it has not ended, 1000 + signal where killed
    std::string log() const;

private:
    std::string log_;
    pid_t pid_ = 0;
};

// Runs a program to its end: exit status, and what it wrote to both outputs.
struct Finished {
    int status = -1;
    std::string output;
};
Finished run_to_end(const std::vector<std::string>& command, const TemporaryFolder& folder);

struct Subscriber {
    explicit Subscriber(std::uint16_t port);
    ~Subscriber();
    // Receives until `enough` or the time is over; whether it was enough.
    bool until(std::chrono::seconds at_most, const std::function<bool()>& enough);
    void take(const runtime::ReceivedMessage& message);
    // Values of the sensor's readings, without those that have none.
    std::vector<double> values(const std::string& sensor) const;

    boost::asio::io_context loop;
    runtime::SystemClock clock{loop};
    runtime::Logger log{runtime::LogLevel::error};
    std::unique_ptr<runtime::MqttLink> link;
    bool ended = false;
    std::map<std::uint64_t, proto::Catalog> catalogs;
    std::vector<proto::Live> lives;
    std::vector<proto::Data> datas;
    std::vector<proto::Status> statuses;
    std::uint64_t undecodable = 0, history = 0;
};

}  // namespace gwatt::test
