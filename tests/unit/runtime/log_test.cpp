#include "runtime/log.hpp"

#include <boost/asio/error.hpp>

#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using namespace gwatt::runtime;

namespace {

struct Lines {
    std::vector<std::string> all;
    Logger::Sink sink() {
        return [this](LogLevel, std::string_view line) { all.emplace_back(line); };
    }
};

}  // namespace

TEST_CASE("a line is the level, the text, and the fields in order") {
    Lines lines;
    const Logger log(LogLevel::debug, lines.sink());
    log.info("link up", {{"broker", "b.example:8883"}, {"window", 20}, {"session", false}, {"after", 1500ms}});
    REQUIRE(lines.all.size() == 1);
    CHECK(lines.all[0] == "INFO link up broker=b.example:8883 window=20 session=false after=1.5s");
}

TEST_CASE("numbers keep their sign and size, error codes say their message") {
    Lines lines;
    const Logger log(LogLevel::debug, lines.sink());
    log.debug("n", {{"least", INT64_MIN}, {"most", UINT64_MAX}, {"half", 0.5}, {"byte", std::uint8_t{7}}});
    CHECK(lines.all[0] == "DEBUG n least=-9223372036854775808 most=18446744073709551615 half=0.5 byte=7");
    log.error("e", {{"error", boost::system::error_code(boost::asio::error::timed_out)}});
    CHECK(lines.all[1] == "ERROR e error=\"Connection timed out\"");
}

TEST_CASE("a value can neither end the line nor look like another field nor move the terminal") {
    Lines lines;
    const Logger log(LogLevel::debug, lines.sink());
    log.warning("v", {{"a", "two words"},
                      {"b", "x=1"},
                      {"c", "line\nERROR fake"},
                      {"d", "\x1b[2J"},
                      {"e", ""},
                      {"f", "say \"hi\" \\"},
                      {"g", "ü"}});
    CHECK(lines.all[0] ==
          "WARNING v a=\"two words\" b=\"x=1\" c=\"line\\nERROR fake\" d=\"\\x1b[2J\" e=\"\" f=\"say \\\"hi\\\" \\\\\" "
          "g=ü");
}

TEST_CASE("what is below the level is not written") {
    Lines lines;
    const Logger log(LogLevel::warning, lines.sink());
    log.info("quiet");
    log.debug("quiet");
    log.warning("loud");
    log.error("loud");
    CHECK(lines.all.size() == 2);
    CHECK_FALSE(log.enabled(LogLevel::info));
}

TEST_CASE("a sink that throws does not reach the caller") {
    const Logger log(LogLevel::debug, [](LogLevel, std::string_view) { throw std::runtime_error("disk full"); });
    log.error("x", {{"a", 1}});
}
