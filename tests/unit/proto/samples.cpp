#include "samples.hpp"

namespace gwatt::proto::samples {

using namespace std::chrono_literals;

Header header(std::uint64_t sequence) {
    Header h;
    h.boot = 0x0123456789abcdef;
    h.sequence = sequence;
    h.clock.monotonic = Monotonic(123'456'789'012ns);
    h.clock.utc = Utc(1'790'000'000s + 250ms);
    h.clock.state = ClockState::ntp;
    h.clock.offset = -12345ns;
    h.clock.bound = 2ms;
    return h;
}

Catalog catalog() {
    Catalog c;
    c.header = header(1);
    c.site = "ams-1";
    c.agent = "rack-b07-12";
    c.hall = "hall 2";
    c.row = "b";
    c.rack = "b07";
    c.rating_watts = 130000;
    c.software = "gwatt-agent 0.1.0";
    c.sensors.resize(5);
    Sensor& power = c.sensors[0];
    power.name = "shelf_a.psu0.input_power";
    power.label = "PSU 0 Eingang, 1 °C warm";
    power.part_of = "shelf_a.psu0";
    power.quantity = Quantity::power;
    power.kind = Kind::average;
    power.point = Point::psu_in;
    power.feed = "A";
    power.resolution = 0.1;
    power.window = 1s;
    power.refresh = 500ms;
    power.range_max = 6000;
    power.basis = AccuracyBasis::data_sheet;
    power.accuracy = {{0, 600, 0, 30}, {600, 6000, 0.01, 0}};
    Sensor& voltage = c.sensors[1];
    voltage.name = "shelf_a.psu0.output_voltage";
    voltage.quantity = Quantity::voltage;
    voltage.point = Point::psu_out;
    voltage.resolution = 1.0 / 512;
    voltage.offset = 48;
    Sensor& battery = c.sensors[2];
    battery.name = "bbu0.power";
    battery.quantity = Quantity::power;
    battery.point = Point::battery;
    battery.direction = Direction::both;
    for (std::size_t i = 3; i < 5; ++i) {
        c.sensors[i].name = "tray0.temp" + std::to_string(i - 3);
        c.sensors[i].quantity = Quantity::temperature;
        c.sensors[i].resolution = 0.125;
    }
    c.groups = {{1s, 0, 3}, {10s, 3, 2}};
    c.energy_points = {0, 2};
    c.header.catalog = catalog_hash(c);
    return c;
}

Status status() {
    Status s;
    s.header = header(3);
    s.header.catalog = 42;
    s.presence = Presence::online;
    s.software = "gwatt-agent 0.1.0";
    s.buses = {{"shelf_a", "modbus", BusState::ok, 0, ""}, {"gpus", "nvml", BusState::failed, 12, "library not found"}};
    return s;
}

Live live(const Catalog& catalog) {
    Live l;
    l.header = header(9);
    l.header.catalog = catalog.header.catalog;
    l.start = l.header.clock.monotonic - 1250ms;
    l.interval = 1s;
    l.points.resize(2);
    auto& measured = l.points[0];
    measured.epoch = 3;
    measured.energy_mj = 9'876'543'210'123;
    measured.mean = 1234.5;
    measured.min = 1200;
    measured.max = 1300.2;
    measured.samples = 5;
    measured.as_of = l.start + 987ms;
    auto& estimated = l.points[1];
    estimated.estimated_mj = 5000;
    estimated.estimated_low_mj = 4000;
    estimated.estimated_high_mj = 7000;
    estimated.exported_mj = 250;
    estimated.quality = Quality::timeout;
    estimated.as_of = l.start - 3s;
    return l;
}

Data data(const Catalog& catalog) {
    Data d;
    d.header = header(8);
    d.header.catalog = catalog.header.catalog;
    d.group = 0;
    d.start = d.header.clock.monotonic - 4s;
    d.period = 1s;
    d.samples = 4;
    d.values = {100 * 0.1, 101 * 0.1, 99 * 0.1, 5000 * 0.1, 48 + 2900.0 / 512, 0, 48 + 2901.0 / 512, 48 + 2899.0 / 512,
                -1.5,      1e-3,      0,        3.25};
    d.quality.assign(12, Quality::good);
    d.quality[3] = Quality::suspect;
    d.quality[5] = Quality::timeout;
    d.quality[10] = Quality::not_read;
    d.scan_offset = {12ms, 12ms, 40ms};
    d.off_grid = {{0, 25ms}, {9, -70ms}};
    d.grid_bound = 20ms;
    return d;
}

Data empty_data(const Catalog& catalog) {
    Data d;
    d.header = header(1);
    d.header.catalog = catalog.header.catalog;
    d.group = 1;
    d.start = d.header.clock.monotonic;
    d.period = 10s;
    return d;
}

Ack ack() { return {0xfedcba9876543210, {{Stream::live, 17}, {Stream::data, 1'000'000'000'000}}}; }

Rollup rollup() {
    Rollup r;
    r.scope = "site/ams-1";
    r.start = Utc(1'790'000'000s);
    r.window = 60s;
    r.version = 2;
    r.watts = 1.3e9;
    r.watts_low = 1.29e9;
    r.watts_high = 1.31e9;
    r.measured_joules = 7.75e10;
    r.estimated_joules = 5e8;
    r.racks_expected = 10000;
    r.racks_measured = 9990;
    r.racks_held = 5;
    r.racks_estimated = 3;
    r.racks_missing = 2;
    r.oldest = 3s;
    r.clock_bound = 4ms;
    return r;
}

std::vector<std::pair<std::string, std::string>> golden() {
    Encoder encoder;
    const Catalog c = catalog();
    std::vector<std::pair<std::string, std::string>> all;
    all.emplace_back("catalog", encoder.catalog(c));
    all.emplace_back("status", encoder.status(status()));
    all.emplace_back("live", encoder.live(live(c), c));
    all.emplace_back("data", encoder.data(data(c), c));
    all.emplace_back("data_empty", encoder.data(empty_data(c), c));
    all.emplace_back("ack", encoder.ack(ack()));
    all.emplace_back("rollup", encoder.rollup(rollup()));
    return all;
}

std::string to_hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto byte = static_cast<unsigned char>(bytes[i]);
        text += digits[byte >> 4];
        text += digits[byte & 15];
        if (i % 32 == 31 || i + 1 == bytes.size()) text += '\n';
    }
    return text;
}

}  // namespace gwatt::proto::samples
