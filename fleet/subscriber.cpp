#include "fleet/subscriber.hpp"

#include <utility>

namespace gwatt::fleet {

namespace {
Reason reason_of(boost::system::error_code error) {
    switch (static_cast<proto::DecodeError>(error.value())) {
        case proto::DecodeError::malformed: return Reason::malformed;
        case proto::DecodeError::wrong_schema: return Reason::wrong_schema;
        case proto::DecodeError::unknown_catalog: return Reason::unknown_catalog;
        case proto::DecodeError::inconsistent: return Reason::inconsistent;
        case proto::DecodeError::too_large: return Reason::too_large;
    }
    return Reason::malformed;
}
}  // namespace

void Subscriber::reject(boost::system::error_code error) { books_.reject(reason_of(error)); }

void Subscriber::take(const runtime::ReceivedMessage& message, const Arrival& arrival) {
    ++books_.received;
    const auto topic = proto::parse_topic(message.topic);
    if (!topic) return books_.reject(Reason::bad_topic);
    decode(*topic, message.payload, arrival);
}

void Subscriber::decode(const proto::TopicParts& topic, proto::Bytes payload, const Arrival& arrival) {
    const Envelope from{0, topic.site, topic.agent, topic.history, arrival};
    switch (topic.stream) {
        case proto::Stream::catalog: return decode_catalog(from, payload);
        case proto::Stream::status: return decode_status(from, payload);
        case proto::Stream::live:
        case proto::Stream::data: return decode_readings(from, topic.stream, payload);
        case proto::Stream::burst:
        case proto::Stream::ack:
        case proto::Stream::rollup: break;
    }
    books_.reject(Reason::foreign_stream);
}

bool Subscriber::admit(Envelope& from) {
    auto agent = agents_.find(from.site, from.name);
    if (!agent && !limits_.admit_unlisted) return books_.reject(Reason::unlisted_agent), false;
    if (!agent) agent = agents_.admit(from.site, from.name);
    if (!agent) return books_.reject(Reason::too_many_agents), false;
    from.agent = *agent;
    from.site = agents_.name(*agent).site;
    from.name = agents_.name(*agent).name;
    return true;
}

void Subscriber::decode_catalog(Envelope from, proto::Bytes payload) {
    const auto message = decoder_.catalog(payload);
    if (!message) return reject(message.error());
    const proto::Catalog& catalog = **message;
    if (catalog.site != from.site || catalog.agent != from.name) return books_.reject(Reason::wrongly_addressed);
    if (!admit(from)) return;
    catalogs_.keep(from.agent, catalog);
    next_.catalog(from, catalog);
    replay(from.agent);
}

void Subscriber::decode_status(Envelope from, proto::Bytes payload) {
    const auto message = decoder_.status(payload);
    if (!message) return reject(message.error());
    if (admit(from)) next_.status(from, **message);
}

void Subscriber::decode_readings(Envelope from, proto::Stream stream, proto::Bytes payload) {
    const auto header = decoder_.header(payload);
    if (!header) return reject(header.error());
    if (!admit(from)) return;
    if (const auto* catalog = catalogs_.find(from.agent, header->catalog))
        return hand_on(from, stream, payload, *catalog);
    park(from, stream, payload, header->catalog);
}

void Subscriber::hand_on(const Envelope& from, proto::Stream stream, proto::Bytes payload,
                         const proto::Catalog& catalog) {
    if (stream == proto::Stream::live) {
        const auto message = decoder_.live(payload, catalog);
        message ? next_.live(from, **message, catalog) : reject(message.error());
    } else {
        const auto message = decoder_.data(payload, catalog);
        message ? next_.data(from, **message, catalog) : reject(message.error());
    }
}

void Subscriber::park(const Envelope& from, proto::Stream stream, proto::Bytes payload, std::uint64_t catalog) {
    if (from.agent >= parked_count_.size()) parked_count_.resize(from.agent + 1);
    auto& count = parked_count_[from.agent];
    if (count >= limits_.parked_per_agent || parked_bytes_ + payload.size() > limits_.parked_bytes)
        return books_.reject(Reason::unknown_catalog);
    parked_.push_back({from, stream, catalog, std::string(payload)});
    ++count;
    ++books_.parked;
    parked_bytes_ += payload.size();
}

// The agent's messages whose catalog is there now, in the order in which they came.
void Subscriber::replay(AgentIndex agent) {
    if (agent >= parked_count_.size() || parked_count_[agent] == 0) return;
    std::deque<Parked> waiting;
    std::swap(waiting, parked_);
    for (auto& message : waiting) {
        const auto* catalog = message.from.agent == agent ? catalogs_.find(agent, message.catalog) : nullptr;
        if (!catalog) {
            parked_.push_back(std::move(message));
            continue;
        }
        --parked_count_[agent];
        --books_.parked;
        parked_bytes_ -= message.payload.size();
        hand_on(message.from, message.stream, message.payload, *catalog);
    }
}

void Subscriber::expire(runtime::Monotonic now) {
    while (!parked_.empty() && now - parked_.front().from.arrival.monotonic > limits_.parked_for) {
        --parked_count_[parked_.front().from.agent];
        --books_.parked;
        parked_bytes_ -= parked_.front().payload.size();
        books_.reject(Reason::unknown_catalog);
        parked_.pop_front();
    }
}

}  // namespace gwatt::fleet
