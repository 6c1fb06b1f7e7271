#pragma once
// Finds chips in a hwmon tree by their name and by where they sit, never by hwmonN: that number changes from boot to boot
// and whenever a driver is bound again. One thread.
#include "drivers/hwmon/attribute.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gwatt::drivers::hwmon {

struct Channel {
    AttributeName name;
    std::string file;   // "power1_input"
    std::string label;  // of the chip's driver; may be empty
};

struct Chip {
    std::string folder;             // ROOT/hwmon3
    std::string name;               // as its driver says: "pmbus"
    std::string device;             // real path of the device; may be empty
    std::string of_node;            // real path of its device tree node; may be empty
    std::string part;               // in ids: "psu0", or "pmbus_1_0058"
    std::vector<Channel> channels;  // by type, then number
};

using Words = std::vector<std::pair<std::string, std::string>>;

// "psu0=1-0058 psu1=1-0059", separated by blanks or commas. Throws Failure{bad_config} naming `option`.
Words parse_words(std::string_view text, const char* option);

struct Search {
    std::string root;
    std::string chip;    // name; empty: any
    std::string device;  // part of the device's or the node's path; empty: any
    Words parts;         // part name = piece of the device's or node's path, or the chip's name
};

// What `search` finds, in the order of the parts' names. `others`: names of chips that are there but not meant.
std::vector<Chip> find_chips(const Search& search, std::string& others);

// The names in the root folder, in order: changes when a chip comes, goes, or is numbered anew.
std::string listing(const std::string& root);

// As an id may be: lower case letters, digits, underscores.
std::string as_id(std::string_view text);

}  // namespace gwatt::drivers::hwmon
