#include "drivers/check/manual.hpp"

#include <sstream>

namespace gwatt::drivers::check {
namespace {

std::string number_text(double number) {
    std::ostringstream out;
    out.precision(12);
    out << number;
    return out.str();
}

std::string choices_of(const gwatt_option& option) {
    std::string all;
    for (const char* const* choice = option.choices; *choice != nullptr; ++choice)
        all += std::string(all.empty() ? "" : ", ") + *choice;
    return all;
}

std::string type_of(const gwatt_option& option) {
    const bool bounded = option.minimum != 0 || option.maximum != 0;
    const std::string unit = option.type == GWATT_DURATION ? " s" : "";
    const std::string bounds =
        bounded ? " from " + number_text(option.minimum) + " to " + number_text(option.maximum) + unit : std::string{};
    switch (option.type) {
        case GWATT_INTEGER: return "whole number" + bounds;
        case GWATT_NUMBER: return "number" + bounds;
        case GWATT_DURATION: return "duration" + bounds;
        case GWATT_BOOLEAN: return "true or false";
        case GWATT_PATH: return "path";
        case GWATT_CHOICE: return "one of: " + choices_of(option);
        default: return "text";
    }
}

}  // namespace

std::string manual(const Plugin& plugin) {
    const gwatt_driver& table = plugin.table;
    std::ostringstream out;
    out << table.name << " " << table.version << "\n" << table.summary << "\n\nOptions:\n";
    for (std::uint32_t i = 0; i < table.option_count; ++i) {
        const gwatt_option option = option_at(plugin, i);
        out << "  " << option.name << "\n      " << option.help << "\n      " << type_of(option);
        if (option.required != 0)
            out << "; required";
        else if (option.default_text != nullptr)
            out << "; default " << (*option.default_text == '\0' ? "empty" : option.default_text);
        out << "\n";
    }
    if (table.option_count == 0) out << "  none\n";
    out << "\nopen takes at most " << number_text(static_cast<double>(table.open_worst_ns) / 1e9) << " s, close "
        << number_text(static_cast<double>(table.close_worst_ns) / 1e9) << " s.\n";
    return out.str();
}

}  // namespace gwatt::drivers::check
