#pragma once
// Loads a plugin and looks its table over, before a function of it is called. Runner and gwatt-driver-check; one thread.
// A plugin is never unloaded. No C++ library at link time.
#include "drivers/abi/driver.h"

#include <cstddef>
#include <cstdint>

namespace gwatt::drivers {

// The parts of edition 1 that every table, option and sensor has.
inline constexpr std::uint32_t least_table = offsetof(gwatt_driver, read_overrun_ns);
inline constexpr std::uint32_t least_option = offsetof(gwatt_option, reserved) + 4;
inline constexpr std::uint32_t least_sensor = offsetof(gwatt_sensor, reserved_pointer) + sizeof(void*);
inline constexpr std::uint32_t most_struct = 4096;  // no struct of the ABI will ever be larger

struct Plugin {
    gwatt_driver table{};  // our copy of what both sides know; `options` steps by option_stride
    std::uint32_t option_stride = 0;
    void* handle = nullptr;
};

// False with a text for people (what is wrong with it) when the file cannot be used. `name`: what the table must be
// called; nullptr: anything.
bool load_plugin(const char* file, const char* name, Plugin& plugin, char* why, std::size_t why_size);

// The same for a table that is there already.
bool accept_table(const gwatt_driver* theirs, const char* name, Plugin& plugin, char* why, std::size_t why_size);

// Our copy of option i.
gwatt_option option_at(const Plugin& plugin, std::uint32_t i);

// Our copy of sensor i of a list; stride as sensor_stride() gave it.
gwatt_sensor sensor_at(const gwatt_sensor* list, std::uint32_t stride, std::uint32_t i);
// The step of a list from its first element; 0 when it cannot be one.
std::uint32_t sensor_stride(const gwatt_sensor* list);

}  // namespace gwatt::drivers
