// bench_codec WORK ROUNDS: encodes or decodes the messages of the standard rack again and again, for tests/bench/codec/run to
// count instructions of (callgrind, the difference of two numbers of rounds). WORK: encode-fast, encode-slow, encode-live,
// decode-fast, ... Prints how many samples that were, the time, and the allocations (malloc, calloc, realloc) of all rounds but
// the first, in which buffers grow.
#include "proto/codec.hpp"
#include "tests/support/standard_rack.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t number, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
}

static std::size_t allocations = 0;

extern "C" void* malloc(std::size_t size) {
    ++allocations;
    return __libc_malloc(size);
}
extern "C" void* calloc(std::size_t number, std::size_t size) {
    ++allocations;
    return __libc_calloc(number, size);
}
extern "C" void* realloc(void* memory, std::size_t size) {
    ++allocations;
    return __libc_realloc(memory, size);
}

namespace gwatt::bench {

namespace {

// Messages of one kind, as values and as bytes.
struct Messages {
    std::vector<proto::Data> data;
    std::vector<proto::Live> live;
    std::vector<std::string> bytes;
    std::size_t samples = 0;  // of all of them together; of live messages: points
};

Messages make(test::StandardRack& rack, std::string_view kind) {
    constexpr int count = 10;
    proto::Encoder encoder;
    Messages made;
    for (int i = 0; i < count; ++i) {
        const proto::Data& data = rack.next(kind == "slow" ? rack.slow : rack.fast);
        if (kind == "live") {
            made.live.push_back(rack.live(0));
            made.bytes.emplace_back(encoder.live(made.live.back(), rack.catalog()));
            made.samples += made.live.back().points.size();
        } else {
            made.data.push_back(data);
            made.bytes.emplace_back(encoder.data(data, rack.catalog()));
            made.samples += data.values.size();
        }
    }
    return made;
}

class Work {
public:
    Work(const Messages& messages, const proto::Catalog& catalog, bool encode)
        : messages_(messages), catalog_(catalog), encode_(encode) {}

    void round() {
        if (encode_) {
            for (const auto& data : messages_.data) sink_ += encoder_.data(data, catalog_).size();
            for (const auto& live : messages_.live) sink_ += encoder_.live(live, catalog_).size();
            return;
        }
        for (const auto& bytes : messages_.bytes)
            sink_ += messages_.data.empty() ? decoder_.live(bytes, catalog_).has_value()
                                            : decoder_.data(bytes, catalog_).has_value();
    }

    std::size_t sink() const { return sink_; }

private:
    const Messages& messages_;
    const proto::Catalog& catalog_;
    bool encode_;
    proto::Encoder encoder_;
    proto::Decoder decoder_;
    std::size_t sink_ = 0;
};

int run(std::string_view word, long rounds) {
    test::StandardRack rack;
    const bool encode = word.starts_with("encode-");
    const std::string_view kind = word.substr(word.find('-') + 1);
    if ((!encode && !word.starts_with("decode-")) || (kind != "fast" && kind != "slow" && kind != "live") || rounds < 2)
        return 64;
    const Messages messages = make(rack, kind);
    Work work(messages, rack.catalog(), encode);
    work.round();
    const std::size_t before = allocations;
    const auto start = std::chrono::steady_clock::now();
    for (long i = 1; i < rounds; ++i) work.round();
    const std::chrono::duration<double, std::nano> time = std::chrono::steady_clock::now() - start;
    const std::size_t after = allocations, samples = messages.samples * static_cast<std::size_t>(rounds - 1);
    if (!encode && work.sink() != messages.bytes.size() * static_cast<std::size_t>(rounds)) return 1;
    std::printf("samples %zu\nallocations %zu\nns_per_sample %.3g\ngrowing %zu\n", samples, after - before,
                time.count() / static_cast<double>(samples), before);
    return 0;
}

}  // namespace

}  // namespace gwatt::bench

int main(int argc, char** argv) {
    const int status = argc == 3 ? gwatt::bench::run(argv[1], std::atol(argv[2])) : 64;
    if (status == 64) std::fputs("usage: bench_codec encode-fast|encode-slow|encode-live|decode-... ROUNDS\n", stderr);
    return status;
}
