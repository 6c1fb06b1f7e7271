// Cheap guards of two bars of the wire, so that no commit loses them unseen; the benches wire and codec tell more. Prints
// `name value unit` lines; ends with 1 where a bar is missed.
#include "proto/codec.hpp"
#include "proto/topics.hpp"
#include "tests/support/publish_size.hpp"
#include "tests/support/standard_rack.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>

namespace {

std::size_t allocations = 0;

void* counted(std::size_t size) {
    ++allocations;
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) { return counted(size); }
void* operator new[](std::size_t size) { return counted(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace gwatt;

struct Totals {
    double bytes = 0, samples = 0;
    std::size_t allocations = 0;
    bool decoded = true;
};

// One minute of the rack: six fast messages with ten live ones each, and a slow one.
void minute(test::StandardRack& rack, proto::Encoder& encoder, proto::Decoder& decoder, Totals& totals) {
    const proto::Catalog& catalog = rack.catalog();
    const std::string topic = proto::topic(catalog.site, catalog.agent, proto::Stream::data);
    for (int message = 0; message < 7; ++message) {
        const proto::Data& data = rack.next(message < 6 ? rack.fast : rack.slow);
        const std::size_t before = allocations;
        const proto::Bytes bytes = encoder.data(data, catalog);
        totals.decoded = totals.decoded && decoder.data(bytes, catalog).has_value();
        totals.allocations += allocations - before;
        totals.bytes +=
            static_cast<double>(test::publish_size(topic, proto::content_type(proto::Stream::data), bytes.size()));
        totals.samples +=
            static_cast<double>(std::count_if(data.quality.begin(), data.quality.end(), proto::has_value));
        for (std::uint32_t k = 0; message < 6 && k < data.samples; ++k) {
            const proto::Live& live = rack.live(k);
            const std::size_t before_live = allocations;
            totals.decoded = totals.decoded && decoder.live(encoder.live(live, catalog), catalog).has_value();
            totals.allocations += allocations - before_live;
        }
    }
}

}  // namespace

int main() {
    test::StandardRack rack;
    proto::Encoder encoder;
    proto::Decoder decoder;
    Totals warm, steady;
    for (int i = 0; i < 5; ++i) minute(rack, encoder, decoder, warm);
    for (int i = 0; i < 10; ++i) minute(rack, encoder, decoder, steady);
    const double bytes_per_sample = steady.bytes / steady.samples;
    std::printf("guard.wire.data %.4f B/sample\n", bytes_per_sample);
    std::printf("guard.codec.allocations.warm %zu allocations\n", warm.allocations);
    std::printf("guard.codec.allocations.steady %zu allocations\n", steady.allocations);
    if (!warm.decoded || !steady.decoded)
        return std::fputs("a message of the standard rack was not decoded\n", stderr), 1;
    if (bytes_per_sample > 1.37) return std::fputs("more than 1.37 bytes a sample\n", stderr), 1;
    if (steady.allocations > 0) return std::fputs("allocations in the steady state\n", stderr), 1;
    // The count itself must work, or the bar above could not fail.
    if (warm.allocations == 0) return std::fputs("no allocation was counted while the buffers grew\n", stderr), 1;
    return 0;
}
