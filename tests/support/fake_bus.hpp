#pragma once
// A bus without a process: answers what the test's function says, after a delay in the test's time. Loop thread.
#include "agent/bus.hpp"
#include "runtime/notice.hpp"

#include <boost/asio/io_context.hpp>

#include <functional>
#include <string>
#include <vector>

namespace gwatt::test {

class FakeBus final : public agent::Bus {
public:
    using Value = std::function<double(std::uint32_t sensor, runtime::Monotonic time)>;

    FakeBus(boost::asio::io_context& loop, runtime::Clock& clock, std::string name, Value value)
        : clock_(clock), name_(std::move(name)), value_(std::move(value)), changed_(loop) {}

    // Dials.
    runtime::Duration delay{};                             // of each answer
    bool hang = false;                                     // answers nothing; the read ends at its deadline
    proto::Quality failure = proto::Quality::good;         // the conversation's; other than good: no readings
    std::function<proto::Quality(std::uint32_t)> quality;  // of each reading
    std::uint32_t left_out = ~0u;                          // this sensor gets no reading
    std::vector<runtime::Monotonic> asked;                 // when reads began

    void open(std::vector<proto::Sensor> sensors) {
        sensors_ = std::move(sensors);
        ++generation_;
        changed_.tell();
    }

    std::span<const proto::Sensor> sensors() const override { return sensors_; }
    std::uint64_t generation() const override { return generation_; }
    boost::asio::awaitable<bool> changed() override { return changed_.wait(); }

    boost::asio::awaitable<agent::ScanResult> read(std::span<const std::uint32_t> wanted,
                                                   runtime::Monotonic deadline) override {
        ++counters_.reads;
        asked.push_back(clock_.now());
        readings_.clear();
        if (hang || delay > deadline - clock_.now()) {
            ++counters_.timeouts;
            co_await clock_.sleep_until(deadline);
            co_return agent::ScanResult{proto::Quality::timeout, "no answer", {}};
        }
        const runtime::Monotonic measured = clock_.now() + delay / 2;
        if (delay > runtime::Duration::zero()) co_await clock_.sleep_for(delay);
        if (failure != proto::Quality::good) {
            ++counters_.errors;
            co_return agent::ScanResult{failure, "failure", {}};
        }
        for (std::uint32_t index : wanted) {
            if (index == left_out) continue;
            const proto::Quality q = quality ? quality(index) : proto::Quality::good;
            readings_.push_back({measured, value_(index, measured), index, q});
        }
        counters_.samples += readings_.size();
        co_return agent::ScanResult{proto::Quality::good, {}, readings_};
    }

    proto::BusStatus status() const override {
        return {name_, "fake", generation_ ? proto::BusState::ok : proto::BusState::starting, 0, {}};
    }
    const std::string& name() const override { return name_; }
    const agent::BusCounters& counters() const override { return counters_; }

private:
    runtime::Clock& clock_;
    std::string name_;
    Value value_;
    runtime::Notice changed_;
    std::vector<proto::Sensor> sensors_;
    std::vector<proto::Reading> readings_;
    std::uint64_t generation_ = 0;
    agent::BusCounters counters_;
};

}  // namespace gwatt::test
