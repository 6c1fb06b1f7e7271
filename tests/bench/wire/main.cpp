// bench_wire: bytes a sample of whole PUBLISH packets (fixed header, topic, packet id, MQTT 5 properties, payload) on the
// standard rack (tests/support/standard_rack_table.hpp) and on real traces, beside the order-0 entropy of the same
// differences. Ends with 1 where the standard rack's data cost more than the bar.
#include "real.hpp"
#include "tally.hpp"
#include "tests/simulation/traces/trace.hpp"
#include "tests/support/standard_rack.hpp"

#include <cstdio>
#include <exception>

namespace gwatt::bench {

namespace {

constexpr double bar = 1.37;  // B/sample: Gorilla's published figure (Pelkonen et al., VLDB 2015)

struct RackCost {
    Cost data[2], live, live_of_total;  // all energy points; the PSU inputs alone
    DeltaEntropy entropy[2];
    double catalog = 0;
};

RackCost measure_rack(std::uint32_t messages) {
    test::StandardRack rack;
    proto::Encoder encoder;
    RackCost cost;
    proto::Live of_total;
    cost.catalog = static_cast<double>(encoder.catalog(rack.catalog()).size());
    std::vector<std::uint32_t> kinds;
    for (std::uint32_t s = 0; s < rack.catalog().sensors.size(); ++s) kinds.push_back(rack.sensor_class(s));
    for (std::uint32_t i = 0; i < messages; ++i)
        for (const std::uint32_t group : {rack.fast, rack.slow}) {
            const proto::Data& data = rack.next(group);
            add_data(cost.data[group], encoder, data, rack.catalog());
            cost.entropy[group].add(data, rack.catalog(), kinds);
            for (std::uint32_t k = 0; group == rack.fast && k < data.samples; ++k) {
                const proto::Live& live = rack.live(k);
                add_live(cost.live, encoder, live, rack.catalog());
                of_total = live;
                of_total.points.resize(rack.points_of_total);
                add_live(cost.live_of_total, encoder, of_total, rack.catalog());
            }
        }
    return cost;
}

// A rack sends six fast messages for each slow one.
double report(RackCost& cost) {
    const Cost &fast = cost.data[0], &slow = cost.data[1];
    const double fast_rate = 311, slow_rate = 104.8, rate = fast_rate + slow_rate;
    const double missing_fast = static_cast<double>(fast.samples) / static_cast<double>(fast.messages * 3110);
    const double bytes_per_second = fast.bytes_per_message() / 10 + slow.bytes_per_message() / 60;
    const double samples_per_second = fast_rate * missing_fast + slow_rate * static_cast<double>(slow.samples) /
                                                                     static_cast<double>(slow.messages * 6288);
    const double data = bytes_per_second / samples_per_second;
    print("wire.rack.fast", fast.bytes_per_sample(), "B/sample");
    print("wire.rack.fast.entropy", cost.entropy[0].bytes_per_sample(), "B/sample");
    print("wire.rack.fast.message", fast.bytes_per_message(), "B");
    print("wire.rack.slow", slow.bytes_per_sample(), "B/sample");
    print("wire.rack.slow.entropy", cost.entropy[1].bytes_per_sample(), "B/sample");
    print("wire.rack.slow.message", slow.bytes_per_message(), "B");
    print("wire.rack.data", data, "B/sample");
    print("wire.rack.data.entropy",
          (cost.entropy[0].bytes_per_sample() * fast_rate + cost.entropy[1].bytes_per_sample() * slow_rate) / rate,
          "B/sample");
    print("wire.rack.data.bar", bar, "B/sample");
    print("wire.rack.data.rate", bytes_per_second, "B/s");
    const auto live = [&](const std::string& name, const Cost& part) {
        print("wire.rack." + name + ".points", static_cast<double>(part.samples) / static_cast<double>(part.messages),
              "points");
        print("wire.rack." + name + ".point", part.bytes_per_sample(), "B/point");
        print("wire.rack." + name + ".rate", part.bytes_per_message(), "B/s");
        print("wire.rack.data_and_" + name, (bytes_per_second + part.bytes_per_message()) / samples_per_second,
              "B/sample");
    };
    live("live", cost.live);
    live("live_of_total", cost.live_of_total);
    // The points of the total every second, all of them every ten.
    const double mixed = cost.live_of_total.bytes_per_message() * 0.9 + cost.live.bytes_per_message() * 0.1;
    print("wire.rack.live_mixed.rate", mixed, "B/s");
    print("wire.rack.data_and_live_mixed", (bytes_per_second + mixed) / samples_per_second, "B/sample");
    print("wire.rack.catalog", cost.catalog, "B");
    return data;
}

}  // namespace

}  // namespace gwatt::bench

int main() try {
    auto cost = gwatt::bench::measure_rack(60);
    const double data = gwatt::bench::report(cost);
    gwatt::bench::measure_real(gwatt::test::trace_folder());
    if (data <= gwatt::bench::bar) return 0;
    std::fprintf(stderr, "wire: data of the standard rack cost %.3f B/sample, more than %.2f\n", data,
                 gwatt::bench::bar);
    return 1;
} catch (const std::exception& error) {
    std::fprintf(stderr, "wire: %s\n", error.what());
    return 1;
}
