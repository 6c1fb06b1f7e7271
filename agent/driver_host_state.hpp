#pragma once
// The inside of DriverHost, shared by its three source files and by nobody else: driver_host.cpp (face, waiting),
// driver_host_life.cpp (start, open, tend, end), driver_host_talk.cpp (requests, answers, reads). Loop thread only; run()
// must have ended, or never go on, before it is destroyed.
#include "agent/driver_host.hpp"
#include "agent/driver_host_judge.hpp"
#include "agent/driver_host_link.hpp"
#include "agent/driver_host_log.hpp"
#include "runtime/backoff.hpp"
#include "runtime/log.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace gwatt::agent {

namespace asio = boost::asio;
namespace frame = drivers::frame;
using proto::Duration;
using proto::Monotonic;
using proto::Quality;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

struct DriverHost::State {
    // What the bus is able to do now.
    enum class Phase : std::uint8_t { away, open, failed, stopped };
    // What the last turns ask of the one who tends the bus.
    struct Asked {
        bool reopen = false, sensors = false, close_for_good = false, denied = false;
        bool anything() const { return reopen || sensors || close_for_good; }
    };

    State(asio::io_context& the_loop, runtime::Clock& the_clock, runtime::Logger& the_log, BusConfig the_config,
          DriverHostPaths the_paths);

    asio::awaitable<void> run();
    asio::awaitable<ScanResult> read(std::span<const std::uint32_t> wanted, Monotonic deadline);
    asio::awaitable<bool> changed();

    // Life of the runner.
    bool start();
    asio::awaitable<void> converse();
    asio::awaitable<bool> describe();
    asio::awaitable<bool> open();
    asio::awaitable<bool> fetch_sensors();
    asio::awaitable<void> tend();
    asio::awaitable<void> let_late_answer_come();
    asio::awaitable<void> close();
    asio::awaitable<void> end_runner();
    asio::awaitable<void> leave_behind();
    asio::awaitable<void> pause();

    // Waiting. All return early when woken; nothing is lost, because flags are looked at before waiting.
    bool cancelled() const { return life.cancelled() != asio::cancellation_type::none; }  // run()
    asio::awaitable<void> wait(Monotonic until);
    asio::awaitable<void> wait_for_end(Duration at_most);  // of the process; not cut short by cancellation
    asio::awaitable<bool> answer_within(Duration bound);   // of the request just sent
    void wake();

    // Requests and answers.
    bool alive() const { return link_ != nullptr && !link_->cut(); }
    bool send_request(frame::Writer& writer, frame::Type type, frame::Type answer);
    bool send_plain(frame::Type type, frame::Type answer);
    bool send_open();
    void take_frame(const frame::Header& header, frame::Bytes body);
    void take_answer(frame::Bytes body);
    void take_samples(frame::Bytes body);
    void take_catalog(frame::Bytes body);
    void take_opened(frame::Bytes body);
    void take_described(frame::Bytes body);
    bool send_read(Monotonic deadline);
    void heed(std::int32_t result, std::string_view text);
    void went_well();
    void count_failure();  // of those that reopen when there are some in a row

    ScanResult scan(Quality quality);
    ScanResult without_values(Quality quality);
    void trouble(std::string text);
    void fail_for_good(std::string text);
    void tried();

    asio::io_context& loop;
    asio::cancellation_state life;  // of run(), once it has begun
    runtime::Clock& clock;
    runtime::Logger& log;
    const BusConfig config;
    const DriverHostPaths paths;

    Phase phase = Phase::away;
    bool permanent = false;  // stays closed until the configuration changes
    bool hung = false;       // a polite word is of no use
    Asked asked;
    bool first_tried = false, first_told = false;
    Quality away_quality = Quality::not_read;
    std::string error, scan_error;
    std::uint32_t starts = 0;
    std::uint64_t generation = 0;
    BusCounters counters;

    std::shared_ptr<DriverHostLink> link_;
    struct Request {
        std::uint32_t id = 0;
        frame::Type answer = frame::Type::log;
        bool waiting = false;
        std::int32_t result = GWATT_BUG;
    } request;
    std::uint32_t last_id = 0;
    std::uint32_t late_id = 0;  // a read that was given up and not yet answered; 0: none
    std::uint32_t strays = 0;   // answers of this runner that nobody waited for
    Duration open_worst = seconds(1), close_worst = seconds(1), read_overrun{};

    std::vector<proto::Sensor> sensors, new_sensors;
    SampleJudge judge;
    std::vector<std::uint32_t> wanted;
    std::vector<std::byte> output;
    std::vector<proto::Reading> readings;
    std::uint32_t capacity = 0;
    Monotonic asked_at{}, asked_before{};
    int failures = 0, good_reads = 0;

    runtime::Backoff backoff;
    runtime::Complaint complaint;
    DriverHostLog driver_log;
    asio::steady_timer tending;   // where run() waits
    asio::steady_timer reading;   // where read() waits
    asio::steady_timer changing;  // where changed() waits: many at once
};

}  // namespace gwatt::agent
