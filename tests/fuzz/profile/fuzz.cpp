// Any text as a profile: it is refused with at least one mistake, or gives a profile that keeps its promises.
#include "drivers/profile/decode.hpp"

#include <array>
#include <cmath>
#include <cstdlib>

using namespace gwatt::drivers::profile;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    parse_units(text);
    const auto loaded = parse(text, "fuzz.toml");
    if (loaded.profile.has_value() == !loaded.mistakes.empty()) std::abort();
    if (!loaded.profile) return 0;
    std::array<std::uint8_t, 8> words{};
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = size > i ? data[i] : 0;
    for (const auto& sensor : loaded.profile->sensors) {
        if (sensor.spec.id.empty() || sensor.place.first + sensor.place.words > 65536) std::abort();
        const auto decoded = decode(sensor, words);
        if (decoded.has_value && !std::isfinite(decoded.value)) std::abort();
    }
    return 0;
}
