#include "drivers/hwmon/hwmon.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace gwatt::drivers::hwmon {
namespace {

constexpr Duration look_every = std::chrono::seconds(10), look_when_gone = std::chrono::seconds(2);

struct PointName {
    const char* name;
    gwatt_point point;
};
constexpr PointName point_names[] = {
    {"utility", GWATT_POINT_UTILITY}, {"feeder", GWATT_POINT_FEEDER},   {"ups_out", GWATT_POINT_UPS_OUT},
    {"pdu_in", GWATT_POINT_PDU_IN},   {"rack_in", GWATT_POINT_RACK_IN}, {"psu_in", GWATT_POINT_PSU_IN},
    {"psu_out", GWATT_POINT_PSU_OUT}, {"busbar", GWATT_POINT_BUSBAR},   {"tray", GWATT_POINT_TRAY},
    {"module", GWATT_POINT_MODULE},   {"gpu", GWATT_POINT_GPU},         {"cpu", GWATT_POINT_CPU},
    {"memory", GWATT_POINT_MEMORY},   {"cooling", GWATT_POINT_COOLING}, {"battery", GWATT_POINT_BATTERY},
};

gwatt_point point_named(const std::string& name) {
    for (const PointName& known : point_names)
        if (name == known.name) return known.point;
    std::string all;
    for (const PointName& known : point_names) all += std::string(all.empty() ? "" : ", ") + known.name;
    throw Failure{Result::bad_config, "found " + name + ", expected one of: " + all, "points"};
}

std::string last_piece(const std::string& id) { return id.substr(id.rfind('.') + 1); }
std::string first_piece(const std::string& id) { return id.substr(0, id.find('.')); }

// The word for an id, else for its last piece, else for its part.
std::string word_for(const Words& words, const std::string& id) {
    for (const std::string& key : {id, last_piece(id), first_piece(id)})
        for (const auto& [name, value] : words)
            if (name == key) return value;
    return {};
}

}  // namespace

Hwmon::Hwmon(Host host, const Options& given)
    : host_(host),
      search_{given.path("root"), given.text("chip"), given.text("device"), parse_words(given.text("parts"), "parts")},
      points_(parse_words(given.text("points"), "points")),
      feeds_(parse_words(given.text("feeds"), "feeds")),
      by_label_(given.choice("ids") == 0) {
    for (const auto& [name, value] : points_) point_named(value);
    for (const auto& [part, piece] : search_.parts)
        if (as_id(part) != part) throw Failure{Result::bad_config, "found " + part + ", expected [a-z0-9_]+", "parts"};
    scan();
    if (cells_.empty()) {
        const std::string what = chips_ > 0 ? "the chips have no sensors" : "no such chip";
        throw Failure{Result::gone, what + " in " + search_.root + (others_.empty() ? "" : "; there are: " + others_)};
    }
    changed_ = false;
    opened_ = true;
}

void Hwmon::scan() {
    looked_ = host_.now();
    listing_ = listing(search_.root);
    const std::vector<Chip> chips = find_chips(search_, others_);
    chips_ = chips.size();
    for (Cell& cell : cells_) {
        cell.value = File{};
        cell.enable = File{};
        cell.fault = File{};
    }
    std::set<std::string> parts;
    for (const Chip& chip : chips) {
        const bool first = parts.insert(chip.part).second;
        const std::string twice = "two chips are called " + chip.part + ": tell them apart by their paths";
        if (!first && !opened_) throw Failure{Result::bad_config, twice, "parts"};
        if (first)
            take(chip);
        else
            host_.log(Level::warning, twice);
    }
}

