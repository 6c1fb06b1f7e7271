#include "drivers/runner/plugin.hpp"

#include <dlfcn.h>

#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <initializer_list>

namespace gwatt::drivers {
namespace {

constexpr std::int64_t second = 1'000'000'000;
constexpr std::int64_t longest = 60 * second;

[[gnu::format(printf, 3, 4)]] bool refuse(char* why, std::size_t size, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(why, size, format, arguments);
    va_end(arguments);
    return false;
}

template <class Sized> Sized known_part(const void* theirs, std::uint32_t size) {
    Sized mine{};
    std::memcpy(static_cast<void*>(&mine), theirs, size < sizeof mine ? size : sizeof mine);
    return mine;
}

bool is_name(const char* text, bool dots) {
    if (text == nullptr || *text == '\0') return false;
    for (const char* c = text; *c != '\0'; ++c) {
        const bool plain = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_' || (dots && *c == '.');
        if (!plain || c - text >= 128) return false;
    }
    return true;
}

bool accept_option(const gwatt_option& option, char* why, std::size_t size) {
    if (!is_name(option.name, false)) return refuse(why, size, "an option has no name of the form [a-z0-9_]+");
    if (option.type < GWATT_TEXT || option.type > GWATT_CHOICE)
        return refuse(why, size, "option %s has the unknown type %u", option.name, option.type);
    if (option.help == nullptr || *option.help == '\0') return refuse(why, size, "option %s has no help", option.name);
    if (option.required != 0 && option.default_text != nullptr)
        return refuse(why, size, "option %s is required and has a default", option.name);
    if (option.type == GWATT_CHOICE && (option.choices == nullptr || option.choices[0] == nullptr))
        return refuse(why, size, "option %s has nothing to choose from", option.name);
    return true;
}

bool accept_options(Plugin& plugin, char* why, std::size_t size) {
    const gwatt_driver& table = plugin.table;
    if (table.option_count > GWATT_MAX_OPTIONS)
        return refuse(why, size, "its table declares %u options, %d are the most", table.option_count,
                      GWATT_MAX_OPTIONS);
    if (table.option_count == 0) return true;
    if (table.options == nullptr) return refuse(why, size, "its table has options, but the pointer to them is NULL");
    plugin.option_stride = table.options->size;
    if (plugin.option_stride < least_option || plugin.option_stride > most_struct)
        return refuse(why, size, "its options have size %u, edition 1 has %u", plugin.option_stride, least_option);
    for (std::uint32_t i = 0; i < table.option_count; ++i) {
        const gwatt_option option = option_at(plugin, i);
        if (option.size != plugin.option_stride) return refuse(why, size, "its options have different sizes");
        if (!accept_option(option, why, size)) return false;
        for (std::uint32_t k = 0; k < i; ++k)
            if (std::strcmp(option_at(plugin, k).name, option.name) == 0)
                return refuse(why, size, "option %s is declared twice", option.name);
    }
    return true;
}

std::int64_t worst(std::int64_t said) { return said == 0 ? second : said; }

}  // namespace

gwatt_option option_at(const Plugin& plugin, std::uint32_t i) {
    const char* at = reinterpret_cast<const char*>(plugin.table.options) + std::size_t{plugin.option_stride} * i;
    return known_part<gwatt_option>(at, plugin.option_stride);
}

std::uint32_t sensor_stride(const gwatt_sensor* list) {
    if (list == nullptr || list->size < least_sensor || list->size > most_struct) return 0;
    return list->size % alignof(gwatt_sensor) == 0 ? list->size : 0;
}

gwatt_sensor sensor_at(const gwatt_sensor* list, std::uint32_t stride, std::uint32_t i) {
    const char* at = reinterpret_cast<const char*>(list) + std::size_t{stride} * i;
    return known_part<gwatt_sensor>(at, stride);
}

bool accept_table(const gwatt_driver* theirs, const char* name, Plugin& plugin, char* why, std::size_t size) {
    if (theirs == nullptr) return refuse(why, size, "%s gives no table", GWATT_DRIVER_SYMBOL);
    if (theirs->size < least_table || theirs->size > most_struct)
        return refuse(why, size, "its table has size %u, edition 1 has %u", theirs->size, least_table);
    plugin.table = known_part<gwatt_driver>(theirs, theirs->size);
    gwatt_driver& table = plugin.table;
    if (table.open == nullptr || table.sensors == nullptr || table.read == nullptr || table.close == nullptr)
        return refuse(why, size, "its table lacks open, sensors, read or close");
    if (!is_name(table.name, false) || table.version == nullptr || table.summary == nullptr)
        return refuse(why, size, "its table lacks a name of the form [a-z0-9_]+, a version or a summary");
    if (name != nullptr && std::strcmp(table.name, name) != 0)
        return refuse(why, size, "the file is called %s, its table says %s", name, table.name);
    for (std::int64_t said : {table.open_worst_ns, table.close_worst_ns, table.read_overrun_ns})
        if (said < 0 || said > longest) return refuse(why, size, "its worst cases are not within 0 and 60 s");
    table.open_worst_ns = worst(table.open_worst_ns);
    table.close_worst_ns = worst(table.close_worst_ns);
    return accept_options(plugin, why, size);
}

bool load_plugin(const char* file, const char* name, Plugin& plugin, char* why, std::size_t size) {
    plugin.handle = dlopen(file, RTLD_NOW | RTLD_LOCAL);
    if (plugin.handle == nullptr) return refuse(why, size, "%s", dlerror());
    void* symbol = dlsym(plugin.handle, GWATT_DRIVER_SYMBOL);
    if (symbol == nullptr) return refuse(why, size, "it does not export %s: not a gwatt driver", GWATT_DRIVER_SYMBOL);
    const auto entry = reinterpret_cast<const gwatt_driver* (*)()>(symbol);
    return accept_table(entry(), name, plugin, why, size);
}

}  // namespace gwatt::drivers
