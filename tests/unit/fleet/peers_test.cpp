#include "fleet/peers.hpp"

#include <doctest/doctest.h>

using gwatt::fleet::Peers;

TEST_CASE("a silent rack draws what its peers draw per watt of rating") {
    Peers peers;
    peers.clear(2);
    for (const double share : {0.5, 0.6, 0.7}) peers.offer(0, 100, 100 * share);
    peers.offer(1, 100, 1);
    CHECK(peers.estimate(0, 200)->watts == doctest::Approx(120));
    CHECK(peers.estimate(0, 0)->watts == doctest::Approx(60));  // no rating: the median of watts
}

TEST_CASE("without peers there is no estimate") {
    Peers peers;
    peers.clear(1);
    CHECK_FALSE(peers.estimate(0, 100));
    CHECK_FALSE(peers.estimate(7, 100));
}

TEST_CASE("one wild peer does not move the estimate") {
    Peers peers;
    peers.clear(1);
    for (int i = 0; i < 9; ++i) peers.offer(0, 0, 100);
    peers.offer(0, 0, 1e6);
    CHECK(peers.estimate(0, 0)->watts == 100);
    CHECK(peers.estimate(0, 0)->spread == 0);
}

TEST_CASE("an even number of peers gives the same median in any order") {
    Peers a, b;
    a.clear(1), b.clear(1);
    for (const double w : {1.0, 2.0, 3.0, 4.0}) a.offer(0, 0, w);
    for (const double w : {4.0, 1.0, 3.0, 2.0}) b.offer(0, 0, w);
    CHECK(a.estimate(0, 0)->watts == 2.5);
    CHECK(b.estimate(0, 0)->watts == 2.5);
}
