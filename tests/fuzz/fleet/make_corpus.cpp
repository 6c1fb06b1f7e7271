// Writes the seeds of fuzz_fleet into a folder: what a rack sends, and what the fleet must bear.
#include "tests/unit/fleet/model_rack.hpp"

#include <fstream>
#include <limits>

using namespace gwatt;
using namespace gwatt::test;

namespace {
class Seed {
public:
    void add(proto::Stream stream, const Wire& wire, int pass = 1, bool history = false) {
        bytes_ += static_cast<char>(static_cast<unsigned>(stream) | (history ? 0x80u : 0u));
        bytes_ += static_cast<char>(pass);
        bytes_ += static_cast<char>(wire.payload.size() & 0xff);
        bytes_ += static_cast<char>(wire.payload.size() >> 8);
        bytes_ += wire.payload;
    }
    void write(const std::string& folder, const std::string& name) const {
        std::ofstream(folder + "/" + name, std::ios::binary) << bytes_;
    }

private:
    std::string bytes_;
};

std::vector<proto::Sensor> sensors() {
    return {power_sensor("in", proto::Point::rack_in), power_sensor("p0.in", proto::Point::psu_in, "s.p0", "A"),
            power_sensor("p0.out", proto::Point::psu_out, "s.p0"),
            power_sensor("p1.out", proto::Point::psu_out, "s.p1")};
}
}  // namespace

int main(int, char** argv) {
    const std::string folder = argv[1];
    using proto::Stream;
    const auto steady = [](std::size_t point, double) { return 1000.0 - static_cast<double>(point); };
    {
        ModelRack rack("s", "a", sensors(), steady);
        Seed seed;
        seed.add(Stream::catalog, rack.catalog_message());
        seed.add(Stream::status, rack.status_message(proto::Presence::online));
        for (int s = 1; s < 20; ++s) seed.add(Stream::live, rack.live_message(s));
        seed.add(Stream::status, rack.status_message(proto::Presence::controller_lost));
        seed.write(folder, "steady");
    }
    {
        ModelRack rack("s", "a", sensors(), [](std::size_t point, double s) {
            return point == 0 && s > 5 ? std::numeric_limits<double>::quiet_NaN() : 500.0;
        });
        Seed seed;
        std::vector<Wire> lives;
        for (int s = 1; s < 15; ++s) lives.push_back(rack.live_message(s));
        for (std::size_t i = lives.size(); i > 0; --i)
            seed.add(Stream::live, lives[i - 1], 0, i % 2 == 0);  // before their catalog
        seed.add(Stream::catalog, rack.catalog_message());
        for (const auto& live : lives) seed.add(Stream::live, live);
        seed.write(folder, "backwards");
    }
    {
        ModelRack rack("s", "a", sensors(), steady);
        Seed seed;
        seed.add(Stream::catalog, rack.catalog_message());
        for (int s = 1; s < 40; ++s) {
            if (s % 10 == 0) rack.new_epoch(static_cast<std::size_t>(s / 10 % 4));
            if (s == 25) rack.new_boot(), seed.add(Stream::catalog, rack.catalog_message());
            rack.clock_error = s > 30 ? 86'400 : 0;
            rack.most_points = s % 3 == 0 ? SIZE_MAX : 2;
            seed.add(Stream::live, rack.live_message(s), s % 7);
        }
        seed.write(folder, "restarts");
    }
}
