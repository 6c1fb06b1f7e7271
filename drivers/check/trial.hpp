#pragma once
// The trials of one driver: calls every function as a host does and judges what it does by the duties of driver.h. Runs in
// a process of its own, because a driver may crash, hang or scribble. One thread.
#include "drivers/check/report.hpp"
#include "drivers/runner/option_values.hpp"
#include "drivers/runner/plugin.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace gwatt::drivers::check {

struct TrialOptions {
    std::string file;
    std::vector<std::pair<std::string, std::string>> options;
    std::string base;                        // where relative paths start
    std::uint32_t opens = 1000;              // for leaks
    std::int64_t opens_ns = 60'000'000'000;  // at most this long
    std::int64_t deadline_ns = 1'000'000'000;
};

class Trial {
public:
    Trial(TrialOptions options, Report& report);
    void run();

private:
    // What a host gives, with the dial that cancels every wait.
    struct Host {
        bool cancelling = false;
        std::uint64_t lines = 0;
        gwatt_host table();
    };
    struct Call {
        std::int32_t result = GWATT_BUG;
        std::int64_t began = 0, ended = 0;
        std::string text;
    };

    bool load();
    bool parse();
    bool open(const char* why);
    void close();
    bool list(std::vector<std::string>& ids);
    void judge_list();
    void read_and_judge(const std::vector<std::uint32_t>& wanted, std::int64_t time, const char* what);
    void judge_samples(const std::vector<gwatt_sample>& samples, std::uint32_t used, const Call& call,
                       const std::vector<std::uint32_t>& wanted);
    Call read(const std::vector<std::uint32_t>& wanted, std::vector<gwatt_sample>& samples, std::uint32_t& used,
              std::int64_t time);
    void try_reads();
    void try_cancel();
    void try_reopen();
    void try_many_opens();

    TrialOptions options_;
    Report& report_;
    Plugin plugin_;
    OptionValues values_;
    Host host_;
    gwatt_host host_table_{};
    gwatt_bus* bus_ = nullptr;
    Call opened_;
    std::vector<std::string> ids_;
    std::vector<gwatt_sensor> sensors_;
};

}  // namespace gwatt::drivers::check
