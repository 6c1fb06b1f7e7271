#pragma once
// Turns options as the user wrote them into the values that `open` takes: unknown names are refused with the nearest
// known one, types and bounds are checked, relative paths start from the configuration's folder. Runner and
// gwatt-driver-check; one thread. The values point into this object and live as long as it. No C++ library needed.
#include "drivers/abi/driver.h"
#include "drivers/runner/frame.hpp"
#include "drivers/runner/plugin.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace gwatt::drivers {

using OptionPair = frame::Pair;

class OptionValues {
public:
    // Told once for each mistake. `option` is the name as the user wrote it, or that of the missing option.
    using Complaint = void (*)(void* context, std::string_view option, const char* text);

    OptionValues() = default;
    ~OptionValues();
    OptionValues(const OptionValues&) = delete;
    OptionValues& operator=(const OptionValues&) = delete;

    // True when there was no mistake. May be called again; what was there before is gone then.
    bool parse(const Plugin& plugin, std::span<const OptionPair> pairs, std::string_view base, Complaint complaint,
               void* context);

    std::span<const gwatt_value> values() const { return {values_, count_}; }

private:
    struct Parse;
    gwatt_value values_[GWATT_MAX_OPTIONS] = {};
    std::uint32_t count_ = 0;
    char* texts_ = nullptr;
};

}  // namespace gwatt::drivers
