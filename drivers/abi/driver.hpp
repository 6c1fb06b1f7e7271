#pragma once
// The C++ dress of driver.h for driver authors: a class becomes the table, and exceptions stop at its edge.
//
//   class Meter {
//    public:
//     static constexpr drivers::About about{.name = "meter", .version = "1", .summary = "Reads the X meter."};
//     static constexpr std::array options{drivers::required(drivers::option("device", GWATT_PATH, "Its tty."))};
//     Meter(drivers::Host host, const drivers::Options& options);           // throws drivers::Failure
//     std::span<const gwatt_sensor> sensors();                              // valid until the next call
//     drivers::Result read(std::span<const std::uint32_t> wanted, drivers::Samples& out, drivers::Instant deadline,
//                          drivers::Error error);
//   };                                                                      // the destructor is `close`
//   GWATT_DRIVER(Meter)
//
// All calls of one bus are on one thread. Host and what it points to live as long as the bus.
#include "drivers/abi/driver.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <new>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gwatt::drivers {

using Duration = std::chrono::nanoseconds;
using Instant = std::chrono::time_point<std::chrono::steady_clock, Duration>;  // Host::now's scale

enum class Result : std::int32_t {
    ok = GWATT_OK,
    timeout = GWATT_TIMEOUT,
    garbled = GWATT_GARBLED,
    gone = GWATT_GONE,
    busy = GWATT_BUSY,
    changed = GWATT_CHANGED,
    denied = GWATT_DENIED,
    bad_config = GWATT_BAD_CONFIG,
    bug = GWATT_BUG,
};
enum class Wait : std::int32_t {
    timeout = GWATT_WAIT_TIMEOUT,
    ready = GWATT_WAIT_READY,
    cancelled = GWATT_WAIT_CANCELLED,
};
enum class Level : std::int32_t {
    error = GWATT_LOG_ERROR,
    warning = GWATT_LOG_WARNING,
    info = GWATT_LOG_INFO,
    debug = GWATT_LOG_DEBUG,
};

// Copies what both sides know of a struct that begins with its size; the rest is zero.
template <class Sized> Sized known_part(const Sized* theirs) {
    Sized mine{};
    if (theirs != nullptr)
        std::memcpy(static_cast<void*>(&mine), static_cast<const void*>(theirs),
                    std::min<std::size_t>(theirs->size, sizeof(Sized)));
    return mine;
}

// Thrown from a constructor (or anywhere below the table): becomes the call's result, text and option.
struct Failure {
    Result result = Result::bug;
    std::string text{};
    std::string option{};  // name of the option that is wrong, with bad_config
};

class Host {
public:
    explicit Host(const gwatt_host* host) : host_(host) {}
    Instant now() const { return Instant{Duration{host_->now_ns(host_->self)}}; }
    // The one place where a driver waits. events: GWATT_WAIT_READ | GWATT_WAIT_WRITE; fd -1 only waits.
    Wait wait(int fd, int events, Instant deadline) const {
        return static_cast<Wait>(host_->wait(host_->self, fd, events, deadline.time_since_epoch().count()));
    }
    // False if cancelled.
    bool sleep_until(Instant when) const { return wait(-1, 0, when) != Wait::cancelled; }
    void log(Level level, const char* text) const { host_->log(host_->self, static_cast<std::int32_t>(level), text); }
    void log(Level level, const std::string& text) const { log(level, text.c_str()); }

private:
    const gwatt_host* host_;
};

// `error(Result::timeout, "unit 160 does not answer")` keeps the text (cut to what fits) and returns the result.
class Error {
public:
    explicit Error(gwatt_error* error) : error_(error) {}
    Result operator()(Result result, std::string_view text) const {
        if (error_ == nullptr) return result;
        const std::size_t kept = std::min(text.size(), sizeof(error_->text) - 1);
        std::memcpy(error_->text, text.data(), kept);
        error_->text[kept] = '\0';
        return result;
    }
    void option(std::int32_t index) const {
        if (error_ != nullptr) error_->option = index;
    }

private:
    gwatt_error* error_;
};

// Declarations of options, for a constexpr array named `options`.
constexpr gwatt_option option(const char* name, gwatt_option_type type, const char* help,
                              const char* default_text = nullptr) {
    gwatt_option made{};
    made.size = sizeof(gwatt_option);
    made.type = type;
    made.name = name;
    made.help = help;
    made.default_text = default_text;
    return made;
}
constexpr gwatt_option required(gwatt_option made) {
    made.required = 1;
    return made;
}
constexpr gwatt_option between(double minimum, double maximum, gwatt_option made) {
    made.minimum = minimum;
    made.maximum = maximum;
    return made;
}
// `choices` ends in nullptr and is static.
constexpr gwatt_option choice(const char* name, const char* const* choices, const char* help,
                              const char* default_text = nullptr) {
    gwatt_option made = option(name, GWATT_CHOICE, help, default_text);
    made.choices = choices;
    return made;
}

