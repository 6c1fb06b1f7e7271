#include "runtime/counters.hpp"

#include <doctest/doctest.h>

#include <stdexcept>

using gwatt::runtime::Counters;

TEST_CASE("a counter is listed with the value its owner holds now") {
    Counters counters;
    std::uint64_t sent = 0;
    counters.counter("gwatt_sent_total", {{"outcome", "taken"}}, "Sent", sent);
    sent = 41;
    ++sent;
    REQUIRE(counters.all().size() == 1);
    CHECK(*counters.all()[0].value == 42);
    CHECK(counters.all()[0].labels[0].second == "taken");
}

TEST_CASE("entries of one name stand together, in the order of their labels") {
    Counters counters;
    const std::uint64_t value = 0;
    counters.counter("gwatt_b_total", {{"x", "2"}}, "b", value);
    counters.gauge("gwatt_c", {}, "c", value);
    counters.counter("gwatt_a_total", {}, "a", value);
    counters.counter("gwatt_b_total", {{"x", "1"}}, "b", value);
    const auto all = counters.all();
    REQUIRE(all.size() == 4);
    CHECK(all[0].name == "gwatt_a_total");
    CHECK(all[1].labels[0].second == "1");
    CHECK(all[2].labels[0].second == "2");
    CHECK(all[3].name == "gwatt_c");
}

TEST_CASE("what Prometheus would refuse, or read as two things, is refused at registration") {
    Counters counters;
    const std::uint64_t value = 0;
    counters.counter("gwatt_a_total", {}, "a", value);
    using Error = std::invalid_argument;
    CHECK_THROWS_AS(counters.counter("gwatt_a_total", {}, "a", value), Error);
    CHECK_THROWS_AS(counters.counter("gwatt_a_total", {{"x", "1"}}, "another help", value), Error);
    CHECK_THROWS_AS(counters.counter("gwatt_a", {}, "a", value), Error);
    CHECK_THROWS_AS(counters.gauge("gwatt_g_total", {}, "a", value), Error);
    CHECK_THROWS_AS(counters.gauge("gwatt-g", {}, "a", value), Error);
    CHECK_THROWS_AS(counters.gauge("9gwatt", {}, "a", value), Error);
    CHECK_THROWS_AS(counters.gauge("gwatt_g", {{"Label", "x"}}, "a", value), Error);
    CHECK_THROWS_AS(counters.gauge("", {}, "a", value), Error);
    CHECK(counters.all().size() == 1);
}
