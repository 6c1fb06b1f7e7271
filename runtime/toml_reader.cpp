#include "runtime/toml_reader.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <numeric>
#include <set>
#include <sstream>

namespace gwatt::runtime {

namespace {
constexpr std::size_t largest_file = 16u << 20;  // a site file of 10,000 racks is about 2 MB
constexpr std::size_t shown_text = 60;
constexpr std::size_t most_faults = 50;  // shown

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text.substr(0, shown_text)) out += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    return out + (text.size() > shown_text ? "...\"" : "\"");
}

std::string shown(const toml::node& node) {
    if (const auto* text = node.as_string()) return quoted(text->get());
    if (node.is_table()) return "a table";
    if (node.is_array()) return node.is_array_of_tables() ? "an array of tables" : "an array";
    std::ostringstream out;
    node.visit([&](const auto& value) {
        if constexpr (toml::is_value<decltype(value)>) out << value;
    });
    return out.str();
}

std::string number_text(double value) {
    std::ostringstream out;
    out << value;
    return out.str();
}

struct Unit {
    std::string_view name;
    double seconds;
};
constexpr Unit units[] = {{"ns", 1e-9}, {"us", 1e-6}, {"ms", 1e-3}, {"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}};

std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || !(value >= 0)) return {};
    std::string_view rest(end, static_cast<std::size_t>(text.data() + text.size() - end));
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    for (const auto& unit : units) {
        const double nanoseconds = value * unit.seconds * 1e9;
        if (unit.name == rest && nanoseconds < 9e18) return std::chrono::nanoseconds(static_cast<std::int64_t>(nanoseconds + 0.5));
    }
    return {};
}

std::string duration_text(std::chrono::nanoseconds d) {
    const double seconds = std::chrono::duration<double>(d).count();
    const Unit* best = &units[0];
    for (const auto& unit : units)
        if (seconds >= unit.seconds) best = &unit;
    return number_text(seconds / best->seconds) + std::string(best->name);
}

// Optimal string alignment: insert, delete, change, swap of neighbours each cost 1.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        now[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0u : 1u)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
        }
        before = last;
        last = now;
    }
    return last[b.size()];
}
}  // namespace

std::string_view nearest_name(std::string_view word, const std::vector<std::string_view>& known) {
    std::string_view best;
    std::size_t least = std::max<std::size_t>(1, std::min<std::size_t>(word.size(), 64) / 3) + 1;
    for (const auto name : known) {
        if (word.size() > 64 || name.size() > 64) continue;
        const auto d = distance(word, name);
        if (d < least) least = d, best = name;
    }
    return best;
}

std::optional<std::string> process_environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value ? std::optional<std::string>(value) : std::nullopt;
}

struct TomlTable::Node {
    TomlDocument::Content* document = nullptr;
    const toml::table* table = nullptr;
    std::string path;
    std::uint32_t line = 0;
    std::set<std::string, std::less<>> known;

    const toml::node* mark(std::string_view key);
    std::string place(std::string_view key) const { return path.empty() ? std::string(key) : path + "." + std::string(key); }
    std::uint32_t line_of(std::string_view key) const;
    std::string slip_for(std::string_view key) const;
    void fail(std::string_view key, std::string_view expected) const;
    void missing(std::string_view key, std::string_view expected);
    std::optional<std::string> variable(std::string_view key, std::string_view inside) const;
    std::string expand(std::string_view key, const std::string& text) const;
    TomlTable open(const toml::table& child, std::string child_path);
};

struct TomlDocument::Content {
    std::string name;
    toml::table tree;
    Environment environment;
    std::deque<TomlTable::Node> nodes;  // a deque: handles stay valid as it grows
    std::vector<std::pair<std::uint32_t, std::string>> faults;  // line, text

    void fail(std::uint32_t line, std::string text) { faults.emplace_back(line, std::move(text)); }
    [[noreturn]] void throw_all();
};

