#pragma once
// Messages from MQTT, decoded and checked: topic against content, schema, limits. Whatever is wrong with one is counted
// under a reason and ends there. Messages that came before their catalog wait for it, a bounded number for a bounded
// time. Loop thread; books, agents and the next stage must outlive it. No sockets in here: hand it what MQTT received.
#include "fleet/agent_table.hpp"
#include "fleet/books.hpp"
#include "fleet/catalogs.hpp"
#include "fleet/message_sink.hpp"
#include "proto/codec.hpp"
#include "proto/topics.hpp"
#include "runtime/mqtt.hpp"

#include <deque>
#include <string>

namespace gwatt::fleet {

struct SubscriberLimits {
    bool admit_unlisted = true;            // agents that are not in the table yet
    std::size_t parked_bytes = 16u << 20;  // of all messages that wait for a catalog
    std::size_t parked_per_agent = 64;     // messages
    proto::Duration parked_for = std::chrono::seconds(60);
};

class Subscriber {
public:
    static constexpr std::string_view filter = "gwatt/v1/+/+/#";

    Subscriber(SubscriberLimits limits, AgentTable& agents, Books& books, MessageSink& next)
        : limits_(limits), agents_(agents), books_(books), next_(next) {}

    void take(const runtime::ReceivedMessage& message, const Arrival& arrival);
    // Gives up on messages that waited too long. Call about once a second.
    void expire(runtime::Monotonic now);

private:
    struct Parked {
        Envelope from;  // its views point into the AgentTable
        proto::Stream stream;
        std::uint64_t catalog;
        std::string payload;
    };
    void decode(const proto::TopicParts& topic, proto::Bytes payload, const Arrival& arrival);
    void decode_catalog(Envelope from, proto::Bytes payload);
    void decode_status(Envelope from, proto::Bytes payload);
    void decode_readings(Envelope from, proto::Stream stream, proto::Bytes payload);
    void hand_on(const Envelope& from, proto::Stream stream, proto::Bytes payload, const proto::Catalog& catalog);
    // Fills in the agent; false, and the message is counted, if there is none for it.
    bool admit(Envelope& from);
    void park(const Envelope& from, proto::Stream stream, proto::Bytes payload, std::uint64_t catalog);
    void replay(AgentIndex agent);
    void reject(boost::system::error_code error);

    SubscriberLimits limits_;
    AgentTable& agents_;
    Books& books_;
    MessageSink& next_;
    proto::Decoder decoder_;
    Catalogs catalogs_;
    std::deque<Parked> parked_;  // oldest first
    std::size_t parked_bytes_ = 0;
    std::vector<std::uint16_t> parked_count_;  // by agent
};

}  // namespace gwatt::fleet
