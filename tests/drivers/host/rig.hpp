#pragma once
// A DriverHost with a real runner process, for tests: real time, real clock, one loop. The test turns the loop.
#include "agent/driver_host.hpp"
#include "runtime/log.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace gwatt::test {

using Pairs = std::vector<std::pair<std::string, std::string>>;

// What one read gave, kept.
struct Scan {
    proto::Quality quality = proto::Quality::not_read;
    std::string error;
    std::vector<proto::Reading> readings;
    runtime::Duration took{};
    std::size_t with_value() const;
};

class Loop {
public:
    Loop();
    // Turns the loop until `done` or the time is over; false when it was over.
    bool until(const std::function<bool()>& done, runtime::Duration at_most);
    void turn_for(runtime::Duration d);

    boost::asio::io_context context;
    runtime::SystemClock clock{context};
    std::vector<std::string> lines;  // of the log
    runtime::Logger log;
    bool logged(std::string_view part) const;
};

// Starts run() at once; the destructor ends it in order, bounded.
class Rig {
public:
    Rig(Loop& loop, std::string driver, Pairs options, std::string folder = {}, bool kill_allowed = true);
    ~Rig();

    bool open(runtime::Duration at_most = std::chrono::seconds(10));  // waits until there are sensors and the bus is ok
    Scan read(runtime::Duration deadline = std::chrono::milliseconds(500));  // every sensor
    void at_the_same_time(Scan& scan);  // starts a read of every sensor; `scan` is set when it ends
    void stop();                        // cancels run() and waits for its end
    bool stopped() const { return ended_; }

    Loop& loop;
    agent::DriverHost host;

private:
    boost::asio::cancellation_signal cancel_;
    bool ended_ = false, other_done_ = false;
};

std::string runner_path();
std::string plugin_folder();
std::string liar_folder();
std::vector<std::uint32_t> every_sensor(const agent::Bus& bus);

}  // namespace gwatt::test