void TomlDocument::Content::throw_all() {
    std::stable_sort(faults.begin(), faults.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::string all;
    for (std::size_t i = 0; i < faults.size() && i < most_faults; ++i)
        all += (i ? "\n" : "") + name + ":" + std::to_string(faults[i].first) + ": " + faults[i].second;
    if (faults.size() > most_faults) all += "\n" + name + ": and " + std::to_string(faults.size() - most_faults) + " more";
    throw ConfigError(all);
}

const toml::node* TomlTable::Node::mark(std::string_view key) {
    known.emplace(key);
    return table->get(key);
}

std::uint32_t TomlTable::Node::line_of(std::string_view key) const {
    const auto found = table->find(key);
    return found == table->end() ? line : found->first.source().begin.line;
}

void TomlTable::Node::fail(std::string_view key, std::string_view expected) const {
    const auto* node = table->get(key);
    document->fail(line_of(key), place(key) + ": found " + (node ? shown(*node) : "nothing") + ", expected " + std::string(expected));
}

// A key that nobody has asked for and that looks like `key` misspelt.
std::string TomlTable::Node::slip_for(std::string_view key) const {
    std::vector<std::string_view> strangers;
    for (const auto& [name, value] : *table)
        if (!known.contains(name.str())) strangers.push_back(name.str());
    return std::string(nearest_name(key, strangers));
}

void TomlTable::Node::missing(std::string_view key, std::string_view expected) {
    const auto slip = slip_for(key);
    if (slip.empty()) return document->fail(line, place(key) + ": missing, expected " + std::string(expected));
    known.emplace(slip);  // told here, and not again by finish()
    document->fail(line_of(slip), place(slip) + ": unknown key; did you mean " + quoted(key) + "?");
}

// What ${inside} stands for; nothing, and a fault, where it is not in the environment.
std::optional<std::string> TomlTable::Node::variable(std::string_view key, std::string_view inside) const {
    const auto dash = inside.find(":-");
    const std::string name(inside.substr(0, dash));
    auto value = document->environment(name);
    if (dash != std::string_view::npos && (!value || value->empty())) return std::string(inside.substr(dash + 2));
    if (!value) document->fail(line_of(key), place(key) + ": found ${" + name + "}, expected that variable in the environment");
    return value;
}

std::string TomlTable::Node::expand(std::string_view key, const std::string& text) const {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        if (text.compare(at, 3, "$${") == 0) {
            out += "${";
            at += 3;
        } else if (text.compare(at, 2, "${") == 0) {
            const auto end = text.find('}', at);
            if (end == std::string::npos) {
                fail(key, "a } to close ${");
                return out;
            }
            if (const auto value = variable(key, std::string_view(text).substr(at + 2, end - at - 2))) out += *value;
            at = end + 1;
        } else {
            out += text[at++];
        }
    }
    return out;
}

TomlTable TomlTable::Node::open(const toml::table& child, std::string child_path) {
    auto& nodes = document->nodes;
    for (auto& node : nodes)
        if (node.table == &child) return TomlTable(node);
    Node node;
    node.document = document;
    node.table = &child;
    node.path = std::move(child_path);
    node.line = child.source().begin.line;
    nodes.push_back(std::move(node));
    return TomlTable(nodes.back());
}

bool TomlTable::has(std::string_view key) const { return node_->table->contains(key); }
std::string TomlTable::path() const { return node_->path; }
std::uint32_t TomlTable::line(std::string_view key) const { return node_->line_of(key); }
void TomlTable::fault(std::string_view key, std::string_view expected) const { node_->fail(key, expected); }

void TomlTable::fault(std::string_view key, std::string_view found, std::string_view expected) const {
    node_->document->fail(node_->line_of(key), node_->place(key) + ": found " + std::string(found) + ", expected " + std::string(expected));
}

void TomlTable::refuse(std::string_view key, std::string_view expected) const {
    node_->fail(key, expected);
    node_->document->throw_all();
}

