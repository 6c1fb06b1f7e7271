#pragma once
// Answers the host's requests by calling the plugin: one bus, open or closed. One thread; no C++ library needed; one in a
// process (static). Channel and Plugin must outlive it.
#include "drivers/runner/channel.hpp"
#include "drivers/runner/option_values.hpp"
#include "drivers/runner/plugin.hpp"

namespace gwatt::drivers {

class Service {
public:
    // why_not: text when the plugin could not be loaded, else nullptr; then every request is refused with it.
    void start(Channel& channel, const Plugin& plugin, const char* why_not);
    // Until the host wants an end; then closes the bus. Exit status.
    int run();

private:
    struct Memory;
    bool answer(const frame::Header& header, frame::Bytes body);
    bool describe(std::uint32_t request);
    bool check(std::uint32_t request, frame::Bytes body);
    bool open(std::uint32_t request, frame::Bytes body);
    bool sensors(std::uint32_t request);
    bool read(std::uint32_t request, frame::Bytes body);
    std::int32_t call_read(std::uint32_t n, gwatt_sample* samples, std::uint32_t capacity, std::uint32_t* used,
                           std::int64_t deadline_ns);
    bool close(std::uint32_t request);
    void close_bus();

    void clear_error();
    std::int32_t judge(std::int32_t result);
    std::int32_t bug(const char* text);
    frame::Bytes catalog(std::uint32_t request, const gwatt_sensor* list, std::uint32_t count);
    bool room(std::size_t bytes);
    bool send_result(frame::Type type, std::uint32_t request, std::int32_t result, const char* option);

    Channel* channel_ = nullptr;
    const Plugin* plugin_ = nullptr;
    const char* why_not_ = nullptr;
    gwatt_host host_{};
    gwatt_error error_{};
    gwatt_bus* bus_ = nullptr;
    OptionValues values_;  // live until the bus is closed, though no driver may count on it
    std::uint32_t sensors_ = 0;
    std::byte* output_ = nullptr;
    std::size_t output_size_ = 0;
    std::uint32_t* wanted_ = nullptr;  // GWATT_MAX_SENSORS of them
};

}  // namespace gwatt::drivers
