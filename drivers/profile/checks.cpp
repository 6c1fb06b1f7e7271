#include "drivers/profile/parts.hpp"

#include <algorithm>
#include <map>

namespace gwatt::drivers::profile {

bool good_id(std::string_view id, std::span<const std::string_view> marks) {
    std::string plain(id);
    for (const auto mark : marks) plain = replaced(plain, mark, 0);
    const auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.'; };
    return !plain.empty() && plain.size() <= 64 && std::all_of(plain.begin(), plain.end(), good) &&
           plain.front() != '.' && plain.back() != '.' && plain.find("..") == std::string::npos;
}

std::string replaced(std::string text, std::string_view mark, unsigned number) {
    const auto digits = std::to_string(number);
    for (auto at = text.find(mark); at != std::string::npos; at = text.find(mark, at + digits.size()))
        text.replace(at, mark.size(), digits);
    return text;
}

namespace {
struct Claim {
    Place place;
    std::uint32_t line;
    std::string id;
};

void check_ids(const std::vector<Claim>& claims, Mistakes& mistakes) {
    std::map<std::string_view, std::uint32_t> first;
    for (const auto& claim : claims)
        if (const auto [at, added] = first.emplace(claim.id, claim.line); !added)
            mistakes.add(claim.line, claim.id + ": this id is already taken in line " + std::to_string(at->second));
}

void check_overlaps(std::vector<Claim> claims, Mistakes& mistakes) {
    std::sort(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) {
        return std::pair(a.place.table, a.place.first) < std::pair(b.place.table, b.place.first);
    });
    for (std::size_t i = 1; i < claims.size(); ++i) {
        const auto& before = claims[i - 1];
        const auto& here = claims[i];
        if (before.place.table != here.place.table || before.place.first + before.place.words <= here.place.first)
            continue;
        mistakes.add(here.line, here.id + ": register " + std::to_string(here.place.first) + " belongs to " +
                                    before.id + " (line " + std::to_string(before.line) + ") already");
    }
}
}  // namespace

void check_whole(const Profile& profile, const Lines& lines, Mistakes& mistakes) {
    std::vector<Claim> claims;
    for (std::size_t i = 0; i < profile.sensors.size(); ++i)
        claims.push_back({profile.sensors[i].place, lines.sensors[i], profile.sensors[i].spec.id});
    for (std::size_t i = 0; i < profile.texts.size(); ++i)
        claims.push_back({profile.texts[i].place, lines.texts[i], profile.texts[i].id});
    check_ids(claims, mistakes);
    check_overlaps(std::move(claims), mistakes);
    for (std::size_t i = 0; i < profile.sensors.size(); ++i)
        if (profile.sensors[i].place.words > profile.longest_read)
            mistakes.add(lines.sensors[i], profile.sensors[i].spec.id + ": longer than modbus.longest_read");
    for (std::size_t i = 0; i < profile.texts.size(); ++i)
        if (profile.texts[i].place.words > profile.longest_read)
            mistakes.add(lines.texts[i], profile.texts[i].id + ": longer than modbus.longest_read");
}

}  // namespace gwatt::drivers::profile
