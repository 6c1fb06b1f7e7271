#include "runtime/mqtt_link.hpp"

#include "runtime/mqtt_link_worker.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <stdexcept>

namespace gwatt::runtime {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

constexpr auto wait_as_value = asio::as_tuple(asio::use_awaitable);
// A link that lives this long counts as good: the back-off starts anew, and the trouble is over.
constexpr Duration proved = seconds(5);
constexpr Duration watch_period = seconds(1);
// The library's own connect time-out is looked at every three seconds only.
constexpr Duration library_grace = seconds(5);

const MqttOptions& checked(const MqttOptions& options) {
    if (const auto what = fault(options)) {
        throw std::invalid_argument(*what);
    }
    return options;
}

constexpr const char* word(ConnectFailure failure) {
    constexpr std::array<const char*, 6> words{"files",          "unreachable", "timeout",
                                               "not_authorised", "refused",     "library"};
    return words[static_cast<std::size_t>(failure)];
}

}  // namespace

// One publication's way. Shared by its coroutine and the link, so that either may go first.
struct MqttLink::Ticket {
    Ticket(asio::io_context& loop, Publication p)
        : publication(std::move(p)), done(loop, asio::steady_timer::time_point::max()) {}
    Publication publication;  // moved away when sent
    asio::steady_timer done;  // cancelled when the result is there
    std::optional<PublishResult> result;
    bool abandoned = false;  // its coroutine is gone
};

MqttLink::MqttLink(asio::io_context& loop, Clock& clock, const Logger& log, MqttOptions options)
    : loop_(loop),
      clock_(clock),
      log_(log),
      options_(checked(options)),
      mailbox_(std::make_shared<LinkMailbox>(loop, options.queue_messages, options.queue_bytes, options.hold_back)),
      worker_(std::make_unique<LinkWorker>(options, mailbox_)),
      backoff_(options.retry_first, options.retry_cap, options.seed != 0 ? options.seed : random_seed()),
      trouble_(log, clock, "no link to the MQTT broker"),
      overflow_(log, clock, "MQTT messages dropped: the queue to the loop is full"),
      pulse_(loop),
      changed_(loop, asio::steady_timer::time_point::max()),
      limits_{options.window, options.maximum_packet},
      keepalive_(options.keepalive) {
    mailbox_->receive([this](std::uint32_t serial, LinkEvent& event) { take(serial, event); });
}

MqttLink::~MqttLink() {
    mailbox_->close();
    lose_in_flight();
    lose_waiting();
}

void MqttLink::subscribe(std::string filter, int qos, MessageHandler handler) {
    if (!valid_topic_filter(filter) || qos < 0 || qos > 1) {
        throw std::invalid_argument("'" + filter + "' with QoS " + std::to_string(qos) + " cannot be subscribed to");
    }
    subscriptions_.push_back({std::move(filter), qos, std::move(handler)});
}

// ---- run and its parts ----

asio::awaitable<void> MqttLink::run() {
    co_await asio::this_coro::throw_if_cancelled(false);
    while (!stopping_) {
        co_await attempt();
        co_await serve();
        if (state_ == State::up) {
            co_await farewell();
        } else if (!tried_in_vain_) {
            const Monotonic patience = clock_.now() + options_.stop_timeout;
            co_await release(milliseconds(0), patience);
        }
        co_await pause();
    }
    ended_ = true;
    lose_waiting();
}

asio::awaitable<void> MqttLink::attempt() {
    ++serial_;
    state_ = State::connecting;
    tried_in_vain_ = false;
    const Monotonic deadline = clock_.now() + options_.connect_timeout + library_grace;
    worker_->connect(serial_, keepalive_);
    while (state_ == State::connecting && !stopping_) {
        if (clock_.now() >= deadline) {
            link_event::Failed late{ConnectFailure::timeout, 0, "no answer from the broker"};
            on(late);
            tried_in_vain_ = false;  // the library is still at it: away with the client
            break;
        }
        co_await wait(deadline);
    }
}

asio::awaitable<void> MqttLink::serve() {
    while (state_ == State::up && !stopping_) {
        const Monotonic now = clock_.now();
        if (answer_overdue(now)) {
            ++numbers_.losses[static_cast<std::size_t>(Loss::no_answer)];
            trouble_.complain({{"cause", "the broker does not answer"}, {"waited", options_.answer_timeout}});
            go_down();
            break;
        }
        if (now - up_since_ >= proved) {
            backoff_.reset();
            trouble_.recovered();
            overflow_.recovered();
        }
        co_await wait(now + watch_period);
    }
}