// The values given to `open`, by name and type. Asking for what was not declared, or as another type, is Failure{bug};
// an option that is absent gives the zero of its type: ask has() where that matters.
class Options {
public:
    Options(std::span<const gwatt_option> declared, std::span<const gwatt_value> values)
        : declared_(declared), values_(values) {}

    bool has(std::string_view name) const { return values_[index(name)].given != 0; }
    const char* text(std::string_view name) const {
        const gwatt_value& value = find(name, GWATT_TEXT);
        return value.as.text == nullptr ? "" : value.as.text;
    }
    const char* path(std::string_view name) const {
        const gwatt_value& value = find(name, GWATT_PATH);
        return value.as.text == nullptr ? "" : value.as.text;
    }
    std::int64_t integer(std::string_view name) const { return find(name, GWATT_INTEGER).as.integer; }
    double number(std::string_view name) const { return find(name, GWATT_NUMBER).as.number; }
    Duration duration(std::string_view name) const { return Duration{find(name, GWATT_DURATION).as.integer}; }
    bool boolean(std::string_view name) const { return find(name, GWATT_BOOLEAN).as.integer != 0; }
    // The index of the chosen word.
    std::size_t choice(std::string_view name) const {
        return static_cast<std::size_t>(find(name, GWATT_CHOICE).as.integer);
    }
    std::int32_t position(std::string_view name) const {
        for (std::size_t i = 0; i < declared_.size(); ++i)
            if (name == declared_[i].name) return static_cast<std::int32_t>(i);
        return -1;
    }

private:
    std::size_t index(std::string_view name) const {
        const std::int32_t found = position(name);
        if (found < 0 || static_cast<std::size_t>(found) >= values_.size())
            throw Failure{Result::bug, "the driver asks for an option it did not declare: " + std::string(name)};
        return static_cast<std::size_t>(found);
    }
    const gwatt_value& find(std::string_view name, gwatt_option_type type) const {
        const std::size_t i = index(name);
        if (declared_[i].type != static_cast<std::uint32_t>(type))
            throw Failure{Result::bug, "the driver asks for an option as another type: " + std::string(name)};
        return values_[i];
    }
    std::span<const gwatt_option> declared_;
    std::span<const gwatt_value> values_;
};

// The host's array of samples.
class Samples {
public:
    Samples(gwatt_sample* samples, std::uint32_t capacity, std::uint32_t* used)
        : samples_(samples), capacity_(capacity), used_(used) {
        *used_ = 0;
    }
    // time: the middle of the measurement. False when the array is full (the sample is not kept).
    bool value(std::uint32_t sensor, Instant time, double value, gwatt_quality quality = GWATT_QUALITY_GOOD) {
        return put({time.time_since_epoch().count(), value, sensor, static_cast<std::uint32_t>(quality)});
    }
    // quality: GWATT_QUALITY_UNAVAILABLE and above.
    bool none(std::uint32_t sensor, Instant time, gwatt_quality quality) {
        return put({time.time_since_epoch().count(), 0.0, sensor, static_cast<std::uint32_t>(quality)});
    }
    std::uint32_t size() const { return *used_; }
    std::uint32_t room() const { return capacity_ - *used_; }
    // Says that there are n samples, true or not: for drivers that test the host.
    void claim(std::uint32_t n) { *used_ = n; }

private:
    bool put(const gwatt_sample& sample) {
        if (*used_ >= capacity_) return false;
        samples_[(*used_)++] = sample;
        return true;
    }
    gwatt_sample* samples_;
    std::uint32_t capacity_;
    std::uint32_t* used_;
};

// A sensor with its texts, as a driver makes it at `open`.
struct SensorSpec {
    std::string id{}, label{}, part_of{}, feed{};
    gwatt_quantity quantity = GWATT_QUANTITY_UNSPECIFIED;
    gwatt_kind kind = GWATT_KIND_INSTANT;
    gwatt_point point = GWATT_POINT_UNSPECIFIED;
    gwatt_direction direction = GWATT_DIRECTION_LOAD;
    Duration window{}, refresh{};
    double resolution = 0, offset = 0, wraps_at = 0, range_min = 0, range_max = 0;
    gwatt_basis basis = GWATT_BASIS_UNSPECIFIED;
    std::vector<gwatt_accuracy> accuracy{};
};

