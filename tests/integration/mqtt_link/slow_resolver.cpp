// Takes getaddrinfo's place for the whole program, the client library included: names under slow.example take three
// seconds to be not found, as with a resolver that does not answer.
#include "tests/integration/mqtt_link/slow_resolver.hpp"

#include <dlfcn.h>
#include <netdb.h>

#include <atomic>
#include <chrono>
#include <string_view>
#include <thread>

namespace {
std::atomic<int> lookups{0};
}

int gwatt::test::slow_lookups() { return lookups.load(); }

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
    if (node != nullptr && std::string_view(node).ends_with("slow.example")) {
        ++lookups;
        std::this_thread::sleep_for(std::chrono::seconds(3));
        return EAI_AGAIN;
    }
    using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
    static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
    return real(node, service, hints, result);
}
