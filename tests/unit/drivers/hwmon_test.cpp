// Driver hwmon over a plain folder tree in the place of sysfs.
#include "drivers/hwmon/attribute.hpp"
#include "open_bus.hpp"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

using namespace gwatt;
using gwatt::test::ManualHost;
using gwatt::test::OpenBus;
namespace fs = std::filesystem;
namespace hw = gwatt::drivers::hwmon;

namespace {

// A tree in the build folder, gone with the object.
class Tree {
public:
    Tree() : root_(fs::current_path() / ("hwmon_tree." + std::to_string(getpid()))) {
        fs::remove_all(root_);
        fs::create_directories(root_ / "class");
    }
    ~Tree() { fs::remove_all(root_); }
    std::string path() const { return root_ / "class"; }
    fs::path chip(int n) const { return root_ / "class" / ("hwmon" + std::to_string(n)); }

    // hwmonN of that name, sitting at a device of that name (empty: nowhere).
    void make(int n, const std::string& name, const std::string& device) {
        fs::create_directories(chip(n));
        write(n, "name", name);
        if (device.empty()) return;
        fs::create_directories(root_ / "devices" / device);
        fs::create_directory_symlink(root_ / "devices" / device, chip(n) / "device");
    }
    void write(int n, const std::string& file, const std::string& text) {
        std::ofstream(chip(n) / file) << text << '\n';
    }
    void psu(int n, const std::string& device) {
        make(n, "pmbus", device);
        for (const auto& [file, text] : {std::pair{"in1_input", "230125"},
                                         {"in1_label", "vin"},
                                         {"in2_input", "50010"},
                                         {"in2_label", "vout1"},
                                         {"curr1_input", "12001"},
                                         {"curr1_label", "iin"},
                                         {"curr2_input", "54000"},
                                         {"curr2_label", "iout1"},
                                         {"power1_input", "2760125000"},
                                         {"power1_label", "pin"},
                                         {"power2_input", "2700000000"},
                                         {"power2_label", "pout1"},
                                         {"temp1_input", "-5125"},
                                         {"fan1_input", "8123"},
                                         {"humidity1_input", "45500"},
                                         {"energy1_input", "123456789"}})
            write(n, file, text);
    }

private:
    fs::path root_;
};

drivers::Duration seconds(int n) { return std::chrono::seconds(n); }
constexpr const char* two_psus = "psu0=1-0058 psu1=1-0059";

}  // namespace

TEST_CASE("hwmon: file names are read as the kernel's document says") {
    CHECK(hw::parse_name("power1_input")->stem() == "power1");
    CHECK(hw::parse_name("power12_average")->average);
    CHECK(hw::parse_name("in0_input")->type == hw::Type::in);
    CHECK(hw::parse_name("humidity1_input")->type == hw::Type::humidity);
    for (const char* other :
         {"power1_label", "temp1_max", "power1_average_interval", "temp_input", "pwm1", "name", "intrusion0_alarm",
          "temp1_average", "power1x_input", "power99999999999_input", "_input", "in_input", ""}) {
        CAPTURE(other);
        CHECK_FALSE(hw::parse_name(other));
    }
}

TEST_CASE("hwmon: every error of a read is no value, with the quality that says why") {
    const std::pair<int, gwatt_quality> known[] = {
        {ENODATA, GWATT_QUALITY_UNAVAILABLE}, {EAGAIN, GWATT_QUALITY_BUSY},  {ENXIO, GWATT_QUALITY_GONE},
        {ENODEV, GWATT_QUALITY_GONE},         {EIO, GWATT_QUALITY_GARBLED},  {ETIMEDOUT, GWATT_QUALITY_TIMEOUT},
        {EREMOTEIO, GWATT_QUALITY_TIMEOUT},   {EPERM, GWATT_QUALITY_DENIED}, {EACCES, GWATT_QUALITY_DENIED},
        {EINVAL, GWATT_QUALITY_FAULT},
    };
    for (const auto& [error, quality] : known) CHECK(hw::quality_of_error(error) == quality);
    for (int error = 1; error < 134; ++error) CHECK(hw::quality_of_error(error) >= GWATT_QUALITY_UNAVAILABLE);
    for (const char* text : {"", "\n", "abc", "12x", "1.5", "0x10", "99999999999999999999", "- 1"}) {
        CAPTURE(text);
        CHECK(hw::parse_number(text).quality >= GWATT_QUALITY_UNAVAILABLE);
    }
    CHECK(hw::parse_number("-12\n").number == -12);
}

