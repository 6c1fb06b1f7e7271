// Status, Ack and Rollup: small messages without columns. Format: proto/gwatt/v1/status.proto, fleet.proto.
#include "proto/codec_wire.hpp"

#include <algorithm>
#include <cmath>

namespace gwatt::proto {

namespace {

constexpr std::size_t max_buses = 1024;
constexpr std::size_t max_ack_entries = 64;

}  // namespace

Bytes Encoder::status(const Status& message) {
    pb::Status& out = buffers_->status;
    out.Clear();
    put_header(message.header, *out.mutable_header());
    out.set_presence(static_cast<pb::Presence>(message.presence));
    put_text(message.software, *out.mutable_software());
    for (const BusStatus& bus : message.buses) {
        auto& to = *out.add_buses();
        put_text(bus.name, *to.mutable_name());
        put_text(bus.driver, *to.mutable_driver());
        to.set_state(static_cast<pb::BusState>(bus.state));
        to.set_restarts(bus.restarts);
        put_text(bus.error, *to.mutable_error());
    }
    return buffers_->serialise(out);
}

Decoder::Result<const Status*> Decoder::status(Bytes bytes) {
    const DecodeLimits& limits = buffers_->limits;
    if (bytes.size() > limits.bytes || count_fields(bytes, pb::Status::kBusesFieldNumber, max_buses) > max_buses)
        return DecodeError::too_large;
    pb::Status& wire = buffers_->wire.status;
    if (!buffers_->parse(bytes, wire)) return buffers_->reason(bytes);
    Status& to = buffers_->status;
    const auto header = take_header(wire.header());
    if (!header) return header.error();
    to.header = *header;
    to.presence = open_enum<Presence>(wire.presence());
    if (!fits(wire.software(), limits)) return DecodeError::too_large;
    to.software = wire.software();
    to.buses.clear();
    for (const auto& bus : wire.buses()) {
        if (!fits(bus.name(), limits) || !fits(bus.driver(), limits) || !fits(bus.error(), limits))
            return DecodeError::too_large;
        to.buses.push_back({bus.name(), bus.driver(), open_enum<BusState>(bus.state()), bus.restarts(), bus.error()});
    }
    return &to;
}

Bytes Encoder::ack(const Ack& message) {
    pb::Ack& out = buffers_->ack;
    out.Clear();
    out.set_boot(message.boot);
    for (const Ack::Entry& entry : message.streams) {
        auto& to = *out.add_streams();
        to.set_stream(static_cast<pb::Ack::Entry::Stream>(entry.stream));
        to.set_contiguous(entry.contiguous);
    }
    return buffers_->serialise(out);
}

Decoder::Result<const Ack*> Decoder::ack(Bytes bytes) {
    if (bytes.size() > buffers_->limits.bytes ||
        count_fields(bytes, pb::Ack::kStreamsFieldNumber, max_ack_entries) > max_ack_entries)
        return DecodeError::too_large;
    pb::Ack& wire = buffers_->wire.ack;
    if (!buffers_->parse(bytes, wire)) return buffers_->reason(bytes);
    Ack& to = buffers_->ack;
    to.boot = wire.boot();
    to.streams.clear();
    for (const auto& entry : wire.streams()) {
        // A stream that we do not know is another's business, not an error.
        if (entry.stream() < 0 || entry.stream() > static_cast<int>(Stream::burst)) continue;
        to.streams.push_back({static_cast<Stream>(entry.stream()), entry.contiguous()});
    }
    return &to;
}

Bytes Encoder::rollup(const Rollup& message) {
    pb::Rollup& out = buffers_->rollup;
    out.set_schema(message.schema);
    put_text(message.scope, *out.mutable_scope());
    out.set_start_ns(message.start.time_since_epoch().count());
    out.set_window_ns(to_wire(message.window));
    out.set_version(message.version);
    out.set_watts(message.watts);
    out.set_watts_low(message.watts_low);
    out.set_watts_high(message.watts_high);
    out.set_measured_joules(message.measured_joules);
    out.set_estimated_joules(message.estimated_joules);
    out.set_racks_expected(message.racks_expected);
    out.set_racks_measured(message.racks_measured);
    out.set_racks_held(message.racks_held);
    out.set_racks_estimated(message.racks_estimated);
    out.set_racks_missing(message.racks_missing);
    out.set_oldest_ns(to_wire(message.oldest));
    out.set_clock_bound_ns(to_wire(message.clock_bound));
    return buffers_->serialise(out);
}

Decoder::Result<const Rollup*> Decoder::rollup(Bytes bytes) {
    pb::Rollup& wire = buffers_->wire.rollup;
    if (!buffers_->parse(bytes, wire)) return buffers_->reason(bytes);
    if (wire.schema() != schema_version) return DecodeError::wrong_schema;
    if (!fits(wire.scope(), buffers_->limits)) return DecodeError::too_large;
    const double numbers[] = {wire.watts(), wire.watts_low(), wire.watts_high(), wire.measured_joules(),
                              wire.estimated_joules()};
    if (!std::all_of(std::begin(numbers), std::end(numbers), [](double x) { return std::isfinite(x); }) ||
        wire.start_ns() > max_instant_ns || wire.start_ns() < -max_instant_ns || !is_span(wire.window_ns()) ||
        !is_span(wire.oldest_ns()) || wire.clock_bound_ns() > static_cast<std::uint64_t>(max_instant_ns))
        return DecodeError::inconsistent;
    Rollup& to = buffers_->rollup;
    to.schema = wire.schema();
    to.scope = wire.scope();
    to.start = Utc(Duration(wire.start_ns()));
    to.window = to_duration(wire.window_ns());
    to.version = wire.version();
    to.watts = wire.watts();
    to.watts_low = wire.watts_low();
    to.watts_high = wire.watts_high();
    to.measured_joules = wire.measured_joules();
    to.estimated_joules = wire.estimated_joules();
    to.racks_expected = wire.racks_expected();
    to.racks_measured = wire.racks_measured();
    to.racks_held = wire.racks_held();
    to.racks_estimated = wire.racks_estimated();
    to.racks_missing = wire.racks_missing();
    to.oldest = to_duration(wire.oldest_ns());
    to.clock_bound = to_duration(wire.clock_bound_ns());
    return &to;
}

}  // namespace gwatt::proto
