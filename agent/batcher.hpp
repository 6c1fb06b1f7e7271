#pragma once
// Readings into messages: `live` at each interval (the joule counters, with mean, min and max), `data` per rate group,
// columnar, over the grid. Loop thread. Energy, clock and sink must outlive it. It holds the sequence numbers of both
// streams, and what it hands on is encoded. In the steady state nothing is allocated per sample.
//
// A data batch ends at a UTC multiple of its length, when the catalog changes, or when the grid was re-aligned after a
// step of the wall clock. Readings are placed by the grid point of their scan; a sample whose time is off its place by
// more than Data::grid_bound keeps its own time.
#include "agent/batch.hpp"
#include "agent/config.hpp"
#include "agent/energy.hpp"
#include "agent/scan.hpp"
#include "proto/codec.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

namespace gwatt::agent {

// One encoded message on its way to the spool.
struct Outgoing {
    proto::Stream stream = proto::Stream::data;
    std::uint64_t sequence = 0;
    runtime::Monotonic made{};  // end of what it tells of
    std::uint32_t samples = 0;  // readings in it: the unit of the agent's books
    std::string_view payload;   // valid during the call
};
using OutgoingSink = std::function<void(const Outgoing&)>;

class Batcher {
public:
    Batcher(const PublishConfig& config, runtime::Clock& clock, Energy& energy, std::uint64_t boot, OutgoingSink sink);

    // To change the catalog: finish(), energy.set_catalog(c), set_catalog(c). Readings in between are of no sensor.
    void set_catalog(const proto::Catalog& catalog);
    // Closes whatever is open, under the catalog that it was opened with: before a change and at the end.
    void finish();

    void take(const Scan& scan);
    // Closes what has ended by now. run() calls it; simulations may.
    void advance();
    // Sleeps to the next end of an interval and closes what has ended there, until cancelled.
    boost::asio::awaitable<void> run();

    struct Counters {
        std::uint64_t readings = 0;      // taken
        std::uint64_t superseded = 0;    // gave way to a later one of the same sensor and grid point
        std::uint64_t late = 0;          // for a batch that had ended
        std::uint64_t unknown = 0;       // of no sensor of the catalog
        std::uint64_t switched_off = 0;  // while `data` is not published
        std::uint64_t live_messages = 0, data_messages = 0;
    };
    const Counters& counters() const { return counters_; }
    std::uint64_t open_samples() const;  // readings in open batches

private:
    void place(const proto::Reading& reading, const Scan& scan);
    void begin(Batch& batch, runtime::Monotonic grid);
    void close(Batch& batch);
    void close_live(runtime::Monotonic end);
    void plan_live();
    std::uint32_t samples_of(const proto::RateGroup& group) const;
    proto::Header header(std::uint64_t sequence) const;
    runtime::Monotonic next_end() const;

    PublishConfig config_;
    runtime::Clock& clock_;
    Energy& energy_;
    std::uint64_t boot_;
    OutgoingSink sink_;
    proto::Catalog catalog_;
    std::vector<Batch> batches_;           // by rate group
    std::vector<std::uint32_t> group_of_;  // by catalog index
    proto::Encoder encoder_;
    proto::Data data_;
    proto::Live live_;
    runtime::Monotonic live_start_{}, live_end_{};
    std::uint64_t live_sequence_ = 0, data_sequence_ = 0;
    Counters counters_;
};

}  // namespace gwatt::agent