TEST_CASE("hwmon: numbers that stand for nothing and powers that went through 32 bits are suspect") {
    for (std::int64_t number :
         {std::int64_t{4294967295}, std::int64_t{4294967295000}, std::int64_t{2147483647}, std::int64_t{-1}})
        CHECK(hw::is_implausible(hw::Type::power, number));
    CHECK_FALSE(hw::is_implausible(hw::Type::temp, -40000));
    CHECK_FALSE(hw::is_implausible(hw::Type::curr, -3000));
    CHECK_FALSE(hw::is_implausible(hw::Type::power, 5500000000));
    CHECK(hw::is_wrapped(5500 - 4294.967296, 230, 5500.0 / 230));
    CHECK(hw::is_wrapped(9000 - 2 * 4294.967296, 230, 9000.0 / 230));
    CHECK_FALSE(hw::is_wrapped(5500, 230, 5500.0 / 230));
    CHECK_FALSE(hw::is_wrapped(1200, 230, 5.3));
    CHECK_FALSE(hw::is_wrapped(3000, 230, 5500.0 / 230));  // wrong, but not in this way
}

TEST_CASE("hwmon: values come in base units, named after part and label, with point and feed") {
    Tree tree;
    tree.psu(0, "1-0058");
    tree.psu(1, "1-0059");
    ManualHost host;
    OpenBus bus(gwatt_driver_v1(), host,
                {{"root", tree.path()},
                 {"parts", two_psus},
                 {"feeds", "psu0=A psu1=B"},
                 {"points", "pin=psu_in, pout1=psu_out psu1.pout1=busbar"}});
    REQUIRE_MESSAGE(bus.result == GWATT_OK, bus.text);
    REQUIRE(bus.ids.size() == 20);
    REQUIRE(bus.read() == GWATT_OK);
    CHECK(bus.of("psu0.vin").value == doctest::Approx(230.125));
    CHECK(bus.of("psu0.iin").value == doctest::Approx(12.001));
    CHECK(bus.of("psu0.pin").value == doctest::Approx(2760.125));
    CHECK(bus.of("psu1.temp1").value == doctest::Approx(-5.125));
    CHECK(bus.of("psu1.fan1").value == 8123);
    CHECK(bus.of("psu1.humidity1").value == doctest::Approx(0.455));
    CHECK(bus.of("psu1.energy1").value == doctest::Approx(123.456789));
    CHECK(bus.sensor("psu0.pin").quantity == GWATT_QUANTITY_POWER);
    CHECK(bus.sensor("psu0.pin").point == GWATT_POINT_PSU_IN);
    CHECK(bus.sensor("psu1.pout1").point == GWATT_POINT_BUSBAR);
    CHECK(bus.sensor("psu0.vin").point == GWATT_POINT_UNSPECIFIED);
    CHECK(bus.sensor("psu0.pin").feed == std::string("A"));
    CHECK(bus.sensor("psu1.pin").feed == std::string("B"));
    CHECK(bus.sensor("psu0.vin").resolution == 1e-3);
    CHECK(bus.sensor("psu0.pin").resolution == 1e-6);
    CHECK(bus.sensor("psu0.energy1").kind == GWATT_KIND_CUMULATIVE);
}

