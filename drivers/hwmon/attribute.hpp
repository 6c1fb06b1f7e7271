#pragma once
// One hwmon attribute: what its file name says (Linux Documentation/hwmon/sysfs-interface.rst), and what reading it gave.
// Pure, but for File; any thread.
#include "drivers/abi/driver.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gwatt::drivers::hwmon {

enum class Type : std::uint8_t { in, curr, power, energy, temp, fan, humidity, freq };

// "power1_average" and its like.
struct AttributeName {
    Type type = Type::in;
    std::uint32_t number = 0;
    bool average = false;      // else _input
    std::string stem() const;  // "power1"
};
std::optional<AttributeName> parse_name(std::string_view file);

// What the sysfs unit of a type is: quantity, and how many of the quantity's units one step of the file is.
struct Unit {
    gwatt_quantity quantity;
    double step;
};
Unit unit_of(Type type);

// A read that failed, by errno: never a value.
gwatt_quality quality_of_error(int error);

// What a file gave: a number, or the quality that says why there is none.
struct Raw {
    std::int64_t number = 0;
    gwatt_quality quality = GWATT_QUALITY_GOOD;
};
Raw parse_number(std::string_view text);

// Numbers that drivers give when they have none (all ones of 16, 32 or 64 bits, scaled or not), and what cannot be:
// negative power, energy or speed. On a 32-bit kernel power above 2^31 uW turns negative.
bool is_implausible(Type type, std::int64_t number);

// True when `watts` is `volts * amperes` less a multiple of 2^32 uW: the power went through 32 bits on its way.
bool is_wrapped(double watts, double volts, double amperes);

// An open attribute, read with pread; closed by the destructor. Never blocks on what is no sysfs (a FIFO, a socket).
class File {
public:
    File() = default;
    explicit File(const std::string& path);
    File(File&& other) noexcept : fd_(other.fd_), error_(other.error_) { other.fd_ = -1; }
    File& operator=(File&& other) noexcept;
    ~File();
    bool open() const { return fd_ >= 0; }
    Raw read() const;

private:
    int fd_ = -1;
    int error_ = 0;  // why it is not open
};

// The first line of a small file; empty where there is none.
std::string read_text(const std::string& path);

}  // namespace gwatt::drivers::hwmon
