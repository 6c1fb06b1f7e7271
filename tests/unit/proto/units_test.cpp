#include "proto/units.hpp"

#include <doctest/doctest.h>

using namespace gwatt::proto;
using namespace std::chrono_literals;

namespace {

template <class A, class B>
concept addable = requires(A a, B b) {
    a + b;
};
template <class A, class B>
concept multipliable = requires(A a, B b) {
    a* b;
};
template <class A, class B>
concept divisible = requires(A a, B b) {
    a / b;
};

static_assert(addable<Watts, Watts> && !addable<Watts, Joules> && !addable<Volts, Amperes> && !addable<Watts, double>);
static_assert(multipliable<Volts, Amperes> && multipliable<Watts, Duration> && multipliable<double, Watts>);
static_assert(!multipliable<Watts, Watts> && !multipliable<Volts, Volts> && !multipliable<Joules, Duration>);
static_assert(!multipliable<Watts, Volts> && !multipliable<Volts, Duration>);
static_assert(divisible<Joules, Duration> && divisible<Watts, Volts> && divisible<Joules, Joules>);
static_assert(!divisible<Watts, Duration> && !divisible<Joules, Volts> && !divisible<Volts, Amperes>);
static_assert(!std::is_convertible_v<double, Watts> && !std::is_convertible_v<Watts, double>);

}  // namespace

TEST_CASE("volts times amperes are watts, watts times time are joules, and back") {
    CHECK((Volts(54) * Amperes(100)).value() == 5400);
    CHECK((Watts(5400) / Volts(54)).value() == 100);
    CHECK((Watts(5400) / Amperes(100)).value() == 54);
    CHECK((Watts(1500) * 2s).value() == 3000);
    CHECK((Joules(3600) / 1h).value() == 1);
    CHECK((250ms * Watts(8)).value() == 2);
    CHECK(Joules(3) / Joules(2) == 1.5);
}

TEST_CASE("sums, scaling and order of one unit are those of its numbers") {
    Watts sum(1);
    sum += Watts(2);
    sum -= Watts(0.5);
    CHECK(sum == Watts(2.5));
    CHECK(2 * sum == sum * 2);
    CHECK(sum / 2 == Watts(1.25));
    CHECK(-sum < Watts(0));
}

TEST_CASE("every quantity has a name of its own, and the ones with a unit have it without a scale") {
    std::vector<std::string_view> names;
    for (int q = 0; q <= 16; ++q) {
        const auto word = name(static_cast<Quantity>(q));
        CHECK(word != "unknown");
        CHECK(std::count(names.begin(), names.end(), word) == 0);
        names.push_back(word);
    }
    CHECK(unit(Quantity::power) == "W");
    CHECK(unit(Quantity::energy) == "J");
    CHECK(unit(Quantity::ratio).empty());
    CHECK(unit(static_cast<Quantity>(200)).empty());
    CHECK(name(static_cast<Quantity>(200)) == "unknown");
}
