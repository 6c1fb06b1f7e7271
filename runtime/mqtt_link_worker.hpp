#pragma once
// The only file that sees Paho, with its .cpp. One thread makes every call into the library, because each of them may
// block on the library's process-wide lock, which is held during name resolution, connecting and every callback. The
// library's own threads only put events into the mailbox. The functions here queue and return; loop thread only.
#include "runtime/mqtt_link_mailbox.hpp"
#include "runtime/mqtt_options.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>

namespace gwatt::runtime {

class LinkWorker {
public:
    // Ignores SIGPIPE and takes http_proxy and https_proxy out of the environment: Paho would die of the one and connect
    // through the other. Call while the process has one thread.
    LinkWorker(const MqttOptions& options, std::shared_ptr<LinkMailbox> mailbox);
    // Waits up to two seconds for a library call under way (a slow resolver may hold it); then leaves the thread behind,
    // which keeps what it needs alive and can reach nothing of ours: its mailbox must be closed before.
    ~LinkWorker();
    LinkWorker(const LinkWorker&) = delete;
    LinkWorker& operator=(const LinkWorker&) = delete;

    // One Up or Failed; after Up, Lost at most once. May be called again after Failed; after all else, close() comes first
    // and is answered by Closed.
    void connect(std::uint32_t serial, std::chrono::seconds keepalive);
    // One Answered with this slot, unless the link is Lost or closed before.
    void publish(std::uint32_t slot, Publication publication);
    void subscribe(std::uint32_t index, std::string filter, int qos);
    // Destroys the client; where polite is not zero, after DISCONNECT, waiting that long for it to be sent.
    void close(std::chrono::milliseconds polite);

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
    std::thread thread_;
};

}  // namespace gwatt::runtime
