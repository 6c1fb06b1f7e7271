#include "drivers/runner/service.hpp"

#include <cstdlib>
#include <cstring>

namespace gwatt::drivers {
namespace {

// What lies behind the last sample of the array that a driver fills; gone when it wrote too far.
constexpr std::uint64_t canary[3] = {0x6777617474636172, 0x79206e6f74686572, 0x652c2073746f7021};

std::string_view shown(const char* text, std::size_t limit = GWATT_MAX_TEXT) {
    return text == nullptr ? std::string_view{} : std::string_view{text, strnlen(text, limit)};
}

frame::Sensor in_frame(const gwatt_sensor& sensor) {
    frame::Sensor made;
    made.quantity = sensor.quantity;
    made.kind = sensor.kind;
    made.point = sensor.point;
    made.direction = sensor.direction;
    made.basis = sensor.basis;
    made.window_ns = sensor.window_ns;
    made.refresh_ns = sensor.refresh_ns;
    made.resolution = sensor.resolution;
    made.offset = sensor.offset;
    made.wraps_at = sensor.wraps_at;
    made.range_min = sensor.range_min;
    made.range_max = sensor.range_max;
    made.id = shown(sensor.id);
    made.label = shown(sensor.label);
    made.part_of = shown(sensor.part_of);
    made.feed = shown(sensor.feed);
    if (sensor.accuracy != nullptr && sensor.accuracy_count <= GWATT_MAX_BANDS) made.bands = sensor.accuracy_count;
    if (made.bands > 0) std::memcpy(made.accuracy, sensor.accuracy, made.bands * sizeof(gwatt_accuracy));
    return made;
}

struct Complaints {
    frame::Writer writer;
    std::uint32_t n = 0;
    static void take(void* self, std::string_view option, const char* text) {
        auto* mine = static_cast<Complaints*>(self);
        if (mine->n >= frame::max_pairs) return;
        mine->writer.text({option.data(), option.size() < 128 ? option.size() : 128});
        mine->writer.text(shown(text, 512));
        ++mine->n;
    }
};

// Of the first complaint only.
struct Refusal {
    char option[128] = "";
    gwatt_error* error;
    static void take(void* self, std::string_view option, const char* text) {
        auto* mine = static_cast<Refusal*>(self);
        if (mine->error->text[0] != '\0') return;
        const std::size_t n = option.size() < sizeof mine->option - 1 ? option.size() : sizeof mine->option - 1;
        if (n > 0) std::memcpy(mine->option, option.data(), n);
        mine->option[n] = '\0';
        const std::size_t kept = strnlen(text, sizeof mine->error->text - 1);
        std::memcpy(mine->error->text, text, kept);
        mine->error->text[kept] = '\0';
    }
};

}  // namespace

void Service::start(Channel& channel, const Plugin& plugin, const char* why_not) {
    channel_ = &channel;
    plugin_ = &plugin;
    why_not_ = why_not;
    host_.size = sizeof host_;
    host_.self = &channel;
    host_.now_ns = [](void*) { return Channel::now_ns(); };
    host_.wait = [](void* self, std::int32_t fd, std::int32_t events, std::int64_t deadline_ns) {
        return static_cast<Channel*>(self)->wait(fd, events, deadline_ns);
    };
    host_.log = [](void* self, std::int32_t level, const char* text) { static_cast<Channel*>(self)->log(level, text); };
}

int Service::run() {
    frame::Header header;
    frame::Bytes body;
    int status = 0;
    wanted_ = static_cast<std::uint32_t*>(std::malloc(GWATT_MAX_SENSORS * sizeof(std::uint32_t)));
    if (wanted_ == nullptr) return 71;
    while (status == 0 && channel_->next(header, body))
        if (!answer(header, body)) status = 1;
    close_bus();
    return status;
}

// False when the host cannot be answered or is not talking sense.
bool Service::answer(const frame::Header& header, frame::Bytes body) {
    clear_error();
    switch (static_cast<frame::Type>(header.type)) {
        case frame::Type::describe: return describe(header.request);
        case frame::Type::check: return check(header.request, body);
        case frame::Type::open: return open(header.request, body);
        case frame::Type::sensors: return sensors(header.request);
        case frame::Type::read: return read(header.request, body);
        case frame::Type::close: return close(header.request);
        default: return false;
    }
}

void Service::clear_error() {
    std::memset(&error_, 0, sizeof error_);
    error_.size = sizeof error_;
    error_.option = -1;
}

std::int32_t Service::bug(const char* text) {
    const std::size_t n = strnlen(text, sizeof error_.text - 1);
    std::memcpy(error_.text, text, n);
    error_.text[n] = '\0';
    return GWATT_BUG;
}

std::int32_t Service::judge(std::int32_t result) {
    error_.text[sizeof error_.text - 1] = '\0';
    return result >= GWATT_OK && result <= GWATT_BUG ? result : bug("the driver gave a result that does not exist");
}

bool Service::room(std::size_t bytes) {
    if (bytes <= output_size_) return true;
    auto* grown = static_cast<std::byte*>(std::realloc(output_, bytes));
    if (grown == nullptr) return false;
    output_ = grown;
    output_size_ = bytes;
    return true;
}

bool Service::send_result(frame::Type type, std::uint32_t request, std::int32_t result, const char* option) {
    std::byte memory[1024];
    frame::Writer writer{memory};
    writer.i32(result);
    writer.text(shown(error_.text, sizeof error_.text));
    if (type == frame::Type::opened) writer.text(shown(option, 128));
    if (type == frame::Type::catalog) writer.u32(0);
    return channel_->send(writer.finish(type, request));
}

bool Service::describe(std::uint32_t request) {
    if (!room(1U << 18)) return false;
    frame::Writer writer{{output_, output_size_}};
    const gwatt_driver& table = plugin_->table;
    writer.i32(why_not_ == nullptr ? GWATT_OK : GWATT_BAD_CONFIG);
    writer.text(shown(why_not_));
    writer.text(shown(table.name));
    writer.text(shown(table.version));
    writer.text(shown(table.summary));
    writer.i64(table.open_worst_ns);
    writer.i64(table.close_worst_ns);
    writer.i64(table.read_overrun_ns);
    return channel_->send(writer.finish(frame::Type::described, request));
}

bool Service::check(std::uint32_t request, frame::Bytes body) {
    OptionPair pairs[frame::max_pairs];
    std::string_view base;
    const int n = frame::decode_pairs(body, base, pairs);
    if (n < 0 || !room(1U << 18)) return false;
    Complaints complaints{frame::Writer{{output_, output_size_}}};
    complaints.writer.i32(why_not_ == nullptr ? GWATT_OK : GWATT_BAD_CONFIG);
    complaints.writer.text(shown(why_not_));
    complaints.writer.u32(0);
    if (why_not_ == nullptr)
        values_.parse(*plugin_, {pairs, static_cast<std::size_t>(n)}, base, &Complaints::take, &complaints);
    const frame::Bytes made = complaints.writer.finish(frame::Type::checked, request);
    if (made.empty()) return false;
    const std::size_t at = sizeof(frame::Header) + 8 + shown(why_not_).size();
    std::memcpy(output_ + at, &complaints.n, sizeof complaints.n);
    return channel_->send(made);
}

bool Service::open(std::uint32_t request, frame::Bytes body) {
    OptionPair pairs[frame::max_pairs];
    std::string_view base;
    const int n = frame::decode_pairs(body, base, pairs);
    if (n < 0) return false;
    close_bus();
    Refusal refusal{.error = &error_};
    if (why_not_ != nullptr) {
        Refusal::take(&refusal, "", why_not_);
        return send_result(frame::Type::opened, request, GWATT_BAD_CONFIG, "");
    }
    if (!values_.parse(*plugin_, {pairs, static_cast<std::size_t>(n)}, base, &Refusal::take, &refusal))
        return send_result(frame::Type::opened, request, GWATT_BAD_CONFIG, refusal.option);
    channel_->begin(request);
    const auto values = values_.values();
    std::int32_t result =
        judge(plugin_->table.open(&host_, values.data(), static_cast<std::uint32_t>(values.size()), &bus_, &error_));
    channel_->end();
    if (result == GWATT_OK && bus_ == nullptr) result = bug("open said ok and gave no bus");
    if (result != GWATT_OK) bus_ = nullptr;
    const bool named = error_.option >= 0 && static_cast<std::uint32_t>(error_.option) < plugin_->table.option_count;
    const char* option = named ? option_at(*plugin_, static_cast<std::uint32_t>(error_.option)).name : "";
    return send_result(frame::Type::opened, request, result, option);
}

frame::Bytes Service::catalog(std::uint32_t request, const gwatt_sensor* list, std::uint32_t count) {
    const std::uint32_t stride = sensor_stride(list);
    for (std::size_t size = 1U << 16; size <= sizeof(frame::Header) + frame::max_body; size *= 2) {
        if (!room(size)) return {};
        frame::Writer writer{{output_, output_size_}};
        writer.i32(GWATT_OK);
        writer.text({});
        writer.u32(count);
        for (std::uint32_t i = 0; i < count && writer.ok(); ++i)
            frame::write_sensor(writer, in_frame(sensor_at(list, stride, i)));
        if (const frame::Bytes made = writer.finish(frame::Type::catalog, request); !made.empty()) return made;
    }
    return {};
}

bool Service::sensors(std::uint32_t request) {
    if (bus_ == nullptr) return send_result(frame::Type::catalog, request, bug("the bus is not open"), "");
    const gwatt_sensor* list = nullptr;
    std::uint32_t count = 0;
    sensors_ = 0;
    channel_->begin(request);
    std::int32_t result = judge(plugin_->table.sensors(bus_, &list, &count, &error_));
    channel_->end();
    if (result == GWATT_OK && (count == 0 || count > GWATT_MAX_SENSORS))
        result = bug("the driver has no sensor, or more than 4096");
    if (result == GWATT_OK && sensor_stride(list) == 0) result = bug("the size in the driver's sensors is wrong");
    if (result != GWATT_OK) return send_result(frame::Type::catalog, request, result, "");
    const frame::Bytes made = catalog(request, list, count);
    if (made.empty()) return send_result(frame::Type::catalog, request, bug("the list of sensors is too large"), "");
    sensors_ = count;
    return channel_->send(made);
}

bool Service::read(std::uint32_t request, frame::Bytes body) {
    frame::ReadRequest asked;
    if (!frame::decode_read(body, asked)) return false;
    const auto n = static_cast<std::uint32_t>(asked.wanted.size() / sizeof(std::uint32_t));
    constexpr std::size_t head = sizeof(frame::Header) + sizeof(frame::SamplesHead);
    static_assert(head % alignof(gwatt_sample) == 0);  // output_ comes from malloc
    const std::size_t array = asked.capacity * sizeof(gwatt_sample);
    if (!room(head + array + sizeof canary + sizeof error_.text)) return false;
    std::memcpy(wanted_, asked.wanted.data(), asked.wanted.size());
    std::byte* behind = output_ + head + array;
    std::memcpy(behind, canary, sizeof canary);
    channel_->begin(request);
    std::uint32_t used = 0;
    auto* samples = static_cast<gwatt_sample*>(static_cast<void*>(output_ + head));
    std::int32_t result = call_read(n, samples, asked.capacity, &used, asked.deadline_ns);
    channel_->end();
    if (std::memcmp(behind, canary, sizeof canary) != 0) std::abort();  // our memory is not ours any more
    if (used > asked.capacity) result = bug("the driver says it wrote more samples than there is room for");
    if (result == GWATT_CHANGED || result == GWATT_BUG) used = 0;
    frame::Writer writer{{output_, output_size_}};
    const std::string_view text = shown(error_.text, sizeof error_.text);
    writer.number(frame::SamplesHead{result, used, static_cast<std::uint32_t>(text.size()), 0});
    writer.skip(used * sizeof(gwatt_sample));
    writer.bytes(text.data(), text.size());
    return channel_->send(writer.finish(frame::Type::samples, request));
}

std::int32_t Service::call_read(std::uint32_t n, gwatt_sample* samples, std::uint32_t capacity, std::uint32_t* used,
                                std::int64_t deadline_ns) {
    if (bus_ == nullptr) return bug("the bus is not open");
    for (std::uint32_t i = 0; i < n; ++i)
        if (wanted_[i] >= sensors_ || (i > 0 && wanted_[i] <= wanted_[i - 1]))
            return bug("the host asked for a sensor that is not there");
    return judge(plugin_->table.read(bus_, wanted_, n, samples, capacity, used, deadline_ns, &error_));
}

bool Service::close(std::uint32_t request) {
    channel_->begin(request);
    close_bus();
    channel_->end();
    std::byte memory[sizeof(frame::Header)];
    return channel_->send(frame::Writer{memory}.finish(frame::Type::closed, request));
}

void Service::close_bus() {
    if (bus_ != nullptr) plugin_->table.close(bus_);
    bus_ = nullptr;
    sensors_ = 0;
}

}  // namespace gwatt::drivers
