#include "drivers/check/trial.hpp"

#include "drivers/check/process_state.hpp"
#include "drivers/check/symbols.hpp"

#include <poll.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <stdexcept>

namespace gwatt::drivers::check {
namespace {

constexpr std::int64_t ms = 1'000'000;
constexpr std::int64_t slack = 100 * ms;  // a busy machine is nobody's fault
constexpr std::uint64_t canary = 0x6777617474636b21;
constexpr double leak_per_open = 8;  // bytes; the allocator's own noise over hundreds of opens is below that

std::int64_t now_ns() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

std::string in_ms(std::int64_t ns) { return std::to_string(ns / ms) + " ms"; }

const char* result_name(std::int32_t result) {
    constexpr const char* names[] = {"ok",      "timeout", "garbled",    "gone", "busy",
                                     "changed", "denied",  "bad_config", "bug"};
    return result >= 0 && result <= GWATT_BUG ? names[result] : "a result that does not exist";
}

bool is_id(const std::string& id) {
    if (id.empty() || id.size() > 128 || id.front() == '.' || id.back() == '.') return false;
    return std::all_of(id.begin(), id.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; });
}

gwatt_error fresh_error() {
    gwatt_error error{};
    error.size = sizeof error;
    error.option = -1;
    return error;
}

}  // namespace

Trial::Trial(TrialOptions options, Report& report)
    : options_(std::move(options)), report_(report), host_table_(host_.table()) {}

gwatt_host Trial::Host::table() {
    gwatt_host made{};
    made.size = sizeof made;
    made.self = this;
    made.now_ns = [](void*) { return now_ns(); };
    made.wait = [](void* self, std::int32_t fd, std::int32_t events, std::int64_t deadline) -> std::int32_t {
        if (static_cast<Host*>(self)->cancelling) return GWATT_WAIT_CANCELLED;
        pollfd waiting{fd,
                       static_cast<short>(((events & GWATT_WAIT_READ) != 0 ? POLLIN : 0) |
                                          ((events & GWATT_WAIT_WRITE) != 0 ? POLLOUT : 0)),
                       0};
        for (;;) {
            const std::int64_t left = std::max<std::int64_t>(0, deadline - now_ns());
            const timespec time{static_cast<time_t>(left / 1'000'000'000), static_cast<long>(left % 1'000'000'000)};
            if (ppoll(&waiting, 1, &time, nullptr) > 0) return GWATT_WAIT_READY;
            if (now_ns() >= deadline) return GWATT_WAIT_TIMEOUT;
        }
    };
    made.log = [](void* self, std::int32_t, const char*) { ++static_cast<Host*>(self)->lines; };
    return made;
}

bool Trial::load() {
    report_.at("the file");
    try {
        auto symbols = exported_symbols(options_.file);
        std::erase(symbols, std::string(GWATT_DRIVER_SYMBOL));
        std::string others;
        for (std::size_t i = 0; i < symbols.size() && i < 5; ++i) others += (i > 0 ? ", " : "") + symbols[i];
        report_.expect(symbols.empty(), "D1",
                       symbols.empty() ? "exports " GWATT_DRIVER_SYMBOL " alone" : "exports more: " + others);
    } catch (const std::runtime_error& error) {
        report_.broken("D1", error.what());
        return false;
    }
    report_.at("loading");
    char why[512];
    const std::string name = options_.file.substr(options_.file.rfind('/') + 1);
    const bool loaded =
        load_plugin(options_.file.c_str(), name.substr(0, name.rfind(".so")).c_str(), plugin_, why, sizeof why);
    report_.expect(loaded, "D2", loaded ? "its table can be used" : why);
    return loaded;
}

