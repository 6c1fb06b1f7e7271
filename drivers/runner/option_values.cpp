#include "drivers/runner/option_values.hpp"

#include <cerrno>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace gwatt::drivers {
namespace {

constexpr std::size_t longest_name = 64;  // names beyond this are nobody's slip of the keyboard

std::size_t least(std::size_t a, std::size_t b) { return a < b ? a : b; }

// Levenshtein distance; both at most longest_name long.
std::size_t distance(std::string_view a, std::string_view b) {
    std::size_t row[longest_name + 1];
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t changed = diagonal + (a.data()[i - 1] == b.data()[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = least(changed, least(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.size()];
}

// The nearest of n names, if near enough to be a slip; else nullptr.
template <class NameAt> const char* nearest(std::string_view word, std::uint32_t n, NameAt name_at) {
    const char* best = nullptr;
    std::size_t best_distance = word.size() / 3 + 2;
    if (word.size() > longest_name) return nullptr;
    for (std::uint32_t i = 0; i < n; ++i) {
        const std::string_view name = name_at(i);
        if (name.size() > longest_name) continue;
        const std::size_t d = distance(word, name);
        if (d < best_distance) {
            best_distance = d;
            best = name.data();
        }
    }
    return best;
}

struct Unit {
    const char* name;
    double seconds;
};
constexpr Unit units[] = {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};

// "250ms" in seconds; false when it is not a duration.
bool parse_seconds(const char* text, double& seconds) {
    char* end = nullptr;
    const double number = std::strtod(text, &end);
    if (end == text || !std::isfinite(number) || number < 0) return false;
    while (*end == ' ') ++end;
    for (const Unit& unit : units)
        if (std::strcmp(end, unit.name) == 0) {
            seconds = number * unit.seconds;
            return seconds < 9e9;
        }
    return false;
}

bool parse_integer(const char* text, std::int64_t& integer) {
    const char* digits = text + (*text == '-' || *text == '+' ? 1 : 0);
    const int base = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X') ? 16 : 10;
    char* end = nullptr;
    errno = 0;
    const long long number = std::strtoll(text, &end, base);
    integer = number;
    return errno == 0 && end != text && *end == '\0' && *digits >= '0' && *digits <= '9';
}

bool has_nul(std::string_view text) { return !text.empty() && std::memchr(text.data(), '\0', text.size()) != nullptr; }

bool within(const gwatt_option& option, double value) {
    if (option.minimum == 0 && option.maximum == 0) return true;
    return value >= option.minimum && value <= option.maximum;
}

std::uint32_t choices_of(const gwatt_option& option) {
    std::uint32_t n = 0;
    while (n < 256 && option.choices[n] != nullptr) ++n;
    return n;
}

}  // namespace

struct OptionValues::Parse {
    const Plugin& plugin;
    std::string_view base;
    Complaint complaint;
    void* context;
    char* texts;  // where the next text goes; there is room for all
    bool good = true;

    [[gnu::format(printf, 3, 4)]] bool wrong(std::string_view option, const char* format, ...) {
        char text[512];
        va_list arguments;
        va_start(arguments, format);
        std::vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        complaint(context, option, text);
        good = false;
        return false;
    }

    char* keep(std::string_view folder, std::string_view text) {
        char* kept = texts;
        if (!folder.empty()) {
            std::memcpy(texts, folder.data(), folder.size());
            texts += folder.size();
            *texts++ = '/';
        }
        if (!text.empty()) std::memcpy(texts, text.data(), text.size());
        texts += text.size();
        *texts++ = '\0';
        return kept;
    }

    bool choose(const gwatt_option& option, const char* text, gwatt_value& value) {
        const std::uint32_t n = choices_of(option);
        for (std::uint32_t i = 0; i < n; ++i)
            if (std::strcmp(option.choices[i], text) == 0) {
                value.as.integer = i;
                return true;
            }
        char known[256] = "";
        for (std::uint32_t i = 0, at = 0; i < n && at < sizeof known; ++i) {
            const int wrote = std::snprintf(known + at, sizeof known - at, i == 0 ? "%s" : ", %s", option.choices[i]);
            at += wrote > 0 ? static_cast<std::uint32_t>(wrote) : 0;
        }
        const char* near = nearest(text, n, [&](std::uint32_t i) { return std::string_view{option.choices[i]}; });
        if (near == nullptr) return wrong(option.name, "found %s, expected one of: %s", text, known);
        return wrong(option.name, "found %s, expected one of: %s; did you mean %s?", text, known, near);
    }

    bool number(const gwatt_option& option, const char* text, gwatt_value& value) {
        char* end = nullptr;
        const double found = std::strtod(text, &end);
        if (end == text || *end != '\0' || !std::isfinite(found))
            return wrong(option.name, "found %s, expected a number", text);
        value.as.number = found;
        return bounded(option, text, found, "a number", "");
    }

    bool integer(const gwatt_option& option, const char* text, gwatt_value& value) {
        if (!parse_integer(text, value.as.integer))
            return wrong(option.name, "found %s, expected a whole number", text);
        return bounded(option, text, static_cast<double>(value.as.integer), "a whole number", "");
    }

    bool duration(const gwatt_option& option, const char* text, gwatt_value& value) {
        double seconds = 0;
        if (!parse_seconds(text, seconds))
            return wrong(option.name, "found %s, expected a duration like 250ms (units ns, us, ms, s, min, h, d)",
                         text);
        value.as.integer = static_cast<std::int64_t>(seconds * 1e9 + 0.5);
        return bounded(option, text, seconds, "a duration", " s");
    }

    bool bounded(const gwatt_option& option, const char* text, double found, const char* what, const char* unit) {
        if (within(option, found)) return true;
        return wrong(option.name, "found %s, expected %s from %.12g to %.12g%s", text, what, option.minimum,
                     option.maximum, unit);
    }

    bool boolean(const gwatt_option& option, const char* text, gwatt_value& value) {
        value.as.integer = std::strcmp(text, "true") == 0 ? 1 : 0;
        if (value.as.integer == 1 || std::strcmp(text, "false") == 0) return true;
        return wrong(option.name, "found %s, expected true or false", text);
    }

    // `value` is zero before.
    bool take(const gwatt_option& option, std::string_view text, gwatt_value& value) {
        value.given = 1;
        if (text.size() > GWATT_MAX_TEXT)
            return wrong(option.name, "is %zu bytes long, %d are the most", text.size(), GWATT_MAX_TEXT);
        if (has_nul(text)) return wrong(option.name, "holds a NUL byte");
        const bool relative = option.type == GWATT_PATH && !text.empty() && text.data()[0] != '/';
        const char* kept = keep(relative ? base : std::string_view{}, text);
        switch (option.type) {
            case GWATT_INTEGER: return integer(option, kept, value);
            case GWATT_NUMBER: return number(option, kept, value);
            case GWATT_DURATION: return duration(option, kept, value);
            case GWATT_BOOLEAN: return boolean(option, kept, value);
            case GWATT_CHOICE: return choose(option, kept, value);
            case GWATT_PATH:
                if (text.empty()) return wrong(option.name, "is empty, expected a path");
                [[fallthrough]];
            default: value.as.text = kept; return true;
        }
    }

    std::int32_t find(std::string_view name) const {
        for (std::uint32_t i = 0; i < plugin.table.option_count; ++i)
            if (name == option_at(plugin, i).name) return static_cast<std::int32_t>(i);
        return -1;
    }

    void unknown(std::string_view name) {
        const int size = static_cast<int>(least(name.size(), 64));
        const char* near = nearest(name, plugin.table.option_count,
                                   [this](std::uint32_t i) { return std::string_view{option_at(plugin, i).name}; });
        if (near != nullptr)
            wrong(name, "%.*s is no option of driver %s; did you mean %s?", size, name.data(), plugin.table.name, near);
        else
            wrong(name, "%.*s is no option of driver %s", size, name.data(), plugin.table.name);
    }
};

OptionValues::~OptionValues() { std::free(texts_); }

bool OptionValues::parse(const Plugin& plugin, std::span<const OptionPair> pairs, std::string_view base,
                         Complaint complaint, void* context) {
    std::size_t room = 1;
    for (const OptionPair& pair : pairs) room += base.size() + pair.value.size() + 2;
    for (std::uint32_t i = 0; i < plugin.table.option_count; ++i) {
        const char* standard = option_at(plugin, i).default_text;
        if (standard != nullptr) room += base.size() + std::strlen(standard) + 2;
    }
    std::free(texts_);
    texts_ = static_cast<char*>(std::malloc(room));
    count_ = plugin.table.option_count;
    Parse parse{plugin, base, complaint, context, texts_};
    if (texts_ == nullptr) return parse.wrong("", "out of memory");
    if (has_nul(base)) parse.wrong("", "the folder that paths start from holds a NUL byte");
    for (std::uint32_t i = 0; i < count_; ++i) {
        values_[i] = gwatt_value{};
        values_[i].type = option_at(plugin, i).type;
    }
    for (const OptionPair& pair : pairs) {
        const std::int32_t i = parse.find(pair.name);
        if (i < 0)
            parse.unknown(pair.name);
        else if (values_[i].given != 0)
            parse.wrong(pair.name, "is given twice");
        else
            parse.take(option_at(plugin, static_cast<std::uint32_t>(i)), pair.value, values_[i]);
    }
    for (std::uint32_t i = 0; i < count_; ++i) {
        const gwatt_option option = option_at(plugin, i);
        if (values_[i].given != 0) continue;
        if (option.default_text != nullptr)
            parse.take(option, option.default_text, values_[i]);
        else if (option.required != 0)
            parse.wrong(option.name, "is missing: %s", option.help);
    }
    return parse.good;
}

}  // namespace gwatt::drivers
