#include "runtime/mqtt_link_worker.hpp"

#include "runtime/mqtt_link_client.hpp"

#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <functional>
#include <mutex>
#include <utility>

namespace gwatt::runtime {

struct LinkWorker::Shared {
    MqttOptions options;
    std::shared_ptr<LinkMailbox> mailbox;
    std::unique_ptr<LinkClient> client;  // worker thread

    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> orders;  // at most a window of publications and a few more
    bool leaving = false;
    bool left = false;

    void order(std::function<void()> work);
    void run();
};

void LinkWorker::Shared::order(std::function<void()> work) {
    const std::lock_guard lock(mutex);
    orders.push_back(std::move(work));
    changed.notify_all();
}

void LinkWorker::Shared::run() {
    for (;;) {
        std::function<void()> work;
        {
            std::unique_lock lock(mutex);
            changed.wait(lock, [this] { return leaving || !orders.empty(); });
            if (leaving) {
                break;
            }
            work = std::move(orders.front());
            orders.pop_front();
        }
        work();
    }
    client.reset();
    const std::lock_guard lock(mutex);
    left = true;
    changed.notify_all();
}

namespace {

// Paho's threads are children of ours and inherit: signals stay with the thread that runs the loop.
class SignalsBlocked {
public:
    SignalsBlocked() {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_{};
};

}  // namespace

LinkWorker::LinkWorker(const MqttOptions& options, std::shared_ptr<LinkMailbox> mailbox)
    : shared_(std::make_shared<Shared>()) {
    shared_->options = options;
    shared_->mailbox = std::move(mailbox);
    std::signal(SIGPIPE, SIG_IGN);  // paho.mqtt.c issue 1346: a write to a reset socket kills the process
    ::unsetenv("http_proxy");       // paho.mqtt.c issue 1344: honoured for plain MQTT up to 1.3.13
    ::unsetenv("https_proxy");
    const SignalsBlocked blocked;
    thread_ = std::thread([shared = shared_] { shared->run(); });
}

LinkWorker::~LinkWorker() {
    std::unique_lock lock(shared_->mutex);
    shared_->leaving = true;
    shared_->changed.notify_all();
    const bool left = shared_->changed.wait_for(lock, std::chrono::seconds(2), [this] { return shared_->left; });
    lock.unlock();
    if (left) {
        thread_.join();
    } else {
        thread_.detach();
    }
}

void LinkWorker::connect(std::uint32_t serial, std::chrono::seconds keepalive) {
    shared_->order([shared = shared_.get(), serial, keepalive] {
        if (!shared->client) shared->client = std::make_unique<LinkClient>(shared->options, shared->mailbox);
        shared->client->connect(serial, keepalive);
    });
}

void LinkWorker::publish(std::uint32_t slot, Publication publication) {
    shared_->order([shared = shared_.get(), slot, publication = std::move(publication)]() mutable {
        if (shared->client) {
            shared->client->publish(slot, std::move(publication));
        }
    });
}

void LinkWorker::subscribe(std::uint32_t index, std::string filter, int qos) {
    shared_->order([shared = shared_.get(), index, filter = std::move(filter), qos] {
        if (shared->client) {
            shared->client->subscribe(index, filter, qos);
        }
    });
}

void LinkWorker::close(std::chrono::milliseconds polite) {
    shared_->order([shared = shared_.get(), polite] {
        if (!shared->client) {
            return;
        }
        const std::uint32_t serial = shared->client->serial();
        if (polite.count() > 0) {
            shared->client->disconnect(polite);
        }
        shared->client.reset();
        shared->mailbox->put(serial, link_event::Closed{});
    });
}

}  // namespace gwatt::runtime