bool Trial::parse() {
    std::vector<OptionPair> pairs;
    for (const auto& [name, value] : options_.options) pairs.push_back({name, value});
    bool told = false;
    const auto tell = [](void* self, std::string_view option, const char*) {
        if (option == "no_such_option") *static_cast<bool*>(self) = true;
    };
    std::vector<OptionPair> wrong = pairs;
    wrong.push_back({"no_such_option", "1"});
    values_.parse(plugin_, wrong, options_.base, tell, &told);
    report_.expect(told, "D4", "an unknown option is refused");
    const auto complain = [](void* self, std::string_view option, const char* text) {
        static_cast<Report*>(self)->note("option " + std::string(option) + ": " + text);
    };
    return values_.parse(plugin_, pairs, options_.base, complain, &report_);
}

bool Trial::open(const char* why) {
    report_.at(why);
    gwatt_error error = fresh_error();
    const auto values = values_.values();
    bus_ = nullptr;
    opened_.began = now_ns();
    opened_.result =
        plugin_.table.open(&host_table_, values.data(), static_cast<std::uint32_t>(values.size()), &bus_, &error);
    opened_.ended = now_ns();
    error.text[sizeof error.text - 1] = '\0';
    opened_.text = error.text;
    return opened_.result == GWATT_OK && bus_ != nullptr;
}

void Trial::close() {
    report_.at("close");
    if (bus_ != nullptr) plugin_.table.close(bus_);
    bus_ = nullptr;
}

bool Trial::list(std::vector<std::string>& ids) {
    report_.at("sensors");
    const gwatt_sensor* list = nullptr;
    std::uint32_t count = 0;
    gwatt_error error = fresh_error();
    const std::int32_t result = plugin_.table.sensors(bus_, &list, &count, &error);
    const std::uint32_t stride = result == GWATT_OK && count > 0 ? sensor_stride(list) : 0;
    ids.clear();
    sensors_.clear();
    if (stride == 0 || count > GWATT_MAX_SENSORS) return false;
    for (std::uint32_t i = 0; i < count; ++i) {
        sensors_.push_back(sensor_at(list, stride, i));
        ids.emplace_back(sensors_.back().id == nullptr ? "" : sensors_.back().id);
    }
    return true;
}

void Trial::judge_list() {
    std::string wrong;
    for (const std::string& id : ids_)
        if (!is_id(id)) wrong = id;
    report_.expect(wrong.empty(), "D13",
                   wrong.empty() ? std::to_string(ids_.size()) + " ids are [a-z0-9_.]+"
                                 : "id \"" + wrong + "\" is not [a-z0-9_.]+");
    const std::set<std::string> once(ids_.begin(), ids_.end());
    report_.expect(once.size() == ids_.size(), "D13", "ids are unique");
    std::string odd;
    for (const gwatt_sensor& sensor : sensors_) {
        const bool numbers = sensor.quantity >= 1 && sensor.quantity <= GWATT_QUANTITY_COUNT && sensor.kind >= 1 &&
                             sensor.kind <= GWATT_KIND_CUMULATIVE && sensor.point <= GWATT_POINT_BATTERY;
        const bool sane = std::isfinite(sensor.resolution) && sensor.resolution >= 0 &&
                          sensor.range_min <= sensor.range_max && sensor.accuracy_count <= GWATT_MAX_BANDS &&
                          (sensor.accuracy_count == 0 || sensor.accuracy != nullptr);
        if (!numbers || !sane) odd = sensor.id == nullptr ? "?" : sensor.id;
    }
    report_.expect(
        odd.empty(), "D3",
        odd.empty() ? "every sensor's fields are plausible" : "sensor " + odd + " has a field that cannot be");
    const std::vector<std::string> first = ids_;
    list(ids_);
    report_.expect(ids_ == first, "D14", "asked twice, the list is the same");
    ids_ = first;
}

