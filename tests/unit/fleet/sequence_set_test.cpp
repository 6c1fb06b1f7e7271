#include "fleet/sequence_set.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>
#include <vector>

using gwatt::fleet::SequenceSet;
using Take = SequenceSet::Take;

TEST_CASE("numbers in order leave one interval and no gap") {
    SequenceSet set;
    for (std::uint64_t s = 5; s < 1000; ++s) REQUIRE(set.take(s) == Take::next);
    CHECK(set.first() == 5);
    CHECK(set.last() == 999);
    CHECK(set.gaps() == 0);
    CHECK(set.missing() == 0);
}

TEST_CASE("a gap is known, a late number fills it, a second one is a duplicate") {
    SequenceSet set;
    set.take(1);
    CHECK(set.take(5) == Take::next);
    CHECK(set.gaps() == 1);
    CHECK(set.missing() == 3);
    CHECK(set.take(3) == Take::late);
    CHECK(set.missing() == 2);
    CHECK(set.take(3) == Take::duplicate);
    CHECK(set.take(5) == Take::duplicate);
    CHECK(set.take(2) == Take::late);
    CHECK(set.take(4) == Take::late);
    CHECK(set.gaps() == 0);
    CHECK(set.take(6) == Take::next);
}

TEST_CASE("zero, the largest number and a jump of centuries are implausible and change nothing") {
    SequenceSet set;
    CHECK(set.take(0) == Take::implausible);
    CHECK(set.take(UINT64_MAX) == Take::implausible);
    CHECK(set.empty());
    set.take(7);
    CHECK(set.take(7 + SequenceSet::largest_jump + 1) == Take::implausible);
    CHECK(set.last() == 7);
}

TEST_CASE("whatever the order and number of messages, each counts once") {
    for (unsigned seed = 1; seed <= 20; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        std::vector<std::uint64_t> messages;
        for (std::uint64_t s = 1; s <= 500; ++s) {
            if (random() % 25 == 0) continue;  // lost
            messages.push_back(s);
            if (random() % 5 == 0) messages.push_back(s);
        }
        // Out of order by up to 20: fewer gaps at a time than the set remembers.
        for (std::size_t i = 0; i < messages.size(); ++i)
            std::swap(messages[i], messages[std::min(messages.size() - 1, i + random() % 20)]);
        SequenceSet set;
        std::set<std::uint64_t> reference;
        for (const auto s : messages) {
            const bool fresh = reference.insert(s).second;
            const auto take = set.take(s);
            CHECK((take == Take::next || take == Take::late) == fresh);
        }
        CHECK(set.missing() == *reference.rbegin() - *reference.begin() + 1 - reference.size());
    }
}

TEST_CASE("memory stays bounded when every other message is lost, and what was given up is counted") {
    SequenceSet set;
    for (std::uint64_t s = 1; s < 20'000; s += 2) set.take(s);
    CHECK(set.gaps() < SequenceSet::limit);
    CHECK(set.lost() + set.missing() == 9'999 - 0);
    CHECK(set.take(2) == Take::duplicate);  // given up: it may have been taken, so it is not taken again
}
