// A complete driver: one power, in watts, from a file that somebody else writes. Start here for your own.
#include "drivers/abi/driver.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace {

using namespace gwatt::drivers;

class WattFile {
public:
    static constexpr About about{.name = "wattfile", .version = "1", .summary = "One power in watts, from a file."};
    static constexpr std::array options{
        required(option("file", GWATT_PATH, "Holds the power in watts, as text.")),
        between(0, 1e6, option("rating", GWATT_NUMBER, "The most that is plausible, in W.", "5000")),
    };

    // open: throw Failure when it cannot be.
    WattFile(Host host, const Options& given) : host_(host), path_(given.path("file")) {
        if (access(path_.c_str(), R_OK) != 0) throw failure(errno);
        sensors_.add({.id = "input_power",
                      .label = "Power of " + path_,
                      .quantity = GWATT_QUANTITY_POWER,
                      .point = GWATT_POINT_RACK_IN,
                      .resolution = 0.001,
                      .range_max = given.number("rating")});
    }

    std::span<const gwatt_sensor> sensors() { return sensors_.list(); }

    Result read(std::span<const std::uint32_t> wanted, Samples& out, Instant, Error error) {
        const int fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0) return error(failure(errno).result, "cannot open the file");
        char text[64];
        const ssize_t n = ::read(fd, text, sizeof text);
        close(fd);
        double watts = 0;
        const char* end = text + (n > 0 ? n : 0);
        const bool number = std::from_chars(text, end, watts).ec == std::errc{};
        for (const std::uint32_t sensor : wanted) {
            if (number)
                out.value(sensor, host_.now(), watts);
            else
                out.none(sensor, host_.now(), GWATT_QUALITY_GARBLED);  // no value: never zero, never the last one
        }
        return Result::ok;
    }

private:
    static Failure failure(int error) {
        const Result result = error == EACCES ? Result::denied : Result::gone;
        return {result, std::string("the file: ") + std::strerror(error), "file"};
    }
    Host host_;
    std::string path_;
    SensorList sensors_;
};

}  // namespace

GWATT_DRIVER(WattFile)
