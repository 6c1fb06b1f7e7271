#pragma once
// What the subscriber and the ledger hand on: a decoded message with what its topic and its arrival say. Loop thread;
// everything referred to is valid during the call only.
#include "proto/messages.hpp"

#include <cstdint>
#include <string_view>

namespace gwatt::fleet {

// Position of an agent in the AgentTable; small, dense, never reused.
using AgentIndex = std::uint32_t;

struct Arrival {
    proto::Monotonic monotonic;  // this machine's clocks
    proto::Utc utc;
};

struct Envelope {
    AgentIndex agent = 0;
    std::string_view site, name;  // of the agent
    bool history = false;         // came late, out of a spool
    Arrival arrival;
};

class MessageSink {
public:
    virtual ~MessageSink() = default;
    virtual void catalog(const Envelope& from, const proto::Catalog& message) = 0;
    virtual void status(const Envelope& from, const proto::Status& message) = 0;
    virtual void live(const Envelope& from, const proto::Live& message, const proto::Catalog& catalog) = 0;
    virtual void data(const Envelope& from, const proto::Data& message, const proto::Catalog& catalog) = 0;
};

}  // namespace gwatt::fleet
