// Any bytes as messages from MQTT, through subscriber, ledger and aggregator: the books balance, the numbers are numbers,
// and a good rack that publishes between them still counts.
//
// Input: records of [stream][seconds to pass][length, 2 bytes, little endian][payload]; the stream's high bit: late (history).
#include "tests/unit/fleet/model_rack.hpp"

#include <cmath>
#include <cstdlib>
#include <string_view>

namespace {

using namespace gwatt;
using namespace gwatt::test;

void require(bool holds) {
    if (!holds) std::abort();
}

void check(ModelFleet& fleet, double now) {
    require(fleet.books.balanced());
    for (const auto& total : fleet.report(now).totals) {
        require(std::isfinite(total.watts) && std::isfinite(total.low) && !std::isnan(total.high));
        require(total.low <= total.watts && total.watts <= total.high);
        require(std::isfinite(total.measured_joules) && std::isfinite(total.estimated_joules));
        std::uint32_t racks = 0;
        for (const auto n : total.racks_in) racks += n;
        require(racks == total.racks);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    fleet::AggregatorOptions options;
    options.windows.final_after = std::chrono::seconds(10);
    ModelFleet fleet(options, {}, 10);
    ModelRack good("s", "good", {power_sensor("in", proto::Point::rack_in)},
                   [](std::size_t, double) { return 1000.0; });
    fleet.take(good.catalog_message(), 0);
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    double now = 1;
    int played = 0;
    while (rest.size() >= 4) {
        const auto stream = static_cast<std::uint8_t>(rest[0]);
        now += static_cast<std::uint8_t>(rest[1]) % 64;
        const auto length = static_cast<std::uint8_t>(rest[2]) + 256u * static_cast<std::uint8_t>(rest[3]);
        const auto payload = rest.substr(4, length);
        rest.remove_prefix(4 + payload.size());
        const bool history = (stream & 0x80) != 0;
        fleet.take({proto::topic("s", "a", static_cast<proto::Stream>(stream % 7), history), std::string(payload)},
                   now);
    }
    for (; played < 3; ++played) fleet.take(good.live_message(now + played), now + played + 1);
    check(fleet, now + 4);
    require(std::fabs(fleet.total(now + 4, "site/s/rack/good").watts - 1000) < 1);
    fleet.subscriber.expire(arrival_at(now + 200).monotonic);
    check(fleet, now + 200);
    return 0;
}