TEST_CASE("hwmon: a chip is found by name or place, and without a part it is named after its place") {
    Tree tree;
    tree.psu(0, "1-0058");
    tree.psu(1, "1-0059");
    tree.make(2, "tmp75", "2-0048");
    tree.write(2, "temp1_input", "21000");
    ManualHost host;
    OpenBus one(gwatt_driver_v1(), host, {{"root", tree.path()}, {"device", "1-0059"}});
    CHECK(one.ids.size() == 10);
    CHECK(one.sensor("pmbus_1_0059.pin").id != nullptr);
    OpenBus named(gwatt_driver_v1(), host, {{"root", tree.path()}, {"chip", "tmp75"}, {"parts", "inlet=tmp75"}});
    CHECK(named.ids == std::vector<std::string>{"inlet.temp1"});
    OpenBus none(gwatt_driver_v1(), host, {{"root", tree.path()}, {"chip", "adm1272"}});
    CHECK(none.result == GWATT_GONE);
    CHECK(none.text.find("there are: pmbus at 1-0058, pmbus at 1-0059, tmp75 at 2-0048") != std::string::npos);
    OpenBus bad(gwatt_driver_v1(), host, {{"root", tree.path()}, {"points", "pin=psu_inn"}});
    CHECK(bad.result == GWATT_BAD_CONFIG);
    CHECK(bad.option == "points");
    CHECK(bad.text.find("found psu_inn, expected one of: utility") != std::string::npos);
    OpenBus words(gwatt_driver_v1(), host, {{"root", tree.path()}, {"parts", "psu0"}});
    CHECK(words.option == "parts");
}

TEST_CASE("hwmon: two chips that cannot be told apart are refused") {
    Tree tree;
    tree.make(0, "acpi", "");
    tree.write(0, "power1_average", "100000000");
    tree.make(1, "acpi", "");
    tree.write(1, "power1_average", "200000000");
    ManualHost host;
    OpenBus bus(gwatt_driver_v1(), host, {{"root", tree.path()}});
    CHECK(bus.result == GWATT_BAD_CONFIG);
    CHECK(bus.text.find("two chips are called acpi") != std::string::npos);
}

