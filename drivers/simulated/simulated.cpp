// Driver `simulated`: a rack without hardware, the same for the same seed, with a dial for every error and every sin.
#include "drivers/abi/driver.hpp"
#include "drivers/simulated/load.hpp"
#include "drivers/simulated/rack.hpp"

#include <time.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <limits>

namespace gwatt::drivers::simulated {
namespace {

constexpr const char* shapes[] = {"constant", "square", "sine", "walk", nullptr};

// In the order of Fault. The first ten are errors that real hardware has, the rest are sins of a driver.
constexpr const char* faults[] = {"none",  "timeout",     "garbled", "gone", "busy",  "changed",  "denied",
                                  "bug",   "unavailable", "partial", "hang", "spin",  "crash",    "leak",
                                  "flood", "nan",         "future",  "old",  "index", "overfill", nullptr};
enum class Fault : std::uint8_t {
    none,
    timeout,
    garbled,
    gone,
    busy,
    changed,
    denied,
    bug,
    unavailable,
    partial,
    hang,
    spin,
    crash,
    leak,
    flood,
    nan,
    future,
    old,
    index,
    overfill,
};
constexpr const char* open_faults[] = {"none", "gone", "busy", "denied", "bad_config", "bug", "hang", nullptr};
enum class OpenFault : std::uint8_t { none, gone, busy, denied, bad_config, bug, hang };

// Does not wait in host->wait, and does not mind a signal: what a vendor library does at its worst.
[[noreturn]] void hang() {
    for (;;) {
        const timespec long_time{3600, 0};
        nanosleep(&long_time, nullptr);
    }
}

}  // namespace

class Simulated {
public:
    static constexpr About about{
        .name = "simulated",
        .version = GWATT_VERSION,
        .summary = "A rack without hardware: power supplies and GPUs whose load follows a shape."};
    static constexpr std::array options{
        between(0, 256, option("psus", GWATT_INTEGER, "Power supplies of the rack.", "6")),
        between(0, 256, option("gpus", GWATT_INTEGER, "GPUs of the rack; they take 80 % of the load.", "0")),
        option("rack_meter", GWATT_BOOLEAN, "Also give a meter at the rack's input.", "false"),
        choice("shape", shapes, "How the load moves.", "walk"),
        between(0, 1e7,
                option("power", GWATT_NUMBER, "Mean load of the rack behind the power supplies, in W.", "12000")),
        between(0, 1,
                option("swing", GWATT_NUMBER, "How far the shape goes up and down, as a part of the mean.", "0.3")),
        between(0.001, 1e7, option("period", GWATT_DURATION, "Of the shape's slowest part.", "60s")),
        between(0.3, 1, option("efficiency", GWATT_NUMBER, "Of the power supplies.", "0.96")),
        between(0, 1e6, option("noise", GWATT_NUMBER, "Standard deviation on each power, in W.", "0")),
        between(0, 1e15,
                option("energy_wrap", GWATT_NUMBER, "Where energy counters return to zero, in J; 0: never.", "0")),
        between(0, 86400,
                option("window", GWATT_DURATION, "Adds average, minimum and maximum over this time; 0s: none.", "0s")),
        between(0, 60, option("latency", GWATT_DURATION, "How long a read takes.", "0s")),
        between(0, 60, option("open_latency", GWATT_DURATION, "How long open takes.", "0s")),
        option("seed", GWATT_INTEGER, "Racks with different seeds differ in phase, share and noise.", "1"),
        choice("fault", faults, "What goes wrong in a read.", "none"),
        between(1, 1e9, option("fault_every", GWATT_INTEGER, "In every which read; 1: in each.", "1")),
        between(0, 1e9, option("fault_after", GWATT_INTEGER, "After how many good reads.", "0")),
        option("fault_file", GWATT_PATH, "Only while this file exists."),
        choice("open_fault", open_faults, "What goes wrong in open; obeys fault_file.", "none"),
    };

    Simulated(Host host, const Options& given)
        : host_(host),
          rack_(rack_options(given), load(given), seconds(host.now())),
          latency_(given.duration("latency")),
          fault_(static_cast<Fault>(given.choice("fault"))),
          fault_every_(static_cast<std::uint64_t>(given.integer("fault_every"))),
          fault_after_(static_cast<std::uint64_t>(given.integer("fault_after"))),
          fault_file_(given.path("fault_file")) {
        if (given.duration("open_latency").count() > 0) host.sleep_until(host.now() + given.duration("open_latency"));
        if (fault_may()) fail_open(static_cast<OpenFault>(given.choice("open_fault")));
    }
    ~Simulated() = default;

    std::span<const gwatt_sensor> sensors() { return rack_.sensors(); }

