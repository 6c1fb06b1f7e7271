#pragma once
// The retained messages of an agent: its catalog, and its status, which is true as long as the link is up. Loop thread.
// Clock, log and link must outlive it. Publisher says when; it says what.
#include "proto/codec.hpp"
#include "runtime/backoff.hpp"
#include "runtime/log.hpp"
#include "runtime/mqtt.hpp"

#include <boost/asio/awaitable.hpp>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace gwatt::agent {

struct Identity {
    std::string site, agent;
    std::uint64_t boot = 0;
};

// The payload of the agent's last will: controller_lost.
std::string will_payload(const Identity& identity, const runtime::Clock& clock);

class Announcer {
public:
    using StatusSource = std::function<std::vector<proto::BusStatus>()>;

    Announcer(runtime::Clock& clock, const runtime::Logger& log, runtime::Mqtt& link, Identity identity,
              StatusSource buses);

    void set_catalog(const proto::Catalog& catalog);

    // Something is to be said: the link is new, the catalog is, or the state of a bus (looked at once a second).
    bool due();
    // When due() may become true without anybody saying so.
    runtime::Monotonic next_look() const;
    // Catalog, then status. What is not taken is due again after a pause. A catalog that is refused three times does not
    // hold the records back any longer: readers may have it from elsewhere.
    boost::asio::awaitable<void> announce();
    boost::asio::awaitable<bool> say_offline();

    // Records may go: whoever reads them has been told their catalog.
    bool catalog_told() const { return have_catalog_ && !catalog_due_; }
    const Identity& identity() const { return identity_; }

    struct Counters {
        std::uint64_t catalogs = 0, statuses = 0;  // taken
        std::uint64_t not_taken = 0;
    };
    const Counters& counters() const { return counters_; }

private:
    boost::asio::awaitable<bool> publish_catalog();
    boost::asio::awaitable<bool> publish_status(proto::Presence presence);
    boost::asio::awaitable<bool> publish(proto::Stream stream, std::string payload);
    proto::Header header(std::uint64_t sequence) const;

    runtime::Clock& clock_;
    runtime::Mqtt& link_;
    Identity identity_;
    StatusSource buses_;
    proto::Encoder encoder_;
    proto::Catalog catalog_;
    bool have_catalog_ = false, catalog_due_ = false, status_due_ = false;
    std::uint64_t connection_ = 0;
    runtime::Monotonic not_before_{}, looked_{};
    std::vector<proto::BusStatus> told_buses_;
    runtime::Backoff pause_;
    runtime::Complaint refused_;
    Counters counters_;
};

}  // namespace gwatt::agent
