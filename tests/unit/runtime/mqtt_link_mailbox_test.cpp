#include "runtime/mqtt_link_mailbox.hpp"

#include <doctest/doctest.h>

#include <thread>
#include <vector>

using namespace gwatt::runtime;
using namespace std::chrono_literals;

namespace {

link_event::Message message(std::size_t bytes) { return {"", std::string(bytes, 'x'), false, false}; }

struct House {
    boost::asio::io_context loop;
    std::shared_ptr<LinkMailbox> mailbox;
    std::vector<std::uint32_t> serials;

    House(std::size_t messages, std::size_t bytes, Duration hold_back)
        : mailbox(std::make_shared<LinkMailbox>(loop, messages, bytes, hold_back)) {
        mailbox->receive([this](std::uint32_t serial, LinkEvent&) { serials.push_back(serial); });
    }
    void settle() {
        loop.restart();
        loop.poll();
    }
};

}  // namespace

TEST_CASE("events come in their order, from any thread, and none is lost") {
    House house(10, 1000, 0ns);
    std::thread other([&] {
        for (std::uint32_t i = 0; i < 1000; ++i) house.mailbox->put(i, link_event::Closed{});
    });
    other.join();
    house.settle();
    REQUIRE(house.serials.size() == 1000);
    for (std::uint32_t i = 0; i < 1000; ++i) CHECK(house.serials[i] == i);
}

TEST_CASE("messages are limited in number and in bytes, other events are not") {
    House house(3, 1000, 0ns);
    for (std::uint32_t i = 0; i < 5; ++i) CHECK(house.mailbox->put_message(i, message(10)) == (i < 3));
    house.mailbox->put(9, link_event::Closed{});
    CHECK(house.mailbox->take_dropped() == 2);
    CHECK(house.mailbox->take_dropped() == 0);
    house.settle();
    CHECK(house.serials == std::vector<std::uint32_t>{0, 1, 2, 9});
    CHECK(house.mailbox->put_message(10, message(1000)));
    CHECK_FALSE(house.mailbox->put_message(11, message(1)));
    house.settle();
    CHECK(house.mailbox->put_message(12, message(1000)));
}

TEST_CASE("a loop turn takes a bounded number of events and comes back for the rest") {
    House house(1000, 100000, 0ns);
    for (std::uint32_t i = 0; i < 200; ++i) house.mailbox->put_message(i, message(1));
    house.loop.restart();
    house.loop.poll_one();
    CHECK(house.serials.size() < 200);
    house.settle();
    CHECK(house.serials.size() == 200);
}

TEST_CASE("a closed mailbox delivers nothing, takes no room and holds nobody back") {
    House house(1, 1000, 3600s);
    CHECK(house.mailbox->put_message(1, message(1)));
    std::thread held([&] { house.mailbox->put_message(2, message(1)); });  // an hour, were it not for close()
    house.mailbox->close();
    held.join();
    house.mailbox->put(3, link_event::Closed{});
    house.settle();
    CHECK(house.serials.empty());
    CHECK(house.mailbox->take_dropped() == 0);
}

TEST_CASE("a receiver may close the mailbox in the middle of a turn") {
    House house(10, 1000, 0ns);
    house.mailbox->receive([&](std::uint32_t serial, LinkEvent&) {
        house.serials.push_back(serial);
        house.mailbox->close();
    });
    house.mailbox->put(1, link_event::Closed{});
    house.mailbox->put(2, link_event::Closed{});
    house.settle();
    CHECK(house.serials == std::vector<std::uint32_t>{1});
}
