#pragma once
// One event, one line on stderr: `LEVEL text key=value ...`; with a `<N>` priority in front where stderr is the journal.
// A Logger is made in main and handed down by reference; any thread may write. Nothing here throws. Constant text
// first, what varies in the fields; never a secret, never a payload.
#include "runtime/clock.hpp"

#include <boost/system/error_code.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <variant>

namespace gwatt::runtime {

// error: someone should act. warning: worked around. info: the life of the process, a few lines an hour.
enum class LogLevel : std::uint8_t { error, warning, info, debug };

// One key=value. Holds views: make it in the call that writes it.
class LogField {
public:
    LogField(std::string_view key, std::string_view value) : key_(key), value_(value) {}
    LogField(std::string_view key, const std::string& value) : key_(key), value_(std::string_view(value)) {}
    LogField(std::string_view key, const char* value) : key_(key), value_(std::string_view(value)) {}
    LogField(std::string_view key, bool value) : key_(key), value_(value) {}
    LogField(std::string_view key, double value) : key_(key), value_(value) {}
    LogField(std::string_view key, boost::system::error_code value) : key_(key), value_(value) {}
    template <std::signed_integral T>
    LogField(std::string_view key, T value) : key_(key), value_(static_cast<std::int64_t>(value)) {}
    template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>) LogField(std::string_view key, T value)
        : key_(key), value_(static_cast<std::uint64_t>(value)) {}
    template <class Rep, class Period>
    LogField(std::string_view key, std::chrono::duration<Rep, Period> value)  // printed as seconds: after=1.5s
        : key_(key), value_(std::chrono::duration_cast<Duration>(value)) {}

    void append_to(std::string& line) const;

private:
    std::string_view key_;
    std::variant<std::string_view, bool, std::int64_t, std::uint64_t, double, Duration, boost::system::error_code>
        value_;
};

using LogFields = std::initializer_list<LogField>;

class Logger {
public:
    using Sink = std::function<void(LogLevel, std::string_view line)>;  // line without priority and line end

    explicit Logger(LogLevel most = LogLevel::info);  // to stderr
    Logger(LogLevel most, Sink sink);                 // to the caller: tests, self_device
    ~Logger();
    Logger(const Logger&) = delete;
    Logger& operator=(const Logger&) = delete;

    void error(std::string_view text, LogFields fields = {}) const noexcept { write(LogLevel::error, text, fields); }
    void warning(std::string_view text, LogFields fields = {}) const noexcept {
        write(LogLevel::warning, text, fields);
    }
    void info(std::string_view text, LogFields fields = {}) const noexcept { write(LogLevel::info, text, fields); }
    void debug(std::string_view text, LogFields fields = {}) const noexcept { write(LogLevel::debug, text, fields); }

    void write(LogLevel level, std::string_view text, LogFields fields) const noexcept;
    bool enabled(LogLevel level) const noexcept { return level <= most_; }

private:
    LogLevel most_;
    Sink sink_;
};

// A trouble that may repeat: said once, then again after a minute, two, four ... at most hourly, with the count; and
// when it is over, "recovered". Loop thread. The logger and the clock must outlive it.
class Complaint {
public:
    Complaint(const Logger& log, const Clock& clock, std::string text, LogLevel level = LogLevel::warning);

    void complain(LogFields fields = {}) noexcept;
    void recovered(LogFields fields = {}) noexcept;  // does nothing where there was no trouble
    bool active() const { return count_ != 0; }
    std::uint64_t count() const { return count_; }  // times in this trouble

private:
    const Logger& log_;
    const Clock& clock_;
    std::string text_;
    LogLevel level_;
    std::uint64_t count_ = 0;
    Monotonic since_{};
    Monotonic next_{};
    Duration pause_{};
};

}  // namespace gwatt::runtime
