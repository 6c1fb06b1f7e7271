#pragma once
// The agent's one buffer: encoded messages from the batcher until the broker has taken them. Loop thread. This one lives
// in RAM; a spool on flash takes its place with the same functions (append, take, done, requeue, oldest) and one more to
// open it. What callers may rely on, whichever it is:
//   - a record is in the spool from append() until done(); take() only marks it as under way;
//   - order: fresh records before the backlog (older than `backlog_after` when asked for), in each of the two `live` before
//     `data`, in a stream the oldest first; requeue() puts a record back to where it was;
//   - ids grow with append() and are never used twice in one life of the agent;
//   - memory is bounded by bytes, payloads and bookkeeping together, and records by age.
// When it is full, detail goes first: the oldest data message, one after the other; then live summaries are thinned (of
// the older ones one in 10 s stays, then one a minute, one in 10 minutes), which loses no energy, as each carries its
// counters; then the oldest go. The newest live record always stays. Records under way are left alone. Whatever is
// dropped is counted under its reason, in records and in samples.
#include "agent/batcher.hpp"
#include "agent/config.hpp"
#include "proto/messages.hpp"
#include "runtime/clock.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

namespace gwatt::agent {

struct Record {
    std::uint64_t id = 0;
    proto::Stream stream = proto::Stream::data;
    std::uint64_t sequence = 0;
    runtime::Monotonic made{};
    std::uint32_t samples = 0;
    std::string payload;
};

enum class DropReason : std::uint8_t {
    full,       // data dropped for want of memory
    thinned,    // live left out for want of memory; its energy is in the next one
    full_live,  // live dropped for want of memory, all of it being thinned already
    age,        // older than the spool keeps
    too_large,  // the broker takes no packet of this size
    refused,    // refused again and again, for a reason of the broker's own
};
inline constexpr std::size_t drop_reasons = 6;
const char* to_string(DropReason reason);

// Which of the four queues: what take() may be told to leave out while it is parked.
enum class Lane : std::uint8_t { live, data, backlog_live, backlog_data };
inline constexpr std::size_t lanes = 4;

class Spool {
public:
    Spool(const SpoolConfig& config, Duration backlog_after, const runtime::Clock& clock)
        : config_(config), backlog_after_(backlog_after), clock_(clock) {}

    std::uint64_t append(const Outgoing& message);

    struct Taken {
        const Record* record = nullptr;  // valid until the next call on the spool
        Lane lane = Lane::live;
    };
    // The next record to send, now under way; nothing where none waits in the lanes allowed (by Lane).
    std::optional<Taken> take(const std::array<bool, lanes>& allowed);

    void done(std::uint64_t id);                     // taken by the broker
    void drop(std::uint64_t id, DropReason reason);  // will never be taken
    void requeue(std::uint64_t id);                  // not known to be taken: to be sent again

    bool empty() const { return live_.empty() && data_.empty(); }
    std::uint64_t bytes() const { return counters_.bytes; }

    struct Counters {
        std::uint64_t appended = 0, delivered = 0, requeued = 0;
        std::uint64_t samples_appended = 0, samples_delivered = 0;
        std::array<std::uint64_t, drop_reasons> dropped{}, samples_dropped{};
        // What is so now.
        std::uint64_t records = 0, bytes = 0, samples = 0;
    };
    const Counters& counters() const { return counters_; }

private:
    struct Entry {
        Record record;
        bool under_way = false;
    };
    using Queue = std::deque<Entry>;

    Queue& queue_of(proto::Stream stream) { return stream == proto::Stream::live ? live_ : data_; }
    Entry* find(std::uint64_t id);
    Entry* first_waiting(Queue& queue, bool backlog);
    void forget(const Entry& entry);
    void count_drop(const Entry& entry, DropReason reason);
    bool erase(std::uint64_t id);
    void make_room();
    bool drop_oldest(Queue& queue, DropReason reason, std::size_t keep);
    bool thin_live();
    void drop_aged(Queue& queue, std::size_t keep);

    SpoolConfig config_;
    Duration backlog_after_;
    const runtime::Clock& clock_;
    Queue live_, data_;  // by id
    std::uint64_t next_id_ = 1;
    Counters counters_;
};

}  // namespace gwatt::agent
