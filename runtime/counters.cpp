#include "runtime/counters.hpp"

#include <algorithm>
#include <stdexcept>
#include <tuple>

namespace gwatt::runtime {

namespace {

bool well_formed(std::string_view name) {
    const auto good = [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !name.empty() && !(name[0] >= '0' && name[0] <= '9') && std::all_of(name.begin(), name.end(), good);
}

bool before(const Counters::Entry& a, const Counters::Entry& b) {
    return std::tie(a.name, a.labels) < std::tie(b.name, b.labels);
}

void check(const Counters::Entry& entry) {
    if (!well_formed(entry.name)) {
        throw std::invalid_argument("counter name '" + entry.name + "' is not [a-z_][a-z0-9_]*");
    }
    if ((entry.kind == Counters::Kind::counter) != entry.name.ends_with("_total")) {
        throw std::invalid_argument("'" + entry.name + "': counters, and only counters, end in _total");
    }
    for (const auto& label : entry.labels) {
        if (!well_formed(label.first)) {
            throw std::invalid_argument(entry.name + ": label '" + label.first + "' is not [a-z_][a-z0-9_]*");
        }
    }
}

}  // namespace

void Counters::add(Kind kind, std::string name, Labels labels, std::string help, const std::uint64_t& value) {
    Entry entry{kind, std::move(name), std::move(labels), std::move(help), &value};
    check(entry);
    for (const Entry& other : entries_) {
        if (other.name != entry.name) {
            continue;
        }
        if (other.labels == entry.labels) {
            throw std::invalid_argument("counter " + entry.name + " is registered twice with the same labels");
        }
        if (other.kind != entry.kind || other.help != entry.help) {
            throw std::invalid_argument("counter " + entry.name + " is registered with two kinds or helps");
        }
    }
    entries_.insert(std::upper_bound(entries_.begin(), entries_.end(), entry, before), std::move(entry));
}

}  // namespace gwatt::runtime
