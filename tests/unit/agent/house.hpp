#pragma once
// The whole agent without processes and sockets, in virtual time: fake buses, the real stages, a model broker.
#include "agent/batcher.hpp"
#include "agent/energy.hpp"
#include "agent/publisher.hpp"
#include "agent/roster.hpp"
#include "agent/sampler.hpp"
#include "agent/spool.hpp"
#include "agent/tasks.hpp"
#include "proto/codec.hpp"
#include "proto/topics.hpp"
#include "tests/support/fake_bus.hpp"
#include "tests/support/model_broker.hpp"
#include "tests/support/virtual_clock.hpp"
#include "tests/unit/agent/sensors.hpp"

#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace gwatt::test {

// Decodes everything that a broker delivers, as a subscriber would.
struct Listener {
    explicit Listener(ModelBroker& broker) : client(broker.client()) {
        client->subscribe("gwatt/v1/#", 1, [this](const runtime::ReceivedMessage& m) { take(m); });
    }

    void take(const runtime::ReceivedMessage& m) {
        ++messages;
        const auto parts = proto::parse_topic(m.topic);
        REQUIRE(parts.has_value());
        if (parts->history) ++history;
        order.push_back(std::string(m.topic));
        proto::Decoder decoder;
        if (parts->stream == proto::Stream::catalog) {
            const auto catalog = decoder.catalog(m.payload);
            REQUIRE(catalog.has_value());
            catalogs[(*catalog)->header.catalog] = **catalog;
            return;
        }
        if (parts->stream == proto::Stream::status) {
            const auto status = decoder.status(m.payload);
            REQUIRE(status.has_value());
            presences.push_back((*status)->presence);
            return;
        }
        const auto header = decoder.header(m.payload);
        REQUIRE(header.has_value());
        const auto found = catalogs.find((*header).catalog);
        REQUIRE_MESSAGE(found != catalogs.end(), "a record came before its catalog");
        if (parts->stream == proto::Stream::live) {
            const auto live = decoder.live(m.payload, found->second);
            REQUIRE(live.has_value());
            lives[(*live)->header.sequence] = **live;
        } else {
            const auto data = decoder.data(m.payload, found->second);
            REQUIRE(data.has_value());
            datas[(*data)->header.sequence] = **data;
        }
    }
    std::uint64_t cells() const {
        std::uint64_t n = 0;
        for (const auto& [sequence, data] : datas) n += data.values.size();
        return n;
    }

    std::unique_ptr<ModelBroker::Client> client;
    std::uint64_t messages = 0, history = 0;
    std::vector<std::string> order;
    std::map<std::uint64_t, proto::Catalog> catalogs;
    std::map<std::uint64_t, proto::Live> lives;  // by sequence: duplicates fall together
    std::map<std::uint64_t, proto::Data> datas;
    std::vector<proto::Presence> presences;
};

class House {
public:
    explicit House(std::size_t buses = 1, agent::AgentConfig with = config())
        : clock(loop),
          broker(loop, 1),
          listener(broker),
          settings(named(std::move(with), buses)),
          link(broker.client()),
          spool(settings.spool, settings.publish.history_after, clock),
          publisher(loop, clock, log, *link, spool, {"s", "a", 42}, settings.publish, [this] { return statuses(); }),
          energy(5, settings.energy.gap),
          batcher(settings.publish, clock, energy, 42,
                  [this](const agent::Outgoing& m) {
                      spool.append(m);
                      publisher.wake();
                  }),
          roster(loop, clock, settings,
                 [this](const proto::Catalog& c) {
                     batcher.finish();
                     energy.set_catalog(c);
                     batcher.set_catalog(c);
                     publisher.set_catalog(c);
                 }),
          listening(loop),
          reading(loop),
          sending(loop) {
        for (std::size_t i = 0; i < buses; ++i) {
            bus.push_back(
                std::make_unique<FakeBus>(loop, clock, settings.buses[i].host.name,
                                          [this](std::uint32_t s, runtime::Monotonic t) { return power(s, t); }));
            roster.add(*bus[i], &settings.buses[i]);
            samplers.push_back(
                std::make_unique<agent::Sampler>(clock, *bus[i], roster, i, [this](const agent::Scan& scan) {
                    energy.take(scan.readings);
                    batcher.take(scan);
                }));
        }
        listening.spawn("listener", listener.client->run());
        sending.spawn("link", link->run());
        sending.spawn("publisher", publisher.run());
        sending.spawn("watch", publisher.watch());
        reading.spawn("roster", roster.run());
        reading.spawn("batcher", batcher.run());
        for (auto& sampler : samplers) reading.spawn("sampler", sampler->run());
    }
    ~House() {
        reading.cancel();
        sending.cancel();
        listening.cancel();
        clock.settle();
    }

    static agent::AgentConfig config() {
        agent::AgentConfig config;
        config.site = "s";
        config.name = "a";
        return config;
    }
    static agent::AgentConfig named(agent::AgentConfig config, std::size_t buses) {
        for (std::size_t i = 0; i < buses; ++i) config.buses.emplace_back().host.name = "bus" + std::to_string(i);
        return config;
    }
    std::vector<proto::BusStatus> statuses() {
        std::vector<proto::BusStatus> all;
        for (auto& each : bus) all.push_back(each->status());
        return all;
    }
    // Opens bus i with n power sensors.
    void open(std::size_t i, std::size_t n = 1) {
        std::vector<proto::Sensor> sensors;
        for (std::size_t s = 0; s < n; ++s)
            sensors.push_back(power_sensor("bus" + std::to_string(i) + ".psu" + std::to_string(s)));
        bus[i]->open(std::move(sensors));
    }
    // The books of the agent, in readings.
    bool balanced() const {
        const auto& b = batcher.counters();
        const auto& s = spool.counters();
        std::uint64_t dropped = b.superseded + b.late + b.unknown + b.switched_off;
        for (auto each : s.samples_dropped) dropped += each;
        std::uint64_t read = 0;
        for (const auto& sampler : samplers) read += sampler->counters().readings;
        return read == b.readings && b.readings == s.samples_delivered + dropped + s.samples + batcher.open_samples();
    }

    boost::asio::io_context loop;
    VirtualClock clock;
    runtime::Logger log{runtime::LogLevel::info,
                        [this](runtime::LogLevel, std::string_view line) { said.emplace_back(line); }};
    std::vector<std::string> said;
    std::function<double(std::uint32_t, runtime::Monotonic)> power = [](std::uint32_t s, runtime::Monotonic) {
        return 100.0 + s;
    };
    ModelBroker broker;
    Listener listener;
    agent::AgentConfig settings;
    std::unique_ptr<ModelBroker::Client> link;
    agent::Spool spool;
    agent::Publisher publisher;
    agent::Energy energy;
    agent::Batcher batcher;
    agent::Roster roster;
    std::vector<std::unique_ptr<FakeBus>> bus;
    std::vector<std::unique_ptr<agent::Sampler>> samplers;
    agent::Tasks listening, reading, sending;
};

}  // namespace gwatt::test
