#pragma once
// The driver's options, and what they mean together with the profiles they name. Made once, at open; plain values.
#include "drivers/abi/driver.hpp"
#include "drivers/modbus/frame.hpp"
#include "drivers/profile/profile.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace gwatt::drivers::modbus {

inline constexpr const char* parity_choices[] = {"none", "even", "odd", nullptr};
inline constexpr const char* framing_choices[] = {"auto", "rtu", "tcp", nullptr};
inline constexpr const char* rs485_choices[] = {"leave", "rts_on_send", "rts_after_send", nullptr};
enum class Rs485 : std::uint8_t { leave, rts_on_send, rts_after_send };

inline constexpr std::array options{
    required(option("port", GWATT_TEXT, "A tty such as /dev/ttyS3, or HOST, HOST:PORT, [V6]:PORT for TCP.")),
    required(option("profile", GWATT_PATH, "The device profile of `units`.")),
    option("units", GWATT_TEXT, "Addresses, such as 192-197 or 1-6,9.", "1"),
    option("name", GWATT_TEXT, "What the units are called instead of the profile's unit.name, such as shelf_a.psu{n}."),
    option("profile2", GWATT_PATH, "A second kind of device on the same bus."),
    option("units2", GWATT_TEXT, "Its addresses."),
    option("name2", GWATT_TEXT, "As name, for units2."),
    option("profile3", GWATT_PATH, "A third kind."),
    option("units3", GWATT_TEXT, "Its addresses."),
    option("name3", GWATT_TEXT, "As name, for units3."),
    option("profile4", GWATT_PATH, "A fourth kind."),
    option("units4", GWATT_TEXT, "Its addresses."),
    option("name4", GWATT_TEXT, "As name, for units4."),
    between(1200, 921600, option("baud", GWATT_INTEGER, "Of a tty; without it the profile's, else 19200.")),
    choice("parity", parity_choices, "Of a tty; without it the profile's, else even."),
    between(1, 2, option("stop_bits", GWATT_INTEGER, "Of a tty; without it the profile's, else 1.")),
    choice("framing", framing_choices,
           "auto: RTU on a tty, Modbus TCP on a socket; rtu on a socket for serial servers.", "auto"),
    between(0.001, 60,
            option("response_timeout", GWATT_DURATION, "How long a unit may think before its answer begins.", "300ms")),
    between(0, 124, option("gap", GWATT_INTEGER, "Registers that one read may skip to serve two sensors.", "16")),
    between(0, 1,
            option("min_delay", GWATT_DURATION,
                   "Pause between an answer and the next request, where the device needs one.", "0s")),
    choice("rs485", rs485_choices,
           "Direction control by the UART: leave as it is, or RTS active during or after sending.", "leave"),
    option("line_counters", GWATT_BOOLEAN,
           "Also give the bus's own counters (line.requests, line.bad_crc, ...) as sensors.", "false"),
};

struct UnitSetting {
    std::uint8_t address = 1;
    std::uint8_t profile = 0;  // index
    std::string name, label;
};

struct Settings {
    std::string port;
    bool tty = false;
    Framing framing = Framing::rtu;
    std::uint32_t baud = 19200;
    profile::Parity parity = profile::Parity::even;
    unsigned stop_bits = 1;
    Rs485 rs485 = Rs485::leave;
    Duration response_timeout = std::chrono::milliseconds(300), min_delay{};
    unsigned gap = 16;
    bool line_counters = false;
    std::vector<profile::Profile> profiles;
    std::vector<UnitSetting> units;
};

// Throws Failure{bad_config} with the option's name; all mistakes of a profile are logged.
Settings read_settings(Host host, const Options& given);

}  // namespace gwatt::drivers::modbus
