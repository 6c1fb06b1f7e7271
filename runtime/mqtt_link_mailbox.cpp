#include "runtime/mqtt_link_mailbox.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace gwatt::runtime {

namespace {

constexpr std::size_t events_a_turn = 64;  // then the loop's other work gets its turn

std::size_t bytes_of(const LinkEvent& event) {
    const auto* message = std::get_if<link_event::Message>(&event);
    return message == nullptr ? 0 : message->topic.size() + message->payload.size();
}

}  // namespace

LinkMailbox::LinkMailbox(boost::asio::io_context& loop, std::size_t messages, std::size_t bytes, Duration hold_back)
    : most_messages_(messages), most_bytes_(bytes), hold_back_(hold_back), loop_(&loop) {}

void LinkMailbox::append(std::uint32_t serial, LinkEvent event) {
    bytes_ += bytes_of(event);
    messages_ += std::holds_alternative<link_event::Message>(event) ? 1 : 0;
    entries_.push_back({serial, std::move(event)});
    if (!scheduled_) {
        scheduled_ = true;
        boost::asio::post(*loop_, [self = shared_from_this()] { self->drain(); });
    }
}

void LinkMailbox::put(std::uint32_t serial, LinkEvent event) {
    const std::lock_guard lock(mutex_);
    if (loop_ != nullptr) {
        append(serial, std::move(event));
    }
}

bool LinkMailbox::put_message(std::uint32_t serial, link_event::Message message) {
    const std::size_t size = message.topic.size() + message.payload.size();
    std::unique_lock lock(mutex_);
    const auto fits = [&] { return messages_ < most_messages_ && bytes_ + size <= most_bytes_; };
    room_.wait_for(lock, hold_back_, [&] { return loop_ == nullptr || fits(); });
    if (loop_ == nullptr) {
        return true;  // nobody is left to miss it
    }
    if (!fits()) {
        ++dropped_;
        return false;
    }
    append(serial, std::move(message));
    return true;
}

std::uint64_t LinkMailbox::take_dropped() {
    const std::lock_guard lock(mutex_);
    return std::exchange(dropped_, 0);
}

void LinkMailbox::close() {
    receiver_ = nullptr;
    const std::lock_guard lock(mutex_);
    loop_ = nullptr;
    entries_.clear();
    room_.notify_all();
}

std::deque<LinkMailbox::Entry> LinkMailbox::take_some() {
    std::deque<Entry> some;
    const std::lock_guard lock(mutex_);
    const std::size_t count = std::min(entries_.size(), events_a_turn);
    for (std::size_t i = 0; i < count; ++i) {
        bytes_ -= bytes_of(entries_.front().event);
        messages_ -= std::holds_alternative<link_event::Message>(entries_.front().event) ? 1 : 0;
        some.push_back(std::move(entries_.front()));
        entries_.pop_front();
    }
    scheduled_ = loop_ != nullptr && !entries_.empty();
    if (scheduled_) {
        boost::asio::post(*loop_, [self = shared_from_this()] { self->drain(); });
    }
    room_.notify_all();
    return some;
}

void LinkMailbox::drain() {
    for (Entry& entry : take_some()) {
        if (!receiver_) {
            return;  // closed by what an event led to
        }
        receiver_(entry.serial, entry.event);
    }
}

}  // namespace gwatt::runtime