// Owns specs and shows them as the C list. A list stays valid until the next list(), clear() or move, so sensors may be
// added at any time.
class SensorList {
public:
    std::uint32_t add(SensorSpec spec) {
        specs_.push_back(std::move(spec));
        return static_cast<std::uint32_t>(specs_.size() - 1);
    }
    void clear() {
        specs_.clear();
        shown_.clear();
    }
    std::size_t size() const { return specs_.size(); }
    const SensorSpec& operator[](std::size_t i) const { return specs_[i]; }
    std::span<const gwatt_sensor> list() {
        if (shown_.size() != specs_.size()) {
            shown_.clear();
            shown_.reserve(specs_.size());
            for (const SensorSpec& spec : specs_) shown_.push_back(show(spec));
        }
        return shown_;
    }

private:
    static const char* or_null(const std::string& text) { return text.empty() ? nullptr : text.c_str(); }
    static gwatt_sensor show(const SensorSpec& spec) {
        gwatt_sensor made{};
        made.size = sizeof(gwatt_sensor);
        made.quantity = spec.quantity;
        made.kind = spec.kind;
        made.point = spec.point;
        made.direction = spec.direction;
        made.basis = spec.basis;
        made.accuracy_count = static_cast<std::uint32_t>(spec.accuracy.size());
        made.window_ns = spec.window.count();
        made.refresh_ns = spec.refresh.count();
        made.resolution = spec.resolution;
        made.offset = spec.offset;
        made.wraps_at = spec.wraps_at;
        made.range_min = spec.range_min;
        made.range_max = spec.range_max;
        made.id = spec.id.c_str();
        made.label = or_null(spec.label);
        made.part_of = or_null(spec.part_of);
        made.feed = or_null(spec.feed);
        made.accuracy = spec.accuracy.empty() ? nullptr : spec.accuracy.data();
        return made;
    }
    std::deque<SensorSpec> specs_;
    std::vector<gwatt_sensor> shown_;
};

// What the table says besides the functions. Durations: see open_worst_ns, close_worst_ns, read_overrun_ns.
struct About {
    const char* name;
    const char* version;
    const char* summary;
    Duration open_worst = std::chrono::seconds(1);
    Duration close_worst = std::chrono::seconds(1);
    Duration read_overrun{};
};

// The table of a class; see the top of this file.
template <class Bus> class Table {
public:
    static const gwatt_driver* get() {
        static const gwatt_driver table = make();
        return &table;
    }

private:
    struct Held {
        Held(const gwatt_host* host, const Options& options) : bus(Host{host}, options) {}
        Bus bus;
    };

    static std::span<const gwatt_option> declared() { return {Bus::options.data(), Bus::options.size()}; }
    static Bus& of(gwatt_bus* bus) { return reinterpret_cast<Held*>(bus)->bus; }

    static gwatt_driver make() {
        gwatt_driver table{};
        table.size = sizeof(gwatt_driver);
        table.option_count = static_cast<std::uint32_t>(Bus::options.size());
        table.open_worst_ns = Bus::about.open_worst.count();
        table.close_worst_ns = Bus::about.close_worst.count();
        table.read_overrun_ns = Bus::about.read_overrun.count();
        table.name = Bus::about.name;
        table.version = Bus::about.version;
        table.summary = Bus::about.summary;
        table.options = Bus::options.data();
        table.open = &open;
        table.sensors = &sensors;
        table.read = &read;
        table.close = &close;
        return table;
    }

    // Runs the call and turns what it throws into a result.
    template <class Call> static std::int32_t guarded(gwatt_error* error, Call call) noexcept {
        const Error say{error};
        try {
            return static_cast<std::int32_t>(call());
        } catch (const Failure& failure) {
            if (!failure.option.empty()) say.option(Options{declared(), {}}.position(failure.option));
            return static_cast<std::int32_t>(say(failure.result, failure.text));
        } catch (const std::exception& exception) {
            return static_cast<std::int32_t>(say(Result::bug, exception.what()));
        } catch (...) {
            return static_cast<std::int32_t>(say(Result::bug, "the driver threw something unknown"));
        }
    }

    static std::int32_t open(const gwatt_host* host, const gwatt_value* values, std::uint32_t count, gwatt_bus** bus,
                             gwatt_error* error) {
        return guarded(error, [&] {
            *bus = reinterpret_cast<gwatt_bus*>(new Held(host, Options{declared(), {values, count}}));
            return Result::ok;
        });
    }
    static std::int32_t sensors(gwatt_bus* bus, const gwatt_sensor** list, std::uint32_t* count, gwatt_error* error) {
        return guarded(error, [&] {
            const std::span<const gwatt_sensor> made = of(bus).sensors();
            *list = made.data();
            *count = static_cast<std::uint32_t>(made.size());
            return Result::ok;
        });
    }
    static std::int32_t read(gwatt_bus* bus, const std::uint32_t* wanted, std::uint32_t n, gwatt_sample* samples,
                             std::uint32_t capacity, std::uint32_t* used, std::int64_t deadline_ns,
                             gwatt_error* error) {
        return guarded(error, [&] {
            Samples out{samples, capacity, used};
            return of(bus).read({wanted, n}, out, Instant{Duration{deadline_ns}}, Error{error});
        });
    }
    static void close(gwatt_bus* bus) { delete reinterpret_cast<Held*>(bus); }
};

}  // namespace gwatt::drivers

#define GWATT_DRIVER(Bus) \
    extern "C" GWATT_EXPORT const gwatt_driver* gwatt_driver_v1(void) { return ::gwatt::drivers::Table<Bus>::get(); }