namespace {
// Says the mistake and stands in for the value.
template <class T, class Say>
T instead(const std::optional<T>& fallback, T least, Say say) {
    say();
    return fallback ? *fallback : least;
}
}  // namespace

std::string TomlTable::text(std::string_view key, std::optional<std::string> fallback) {
    const auto* node = node_->mark(key);
    if (!node && fallback) return *fallback;
    if (!node) return instead(fallback, std::string(), [&] { node_->missing(key, "text"); });
    if (!node->is_string()) return instead(fallback, std::string(), [&] { node_->fail(key, "text in quotes"); });
    return node_->expand(key, node->as_string()->get());
}

std::int64_t TomlTable::integer(std::string_view key, std::int64_t lowest, std::int64_t highest, std::optional<std::int64_t> fallback) {
    const auto* node = node_->mark(key);
    const auto expected = "a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest);
    if (!node && fallback) return *fallback;
    if (!node) return instead(fallback, lowest, [&] { node_->missing(key, expected); });
    const auto* value = node->as_integer();
    if (!value || value->get() < lowest || value->get() > highest) return instead(fallback, lowest, [&] { node_->fail(key, expected); });
    return value->get();
}

double TomlTable::number(std::string_view key, double lowest, double highest, std::optional<double> fallback) {
    const auto* node = node_->mark(key);
    const auto expected = "a number from " + number_text(lowest) + " to " + number_text(highest);
    if (!node && fallback) return *fallback;
    if (!node) return instead(fallback, lowest, [&] { node_->missing(key, expected); });
    const auto value = node->is_number() ? node->value<double>() : std::nullopt;
    if (!value || !(*value >= lowest && *value <= highest)) return instead(fallback, lowest, [&] { node_->fail(key, expected); });
    return *value;
}

bool TomlTable::flag(std::string_view key, std::optional<bool> fallback) {
    const auto* node = node_->mark(key);
    if (!node && fallback) return *fallback;
    if (!node) return instead(fallback, false, [&] { node_->missing(key, "true or false"); });
    if (!node->is_boolean()) return instead(fallback, false, [&] { node_->fail(key, "true or false"); });
    return node->as_boolean()->get();
}

std::chrono::nanoseconds TomlTable::duration(std::string_view key, std::chrono::nanoseconds lowest, std::chrono::nanoseconds highest,
                                             std::optional<std::chrono::nanoseconds> fallback) {
    const auto* node = node_->mark(key);
    const auto expected = "a duration from \"" + duration_text(lowest) + "\" to \"" + duration_text(highest) + "\" (units ms, s, min, h, d)";
    if (!node && fallback) return *fallback;
    if (!node) return instead(fallback, lowest, [&] { node_->missing(key, expected); });
    const auto* text = node->as_string();
    const auto value = text ? parse_duration(node_->expand(key, text->get())) : std::nullopt;
    if (!value || *value < lowest || *value > highest) return instead(fallback, lowest, [&] { node_->fail(key, expected); });
    return *value;
}

std::vector<std::string> TomlTable::texts(std::string_view key) {
    const auto* node = node_->mark(key);
    std::vector<std::string> out;
    if (!node) return out;
    const auto* array = node->as_array();
    if (!array) {
        node_->fail(key, "an array of texts");
        return out;
    }
    for (const auto& element : *array) {
        if (element.is_string()) out.push_back(node_->expand(key, element.as_string()->get()));
        else node_->fail(key, "an array of texts");
    }
    return out;
}

std::optional<std::size_t> TomlTable::chosen(std::string_view key, const std::vector<std::string_view>& known, bool required) {
    const auto* node = node_->mark(key);
    std::string expected = "one of";
    for (const auto name : known) expected += (name == known.front() ? " " : ", ") + quoted(name);
    if (!node && !required) return {};
    const std::optional<std::size_t> instead = required ? std::optional<std::size_t>(0) : std::nullopt;
    const auto* text = node ? node->as_string() : nullptr;
    if (!node) node_->missing(key, expected);
    else if (!text) node_->fail(key, expected);
    if (!text) return instead;
    const auto value = node_->expand(key, text->get());
    const auto found = std::find(known.begin(), known.end(), value);
    if (found != known.end()) return static_cast<std::size_t>(found - known.begin());
    const auto near = nearest_name(value, known);
    node_->fail(key, near.empty() ? expected : expected + "; did you mean " + quoted(near) + "?");
    return instead;
}