Trial::Call Trial::read(const std::vector<std::uint32_t>& wanted, std::vector<gwatt_sample>& samples,
                        std::uint32_t& used, std::int64_t time) {
    report_.at("read");
    const auto capacity = static_cast<std::uint32_t>(std::min<std::size_t>(GWATT_MAX_SAMPLES, 4 * wanted.size() + 64));
    samples.assign(capacity + 1, gwatt_sample{});
    std::memcpy(&samples[capacity], &canary, sizeof canary);
    gwatt_error error = fresh_error();
    used = 0;
    Call call;
    call.began = now_ns();
    call.result = plugin_.table.read(bus_, wanted.data(), static_cast<std::uint32_t>(wanted.size()), samples.data(),
                                     capacity, &used, call.began + time, &error);
    call.ended = now_ns();
    error.text[sizeof error.text - 1] = '\0';
    call.text = error.text;
    const bool kept = std::memcmp(&samples[capacity], &canary, sizeof canary) == 0 && used <= capacity;
    if (!kept) report_.broken("D9", "writes or claims more samples than there is room for");
    used = std::min(used, capacity);
    return call;
}

void Trial::judge_samples(const std::vector<gwatt_sample>& samples, std::uint32_t used, const Call& call,
                          const std::vector<std::uint32_t>& wanted) {
    std::set<std::uint32_t> missing(wanted.begin(), wanted.end());
    std::uint32_t strangers = 0, not_finite = 0, wrong_time = 0, outside = 0, unknown = 0;
    for (std::uint32_t i = 0; i < used; ++i) {
        const gwatt_sample& sample = samples[i];
        if (!std::binary_search(wanted.begin(), wanted.end(), sample.sensor)) {
            ++strangers;
            continue;
        }
        missing.erase(sample.sensor);
        const bool valued = sample.quality <= GWATT_QUALITY_RESTARTED;
        if (!valued && (sample.quality < GWATT_QUALITY_UNAVAILABLE || sample.quality > GWATT_QUALITY_NOT_READ))
            ++unknown;
        if (!valued) continue;
        const gwatt_sensor& sensor = sensors_[sample.sensor];
        if (!std::isfinite(sample.value))
            ++not_finite;
        else if ((sensor.range_min != 0 || sensor.range_max != 0) && sample.quality == GWATT_QUALITY_GOOD &&
                 (sample.value < sensor.range_min || sample.value > sensor.range_max))
            ++outside;
        const std::int64_t oldest = call.began - 2'000 * ms - sensor.window_ns - 2 * sensor.refresh_ns;
        if (sample.time_ns > call.ended || sample.time_ns < oldest) ++wrong_time;
    }
    report_.expect(missing.empty(), "D8",
                   missing.empty() ? "every wanted sensor has a sample"
                                   : std::to_string(missing.size()) + " wanted sensors have no sample");
    report_.expect(strangers == 0, "D9", "samples are of wanted sensors");
    report_.expect(unknown == 0, "D8", "qualities are known ones");
    report_.expect(not_finite == 0, "D10", "no value is NaN or infinite");
    report_.expect(wrong_time == 0, "D11", "times are those of this read");
    report_.expect(outside == 0, "D12", "good values are within the sensor's own range");
}

void Trial::read_and_judge(const std::vector<std::uint32_t>& wanted, std::int64_t time, const char* what) {
    std::vector<gwatt_sample> samples;
    std::uint32_t used = 0;
    const Call call = read(wanted, samples, used, time);
    const std::int64_t over = call.ended - call.began - time;
    report_.expect(over <= slack + plugin_.table.read_overrun_ns, "D6",
                   std::string(what) + ": " + result_name(call.result) +
                       (call.text.empty() ? "" : " (" + call.text + ")") + " after " + in_ms(call.ended - call.began) +
                       ", deadline " + in_ms(time));
    if (call.result < GWATT_OK || call.result > GWATT_BUG || call.result == GWATT_BAD_CONFIG)
        report_.broken("D8", "read gave a result that it cannot have");
    if (call.result == GWATT_OK) judge_samples(samples, used, call, wanted);
}

