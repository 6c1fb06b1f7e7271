#pragma once
// Per (agent, boot, stream) the sequence numbers taken, so that each message counts once, gaps are known, and late ones
// fill their gap. Hands on what is new; state messages (catalog, status) are handed on again, for they only repeat
// themselves. Loop thread; books and the next stage must outlive it.
#include "fleet/books.hpp"
#include "fleet/message_sink.hpp"
#include "fleet/sequence_set.hpp"

#include <array>
#include <vector>

namespace gwatt::fleet {

class Ledger final : public MessageSink {
public:
    static constexpr std::size_t boots_kept = 8;         // an agent; spools may hold messages of earlier boots
    static constexpr std::size_t boots_remembered = 64;  // ids of boots dropped since: their messages are refused

    Ledger(Books& books, MessageSink& next) : books_(books), next_(next) {}

    void catalog(const Envelope& from, const proto::Catalog& message) override;
    void status(const Envelope& from, const proto::Status& message) override;
    void live(const Envelope& from, const proto::Live& message, const proto::Catalog& catalog) override;
    void data(const Envelope& from, const proto::Data& message, const proto::Catalog& catalog) override;

    struct Gaps {
        std::uint64_t messages = 0;  // missing now
        std::uint64_t gaps = 0;      // how many holes they make
        std::uint64_t lost = 0;      // given up: memory of the gap was needed for newer ones
        std::uint64_t boots = 0;     // seen since start
    };
    Gaps gaps() const;

private:
    static constexpr std::size_t streams = 4;  // catalog, status, live, data
    struct Boot {
        std::uint64_t id = 0;
        std::uint64_t touched = 0;
        std::array<SequenceSet, streams> taken;
    };
    struct Agent {
        std::vector<Boot> boots;
        std::vector<std::uint64_t> forgotten;  // a ring
        std::size_t next_forgotten = 0;
    };
    enum class Verdict : std::uint8_t { hand_on, repeat, refuse };
    Verdict take(const Envelope& from, const proto::Header& header, proto::Stream stream);
    Boot* boot_of(Agent& agent, std::uint64_t id);
    void forget_oldest(Agent& agent);

    Books& books_;
    MessageSink& next_;
    std::vector<Agent> agents_;
    std::uint64_t touches_ = 0;
    std::uint64_t lost_in_forgotten_ = 0;
    std::uint64_t boots_seen_ = 0;
};

}  // namespace gwatt::fleet