void Hwmon::take(const Chip& chip) {
    std::set<std::string> used, twice;
    const auto plain = [&](const Channel& channel) {
        const std::string label = by_label_ ? as_id(channel.label) : std::string{};
        return (label.empty() ? channel.name.stem() : label) + (channel.name.average ? "_average" : "");
    };
    for (const Channel& channel : chip.channels)
        if (!used.insert(plain(channel)).second) twice.insert(plain(channel));
    std::vector<std::pair<std::string, std::size_t>> labelled;
    for (const Channel& channel : chip.channels) {
        const std::string name = plain(channel);
        const bool ambiguous = twice.contains(name);
        const std::string id = chip.part + "." + (ambiguous ? name + "_" + channel.name.stem() : name);
        take_channel(chip, channel, id);
        const auto cell = std::find_if(cells_.begin(), cells_.end(), [&](const Cell& c) { return c.id == id; });
        if (cell != cells_.end()) labelled.emplace_back(channel.label, static_cast<std::size_t>(cell - cells_.begin()));
    }
    find_rails(labelled);
}

void Hwmon::take_channel(const Chip& chip, const Channel& channel, const std::string& id) {
    auto known = std::find_if(cells_.begin(), cells_.end(), [&](const Cell& cell) { return cell.id == id; });
    if (known == cells_.end()) {
        if (cells_.size() >= GWATT_MAX_SENSORS) return;
        Cell made;
        made.id = id;
        made.type = channel.name.type;
        made.step = unit_of(made.type).step;
        list_.add(describe(chip, channel, id));
        cells_.push_back(std::move(made));
        known = cells_.end() - 1;
        changed_ = true;
    }
    const std::string stem = chip.folder + "/" + channel.name.stem();
    known->value = File(chip.folder + "/" + channel.file);
    known->enable = File(stem + "_enable");
    known->fault = File(stem + "_fault");
    known->has_enable = known->enable.open();
    known->has_fault = known->fault.open();
}

// Labels of one rail differ in their first letter: vin, iin, pin; vout1, iout1, pout1 (linux drivers/hwmon/pmbus).
void Hwmon::find_rails(const std::vector<std::pair<std::string, std::size_t>>& labelled) {
    const auto cell_of = [&](char first, const std::string& rest) {
        for (const auto& [label, cell] : labelled)
            if (label.size() == rest.size() + 1 && label[0] == first && label.substr(1) == rest)
                return static_cast<std::int32_t>(cell);
        return -1;
    };
    for (const auto& [label, cell] : labelled) {
        if (cells_[cell].type != Type::power || label.size() < 2 || label[0] != 'p') continue;
        cells_[cell].volts = cell_of('v', label.substr(1));
        cells_[cell].amperes = cell_of('i', label.substr(1));
    }
}

SensorSpec Hwmon::describe(const Chip& chip, const Channel& channel, const std::string& id) const {
    const Unit unit = unit_of(channel.name.type);
    SensorSpec made;
    made.id = id;
    made.label = channel.label.empty() ? channel.name.stem() : channel.label;
    made.part_of = chip.part;
    made.feed = word_for(feeds_, id);
    made.quantity = unit.quantity;
    made.resolution = unit.step;
    const std::string point = word_for(points_, id);
    if (!point.empty()) made.point = point_named(point);
    if (channel.name.type == Type::energy) made.kind = GWATT_KIND_CUMULATIVE;
    if (channel.name.average) {
        made.kind = GWATT_KIND_AVERAGE;
        const Raw interval = parse_number(read_text(chip.folder + "/" + channel.name.stem() + "_average_interval"));
        if (interval.quality == GWATT_QUALITY_GOOD)
            made.window = std::chrono::milliseconds(std::clamp<std::int64_t>(interval.number, 0, 86'400'000));
    }
    const Raw refresh = parse_number(read_text(chip.folder + "/update_interval"));
    if (refresh.quality == GWATT_QUALITY_GOOD)
        made.refresh = std::chrono::milliseconds(std::clamp<std::int64_t>(refresh.number, 0, 86'400'000));
    if (channel.name.type == Type::humidity) made.range_max = 1;
    if (channel.name.type == Type::temp) {
        made.range_min = -100;
        made.range_max = 300;
    }
    return made;
}

