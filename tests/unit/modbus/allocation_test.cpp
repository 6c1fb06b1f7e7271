#include "tests/unit/modbus/line_double.hpp"

#include <doctest/doctest.h>

#include <cstdlib>
#include <new>

namespace {
void* counted(std::size_t size) {
    if (gwatt::tests::Allocations::in_host == 0) ++gwatt::tests::Allocations::count;
    if (void* made = std::malloc(size)) return made;
    throw std::bad_alloc();
}
}  // namespace
void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* gone) noexcept { std::free(gone); }
void operator delete[](void* gone) noexcept { std::free(gone); }
void operator delete(void* gone, std::size_t) noexcept { std::free(gone); }
void operator delete[](void* gone, std::size_t) noexcept { std::free(gone); }

using namespace gwatt::tests;

TEST_CASE("a turn allocates nothing, for values, for silent units and for exceptions alike") {
    LineDouble line;
    for (std::uint8_t u = 1; u <= 6; ++u) line.devices[u];
    line.devices[2].silent = true;
    line.devices[3].exception = device_busy;
    BusOnLine bus(line,
                  "name = \"x\"\n[unit]\nname = \"psu{n}\"\n[[sensor]]\nid = \"s{i}\"\nrepeat = 40\nregister = 0\ntype "
                  "= \"u32\"\nquantity = \"power\"\n",
                  "1-6");
    for (int turn = 0; turn < 10; ++turn) bus.read();  // plans are made, the silent one is dormant
    line.asked.reserve(100);
    bus.samples.reserve(2 * bus.all.size() + 4);
    std::size_t values = 0;
    Allocations::count = 0;
    for (int turn = 0; turn < 10; ++turn) {
        {
            const InHost test_part;
            bus.text.reserve(300);
            line.now += 10'000'000;
        }
        bus.read();
        for (const auto& s : bus.samples) values += s.quality < 16 ? 1 : 0;
    }
    CHECK(values == 10 * 4 * 40);
    CHECK(Allocations::count == 0);
}
