#include "drivers/profile/parts.hpp"

#include <cmath>

namespace gwatt::drivers::profile {

namespace {
// Each list in the order of its enum in driver.h, from 1 (direction: from 0).
constexpr std::string_view quantity_names[] = {
    "power",    "energy", "voltage", "current",  "apparent_power", "power_factor", "temperature", "frequency",
    "rotation", "ratio",  "flow",    "pressure", "humidity",       "charge",       "state",       "count"};
constexpr std::string_view kind_names[] = {"instant", "average", "minimum", "maximum", "cumulative"};
constexpr std::string_view point_names[] = {"utility", "feeder",  "ups_out", "pdu_in",  "rack_in",
                                            "psu_in",  "psu_out", "busbar",  "tray",    "module",
                                            "gpu",     "cpu",     "memory",  "cooling", "battery"};
constexpr std::string_view direction_names[] = {"load", "source", "both"};
constexpr std::string_view basis_names[] = {"assumed", "data_sheet", "calibrated"};
constexpr std::string_view type_names[] = {"u16", "s16", "u32", "s32", "u64", "s64", "float32", "float64"};
constexpr std::string_view repeat_mark[] = {"{i}"};

constexpr unsigned bits_of(Type type) { return 16 * words_of(type); }

double lowest_raw(Type type) { return is_signed(type) ? -std::ldexp(1.0, static_cast<int>(bits_of(type)) - 1) : 0.0; }
double highest_raw(Type type) {
    return std::ldexp(1.0, static_cast<int>(bits_of(type)) - (is_signed(type) ? 1 : 0)) - 1;
}

void parse_place(Reader& reader, const Defaults& defaults, Sensor& sensor) {
    sensor.type = static_cast<Type>(reader.choice("type", type_names));
    sensor.place.words = static_cast<std::uint16_t>(words_of(sensor.type));
    sensor.place.first = static_cast<std::uint16_t>(reader.integer("register", 0, 65536 - sensor.place.words));
    sensor.place.table =
        static_cast<RegisterTable>(reader.choice("table", table_names, static_cast<std::size_t>(defaults.table)));
    sensor.word_order =
        static_cast<Order>(reader.choice("word_order", order_names, static_cast<std::size_t>(defaults.word_order)));
    sensor.byte_order =
        static_cast<Order>(reader.choice("byte_order", order_names, static_cast<std::size_t>(defaults.byte_order)));
}

void parse_scale(Reader& reader, Sensor& sensor) {
    if (reader.has("fraction_bits") && reader.has("scale"))
        reader.wrong("scale", "fraction_bits and scale exclude each other");
    sensor.scale = reader.number("scale", 1.0);
    if (reader.has("fraction_bits")) {
        sensor.scale = std::ldexp(1.0, -static_cast<int>(reader.integer("fraction_bits", 0, 52)));
        if (is_float(sensor.type)) reader.wrong("fraction_bits", "a float register has none; expected scale");
    }
    if (sensor.scale == 0) reader.wrong("scale", "found 0, expected another number");
    sensor.spec.offset = reader.number("offset", 0.0);
    const double step = is_float(sensor.type) ? 0 : std::fabs(sensor.scale);
    sensor.spec.resolution = reader.number("resolution", step);
    const double steps = step == 0 ? 0 : sensor.spec.resolution / step;
    if (sensor.spec.resolution < 0 || (step != 0 && (steps < 1 || steps != std::round(steps))))
        reader.wrong("resolution", "expected a whole multiple of the scale (a float register: 0 or more)");
}

void parse_no_value(Reader& reader, Sensor& sensor) {
    const unsigned bits = bits_of(sensor.type);
    const auto mask = bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1;
    for (const auto word : reader.integers("no_value", 8)) {
        const bool low_enough = bits == 64 || word <= static_cast<std::int64_t>(mask);
        const bool high_enough =
            word >= 0 || bits == 64 || (is_signed(sensor.type) && word >= -(std::int64_t{1} << (bits - 1)));
        if (!low_enough || !high_enough) reader.wrong("no_value", std::to_string(word) + " does not fit the type");
        sensor.no_value.push_back(static_cast<std::uint64_t>(word) & mask);
    }
}

void parse_range(Reader& reader, Sensor& sensor) {
    const auto range = reader.numbers("range", 2);
    if (range.empty()) return;
    if (range.size() != 2 || !(range[0] < range[1])) return reader.wrong("range", "expected [lowest, highest]");
    sensor.spec.range_min = range[0];
    sensor.spec.range_max = range[1];
    if (is_float(sensor.type)) return;
    double low = sensor.spec.offset + sensor.scale * lowest_raw(sensor.type);
    double high = sensor.spec.offset + sensor.scale * highest_raw(sensor.type);
    if (low > high) std::swap(low, high);
    if (range[0] > high || range[1] < low)
        reader.wrong("range", "the register shows only " + std::to_string(low) + " to " + std::to_string(high));
}

void parse_kind(Reader& reader, Sensor& sensor) {
    auto& spec = sensor.spec;
    spec.kind = static_cast<gwatt_kind>(reader.choice("kind", kind_names, 0) + 1);
    spec.window = reader.duration("window", {});
    spec.refresh = reader.duration("refresh", {});
    if (spec.window.count() != 0 && (spec.kind == GWATT_KIND_INSTANT || spec.kind == GWATT_KIND_CUMULATIVE))
        reader.wrong("window", "only average, minimum and maximum have one");
    if (spec.kind != GWATT_KIND_CUMULATIVE) {
        if (reader.has("wraps_at")) reader.wrong("wraps_at", "only cumulative sensors wrap");
        reader.number("wraps_at", 0.0);
        return;
    }
    if (spec.quantity != GWATT_QUANTITY_ENERGY && spec.quantity != GWATT_QUANTITY_CHARGE &&
        spec.quantity != GWATT_QUANTITY_COUNT)
        reader.wrong("kind", "found cumulative, which only energy, charge and count can be");
    const bool counter = !is_float(sensor.type) && !is_signed(sensor.type) && bits_of(sensor.type) <= 32;
    const double full = counter ? spec.offset + sensor.scale * (highest_raw(sensor.type) + 1) : 0;
    spec.wraps_at = reader.number("wraps_at", full);
    if (spec.wraps_at < 0) reader.wrong("wraps_at", "expected 0 (never) or more");
}

void parse_accuracy(Reader& reader, Sensor& sensor) {
    for (const auto* entry : reader.tables("accuracy", GWATT_MAX_BANDS)) {
        Reader band(reader.mistakes(), *entry, reader.path() + ".accuracy");
        const gwatt_accuracy made{band.number("from"), band.number("to"), band.number("relative", 0.0),
                                  band.number("absolute", 0.0)};
        if (!(made.from < made.to) || made.relative < 0 || made.absolute < 0)
            band.wrong("from", "expected from < to, and errors that are not negative");
        if (!sensor.spec.accuracy.empty() && made.from < sensor.spec.accuracy.back().to)
            band.wrong("from", "expected ascending bands");
        band.finish();
        sensor.spec.accuracy.push_back(made);
    }
    if (reader.has("basis") != !sensor.spec.accuracy.empty())
        reader.wrong("basis", "accuracy and basis belong together");
    else if (reader.has("basis"))
        sensor.spec.basis = static_cast<gwatt_basis>(reader.choice("basis", basis_names) + 1);
}

void parse_bits(Reader& reader, Sensor& sensor) {
    const auto* bits = reader.table("bits");
    if (bits == nullptr) return;
    if (sensor.spec.quantity != GWATT_QUANTITY_STATE) reader.wrong("bits", "only a state has them");
    for (unsigned bit = 0; bit < 64; ++bit) {
        const auto key = std::to_string(bit);
        if (!bits->contains(key)) continue;
        const auto* text = bits->get(key)->as_string();
        if (text == nullptr || text->get().empty() || text->get().size() > 60 || bit >= bits_of(sensor.type))
            reader.wrong("bits", "bit " + key + ": expected a short text, and a bit that the register has");
        else
            sensor.bits.emplace_back(bit, text->get());
    }
    if (sensor.bits.size() != bits->size()) reader.wrong("bits", "expected keys 0, 1, ... with texts");
}

// A state's label carries the meaning of its bits to whoever reads the catalog.
std::string with_bits(std::string label, const Sensor& sensor) {
    for (std::size_t i = 0; i < sensor.bits.size(); ++i)
        label += (i == 0 ? ": " : ", ") + std::to_string(sensor.bits[i].first) + " " + sensor.bits[i].second;
    return label;
}

void repeat(Reader& reader, const Sensor& sensor, std::vector<Sensor>& out) {
    const auto count = static_cast<unsigned>(reader.integer("repeat", 1, most_sensors, 1));
    const auto step = static_cast<unsigned>(reader.integer("step", 1, 65535, sensor.place.words));
    const auto from = static_cast<unsigned>(reader.integer("number_from", 0, 65535, 0));
    const bool numbered = sensor.spec.id.find(repeat_mark[0]) != std::string::npos;
    if (numbered != reader.has("repeat")) return reader.wrong("id", "{i} and repeat belong together");
    const auto last = std::uint64_t{sensor.place.first} + std::uint64_t{step} * (count - 1) + sensor.place.words;
    if (last > 65536) return reader.wrong("repeat", "runs past register 65535");
    for (unsigned i = 0; i < count && out.size() < most_sensors; ++i) {
        out.push_back(sensor);
        auto& made = out.back();
        made.place.first = static_cast<std::uint16_t>(sensor.place.first + step * i);
        made.spec.id = replaced(made.spec.id, repeat_mark[0], from + i);
        made.spec.label = replaced(made.spec.label, repeat_mark[0], from + i);
    }
}
}  // namespace

void parse_sensor(Reader reader, const Defaults& defaults, std::vector<Sensor>& out) {
    Sensor sensor;
    auto& spec = sensor.spec;
    spec.id = reader.text("id");
    if (!good_id(spec.id, repeat_mark))
        reader.wrong("id", "expected lower case letters, digits, underscores and dots, at most 64");
    spec.label = reader.text("label", spec.id);
    spec.quantity = static_cast<gwatt_quantity>(reader.choice("quantity", quantity_names) + 1);
    if (reader.has("point")) spec.point = static_cast<gwatt_point>(reader.choice("point", point_names) + 1);
    spec.direction = static_cast<gwatt_direction>(reader.choice("direction", direction_names, 0));
    spec.feed = reader.text("feed", "");
    if (spec.feed.size() > 16) reader.wrong("feed", "expected at most 16 characters");
    parse_place(reader, defaults, sensor);
    parse_scale(reader, sensor);
    parse_kind(reader, sensor);
    parse_no_value(reader, sensor);
    parse_range(reader, sensor);
    parse_accuracy(reader, sensor);
    parse_bits(reader, sensor);
    spec.label = with_bits(spec.label, sensor).substr(0, GWATT_MAX_TEXT - 128);
    repeat(reader, sensor, out);
    reader.finish();
}

void parse_text(Reader reader, const Defaults& defaults, std::vector<Text>& out) {
    constexpr std::string_view otherwise[] = {"deny", "warn"};
    Text text;
    text.id = reader.text("id");
    if (!good_id(text.id, {}))
        reader.wrong("id", "expected lower case letters, digits, underscores and dots, at most 64");
    text.label = reader.text("label", text.id);
    text.place.words = static_cast<std::uint16_t>(reader.integer("length", 1, 64));
    text.place.first = static_cast<std::uint16_t>(reader.integer("register", 0, 65536 - text.place.words));
    text.place.table =
        static_cast<RegisterTable>(reader.choice("table", table_names, static_cast<std::size_t>(defaults.table)));
    text.byte_order =
        static_cast<Order>(reader.choice("byte_order", order_names, static_cast<std::size_t>(defaults.byte_order)));
    text.expect = reader.texts("expect", 32);
    for (const auto& prefix : text.expect)
        if (prefix.empty() || prefix.size() > 2u * text.place.words)
            reader.wrong("expect", "\"" + prefix + "\" does not fit the length");
    text.deny = reader.choice("otherwise", otherwise, 0) == 0;
    if (reader.has("otherwise") && text.expect.empty()) reader.wrong("otherwise", "needs expect");
    reader.finish();
    out.push_back(std::move(text));
}

}  // namespace gwatt::drivers::profile