asio::awaitable<void> MqttLink::farewell() {
    const Monotonic start = clock_.now();
    const Duration whole = options_.stop_timeout;
    co_await flush(start + whole / 2);
    if (options_.goodbye && state_ == State::up) {
        auto ticket = std::make_shared<Ticket>(loop_, *options_.goodbye);
        ++numbers_.published;
        waiting_.push_front(ticket);
        pump();
        while (!ticket->result && state_ == State::up && clock_.now() < start + whole * 3 / 4) {
            co_await wait(start + whole * 3 / 4);
        }
    }
    const bool polite = state_ == State::up;
    const auto rest = std::chrono::duration_cast<milliseconds>(start + whole - clock_.now());
    go_down();
    co_await release(polite ? std::max(rest / 2, milliseconds(1)) : milliseconds(0), start + whole);
    log_.info("MQTT link closed", {{"broker", options_.host}});
}

asio::awaitable<void> MqttLink::flush(Monotonic until) {
    while (state_ == State::up && (numbers_.in_flight != 0 || !waiting_.empty()) && clock_.now() < until) {
        co_await wait(until);
    }
}

// Has the worker destroy the client. Where the library hangs (a resolver without an answer), goes on waiting in silence
// unless the link is to stop: two attempts at a time would only hang twice.
asio::awaitable<void> MqttLink::release(milliseconds polite, Monotonic until) {
    state_ = State::closing;
    worker_->close(polite);
    while (state_ == State::closing && !(stopping_ && clock_.now() >= until)) {
        co_await wait(std::max(until, clock_.now() + watch_period));
    }
    state_ = State::down;
    ++serial_;  // what the closed client still has to say is not heard
}

asio::awaitable<void> MqttLink::pause() {
    const Monotonic until = clock_.now() + backoff_.next();
    while (!stopping_ && clock_.now() < until) {
        co_await wait(until);
    }
}

// Ends at `until`, at the next notify(), or when run() is cancelled, which is taken as stop().
asio::awaitable<void> MqttLink::wait(Monotonic until) {
    const std::uint64_t seen = generation_;
    pulse_.expires_at(until);
    auto [error] = co_await pulse_.async_wait(wait_as_value);
    if (error && generation_ == seen) {
        stopping_ = true;
    }
}

void MqttLink::stop() {
    stopping_ = true;
    if (serial_ == 0) {
        ended_ = true;  // never ran
        lose_waiting();
    }
    notify();
}

void MqttLink::notify() {
    ++generation_;
    pulse_.cancel();
    changed_.cancel();
}

asio::awaitable<bool> MqttLink::changed() {
    const std::uint64_t seen = generation_;
    auto [error] = co_await changed_.async_wait(wait_as_value);
    static_cast<void>(error);  // always aborted: by notify() or by cancellation
    co_return generation_ != seen;
}

// ---- publishing ----

bool MqttLink::has_room() const { return state_ == State::up && numbers_.in_flight + waiting_.size() < limits_.window; }

// What this broker would drop the connection for, or may not be sent in any case.
std::optional<PublishResult> MqttLink::refusal(const Publication& p) const {
    if (!valid_topic_name(p.topic) || p.expiry.value_or(seconds(0)) < seconds(0)) {
        return PublishResult{Delivery::refused, 0x90};  // Topic Name invalid
    }
    if (p.qos < 0 || p.qos > std::min<int>(1, granted_.maximum_qos)) {
        return PublishResult{Delivery::refused, 0x9b};  // QoS not supported
    }
    if (p.retain && !granted_.retain_available) {
        return PublishResult{Delivery::refused, 0x9a};  // Retain not supported
    }
    if (publish_packet_size(p, options_.protocol) > limits_.maximum_packet) {
        return PublishResult{Delivery::too_large, 0};
    }
    return {};
}

asio::awaitable<PublishResult> MqttLink::publish(Publication publication) {
    struct Leave {
        Ticket& ticket;
        ~Leave() { ticket.abandoned = true; }
    };
    const auto ticket = std::make_shared<Ticket>(loop_, std::move(publication));
    const Leave leave{*ticket};
    ++numbers_.published;
    if (ended_ || stopping_) {
        resolve(*ticket, {Delivery::lost, 0});
    } else if (const auto no = refusal(ticket->publication)) {
        resolve(*ticket, *no);
    } else {
        waiting_.push_back(ticket);
        pump();
    }
    if (!ticket->result) {
        auto [error] = co_await ticket->done.async_wait(wait_as_value);
        static_cast<void>(error);
    }
    co_return ticket->result.value_or(PublishResult{Delivery::lost, 0});
}

