#include "runtime/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <vector>

namespace gwatt::runtime {

namespace {

constexpr Duration first_pause = std::chrono::minutes(1);
constexpr Duration last_pause = std::chrono::hours(1);

constexpr std::string_view level_word(LogLevel level) {
    constexpr std::array<std::string_view, 4> words{"ERROR", "WARNING", "INFO", "DEBUG"};
    return words[static_cast<std::size_t>(level)];
}

// The priorities of sd-daemon(3).
constexpr std::string_view journal_priority(LogLevel level) {
    constexpr std::array<std::string_view, 4> prefixes{"<3>", "<4>", "<6>", "<7>"};
    return prefixes[static_cast<std::size_t>(level)];
}

// systemd.exec(5): JOURNAL_STREAM holds device:inode of the stream it connected to the journal.
bool stderr_is_journal() {
    const char* stream = std::getenv("JOURNAL_STREAM");
    struct stat state {};
    if (stream == nullptr || ::fstat(2, &state) != 0) {
        return false;
    }
    unsigned long long device = 0;
    unsigned long long inode = 0;
    return std::sscanf(stream, "%llu:%llu", &device, &inode) == 2 && device == state.st_dev && inode == state.st_ino;
}

// Plain where it reads as one word; else in quotes, with what could break a line or a terminal escaped.
void append_value(std::string& line, std::string_view text) {
    const auto plain = [](unsigned char c) { return c > ' ' && c != '"' && c != '=' && c != '\\' && c != 0x7f; };
    if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) {
        line += text;
        return;
    }
    line += '"';
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            line += '\\';
            line += c;
        } else if (c == '\n') {
            line += "\\n";
        } else if (byte < ' ' || byte == 0x7f) {
            std::array<char, 5> escaped{};
            std::snprintf(escaped.data(), escaped.size(), "\\x%02x", static_cast<unsigned>(byte));
            line += escaped.data();
        } else {
            line += c;
        }
    }
    line += '"';
}

std::string number(double value, const char* unit) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.9g%s", value, unit);
    return text.data();
}

struct AppendTo {
    std::string& line;
    void operator()(std::string_view v) const { append_value(line, v); }
    void operator()(bool v) const { line += v ? "true" : "false"; }
    void operator()(std::int64_t v) const { line += std::to_string(v); }
    void operator()(std::uint64_t v) const { line += std::to_string(v); }
    void operator()(double v) const { line += number(v, ""); }
    void operator()(Duration v) const { line += number(std::chrono::duration<double>(v).count(), "s"); }
    void operator()(const boost::system::error_code& v) const { append_value(line, v.message()); }
};

Logger::Sink stderr_sink() {
    auto out = std::make_shared<spdlog::logger>("gwatt", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    out->set_pattern("%v");
    out->set_level(spdlog::level::trace);
    return [out, journal = stderr_is_journal()](LogLevel level, std::string_view line) {
        const std::string_view prefix = journal ? journal_priority(level) : std::string_view{};
        out->info("{}{}", spdlog::string_view_t(prefix.data(), prefix.size()),
                  spdlog::string_view_t(line.data(), line.size()));
    };
}

// The caller's fields with two more behind them.
void write_with(const Logger& log, LogLevel level, const std::string& text, LogFields fields,
                std::array<LogField, 2> more) {
    std::string line = text;
    for (const LogField& field : fields) {
        field.append_to(line);
    }
    for (const LogField& field : more) {
        field.append_to(line);
    }
    log.write(level, line, {});
}

}  // namespace

void LogField::append_to(std::string& line) const {
    line += ' ';
    line += key_;
    line += '=';
    std::visit(AppendTo{line}, value_);
}

Logger::Logger(LogLevel most) : most_(most), sink_(stderr_sink()) {}
Logger::Logger(LogLevel most, Sink sink) : most_(most), sink_(std::move(sink)) {}
Logger::~Logger() = default;

void Logger::write(LogLevel level, std::string_view text, LogFields fields) const noexcept {
    if (!enabled(level)) {
        return;
    }
    try {
        std::string line;
        line.reserve(160);
        line += level_word(level);
        line += ' ';
        line += text;
        for (const LogField& field : fields) {
            field.append_to(line);
        }
        sink_(level, line);
    } catch (const std::exception&) {
        // Out of memory or stderr gone: the event is lost, the process is not.
    }
}

Complaint::Complaint(const Logger& log, const Clock& clock, std::string text, LogLevel level)
    : log_(log), clock_(clock), text_(std::move(text)), level_(level) {}

void Complaint::complain(LogFields fields) noexcept {
    const Monotonic now = clock_.now();
    if (count_++ == 0) {
        since_ = now;
        pause_ = first_pause;
        next_ = now + pause_;
        log_.write(level_, text_, fields);
        return;
    }
    if (now < next_) {
        return;
    }
    pause_ = std::min(pause_ * 2, last_pause);
    next_ = now + pause_;
    try {
        write_with(log_, level_, text_, fields, {LogField("times", count_), LogField("for", now - since_)});
    } catch (const std::exception&) {
        log_.write(level_, text_, fields);
    }
}

void Complaint::recovered(LogFields fields) noexcept {
    if (count_ == 0) {
        return;
    }
    const std::uint64_t times = std::exchange(count_, 0);
    try {
        write_with(log_, LogLevel::info, text_ + ": recovered", fields,
                   {LogField("after", clock_.now() - since_), LogField("times", times)});
    } catch (const std::exception&) {
        log_.write(LogLevel::info, text_, fields);
    }
}

}  // namespace gwatt::runtime
