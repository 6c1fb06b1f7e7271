#include "drivers/modbus/settings.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace gwatt::drivers::modbus {

namespace {
[[noreturn]] void refuse(const std::string& option, const std::string& text) {
    throw Failure{Result::bad_config, text, option};
}

profile::Profile load_profile(Host host, const std::string& option, const std::string& file) {
    auto loaded = profile::load(file);
    if (!loaded.profile) {
        for (const auto& mistake : loaded.mistakes) host.log(Level::error, mistake);
        std::string text = loaded.mistakes.front();
        if (loaded.mistakes.size() > 1) text += " (and " + std::to_string(loaded.mistakes.size() - 1) + " more)";
        refuse(option, text);
    }
    return std::move(*loaded.profile);
}

// A gateway may give devices other addresses, so this is only told.
void compare_addresses(Host host, const profile::Profile& profile, std::span<const std::uint8_t> addresses) {
    const auto usual = [&](unsigned address) {
        return std::any_of(profile.units.begin(), profile.units.end(),
                           [&](const auto& range) { return address >= range.first && address <= range.second; });
    };
    if (!profile.units.empty() && !std::all_of(addresses.begin(), addresses.end(), usual))
        host.log(Level::info,
                 "addresses outside of those where such devices are usually found: profile=" + profile.name);
}

void add_units(Host host, Settings& settings, const std::string& option, const std::string& text,
               const std::string& name) {
    const auto addresses = profile::parse_units(text);
    if (addresses.empty()) refuse(option, "found \"" + text + "\", expected addresses such as 1-6 or 192-197,200");
    const auto& profile = settings.profiles.back();
    const auto index = static_cast<std::uint8_t>(settings.profiles.size() - 1);
    compare_addresses(host, profile, addresses);
    unsigned n = 0;
    for (const auto address : addresses) {
        if (address == 0 && settings.framing == Framing::rtu) refuse(option, "found 0, which is the broadcast address");
        const auto& pattern = name.empty() ? profile.unit_name : name;
        settings.units.push_back(
            {address, index, profile::fill_in(pattern, n, address), profile::fill_in(profile.unit_label, n, address)});
        ++n;
    }
}

void read_units(Host host, Settings& settings, const Options& given) {
    for (const std::string number : {"", "2", "3", "4"}) {
        const auto profile = "profile" + number, units = "units" + number, name = "name" + number;
        if (!given.has(profile)) {
            if (given.has(units) && !number.empty()) refuse(units, "needs " + profile);
            continue;
        }
        if (!given.has(units)) refuse(units, "missing, expected the addresses of " + profile);
        settings.profiles.push_back(load_profile(host, profile, given.path(profile)));
        add_units(host, settings, units, given.text(units), given.text(name));
    }
}

void check_units(const Settings& settings) {
    std::array<bool, 256> seen{};
    std::map<std::string, unsigned> names;
    std::size_t sensors = 0;
    for (const auto& unit : settings.units) {
        if (std::exchange(seen[unit.address], true))
            refuse("units", "address " + std::to_string(unit.address) + " is given twice");
        if (++names[unit.name] > 1)
            refuse("name",
                   "two units are called " + unit.name + "; expected a name with {n} or {unit}, such as psu{n}");
        sensors += settings.profiles[unit.profile].sensors.size();
    }
    if (sensors > GWATT_MAX_SENSORS - 16)
        refuse("units", std::to_string(sensors) + " sensors are more than one bus may have");
}

// What all profiles of a bus agree on, where the user did not say.
template <class T>
T agreed(const Settings& settings, const char* option, T fallback, std::optional<T> (*said)(const profile::Profile&)) {
    std::optional<T> found;
    for (const auto& profile : settings.profiles) {
        const auto value = said(profile);
        if (value && found && *value != *found) refuse(option, "the profiles disagree; expected it to be given");
        if (value) found = value;
    }
    return found.value_or(fallback);
}

void read_line(Settings& settings, const Options& given) {
    using profile::Parity;
    using profile::Profile;
    settings.baud = given.has("baud") ? static_cast<std::uint32_t>(given.integer("baud"))
                                      : agreed<std::uint32_t>(settings, "baud", 19200, [](const Profile& p) {
                                            return p.baud == 0 ? std::nullopt : std::optional(p.baud);
                                        });
    settings.parity = given.has("parity")
                          ? static_cast<Parity>(given.choice("parity"))
                          : agreed<Parity>(settings, "parity", Parity::even, [](const Profile& p) { return p.parity; });
    settings.stop_bits = given.has("stop_bits")
                             ? static_cast<unsigned>(given.integer("stop_bits"))
                             : agreed<unsigned>(settings, "stop_bits", 1, [](const Profile& p) { return p.stop_bits; });
    settings.rs485 = static_cast<Rs485>(given.choice("rs485"));
}
}  // namespace

Settings read_settings(Host host, const Options& given) {
    Settings settings;
    settings.port = given.text("port");
    settings.tty = settings.port.starts_with('/');
    const auto framing = given.choice("framing");
    settings.framing = framing == 2 || (framing == 0 && !settings.tty) ? Framing::tcp : Framing::rtu;
    if (settings.tty && settings.framing == Framing::tcp) refuse("framing", "found tcp, which a tty cannot carry");
    settings.response_timeout = given.duration("response_timeout");
    settings.min_delay = given.duration("min_delay");
    settings.gap = static_cast<unsigned>(given.integer("gap"));
    settings.line_counters = given.boolean("line_counters");
    read_units(host, settings, given);
    check_units(settings);
    if (settings.tty) read_line(settings, given);
    return settings;
}

}  // namespace gwatt::drivers::modbus
