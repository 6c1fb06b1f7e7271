#include "runtime/backoff.hpp"

#include <doctest/doctest.h>

#include <set>

using namespace std::chrono_literals;
using gwatt::runtime::Backoff;
using gwatt::runtime::Duration;

TEST_CASE("each wait lies between half and the whole of a step that doubles up to the cap") {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        Backoff backoff(1s, 60s, seed);
        Duration step = 1s;
        for (int i = 0; i < 12; ++i) {
            const Duration wait = backoff.next();
            CHECK(wait >= step / 2);
            CHECK(wait <= step);
            step = std::min<Duration>(step * 2, 60s);
        }
        CHECK(backoff.tries() == 12);
    }
}

TEST_CASE("reset starts again from the first step") {
    Backoff backoff(100ms, 10s, 7);
    for (int i = 0; i < 9; ++i) {
        backoff.next();
    }
    backoff.reset();
    CHECK(backoff.tries() == 0);
    CHECK(backoff.next() <= 100ms);
}

TEST_CASE("one seed gives one row of waits, and many seeds spread") {
    Backoff a(1s, 60s, 42);
    Backoff b(1s, 60s, 42);
    for (int i = 0; i < 10; ++i) {
        CHECK(a.next() == b.next());
    }
    std::set<Duration> first;
    std::uint64_t upper = 0;
    for (std::uint64_t seed = 0; seed < 1000; ++seed) {
        const Duration wait = Backoff(1s, 60s, seed).next();
        first.insert(wait);
        upper += wait > 750ms ? 1 : 0;
    }
    CHECK(first.size() > 990);
    CHECK(upper > 400);
    CHECK(upper < 600);
}

TEST_CASE("a cap below the first step and steps without length are brought inside") {
    Backoff small_cap(10s, 1s, 1);
    CHECK(small_cap.next() <= 10s);
    CHECK(small_cap.next() <= 10s);
    Backoff nothing(0s, 0s, 1);
    CHECK(nothing.next() >= 0ns);
    CHECK(nothing.next() <= 1ns);
    Backoff huge(Duration::max() / 2, Duration::max(), 3);
    for (int i = 0; i < 5; ++i) {
        CHECK(huge.next() > 0s);
    }
}