Raw Hwmon::look(const Cell& cell) const {
    if (cell.has_fault && cell.fault.read().number == 1) return {0, GWATT_QUALITY_FAULT};
    const Raw enable = cell.has_enable ? cell.enable.read() : Raw{1, GWATT_QUALITY_GOOD};
    if (enable.quality == GWATT_QUALITY_GOOD && enable.number == 0) return {0, GWATT_QUALITY_UNAVAILABLE};
    return cell.value.read();
}

// The quality of a number that was read, by what it says.
gwatt_quality Hwmon::judge(Cell& cell, Raw raw) const {
    if (is_implausible(cell.type, raw.number)) return GWATT_QUALITY_SUSPECT;
    if (cell.type != Type::energy) return GWATT_QUALITY_GOOD;
    const bool back = raw.number < std::exchange(cell.last, raw.number);
    return back ? GWATT_QUALITY_RESTARTED : GWATT_QUALITY_GOOD;
}

void Hwmon::put(std::uint32_t sensor, Samples& out) {
    Cell& cell = cells_[sensor];
    const Instant before = host_.now();
    const Raw raw = look(cell);
    const Instant middle = before + (host_.now() - before) / 2;
    cell.quality = raw.quality;
    if (raw.quality != GWATT_QUALITY_GOOD) {
        out.none(sensor, middle, raw.quality);
        return;
    }
    cell.read_value = static_cast<double>(raw.number) * cell.step;
    gwatt_quality quality = judge(cell, raw);
    // Voltages and currents come before powers, in the order of Type.
    const bool rail = cell.volts >= 0 && cell.amperes >= 0;
    if (quality == GWATT_QUALITY_GOOD && rail) {
        const Cell& volts = cells_[static_cast<std::size_t>(cell.volts)];
        const Cell& amperes = cells_[static_cast<std::size_t>(cell.amperes)];
        const bool both = volts.quality == GWATT_QUALITY_GOOD && amperes.quality == GWATT_QUALITY_GOOD;
        if (both && is_wrapped(cell.read_value, volts.read_value, amperes.read_value)) quality = GWATT_QUALITY_SUSPECT;
    }
    out.value(sensor, middle, cell.read_value, quality);
}

// A chip that came, went or was numbered anew shows in the names of the folder, or by reads that say "gone".
void Hwmon::look_for_changes(Instant now, bool something_gone) {
    if (now - looked_ < (something_gone ? look_when_gone : look_every)) return;
    looked_ = now;
    if (something_gone || listing(search_.root) != listing_) scan();
}

Result Hwmon::read(std::span<const std::uint32_t> wanted, Samples& out, Instant deadline, Error error) {
    for (Cell& cell : cells_) cell.quality = GWATT_QUALITY_NOT_READ;
    const std::size_t n = wanted.size();
    const std::size_t start = first_ < n ? first_ : 0;
    std::size_t done = 0;
    for (; done < n && (done == 0 || host_.now() < deadline); ++done) put(wanted[(start + done) % n], out);
    first_ = done < n ? (start + done) % n : 0;
    for (std::size_t i = done; i < n; ++i) out.none(wanted[(start + i) % n], host_.now(), GWATT_QUALITY_NOT_READ);
    const auto gone = [&](std::uint32_t i) { return cells_[i].quality == GWATT_QUALITY_GONE; };
    look_for_changes(host_.now(), std::any_of(wanted.begin(), wanted.end(), gone));
    if (std::exchange(changed_, false)) return error(Result::changed, "a chip has come");
    if (chips_ == 0) return error(Result::gone, "the chips have gone");
    if (done < n) return error(Result::timeout, "the chips are too slow for this deadline");
    return Result::ok;
}

}  // namespace gwatt::drivers::hwmon

GWATT_DRIVER(gwatt::drivers::hwmon::Hwmon)