    Result read(std::span<const std::uint32_t> wanted, Samples& out, Instant deadline, Error error) {
        reads_ = reads_ + 1;
        const bool faulty = fault_ != Fault::none && reads_ > fault_after_ &&
                            (reads_ - fault_after_) % fault_every_ == 0 && fault_may();
        if (faulty)
            if (const Result result = misbehave(deadline, error); result != Result::ok) return result;
        if (latency_.count() > 0 && !host_.sleep_until(std::min(deadline, host_.now() + latency_)))
            return error(Result::timeout, "cancelled");
        const Instant now = host_.now();
        for (const std::uint32_t sensor : wanted) put(sensor, now, faulty ? fault_ : Fault::none, out);
        if (faulty && fault_ == Fault::overfill) out.claim(GWATT_MAX_SAMPLES + 1);
        return Result::ok;
    }

private:
    static double seconds(Instant t) { return std::chrono::duration<double>(t.time_since_epoch()).count(); }

    static Load load(const Options& given) {
        return {static_cast<Shape>(given.choice("shape")), given.number("power"), given.number("swing"),
                std::chrono::duration<double>(given.duration("period")).count(),
                static_cast<std::uint64_t>(given.integer("seed"))};
    }
    static RackOptions rack_options(const Options& given) {
        return {.psus = static_cast<std::uint32_t>(given.integer("psus")),
                .gpus = static_cast<std::uint32_t>(given.integer("gpus")),
                .efficiency = given.number("efficiency"),
                .noise = given.number("noise"),
                .energy_wrap = given.number("energy_wrap"),
                .window = given.duration("window"),
                .rack_meter = given.boolean("rack_meter"),
                .seed = static_cast<std::uint64_t>(given.integer("seed"))};
    }

    bool fault_may() const { return fault_file_.empty() || access(fault_file_.c_str(), F_OK) == 0; }

    static void fail_open(OpenFault fault) {
        switch (fault) {
            case OpenFault::none: return;
            case OpenFault::gone: throw Failure{Result::gone, "simulated: no such device"};
            case OpenFault::busy: throw Failure{Result::busy, "simulated: in use"};
            case OpenFault::denied: throw Failure{Result::denied, "simulated: permission denied"};
            case OpenFault::bad_config: throw Failure{Result::bad_config, "simulated: this cannot be", "open_fault"};
            case OpenFault::bug: throw Failure{Result::bug, "simulated: found itself wrong"};
            case OpenFault::hang: hang();
        }
    }

    // Faults of the whole call. ok: the call goes on.
    Result misbehave(Instant deadline, Error error) {
        switch (fault_) {
            case Fault::timeout: host_.sleep_until(deadline); return error(Result::timeout, "simulated: no answer");
            case Fault::garbled: return error(Result::garbled, "simulated: checksum is wrong");
            case Fault::gone: return error(Result::gone, "simulated: device has gone");
            case Fault::busy: return error(Result::busy, "simulated: in use");
            case Fault::changed: rack_.change(); return error(Result::changed, "simulated: sensors came or went");
            case Fault::denied: return error(Result::denied, "simulated: permission denied");
            case Fault::bug: return error(Result::bug, "simulated: found itself wrong");
            case Fault::hang: hang();
            case Fault::spin:
                for (;;) reads_ = reads_ + 1;
            case Fault::crash: std::abort();
            case Fault::leak: leak(); return Result::ok;
            case Fault::flood:
                for (int i = 0; i < 10000; ++i) host_.log(Level::warning, "simulated: a line of a flood");
                return Result::ok;
            default: return Result::ok;
        }
    }

    static void leak() {
        constexpr std::size_t size = std::size_t{8} << 20;
        void* lost = std::malloc(size);
        if (lost == nullptr) throw std::bad_alloc{};
        std::memset(lost, 1, size);
        asm volatile("" : : "r"(lost) : "memory");
    }

    void put(std::uint32_t sensor, Instant now, Fault fault, Samples& out) const {
        const double value = rack_.value(sensor, seconds(now));
        switch (fault) {
            case Fault::unavailable: out.none(sensor, now, GWATT_QUALITY_UNAVAILABLE); return;
            case Fault::partial:
                if (sensor % 2 == 0) out.value(sensor, now, value);
                return;
            case Fault::nan: out.value(sensor, now, std::numeric_limits<double>::quiet_NaN()); return;
            case Fault::future: out.value(sensor, now + std::chrono::hours(1), value); return;
            case Fault::old: out.value(sensor, now - std::chrono::hours(1), value); return;
            case Fault::index: out.value(sensor + rack_.size(), now, value); return;
            default: out.value(sensor, now, value); return;
        }
    }

    Host host_;
    Rack rack_;
    Duration latency_;
    Fault fault_;
    std::uint64_t fault_every_, fault_after_;
    std::string fault_file_;
    volatile std::uint64_t reads_ = 0;
};

}  // namespace gwatt::drivers::simulated

GWATT_DRIVER(gwatt::drivers::simulated::Simulated)
