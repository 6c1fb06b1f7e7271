#include "fleet/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace gwatt::fleet {

namespace {
winsize size_of_terminal() {
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) size = {};
    return size;
}
void put(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}
}  // namespace

// The alternate screen, without a cursor; and back.
Terminal::Terminal(bool once) : live_(!once && isatty(STDOUT_FILENO) != 0) {
    if (live_) put("\x1b[?1049h\x1b[?25l");
}

Terminal::~Terminal() {
    if (live_) put("\x1b[?25h\x1b[?1049l");
}

std::size_t Terminal::lines() const { return live_ ? size_of_terminal().ws_row : 0; }
std::size_t Terminal::columns() const { return live_ ? size_of_terminal().ws_col : 0; }

void Terminal::show(const std::string& text) { put(live_ ? "\x1b[H\x1b[2J" + text : text); }

}  // namespace gwatt::fleet
