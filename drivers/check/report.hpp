#pragma once
// What a trial found, line by line, through a descriptor that the driver does not know. One thread.
#include <string>

namespace gwatt::drivers::check {

// Lines: "at WHAT" (what is being called), "ok DUTY TEXT", "broken DUTY TEXT", "note TEXT".
class Report {
public:
    explicit Report(int fd) : fd_(fd) {}
    void at(const char* what) { line("at", what); }
    void ok(const char* duty, const std::string& text) { line("ok", std::string(duty) + " " + text); }
    void broken(const char* duty, const std::string& text) { line("broken", std::string(duty) + " " + text); }
    void note(const std::string& text) { line("note", text); }
    // Either of the two.
    bool expect(bool kept, const char* duty, const std::string& text) {
        line(kept ? "ok" : "broken", std::string(duty) + " " + text);
        return kept;
    }

private:
    void line(const char* kind, const std::string& text);
    int fd_;
};

}  // namespace gwatt::drivers::check
