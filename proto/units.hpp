#pragma once
// Watts, Joules, Volts, Amperes: only products that make sense compile. Plain values, any thread. A reading is a bare
// double in its quantity's unit; use these where quantities meet.
#include "proto/reading.hpp"

#include <compare>

namespace gwatt::proto {

// A number with a unit; Tag is an empty type of its own per unit.
template <class Tag> class Measure {
public:
    constexpr Measure() = default;
    constexpr explicit Measure(double value) : value_(value) {}
    constexpr double value() const { return value_; }

    constexpr Measure operator-() const { return Measure(-value_); }
    constexpr Measure& operator+=(Measure other) {
        value_ += other.value_;
        return *this;
    }
    constexpr Measure& operator-=(Measure other) {
        value_ -= other.value_;
        return *this;
    }
    friend constexpr Measure operator+(Measure a, Measure b) { return Measure(a.value_ + b.value_); }
    friend constexpr Measure operator-(Measure a, Measure b) { return Measure(a.value_ - b.value_); }
    friend constexpr Measure operator*(Measure a, double factor) { return Measure(a.value_ * factor); }
    friend constexpr Measure operator*(double factor, Measure a) { return Measure(factor * a.value_); }
    friend constexpr Measure operator/(Measure a, double divisor) { return Measure(a.value_ / divisor); }
    friend constexpr double operator/(Measure a, Measure b) { return a.value_ / b.value_; }
    friend constexpr auto operator<=>(Measure, Measure) = default;

private:
    double value_ = 0;
};

using Watts = Measure<struct WattsTag>;
using Joules = Measure<struct JoulesTag>;
using Volts = Measure<struct VoltsTag>;
using Amperes = Measure<struct AmperesTag>;

constexpr double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

// P = U I, for direct current or instantaneous values; of RMS values it is volt-amperes.
constexpr Watts operator*(Volts u, Amperes i) { return Watts(u.value() * i.value()); }
constexpr Watts operator*(Amperes i, Volts u) { return u * i; }
constexpr Amperes operator/(Watts p, Volts u) { return Amperes(p.value() / u.value()); }
constexpr Volts operator/(Watts p, Amperes i) { return Volts(p.value() / i.value()); }
constexpr Joules operator*(Watts p, Duration span) { return Joules(p.value() * seconds(span)); }
constexpr Joules operator*(Duration span, Watts p) { return p * span; }
constexpr Watts operator/(Joules e, Duration span) { return Watts(e.value() / seconds(span)); }

// Text of the one unit of a quantity, as in the catalog's .proto. Empty: a bare number.
constexpr std::string_view unit(Quantity quantity) {
    switch (quantity) {
        case Quantity::power: return "W";
        case Quantity::energy: return "J";
        case Quantity::voltage: return "V";
        case Quantity::current: return "A";
        case Quantity::apparent_power: return "VA";
        case Quantity::temperature: return "degC";
        case Quantity::frequency: return "Hz";
        case Quantity::rotation: return "rpm";
        case Quantity::flow: return "l/min";
        case Quantity::pressure: return "Pa";
        case Quantity::charge: return "C";
        case Quantity::unspecified:
        case Quantity::power_factor:
        case Quantity::ratio:
        case Quantity::humidity:
        case Quantity::state:
        case Quantity::count: return "";
    }
    return "";
}

// Word of a quantity, as in configuration files and metric names.
constexpr std::string_view name(Quantity quantity) {
    switch (quantity) {
        case Quantity::unspecified: return "unspecified";
        case Quantity::power: return "power";
        case Quantity::energy: return "energy";
        case Quantity::voltage: return "voltage";
        case Quantity::current: return "current";
        case Quantity::apparent_power: return "apparent_power";
        case Quantity::power_factor: return "power_factor";
        case Quantity::temperature: return "temperature";
        case Quantity::frequency: return "frequency";
        case Quantity::rotation: return "rotation";
        case Quantity::ratio: return "ratio";
        case Quantity::flow: return "flow";
        case Quantity::pressure: return "pressure";
        case Quantity::humidity: return "humidity";
        case Quantity::charge: return "charge";
        case Quantity::state: return "state";
        case Quantity::count: return "count";
    }
    return "unknown";
}

}  // namespace gwatt::proto