void MqttLink::pump() {
    while (state_ == State::up && !free_.empty() && !waiting_.empty()) {
        const std::shared_ptr<Ticket> ticket = std::move(waiting_.front());
        waiting_.pop_front();
        if (ticket->abandoned) {
            resolve(*ticket, {Delivery::lost, 0});
            continue;
        }
        if (const auto no = refusal(ticket->publication)) {
            resolve(*ticket, *no);
            continue;
        }
        const std::uint32_t slot = free_.back();
        free_.pop_back();
        slots_[slot] = {ticket, clock_.now()};
        ++numbers_.sent;
        numbers_.most_in_flight = std::max(numbers_.most_in_flight, ++numbers_.in_flight);
        worker_->publish(slot, std::move(ticket->publication));
    }
    numbers_.waiting = waiting_.size();
}

void MqttLink::resolve(Ticket& ticket, PublishResult result) {
    ++numbers_.outcomes[static_cast<std::size_t>(result.delivery)];
    ticket.result = result;
    ticket.done.cancel();
}

void MqttLink::lose_in_flight() {
    for (Slot& slot : slots_) {
        if (slot.ticket) {
            resolve(*std::exchange(slot.ticket, nullptr), {Delivery::lost, 0});
        }
    }
    slots_.clear();
    free_.clear();
    numbers_.in_flight = 0;
}

void MqttLink::lose_waiting() {
    for (const auto& ticket : std::exchange(waiting_, {})) {
        resolve(*ticket, {Delivery::lost, 0});
    }
    numbers_.waiting = 0;
}

bool MqttLink::answer_overdue(Monotonic now) const {
    const Monotonic limit = now - options_.answer_timeout;
    return (unanswered_subscriptions_ != 0 && up_since_ < limit) ||
           std::any_of(slots_.begin(), slots_.end(), [&](const Slot& s) { return s.ticket && s.since < limit; });
}

// ---- events ----

void MqttLink::take(std::uint32_t serial, LinkEvent& event) {
    if (const std::uint64_t dropped = mailbox_->take_dropped(); dropped != 0) {
        numbers_.dropped_full += dropped;
        overflow_.complain({{"dropped", dropped}});
    }
    if (serial == serial_) {
        std::visit([this](auto& e) { on(e); }, event);
    }
}

void MqttLink::adopt(const Granted& granted) {
    granted_ = granted;
    const std::uint16_t receive_maximum = std::max<std::uint16_t>(granted.receive_maximum, 1);
    limits_.window = std::min(options_.window, receive_maximum);
    limits_.maximum_packet = std::min(options_.maximum_packet, granted.maximum_packet);
    slots_.assign(limits_.window, {});
    free_.clear();
    for (std::uint32_t slot = limits_.window; slot-- > 0;) {
        free_.push_back(slot);
    }
    // Paho before 1.3.14 does not heed the broker's Server Keep Alive. The broker will close an idle link after 1.5
    // times its own; from the next connection on we ask for what it wants.
    if (granted.keepalive != 0 && seconds(granted.keepalive) < keepalive_) {
        keepalive_ = seconds(granted.keepalive);
        log_.warning("the broker wants a shorter keepalive", {{"keepalive", keepalive_}});
    }
}

void MqttLink::on(link_event::Up& event) {
    if (state_ != State::connecting) {
        return;
    }
    adopt(event.granted);
    state_ = State::up;
    up_since_ = clock_.now();
    numbers_.up = 1;
    ++numbers_.connections;
    unanswered_subscriptions_ = subscriptions_.size();
    for (std::uint32_t i = 0; i < subscriptions_.size(); ++i) {
        worker_->subscribe(i, subscriptions_[i].filter, subscriptions_[i].qos);
    }
    log_.write(trouble_.active() ? LogLevel::debug : LogLevel::info, "MQTT link up",
               {{"broker", options_.host},
                {"port", options_.effective_port()},
                {"window", limits_.window},
                {"maximum_packet", limits_.maximum_packet},
                {"session", granted_.session_present}});
    notify();
    pump();
}

void MqttLink::on(link_event::Failed& event) {
    if (state_ != State::connecting) {
        return;
    }
    tried_in_vain_ = true;
    ++numbers_.connect_failures[static_cast<std::size_t>(event.failure)];
    trouble_.complain({{"broker", options_.host},
                       {"port", options_.effective_port()},
                       {"cause", word(event.failure)},
                       {"code", event.code},
                       {"text", event.text}});
    go_down();
}

