#pragma once
// Tells that the replaced getaddrinfo is the one in use; see slow_resolver.cpp. Any thread.
namespace gwatt::test {
int slow_lookups();  // how many names under slow.example were asked for
}
