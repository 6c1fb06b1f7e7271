#pragma once
// Driver `hwmon`: what the kernel's hardware monitoring gives, as numbers in base units. One bus may hold several chips of
// one I2C adapter. Files stay open and are read with pread; a chip that is numbered anew is found again.
#include "drivers/abi/driver.hpp"
#include "drivers/hwmon/chips.hpp"

#include <string>
#include <vector>

namespace gwatt::drivers::hwmon {

class Hwmon {
public:
    static constexpr About about{
        .name = "hwmon",
        .version = GWATT_VERSION,
        .summary = "Chips of the kernel's hardware monitoring (sysfs), found by name and place.",
        .open_worst = std::chrono::seconds(10)};  // a slow I2C bus with many chips
    static constexpr const char* id_choices[] = {"label", "attribute", nullptr};
    static constexpr std::array options{
        option("root", GWATT_PATH, "Folder with the chips.", "/sys/class/hwmon"),
        option("chip", GWATT_TEXT, "Name of the chips that are meant, as in their file `name`; absent: all."),
        option("device", GWATT_TEXT,
               "Piece of the path of the chip's device or device tree node (1-0058); absent: all."),
        option("parts", GWATT_TEXT,
               "What chips are called, by a piece of their path or by name: psu0=1-0058 psu1=1-0059."),
        option("points", GWATT_TEXT, "What is measured, by id or its last piece: pin=psu_in psu0.power2=psu_out."),
        option("feeds", GWATT_TEXT, "On which feed, by part or id: psu0=A psu1=B."),
        choice("ids", id_choices, "What sensors are called after: the label of the chip's driver, or the attribute.",
               "label"),
    };

    Hwmon(Host host, const Options& given);
    std::span<const gwatt_sensor> sensors() { return list_.list(); }
    Result read(std::span<const std::uint32_t> wanted, Samples& out, Instant deadline, Error error);

private:
    // One sensor. Its files are replaced when its chip is found again.
    struct Cell {
        std::string id;
        Type type;
        double step;
        File value, enable, fault;
        bool has_enable = false, has_fault = false;
        std::int64_t last = 0;                  // cumulative: the number before
        std::int32_t volts = -1, amperes = -1;  // cells of the same rail, for power
        double read_value = 0;                  // of this turn
        gwatt_quality quality = GWATT_QUALITY_NOT_READ;
    };
    void scan();  // adds what is new, reopens what is known, closes what has gone
    void take(const Chip& chip);
    void take_channel(const Chip& chip, const Channel& channel, const std::string& id);
    void find_rails(const std::vector<std::pair<std::string, std::size_t>>& labelled);
    SensorSpec describe(const Chip& chip, const Channel& channel, const std::string& id) const;
    gwatt_quality judge(Cell& cell, Raw raw) const;
    Raw look(const Cell& cell) const;
    void look_for_changes(Instant now, bool something_gone);
    void put(std::uint32_t sensor, Samples& out);

    Host host_;
    Search search_;
    Words points_, feeds_;
    bool by_label_;
    std::vector<Cell> cells_;
    SensorList list_;
    std::string listing_, others_;
    std::size_t chips_ = 0;
    Instant looked_{};
    bool changed_ = false, opened_ = false;
    std::size_t first_ = 0;  // where the next turn starts in `wanted`, after one that ran out of time
};

}  // namespace gwatt::drivers::hwmon