void MqttLink::on(link_event::Lost& event) {
    if (state_ != State::up) {
        return;
    }
    const Loss loss = event.reason >= 0x80 ? Loss::broker : Loss::connection;
    ++numbers_.losses[static_cast<std::size_t>(loss)];
    trouble_.complain({{"broker", options_.host}, {"cause", event.cause}, {"reason", event.reason}});
    go_down();
}

void MqttLink::go_down() {
    state_ = State::down;
    numbers_.up = 0;
    unanswered_subscriptions_ = 0;
    lose_in_flight();
    notify();
}

void MqttLink::on(link_event::Answered& event) {
    if (event.slot >= slots_.size() || !slots_[event.slot].ticket) {
        return;
    }
    if (event.result.delivery == Delivery::lost) {  // only a socket that is gone does this; its own event is on the way
        link_event::Lost lost{0, "the connection broke"};
        on(lost);
        return;
    }
    const auto ticket = std::exchange(slots_[event.slot].ticket, nullptr);
    free_.push_back(event.slot);
    --numbers_.in_flight;
    resolve(*ticket, event.result);
    pump();
    notify();
}

void MqttLink::on(link_event::Subscribed& event) {
    unanswered_subscriptions_ -= unanswered_subscriptions_ != 0 ? 1 : 0;
    if (!event.granted && state_ == State::up && event.index < subscriptions_.size()) {
        ++numbers_.subscriptions_refused;
        log_.error("the broker refused a subscription",
                   {{"filter", subscriptions_[event.index].filter}, {"reason", event.reason}});
    }
}

void MqttLink::on(link_event::Message& event) {
    ++numbers_.received;
    numbers_.received_bytes += event.payload.size();
    const ReceivedMessage message{event.topic, event.payload, event.retained, event.duplicate};
    bool wanted = false;
    for (const Subscription& subscription : subscriptions_) {
        if (topic_matches(subscription.filter, event.topic)) {
            wanted = true;
            subscription.handler(message);
        }
    }
    numbers_.dropped_unwanted += wanted ? 0 : 1;
}

void MqttLink::on(link_event::Closed&) {
    if (state_ == State::closing) {
        state_ = State::down;
        notify();
    }
}

// ---- counters ----

void MqttLink::list(Counters& counters, const Counters::Labels& labels) const {
    const auto with = [&](const char* key, const char* value) {
        Counters::Labels all = labels;
        all.emplace_back(key, value);
        return all;
    };
    const Numbers& n = numbers_;
    constexpr std::array<const char*, 6> deliveries{"taken", "not_authorised", "quota", "too_large", "refused", "lost"};
    constexpr std::array<const char*, 3> losses{"connection", "broker", "no_answer"};
    for (std::size_t i = 0; i < n.outcomes.size(); ++i) {
        counters.counter("gwatt_mqtt_outcomes_total", with("delivery", deliveries[i]),
                         "Publications by what became of them", n.outcomes[i]);
    }
    for (std::size_t i = 0; i < n.connect_failures.size(); ++i) {
        counters.counter("gwatt_mqtt_connect_failures_total", with("reason", word(static_cast<ConnectFailure>(i))),
                         "Failed attempts to connect", n.connect_failures[i]);
    }
    for (std::size_t i = 0; i < n.losses.size(); ++i) {
        counters.counter("gwatt_mqtt_losses_total", with("reason", losses[i]), "Links that went down", n.losses[i]);
    }
    counters.counter("gwatt_mqtt_connections_total", labels, "Links that came up", n.connections);
    counters.counter("gwatt_mqtt_published_total", labels, "Publications asked for", n.published);
    counters.counter("gwatt_mqtt_received_total", labels, "Messages received", n.received);
    counters.counter("gwatt_mqtt_received_bytes_total", labels, "Payload bytes received", n.received_bytes);
    counters.counter("gwatt_mqtt_dropped_total", with("reason", "full"), "Messages dropped on reception",
                     n.dropped_full);
    counters.counter("gwatt_mqtt_dropped_total", with("reason", "unwanted"), "Messages dropped on reception",
                     n.dropped_unwanted);
    counters.counter("gwatt_mqtt_subscriptions_refused_total", labels, "SUBACK failures", n.subscriptions_refused);
    counters.gauge("gwatt_mqtt_up", labels, "1 while connected", n.up);
    counters.gauge("gwatt_mqtt_in_flight", labels, "Publications sent and not answered", n.in_flight);
    counters.gauge("gwatt_mqtt_waiting", labels, "Publications waiting for room", n.waiting);
}

}  // namespace gwatt::runtime
