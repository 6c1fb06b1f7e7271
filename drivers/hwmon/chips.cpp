#include "drivers/hwmon/chips.hpp"

#include <dirent.h>
#include <stdlib.h>

#include <algorithm>
#include <memory>

namespace gwatt::drivers::hwmon {
namespace {

constexpr std::size_t most_chips = 256, most_channels = 512;

std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    const std::unique_ptr<DIR, int (*)(DIR*)> open(opendir(folder.c_str()), &closedir);
    while (open != nullptr) {
        const dirent* entry = readdir(open.get());
        if (entry == nullptr) break;
        if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    std::sort(names.begin(), names.end());
    return names;
}

std::string real_path(const std::string& path) {
    const std::unique_ptr<char, void (*)(void*)> found(realpath(path.c_str(), nullptr), &free);
    return found == nullptr ? std::string{} : std::string(found.get());
}

std::string last_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool sits_at(const Chip& chip, const std::string& piece) {
    return chip.device.find(piece) != std::string::npos || chip.of_node.find(piece) != std::string::npos;
}

std::vector<Channel> channels_of(const std::string& folder) {
    std::vector<Channel> channels;
    for (const std::string& file : names_in(folder)) {
        const auto name = parse_name(file);
        if (!name || channels.size() >= most_channels) continue;
        channels.push_back({*name, file, read_text(folder + "/" + name->stem() + "_label")});
    }
    std::sort(channels.begin(), channels.end(), [](const Channel& a, const Channel& b) {
        return std::tuple(a.name.type, a.name.number, a.name.average) <
               std::tuple(b.name.type, b.name.number, b.name.average);
    });
    return channels;
}

std::string part_of(const Chip& chip, const Words& parts) {
    for (const auto& [part, piece] : parts)
        if (chip.name == piece || sits_at(chip, piece)) return part;
    return chip.device.empty() ? as_id(chip.name) : as_id(chip.name + "_" + last_of(chip.device));
}

Chip look_at(const std::string& folder) {
    Chip chip;
    chip.folder = folder;
    chip.name = read_text(folder + "/name");
    chip.device = real_path(folder + "/device");
    chip.of_node = real_path(folder + "/of_node");
    if (chip.of_node.empty()) chip.of_node = real_path(folder + "/device/of_node");
    return chip;
}

}  // namespace

std::string as_id(std::string_view text) {
    std::string id;
    for (const char c : text) {
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            id += c;
        else if (c >= 'A' && c <= 'Z')
            id += static_cast<char>(c - 'A' + 'a');
        else if (!id.empty() && id.back() != '_')
            id += '_';
    }
    while (!id.empty() && id.back() == '_') id.pop_back();
    return id.substr(0, 60);
}

Words parse_words(std::string_view text, const char* option) {
    Words words;
    while (!text.empty()) {
        const std::size_t end = text.find_first_of(" ,");
        const std::string_view word = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
        if (word.empty()) continue;
        const std::size_t equals = word.find('=');
        if (equals == std::string_view::npos || equals == 0 || equals + 1 == word.size())
            throw Failure{Result::bad_config, "found " + std::string(word) + ", expected NAME=VALUE", option};
        words.emplace_back(word.substr(0, equals), word.substr(equals + 1));
    }
    return words;
}

std::vector<Chip> find_chips(const Search& search, std::string& others) {
    std::vector<Chip> found;
    others.clear();
    for (const std::string& entry : names_in(search.root)) {
        if (found.size() >= most_chips) break;
        Chip chip = look_at(search.root + "/" + entry);
        if (chip.name.empty()) continue;
        const bool meant = (search.chip.empty() || chip.name == search.chip) &&
                           (search.device.empty() || sits_at(chip, search.device));
        if (!meant) {
            others +=
                (others.empty() ? "" : ", ") + chip.name + (chip.device.empty() ? "" : " at " + last_of(chip.device));
            continue;
        }
        chip.part = part_of(chip, search.parts);
        chip.channels = channels_of(chip.folder);
        found.push_back(std::move(chip));
    }
    std::sort(found.begin(), found.end(), [](const Chip& a, const Chip& b) { return a.part < b.part; });
    return found;
}

std::string listing(const std::string& root) {
    std::string all;
    for (const std::string& name : names_in(root)) all += name + "/";
    return all;
}

}  // namespace gwatt::drivers::hwmon