void Trial::try_reads() {
    std::vector<std::uint32_t> all(sensors_.size());
    std::iota(all.begin(), all.end(), 0U);
    for (int i = 0; i < 3; ++i) read_and_judge(all, options_.deadline_ns, "read of all");
    read_and_judge({all.back()}, options_.deadline_ns, "read of one");
    read_and_judge(all, options_.deadline_ns / 10, "read with a tenth of the time");
    read_and_judge(all, 0, "read with no time");
}

void Trial::try_cancel() {
    std::vector<std::uint32_t> all(sensors_.size());
    std::iota(all.begin(), all.end(), 0U);
    host_.cancelling = true;
    std::vector<gwatt_sample> samples;
    std::uint32_t used = 0;
    const Call call = read(all, samples, used, 5 * options_.deadline_ns);
    host_.cancelling = false;
    report_.expect(call.ended - call.began <= slack + options_.deadline_ns / 2, "D7",
                   "a read whose waits are cancelled ended after " + in_ms(call.ended - call.began));
}

void Trial::try_reopen() {
    close();
    if (!open("open again"))
        return report_.note(std::string("a second open gave ") + result_name(opened_.result) + ": " + opened_.text);
    std::vector<std::string> again;
    list(again);
    report_.expect(again == ids_, "D13", "ids are the same after open again");
}

// Of a driver that cannot open here, too: a failed open leaves nothing behind either.
void Trial::try_many_opens() {
    const std::int64_t end = now_ns() + options_.opens_ns;
    const auto once = [&] {
        if (open("one of many opens")) {
            std::vector<gwatt_sample> samples;
            std::uint32_t used = 0;
            if (list(ids_)) read({0}, samples, used, options_.deadline_ns);
        }
        close();
    };
    const std::uint32_t warm = std::min<std::uint32_t>(20, options_.opens);
    for (std::uint32_t i = 0; i < warm && now_ns() < end; ++i) once();
    const ProcessState before = look_at_process();
    std::uint32_t opens = 0;
    while (opens < options_.opens && now_ns() < end) {
        once();
        ++opens;
    }
    const ProcessState after = look_at_process();
    const std::string times = " after " + std::to_string(opens) + " opens";
    report_.expect(after.descriptors <= before.descriptors, "D15", "no descriptor is left" + times);
    report_.expect(after.threads <= before.threads, "D25", "no thread is left" + times);
    const double grown = after.memory > before.memory ? static_cast<double>(after.memory - before.memory) : 0;
    if (before.memory == 0)
        report_.note("memory is not looked at here: the sanitizer does that");
    else
        report_.expect(opens < 100 || grown / opens < leak_per_open, "D15",
                       std::to_string(static_cast<long>(grown)) + " bytes more in use" + times);
}

void Trial::run() {
    const ProcessState before = look_at_process();
    if (!load() || !parse()) return;
    const bool open_now = open("open");
    report_.expect(opened_.ended - opened_.began <= plugin_.table.open_worst_ns + slack, "D5",
                   std::string("open: ") + result_name(opened_.result) +
                       (opened_.text.empty() ? "" : " (" + opened_.text + ")") + " after " +
                       in_ms(opened_.ended - opened_.began));
    if (opened_.result == GWATT_OK && bus_ == nullptr) report_.broken("D2", "open said ok and gave no bus");
    if (open_now) {
        const bool listed = list(ids_);
        report_.expect(listed, "D2", "there is a list of sensors");
        if (!listed) return;
        judge_list();
        try_reads();
        try_cancel();
        try_reopen();
        const std::int64_t began = now_ns();
        close();
        report_.expect(now_ns() - began <= plugin_.table.close_worst_ns + slack, "D5",
                       "close ended after " + in_ms(now_ns() - began));
    } else {
        report_.note("it does not open here: sensors and reads were not tried");
    }
    try_many_opens();
    compare_manners(before, look_at_process(), report_);
    report_.at("the end");
}

}  // namespace gwatt::drivers::check