std::optional<TomlTable> TomlTable::table(std::string_view key) {
    const auto* node = node_->mark(key);
    if (!node) return {};
    if (node->is_table()) return node_->open(*node->as_table(), node_->place(key));
    node_->fail(key, "a table [" + node_->place(key) + "]");
    return {};
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) {
    const auto* node = node_->mark(key);
    std::vector<TomlTable> out;
    if (!node) return out;
    if (!node->is_array_of_tables()) {
        node_->fail(key, "an array of tables [[" + node_->place(key) + "]]");
        return out;
    }
    const auto& array = *node->as_array();
    for (std::size_t i = 0; i < array.size(); ++i)
        out.push_back(node_->open(*array[i].as_table(), node_->place(key) + "[" + std::to_string(i) + "]"));
    return out;
}

std::vector<std::string> TomlTable::keys() const {
    std::vector<std::string> out;
    for (const auto& [name, value] : *node_->table) out.emplace_back(name.str());
    return out;
}

std::string TomlTable::as_text(std::string_view key) {
    const auto* node = node_->mark(key);
    constexpr auto expected = "text, a number, true/false or an array of these";
    std::string out;
    const auto one = [&](const toml::node& value) {
        if (value.is_value()) out += value.is_string() ? node_->expand(key, value.as_string()->get()) : shown(value);
        else node_->fail(key, expected);
    };
    if (!node) node_->missing(key, expected);
    else if (const auto* array = node->as_array()) {
        for (std::size_t i = 0; i < array->size(); ++i) {
            if (i) out += ',';
            one((*array)[i]);
        }
    } else one(*node);
    return out;
}

TomlDocument::TomlDocument(std::unique_ptr<Content> content) : content_(std::move(content)) {}
TomlDocument::TomlDocument(TomlDocument&&) noexcept = default;
TomlDocument::~TomlDocument() = default;

TomlDocument TomlDocument::load(const std::string& file, Environment environment) {
    std::ifstream in(file, std::ios::binary);
    std::string text;
    char block[4096];
    while (in && text.size() <= largest_file) {
        in.read(block, sizeof block);
        text.append(block, static_cast<std::size_t>(in.gcount()));
    }
    if (!in.eof()) throw ConfigError(file + (text.size() > largest_file ? ": too large for a configuration file" : ": cannot be read"));
    return parse(text, file, std::move(environment));
}

TomlDocument TomlDocument::parse(std::string_view text, const std::string& name, Environment environment) {
    auto content = std::make_unique<Content>();
    content->name = name;
    content->environment = std::move(environment);
    try {
        content->tree = toml::parse(text);
    } catch (const toml::parse_error& error) {
        content->fail(error.source().begin.line, "not TOML: " + std::string(error.description()));
        content->throw_all();
    }
    TomlTable::Node root;
    root.document = content.get();
    root.table = &content->tree;
    root.line = 1;
    content->nodes.push_back(std::move(root));
    return TomlDocument(std::move(content));
}

TomlTable TomlDocument::root() { return TomlTable(content_->nodes.front()); }

void TomlDocument::finish() const {
    for (const auto& node : content_->nodes) {
        for (const auto& [key, value] : *node.table) {
            if (node.known.contains(key.str())) continue;
            const auto near = nearest_name(key.str(), {node.known.begin(), node.known.end()});
            content_->fail(key.source().begin.line, node.place(key.str()) + ": unknown key" +
                                                        (near.empty() ? "" : "; did you mean " + quoted(near) + "?"));
        }
    }
    if (!content_->faults.empty()) content_->throw_all();
}

}  // namespace gwatt::runtime