TEST_CASE("hwmon: labels that say the same are told apart by their attribute, and averages by their kind") {
    Tree tree;
    tree.make(0, "meter", "");
    tree.write(0, "temp1_input", "1000");
    tree.write(0, "temp1_label", "CPU");
    tree.write(0, "temp2_input", "2000");
    tree.write(0, "temp2_label", "CPU");
    tree.write(0, "power1_average", "150000000");
    tree.write(0, "power1_average_interval", "300");
    tree.write(0, "power1_input", "140000000");
    tree.write(0, "update_interval", "1000");
    ManualHost host;
    OpenBus bus(gwatt_driver_v1(), host, {{"root", tree.path()}});
    std::vector<std::string> ids = bus.ids;
    std::sort(ids.begin(), ids.end());
    CHECK(ids ==
          std::vector<std::string>{"meter.cpu_temp1", "meter.cpu_temp2", "meter.power1", "meter.power1_average"});
    CHECK(bus.sensor("meter.power1_average").kind == GWATT_KIND_AVERAGE);
    CHECK(bus.sensor("meter.power1_average").window_ns == 300'000'000);
    CHECK(bus.sensor("meter.power1").refresh_ns == 1'000'000'000);
    OpenBus plain(gwatt_driver_v1(), host, {{"root", tree.path()}, {"ids", "attribute"}});
    CHECK(plain.sensor("meter.temp1").id != nullptr);
}

TEST_CASE("hwmon: what cannot be read is no value, and never zero") {
    Tree tree;
    tree.psu(0, "1-0058");
    tree.write(0, "in1_enable", "0");
    tree.write(0, "temp1_fault", "1");
    tree.write(0, "curr1_input", "garbage");
    std::ofstream(tree.chip(0) / "curr2_input").close();  // empty
    fs::remove(tree.chip(0) / "in2_input");
    mkfifo((tree.chip(0) / "in2_input").c_str(), 0600);  // a read that would block
    fs::remove(tree.chip(0) / "fan1_input");
    fs::create_directory(tree.chip(0) / "fan1_input");
    fs::remove(tree.chip(0) / "power2_input");
    fs::create_symlink("/proc/self/mem", tree.chip(0) / "power2_input");  // EIO at its start
    ManualHost host;
    OpenBus bus(gwatt_driver_v1(), host, {{"root", tree.path()}, {"parts", two_psus}});
    REQUIRE(bus.read() == GWATT_OK);
    CHECK(bus.samples.size() == bus.ids.size());
    CHECK(bus.of("psu0.vin").quality == GWATT_QUALITY_UNAVAILABLE);
    CHECK(bus.of("psu0.temp1").quality == GWATT_QUALITY_FAULT);
    CHECK(bus.of("psu0.iin").quality == GWATT_QUALITY_GARBLED);
    CHECK(bus.of("psu0.iout1").quality == GWATT_QUALITY_UNAVAILABLE);
    CHECK(bus.of("psu0.vout1").quality == GWATT_QUALITY_BUSY);
    CHECK(bus.of("psu0.fan1").quality >= GWATT_QUALITY_UNAVAILABLE);
    CHECK(bus.of("psu0.pout1").quality == GWATT_QUALITY_GARBLED);
    CHECK(bus.of("psu0.pin").quality == GWATT_QUALITY_GOOD);  // and the others go on
}

TEST_CASE("hwmon: sentinels, negative power and wrapped power are suspect") {
    Tree tree;
    tree.psu(0, "1-0058");
    ManualHost host;
    OpenBus bus(gwatt_driver_v1(), host, {{"root", tree.path()}, {"parts", two_psus}});
    tree.write(0, "power1_input", "4294967295000");
    tree.write(0, "power2_input", "-1594967296");
    REQUIRE(bus.read() == GWATT_OK);
    CHECK(bus.of("psu0.pin").quality == GWATT_QUALITY_SUSPECT);
    CHECK(bus.of("psu0.pout1").quality == GWATT_QUALITY_SUSPECT);
    tree.write(0, "curr1_input", "24000");        // 230.125 V * 24 A = 5523 W
    tree.write(0, "power1_input", "1228032704");  // 5523 W less 2^32 uW
    REQUIRE(bus.read() == GWATT_OK);
    CHECK(bus.of("psu0.pin").quality == GWATT_QUALITY_SUSPECT);
    tree.write(0, "power1_input", "5523000000");
    REQUIRE(bus.read() == GWATT_OK);
    CHECK(bus.of("psu0.pin").quality == GWATT_QUALITY_GOOD);
}

TEST_CASE("hwmon: an energy counter that goes back is marked restarted, once") {
    Tree tree;
    tree.psu(0, "1-0058");
    ManualHost host;
    OpenBus bus(gwatt_driver_v1(), host, {{"root", tree.path()}, {"parts", two_psus}});
    bus.read();
    CHECK(bus.of("psu0.energy1").quality == GWATT_QUALITY_GOOD);
    tree.write(0, "energy1_input", "1000000");
    bus.read();
    CHECK(bus.of("psu0.energy1").quality == GWATT_QUALITY_RESTARTED);
    bus.read();
    CHECK(bus.of("psu0.energy1").quality == GWATT_QUALITY_GOOD);
}

TEST_CASE("hwmon: a chip that is numbered anew is found again and keeps its ids") {
    Tree tree;
    tree.psu(0, "1-0058");
    tree.psu(1, "1-0059");
    ManualHost host;
    OpenBus bus(gwatt_driver_v1(), host, {{"root", tree.path()}, {"parts", two_psus}});
    const auto ids = bus.ids;
    fs::remove_all(tree.chip(0));
    fs::remove_all(tree.chip(1));
    tree.psu(4, "1-0059");  // the other way round
    tree.psu(7, "1-0058");
    tree.write(7, "power1_input", "1111000000");
    tree.write(4, "power1_input", "2222000000");
    host.now += seconds(11).count();
    bus.read();  // sees the new names
    CHECK(bus.read() == GWATT_OK);
    CHECK(bus.of("psu0.pin").value == doctest::Approx(1111));
    CHECK(bus.of("psu1.pin").value == doctest::Approx(2222));
    bus.look();
    CHECK(bus.ids == ids);
}

TEST_CASE("hwmon: a chip that goes away is gone, the others go on, and it may come back") {
    Tree tree;
    tree.psu(0, "1-0058");
    tree.psu(1, "1-0059");
    ManualHost host;
    OpenBus bus(gwatt_driver_v1(), host, {{"root", tree.path()}, {"parts", two_psus}});
    fs::remove_all(tree.chip(1));
    host.now += seconds(11).count();
    bus.read();
    CHECK(bus.read() == GWATT_OK);
    CHECK(bus.of("psu0.pin").quality == GWATT_QUALITY_GOOD);
    CHECK(bus.of("psu1.pin").quality == GWATT_QUALITY_GONE);
    tree.psu(3, "1-0059");
    host.now += seconds(3).count();
    bus.read();
    CHECK(bus.read() == GWATT_OK);
    CHECK(bus.of("psu1.pin").quality == GWATT_QUALITY_GOOD);
    fs::remove_all(tree.chip(0));
    fs::remove_all(tree.chip(3));
    host.now += seconds(11).count();
    CHECK(bus.read() == GWATT_GONE);
}

TEST_CASE("hwmon: a new chip is told as changed, and known sensors keep their places") {
    Tree tree;
    tree.psu(1, "1-0059");
    ManualHost host;
    OpenBus bus(gwatt_driver_v1(), host, {{"root", tree.path()}, {"parts", two_psus}});
    const auto before = bus.ids;
    tree.psu(0, "1-0058");
    host.now += seconds(11).count();
    CHECK(bus.read() == GWATT_CHANGED);
    bus.look();
    REQUIRE(bus.ids.size() == 2 * before.size());
    CHECK(std::equal(before.begin(), before.end(), bus.ids.begin()));
    CHECK(bus.read() == GWATT_OK);
    CHECK(bus.of("psu0.pin").quality == GWATT_QUALITY_GOOD);
}

TEST_CASE("hwmon: a second chip of the same name that comes later is told and left alone") {
    Tree tree;
    tree.make(0, "acpi", "");
    tree.write(0, "power1_average", "100000000");
    ManualHost host;
    OpenBus bus(gwatt_driver_v1(), host, {{"root", tree.path()}});
    tree.make(1, "acpi", "");
    tree.write(1, "power1_average", "200000000");
    host.now += seconds(11).count();
    CHECK(bus.read() == GWATT_OK);
    CHECK(bus.of("acpi.power1_average").value == doctest::Approx(100));
    REQUIRE(host.lines.size() == 1);
    CHECK(host.lines[0].starts_with("two chips are called acpi"));
}

TEST_CASE("hwmon: what there was no time for is not read, and comes first in the next turn") {
    Tree tree;
    tree.psu(0, "1-0058");
    ManualHost host;
    OpenBus bus(gwatt_driver_v1(), host, {{"root", tree.path()}, {"parts", two_psus}});
    host.tick = 1'000'000;  // each look at the clock takes 1 ms: three looks a sensor
    CHECK(bus.read(15'000'000) == GWATT_TIMEOUT);
    REQUIRE(bus.samples.size() == 10);
    const auto read = [&] {
        std::vector<std::string> ids;
        for (const auto& sample : bus.samples)
            if (sample.quality != GWATT_QUALITY_NOT_READ) ids.push_back(bus.ids[sample.sensor]);
        return ids;
    };
    const auto first = read();
    CHECK(first.size() >= 4);
    CHECK(first.size() < 10);
    bus.read(15'000'000);
    const auto second = read();
    CHECK(std::find(first.begin(), first.end(), second.front()) == first.end());
}
