#include "agent/driver_host_log.hpp"

#include "agent/driver_host_judge.hpp"

#include <algorithm>

namespace gwatt::agent {

bool DriverHostLog::allowed() {
    const runtime::Monotonic now = clock_.now();
    if (counted_ != runtime::Monotonic{})
        left_ = std::min(burst, left_ + a_second * std::chrono::duration<double>(now - counted_).count());
    counted_ = now;
    left_ -= 1;
    return left_ >= 0;
}

bool DriverHostLog::take(drivers::frame::Bytes body) {
    drivers::frame::Reader reader{body};
    const std::uint32_t level = reader.u32();
    const std::string text = clean_text(reader.text());
    if (!reader.complete() || !allowed()) return false;
    const runtime::Monotonic now = clock_.now();
    if (text == last_ && now - said_ < silence) {
        ++repeats_;
        return true;
    }
    const auto most = static_cast<std::uint32_t>(runtime::LogLevel::debug);
    log_.write(static_cast<runtime::LogLevel>(std::min(level, most)), text,
               {{"bus", config_.name}, {"driver", config_.driver}, {"repeats", text == last_ ? repeats_ : 0}});
    last_ = text;
    repeats_ = 0;
    said_ = now;
    return true;
}

}  // namespace gwatt::agent
