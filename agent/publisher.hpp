#pragma once
// Takes records out of the spool and sees them to the broker, behind the retained catalog and status. Loop thread.
// Clock, log, link and spool must outlive it. main spawns run() and watch().
//
// At each new connection: catalog, then status, then records; fresh ones before the backlog, which goes to
// history/<stream> at a limited rate. A record leaves the spool only when the broker has taken it, or when it never
// will. What the broker does is answered once and never in a spin:
//   lost            back to its place; sent again after a pause, or at the next connection
//   not_authorised  back to its place; its lane is parked for half a minute, doubling to a quarter of an hour
//   quota           back to its place; everything waits a second, doubling to a minute
//   refused         as not_authorised from 5 s; the third time in a row the record is dropped
//   too_large       dropped
#include "agent/config.hpp"
#include "agent/publisher_announcer.hpp"
#include "agent/spool.hpp"
#include "runtime/backoff.hpp"
#include "runtime/log.hpp"
#include "runtime/mqtt.hpp"
#include "runtime/notice.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>

#include <array>
#include <cstdint>
#include <vector>

namespace gwatt::agent {

class Publisher {
public:
    Publisher(boost::asio::io_context& loop, runtime::Clock& clock, const runtime::Logger& log, runtime::Mqtt& link,
              Spool& spool, Identity identity, const PublishConfig& config, Announcer::StatusSource buses);

    // The next thing published is this catalog.
    void set_catalog(const proto::Catalog& catalog);
    void wake() { wake_.tell(); }  // the spool has something new

    boost::asio::awaitable<void> run();
    boost::asio::awaitable<void> watch();  // the link's changes
    // Sees what is in the spool out, then says offline; ends by the deadline. run() and watch() go on meanwhile.
    boost::asio::awaitable<void> finish(runtime::Monotonic deadline);

    struct Counters {
        std::uint64_t taken = 0, lost = 0, not_authorised = 0, quota = 0, too_large = 0, refused = 0;  // answers
        std::uint64_t catalogs = 0, statuses = 0;                                                      // taken
        std::uint64_t history = 0;        // sent to history/<stream>
        std::uint64_t payload_bytes = 0;  // of records taken
        std::uint64_t in_flight = 0;      // now
    };
    const Counters& counters() const { return counters_; }
    const Announcer::Counters& announced() const { return announcer_.counters(); }

private:
    struct LaneState {
        runtime::Monotonic parked_until{};
        runtime::Backoff denied, refused;
        std::uint64_t refused_id = 0;
        std::uint32_t refused_times = 0;
    };

    std::array<bool, lanes> allowed_lanes() const;
    runtime::Monotonic next_wake() const;
    bool send_next();
    boost::asio::awaitable<void> deliver(std::uint64_t id, Lane lane, std::size_t bytes,
                                         runtime::Publication publication);
    void settle(std::uint64_t id, Lane lane, runtime::PublishResult result);
    void refuse(std::uint64_t id, LaneState& lane);
    void count(runtime::Delivery delivery);

    boost::asio::io_context& loop_;
    runtime::Clock& clock_;
    runtime::Mqtt& link_;
    Spool& spool_;
    PublishConfig config_;
    Announcer announcer_;
    runtime::Notice wake_;
    bool finishing_ = false;
    runtime::Monotonic hold_until_{}, backlog_at_{};
    std::vector<LaneState> lane_;
    runtime::Backoff quota_, lost_;
    runtime::Complaint denied_, unfit_, crowded_;
    Counters counters_;
};

}  // namespace gwatt::agent
