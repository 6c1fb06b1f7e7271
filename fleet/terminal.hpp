#pragma once
// Where the table goes: drawn over itself on a terminal, once and plain elsewhere. Restores the terminal when it ends.
#include <cstddef>
#include <string>

namespace gwatt::fleet {

class Terminal {
public:
    explicit Terminal(bool once);
    ~Terminal();
    Terminal(const Terminal&) = delete;
    Terminal& operator=(const Terminal&) = delete;

    bool live() const { return live_; }
    std::size_t lines() const;    // 0: no limit
    std::size_t columns() const;  // 0: no limit
    void show(const std::string& text);

private:
    bool live_;
};

}  // namespace gwatt::fleet
