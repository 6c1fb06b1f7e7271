#pragma once
// The /metrics page: Prometheus text format 0.0.4, base units, coverage beside every sum. Made when it is asked for, at
// most once a report. Loop thread; the counters must outlive it. docs/fleet.md lists every metric.
#include "fleet/outputs/output.hpp"
#include "runtime/counters.hpp"

#include <array>
#include <memory>
#include <string>

namespace gwatt::fleet {

class PrometheusPage final : public Output {
public:
    // racks: a few series for each rack, too. counters: of this process, shown as they are.
    PrometheusPage(bool racks, const runtime::Counters& counters) : racks_(racks), counters_(counters) {}

    void report(const Report& report) override;
    void window(const Window& window) override;
    std::shared_ptr<const std::string> text();

private:
    bool racks_;
    const runtime::Counters& counters_;
    const Report* report_ = nullptr;
    std::array<std::array<Window, window_seconds.size()>, 2> windows_;  // [final][size]: the last one
    std::shared_ptr<const std::string> text_;
};

}  // namespace gwatt::fleet
