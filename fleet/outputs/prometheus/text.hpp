#pragma once
// Writes the Prometheus text format 0.0.4: one HELP and TYPE for each name, labels escaped. A value over a string.
#include <charconv>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace gwatt::fleet {

class MetricsText {
public:
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    explicit MetricsText(std::string& out) : out_(out) {}

    // Begins a family: what follows under this name stands together.
    void family(std::string_view name, std::string_view type, std::string_view help) {
        name_ = name;
        out_.append("# HELP ").append(name).append(" ");
        escape(help, false);
        out_.append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
    }

    template <class Pairs, class Number> void sample(const Pairs& labels, Number value) {
        out_.append(name_);
        char separator = '{';
        for (const auto& [key, text] : labels) {
            out_ += separator;
            out_.append(key).append("=\"");
            escape(text, true);
            out_ += '"';
            separator = ',';
        }
        out_.append(separator == ',' ? "} " : " ");
        number(value);
        out_ += '\n';
    }
    template <class Number> void sample(Labels labels, Number value) { sample<Labels, Number>(labels, value); }

private:
    void escape(std::string_view text, bool quote) {
        for (const char c : text) {
            if (c == '\\')
                out_ += "\\\\";
            else if (c == '\n')
                out_ += "\\n";
            else if (c == '"' && quote)
                out_ += "\\\"";
            else
                out_ += c;
        }
    }
    void number(double value) {
        if (std::isnan(value))
            out_ += "NaN";
        else if (std::isinf(value))
            out_ += value > 0 ? "+Inf" : "-Inf";
        else
            put(value);
    }
    void number(std::integral auto value) { put(value); }
    template <class Number> void put(Number value) {
        char text[40];
        const auto [end, error] = std::to_chars(text, text + sizeof text, value);
        out_.append(text, end);
    }

    std::string& out_;
    std::string_view name_;
};

}  // namespace gwatt::fleet
