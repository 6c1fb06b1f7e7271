#include "drivers/hwmon/attribute.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <limits>

namespace gwatt::drivers::hwmon {
namespace {

struct Row {
    std::string_view prefix;
    Type type;
    Unit unit;
};
constexpr std::array rows = {
    Row{"in", Type::in, {GWATT_QUANTITY_VOLTAGE, 1e-3}},
    Row{"curr", Type::curr, {GWATT_QUANTITY_CURRENT, 1e-3}},
    Row{"power", Type::power, {GWATT_QUANTITY_POWER, 1e-6}},
    Row{"energy", Type::energy, {GWATT_QUANTITY_ENERGY, 1e-6}},
    Row{"temp", Type::temp, {GWATT_QUANTITY_TEMPERATURE, 1e-3}},
    Row{"fan", Type::fan, {GWATT_QUANTITY_ROTATION, 1}},
    Row{"humidity", Type::humidity, {GWATT_QUANTITY_HUMIDITY, 1e-5}},  // milli-percent
    Row{"freq", Type::freq, {GWATT_QUANTITY_FREQUENCY, 1}},
};

}  // namespace

std::string AttributeName::stem() const {
    for (const Row& row : rows)
        if (row.type == type) return std::string(row.prefix) + std::to_string(number);
    return {};
}

std::optional<AttributeName> parse_name(std::string_view file) {
    const std::size_t digits = file.find_first_of("0123456789");
    const std::size_t bar = file.find('_');
    if (digits == std::string_view::npos || bar == std::string_view::npos || bar <= digits) return {};
    AttributeName name;
    const char* end = file.data() + bar;
    const auto [at, error] = std::from_chars(file.data() + digits, end, name.number);
    if (error != std::errc{} || at != end) return {};
    const std::string_view what = file.substr(bar + 1);
    name.average = what == "average";
    if (!name.average && what != "input") return {};
    for (const Row& row : rows)
        if (row.prefix == file.substr(0, digits)) {
            name.type = row.type;
            if (name.average && row.type != Type::power) return {};
            return name;
        }
    return {};
}

Unit unit_of(Type type) {
    for (const Row& row : rows)
        if (row.type == type) return row.unit;
    return {GWATT_QUANTITY_UNSPECIFIED, 1};
}

gwatt_quality quality_of_error(int error) {
    switch (error) {
        case ENODATA: return GWATT_QUALITY_UNAVAILABLE;  // switched off, or no value just now
        case EAGAIN:
        case EBUSY: return GWATT_QUALITY_BUSY;  // not ready, try again
        case ENXIO:
        case ENODEV:
        case ENOENT: return GWATT_QUALITY_GONE;
        case ETIMEDOUT:
        case EREMOTEIO: return GWATT_QUALITY_TIMEOUT;  // i2c: time-out, not acknowledged
        case EIO:
        case EBADMSG:
        case EPROTO: return GWATT_QUALITY_GARBLED;  // bus error, wrong PMBus page, PEC
        case EPERM:
        case EACCES: return GWATT_QUALITY_DENIED;  // also amdgpu in reset
        default: return GWATT_QUALITY_FAULT;
    }
}

Raw parse_number(std::string_view text) {
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    Raw raw;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), raw.number);
    if (error == std::errc{} && at == text.data() + text.size()) return raw;
    return {0, text.empty() ? GWATT_QUALITY_UNAVAILABLE : GWATT_QUALITY_GARBLED};
}

bool is_implausible(Type type, std::int64_t number) {
    constexpr std::int64_t all_ones_32 = 4294967295, most_32 = 2147483647;
    constexpr std::array sentinels = {all_ones_32,
                                      all_ones_32 * 1000,
                                      all_ones_32 * 1000000,
                                      most_32,
                                      most_32 * 1000,
                                      most_32 * 1000000,
                                      std::numeric_limits<std::int64_t>::max(),
                                      std::numeric_limits<std::int64_t>::min()};
    for (const std::int64_t sentinel : sentinels)
        if (number == sentinel) return true;
    const bool signless = type == Type::power || type == Type::energy || type == Type::fan || type == Type::humidity;
    return signless && number < 0;
}

bool is_wrapped(double watts, double volts, double amperes) {
    constexpr double modulus = 4294.967296;  // 2^32 uW
    const double expected = volts * amperes;
    const double tolerance = 0.1 * expected + 5;
    if (expected < modulus / 2 || std::fabs(watts - expected) <= tolerance) return false;
    const double turns = std::round((expected - watts) / modulus);
    return turns >= 1 && std::fabs(watts + turns * modulus - expected) <= tolerance;
}

File::File(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (fd_ < 0) error_ = errno;
}

File& File::operator=(File&& other) noexcept {
    if (this != &other) {
        if (fd_ >= 0) ::close(fd_);
        fd_ = std::exchange(other.fd_, -1);
        error_ = other.error_;
    }
    return *this;
}

File::~File() {
    if (fd_ >= 0) ::close(fd_);
}

Raw File::read() const {
    if (fd_ < 0) return {0, quality_of_error(error_ == 0 ? ENOENT : error_)};
    char text[64];
    ssize_t n = 0;
    do n = ::pread(fd_, text, sizeof text, 0);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == ESPIPE) return {0, quality_of_error(EAGAIN)};  // no file to be read from its start
    if (n < 0) return {0, quality_of_error(errno)};
    return parse_number({text, static_cast<std::size_t>(n)});
}

std::string read_text(const std::string& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return {};
    char text[256];
    const ssize_t n = ::read(fd, text, sizeof text);
    ::close(fd);
    std::string found(text, n > 0 ? static_cast<std::size_t>(n) : 0);
    return found.substr(0, found.find('\n'));
}

}  // namespace gwatt::drivers::hwmon
