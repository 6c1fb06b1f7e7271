#include "fleet/ledger.hpp"

#include <doctest/doctest.h>

#include <random>

using namespace gwatt;
using namespace gwatt::fleet;

namespace {
struct Counting final : MessageSink {
    void catalog(const Envelope&, const proto::Catalog&) override { ++catalogs; }
    void status(const Envelope&, const proto::Status&) override { ++statuses; }
    void live(const Envelope&, const proto::Live&, const proto::Catalog&) override { ++lives; }
    void data(const Envelope&, const proto::Data&, const proto::Catalog&) override { ++datas; }
    int catalogs = 0, statuses = 0, lives = 0, datas = 0;
};

struct Setup {
    Books books;
    Counting next;
    Ledger ledger{books, next};
    proto::Catalog catalog;
    void live(AgentIndex agent, std::uint64_t boot, std::uint64_t sequence) {
        proto::Live message;
        message.header.boot = boot;
        message.header.sequence = sequence;
        ++books.received;
        ledger.live({agent, "s", "a", false, {}}, message, catalog);
    }
};
}  // namespace

TEST_CASE("a duplicate goes no further") {
    Setup s;
    s.live(0, 1, 1);
    s.live(0, 1, 1);
    CHECK(s.next.lives == 1);
    CHECK(s.books.duplicate == 1);
    CHECK(s.books.balanced());
}

TEST_CASE("agents, boots and streams count apart") {
    Setup s;
    s.live(0, 1, 1);
    s.live(1, 1, 1);
    s.live(0, 2, 1);
    proto::Data data;
    data.header = {1, 1, 1, 0, {}};
    ++s.books.received;
    s.ledger.data({0, "s", "a", false, {}}, data, s.catalog);
    CHECK(s.books.used == 4);
    CHECK(s.ledger.gaps().boots == 3);
}

TEST_CASE("state messages are handed on again, for they only repeat themselves") {
    Setup s;
    proto::Catalog catalog;
    catalog.header.sequence = 1;
    for (int i = 0; i < 3; ++i, ++s.books.received) s.ledger.catalog({0, "s", "a", false, {}}, catalog);
    proto::Status will;  // no number of its own
    for (int i = 0; i < 2; ++i, ++s.books.received) s.ledger.status({0, "s", "a", false, {}}, will);
    CHECK(s.next.catalogs == 3);
    CHECK(s.next.statuses == 2);
    CHECK(s.books.used == 3);
    CHECK(s.books.duplicate == 2);
    CHECK(s.books.balanced());
}

TEST_CASE("a boot that was dropped from memory is refused when it comes back") {
    Setup s;
    for (std::uint64_t boot = 1; boot <= Ledger::boots_kept + 1; ++boot) s.live(0, boot, 1);
    s.live(0, 1, 2);
    CHECK(s.books.rejected_by(Reason::forgotten_boot) == 1);
    CHECK(s.books.balanced());
}

TEST_CASE("the books balance for shuffled, duplicated, dropped and nonsensical numbers") {
    for (unsigned seed = 1; seed <= 10; ++seed) {
        CAPTURE(seed);
        Setup s;
        std::mt19937_64 random(seed);
        for (int i = 0; i < 5000; ++i) {
            const auto sequence = random() % 50 == 0 ? random() : random() % 400;
            s.live(static_cast<AgentIndex>(random() % 3), random() % 12, sequence);
        }
        CHECK(s.books.balanced());
        CHECK(static_cast<std::uint64_t>(s.next.lives) == s.books.used + s.books.late);
        CHECK(s.books.rejected_by(Reason::implausible_sequence) > 0);
    }
}

TEST_CASE("gaps are summed over agents") {
    Setup s;
    s.live(0, 1, 1), s.live(0, 1, 4);
    s.live(1, 1, 1), s.live(1, 1, 3);
    CHECK(s.ledger.gaps().messages == 3);
    CHECK(s.ledger.gaps().gaps == 2);
    s.live(1, 1, 2);
    CHECK(s.ledger.gaps().messages == 2);
    CHECK(s.books.late == 1);
}
