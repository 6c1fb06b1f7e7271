#include "tests/support/model_broker.hpp"

#include "runtime/mqtt_rules.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <utility>

namespace gwatt::test {
namespace asio = boost::asio;

ModelBroker::~ModelBroker() = default;

std::unique_ptr<ModelBroker::Client> ModelBroker::client(std::uint16_t window) {
    return std::make_unique<Client>(*this, window);
}

void ModelBroker::set(const NetworkDials& dials) {
    const bool changed = dials.down != dials_.down;
    dials_ = dials;
    if (changed) {
        for (auto* client : clients_) {
            client->link_changed();
        }
    }
}

bool ModelBroker::chance(double probability) {
    return probability > 0 && std::uniform_real_distribution<>(0, 1)(random_) < probability;
}

runtime::PublishResult ModelBroker::accept(const runtime::Publication& publication) {
    if (dials_.answer != runtime::Delivery::taken) {
        return {dials_.answer, 0};
    }
    ++counters_.published;
    if (publication.retain) {
        retained_[publication.topic] = publication.payload;
    }
    if (chance(dials_.drop)) {
        ++counters_.dropped;
        return {runtime::Delivery::taken, 0};
    }
    route({publication.topic, publication.payload});
    return {chance(dials_.lose_ack) ? runtime::Delivery::lost : runtime::Delivery::taken, 0};
}

void ModelBroker::route(Message message) {
    if (chance(dials_.reorder)) {
        ++counters_.reordered;
        const auto depth = std::uniform_int_distribution<std::ptrdiff_t>(
            1, static_cast<std::ptrdiff_t>(dials_.reorder_depth))(random_);
        held_.emplace_back(depth, std::move(message));
        return;
    }
    deliver(message);
    if (chance(dials_.duplicate)) {
        ++counters_.duplicated;
        deliver(message);
    }
    for (auto& held : held_) {
        --held.first;
    }
    while (!held_.empty() && held_.front().first <= 0) {
        const Message late = std::move(held_.front().second);
        held_.pop_front();
        deliver(late);
    }
}

void ModelBroker::release_held() {
    while (!held_.empty()) {
        const Message late = std::move(held_.front().second);
        held_.pop_front();
        deliver(late);
    }
}

void ModelBroker::deliver(const Message& message) {
    ++counters_.delivered;
    for (auto* client : clients_) {
        client->take(message, false);
    }
}

ModelBroker::Client::Client(ModelBroker& broker, std::uint16_t window)
    : broker_(broker), window_(window), wake_(broker.loop_, asio::steady_timer::time_point::max()) {
    broker_.clients_.push_back(this);
}

ModelBroker::Client::~Client() { std::erase(broker_.clients_, this); }

asio::awaitable<void> ModelBroker::Client::run() {
    running_ = true;
    link_changed();
    while (!stopped_) {
        const bool woken = co_await changed();  // GCC 12 miscompiles `if (!co_await ...)`
        if (!woken) {
            break;
        }
    }
    running_ = false;
    wake();
}

void ModelBroker::Client::stop() {
    stopped_ = true;
    wake();
}

void ModelBroker::Client::link_changed() {
    if (connected()) {
        ++connections_;
        for (const auto& [topic, payload] : broker_.retained_) {
            take({topic, payload}, true);
        }
    }
    wake();
}

void ModelBroker::Client::wake() { wake_.cancel(); }

asio::awaitable<bool> ModelBroker::Client::changed() {
    co_await wake_.async_wait(asio::as_tuple(asio::use_awaitable));
    const auto state = co_await asio::this_coro::cancellation_state;
    co_return state.cancelled() == asio::cancellation_type::none;
}

asio::awaitable<runtime::PublishResult> ModelBroker::Client::publish(runtime::Publication publication) {
    while (connected() && !has_room()) {
        const bool woken = co_await changed();
        if (!woken) {
            co_return runtime::PublishResult{};
        }
    }
    if (!connected()) {
        co_return runtime::PublishResult{};
    }
    ++in_flight_;
    co_await asio::post(asio::use_awaitable);  // the round trip: others run meanwhile
    const auto result = connected() ? broker_.accept(publication) : runtime::PublishResult{};
    --in_flight_;
    wake();
    co_return result;
}

void ModelBroker::Client::subscribe(std::string filter, int, runtime::MessageHandler handler) {
    subscriptions_.push_back({std::move(filter), std::move(handler)});
}

void ModelBroker::Client::take(const Message& message, bool retained) {
    if (!connected()) {
        return;
    }
    for (const auto& subscription : subscriptions_) {
        if (runtime::topic_matches(subscription.filter, message.topic)) {
            subscription.handler({message.topic, message.payload, retained, false});
        }
    }
}

}  // namespace gwatt::test
