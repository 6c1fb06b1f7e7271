#pragma once
// Messages that the proto tests share: small, with every field set to something that shows. Pure functions.
#include "proto/codec.hpp"

#include <string>
#include <utility>
#include <vector>

namespace gwatt::proto::samples {

Header header(std::uint64_t sequence = 7);
// Five sensors in two groups: power 0.1 W, voltage 1/512 V with an offset, power without a resolution | two temperatures.
Catalog catalog();
Status status();
Live live(const Catalog& catalog);
Data data(const Catalog& catalog);        // group 0, four samples, everything in it once
Data empty_data(const Catalog& catalog);  // group 1 with no samples
Ack ack();
Rollup rollup();

// Every golden vector by name, encoded.
std::vector<std::pair<std::string, std::string>> golden();
std::string to_hex(std::string_view bytes);  // lines of 32 bytes

}  // namespace gwatt::proto::samples
