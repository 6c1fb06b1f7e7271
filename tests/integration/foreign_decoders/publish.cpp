// foreign_messages FOLDER: writes messages as our codec encodes them (N.bin), what is to be published (index: `N retain topic
// content-type` a line), and what they mean, from the values before encoding (expected: JSON a line, doubles exact).
#include "proto/codec.hpp"
#include "proto/topics.hpp"
#include "tests/support/standard_rack.hpp"
#include "tests/unit/proto/samples.hpp"

#include <cstdio>
#include <fstream>

namespace {

using namespace gwatt::proto;

// JSON by hand: all text here is plain, and doubles need 17 digits.
class Json {
public:
    Json& number(double value) {
        char text[40];
        std::snprintf(text, sizeof text, "%.17g", value);
        return raw(text);
    }
    template <class Whole> Json& whole(Whole value) { return raw(std::to_string(value)); }
    template <class Enum> Json& code(Enum value) { return whole(static_cast<unsigned>(value)); }
    Json& ns(Duration span) { return whole(span.count()); }
    Json& null() { return raw("null"); }
    Json& text(std::string_view value) { return raw('"' + std::string(value) + '"'); }
    Json& key(std::string_view name) {
        text(name);
        text_ += ':';
        comma_ = false;
        return *this;
    }
    Json& open(char bracket) {
        raw(std::string(1, bracket));
        comma_ = false;
        return *this;
    }
    Json& close(char bracket) {
        text_ += bracket;
        comma_ = true;
        return *this;
    }
    const std::string& str() const { return text_; }

private:
    Json& raw(const std::string& text) {
        if (comma_) text_ += ',';
        text_ += text;
        comma_ = true;
        return *this;
    }
    std::string text_;
    bool comma_ = false;
};

void header(Json& json, const Header& h) {
    json.key("header").open('[').whole(h.boot).whole(h.sequence).whole(h.catalog);
    json.ns(h.clock.monotonic.time_since_epoch()).ns(h.clock.utc.time_since_epoch()).code(h.clock.state);
    json.ns(h.clock.offset).ns(h.clock.bound).close(']');
}

Duration utc(const Header& h, Monotonic time) { return h.clock.utc.time_since_epoch() + (time - h.clock.monotonic); }

// Times travel in whole steps.
Duration in_steps(Duration time, Duration step) {
    const auto half = step / 2;
    return (time.count() >= 0 ? time + half : time - half) / step * step;
}

void values(Json& json, const Catalog& c) {
    json.key("place")
        .open('[')
        .text(c.site)
        .text(c.agent)
        .text(c.hall)
        .text(c.row)
        .text(c.rack)
        .number(c.rating_watts)
        .text(c.software)
        .close(']');
    json.key("sensors").open('[');
    for (const Sensor& s : c.sensors) {
        json.open('[')
            .text(s.name)
            .text(s.label)
            .text(s.part_of)
            .code(s.quantity)
            .code(s.kind)
            .code(s.point)
            .text(s.feed);
        json.code(s.direction).number(s.resolution).number(s.offset).ns(s.window).ns(s.refresh).number(s.wraps_at);
        json.number(s.range_min).number(s.range_max).code(s.basis).open('[');
        for (const auto& b : s.accuracy)
            json.open('[').number(b.from).number(b.to).number(b.relative).number(b.absolute).close(']');
        json.close(']').close(']');
    }
    json.close(']').key("groups").open('[');
    for (const RateGroup& g : c.groups) json.open('[').ns(g.period).whole(g.first).whole(g.count).close(']');
    json.close(']').key("energy_points").open('[');
    for (const auto point : c.energy_points) json.whole(point);
    json.close(']');
}

void values(Json& json, const Status& s) {
    json.key("presence").open('[').code(s.presence).text(s.software).close(']').key("buses").open('[');
    for (const auto& b : s.buses)
        json.open('[').text(b.name).text(b.driver).code(b.state).whole(b.restarts).text(b.error).close(']');
    json.close(']');
}

void power(Json& json, const char* name, const Live::Point& p, double watts) {
    json.key(name);
    if (p.samples == 0)
        json.null();
    else
        json.number(watts);
}

void values(Json& json, const Live& l, const Catalog& c) {
    json.key("interval").open('[').ns(utc(l.header, l.start)).ns(l.interval).close(']').key("points").open('[');
    for (std::size_t i = 0; i < l.points.size(); ++i) {
        const Live::Point& p = l.points[i];
        json.open('{').key("sensor").text(c.sensors[c.energy_points[i]].name).key("epoch").whole(p.epoch);
        json.key("quality").code(p.quality).key("samples").whole(p.samples);
        json.key("as_of").ns(
            utc(l.header, l.header.clock.monotonic + in_steps(p.as_of - l.header.clock.monotonic, l.time_step)));
        json.key("energy_mj")
            .whole(p.energy_mj)
            .key("exported_mj")
            .whole(p.exported_mj)
            .key("estimated_mj")
            .whole(p.estimated_mj);
        json.key("estimated_low_mj").whole(p.estimated_low_mj).key("estimated_high_mj").whole(p.estimated_high_mj);
        power(json, "mean", p, p.mean);
        power(json, "min", p, p.min);
        power(json, "max", p, p.max);
        json.close('}');
    }
    json.close(']');
}

void values(Json& json, const Data& d, const Catalog& c) {
    json.key("cells").open('[');
    std::size_t off_grid = 0;
    for (std::size_t cell = 0; cell < d.values.size(); ++cell) {
        const std::size_t s = cell / d.samples, k = cell % d.samples;
        Duration time =
            utc(d.header, d.start) + d.period * static_cast<std::int64_t>(k) + in_steps(d.scan_offset[s], d.time_step);
        if (off_grid < d.off_grid.size() && d.off_grid[off_grid].cell == cell)
            time += in_steps(d.off_grid[off_grid++].error, d.time_step);
        json.open('[').text(c.sensors[c.groups[d.group].first + s].name).ns(time).code(d.quality[cell]);
        if (has_value(d.quality[cell]))
            json.number(d.values[cell]);
        else
            json.null();
        json.close(']');
    }
    json.close(']').key("grid").open('[').whole(d.group).ns(d.period).ns(d.grid_bound).close(']');
}

void values(Json& json, const Ack& a) {
    json.key("taken").open('[').whole(a.boot).open('[');
    for (const auto& e : a.streams) json.open('[').code(e.stream).whole(e.contiguous).close(']');
    json.close(']').close(']');
}

void values(Json& json, const Rollup& r) {
    json.key("rollup")
        .open('[')
        .whole(r.schema)
        .text(r.scope)
        .ns(r.start.time_since_epoch())
        .ns(r.window)
        .whole(r.version);
    json.number(r.watts).number(r.watts_low).number(r.watts_high).number(r.measured_joules).number(r.estimated_joules);
    json.whole(r.racks_expected)
        .whole(r.racks_measured)
        .whole(r.racks_held)
        .whole(r.racks_estimated)
        .whole(r.racks_missing);
    json.ns(r.oldest).ns(r.clock_bound).close(']');
}

class Folder {
public:
    explicit Folder(std::string path)
        : path_(std::move(path)), index_(path_ + "/index"), expected_(path_ + "/expected") {}

    // `more`: what values() needs beside the message.
    template <class Message, class... More>
    void add(Stream stream, const Catalog& catalog, Bytes bytes, bool history, const Message& message,
             const More&... more) {
        const bool retain = stream == Stream::catalog || stream == Stream::status;
        const std::string where = topic(catalog.site, catalog.agent, stream, history), type(content_type(stream));
        std::ofstream(path_ + "/" + std::to_string(count_) + ".bin", std::ios::binary) << bytes;
        index_ << count_++ << ' ' << retain << ' ' << where << ' ' << type << '\n';
        Json json;
        json.open('{').key("topic").text(where).key("message").text(type.substr(type.rfind('.') + 1));
        if constexpr (requires { message.header; }) header(json, message.header);
        values(json, message, more...);
        json.key("content_type").text(type).close('}');
        expected_ << json.str() << '\n';
    }

    bool good() { return count_ > 0 && index_.flush().good() && expected_.flush().good(); }

private:
    std::string path_;
    std::ofstream index_, expected_;
    int count_ = 0;
};

void add_samples(Folder& folder, Encoder& encoder) {
    const Catalog c = samples::catalog();
    folder.add(Stream::catalog, c, encoder.catalog(c), false, c);
    folder.add(Stream::status, c, encoder.status(samples::status()), false, samples::status());
    folder.add(Stream::live, c, encoder.live(samples::live(c), c), false, samples::live(c), c);
    folder.add(Stream::data, c, encoder.data(samples::data(c), c), false, samples::data(c), c);
    folder.add(Stream::burst, c, encoder.data(samples::data(c), c), false, samples::data(c), c);
    folder.add(Stream::data, c, encoder.data(samples::data(c), c), true, samples::data(c), c);
    folder.add(Stream::ack, c, encoder.ack(samples::ack()), false, samples::ack());
    folder.add(Stream::rollup, c, encoder.rollup(samples::rollup()), false, samples::rollup());
}

void add_rack(Folder& folder, Encoder& encoder) {
    gwatt::test::StandardRack rack;
    const Catalog& c = rack.catalog();
    // Data before its catalog: a subscriber must be able to wait.
    for (int i = 0; i < 6; ++i) {
        const Data& data = rack.next(i % 2 == 0 ? rack.fast : rack.slow);
        folder.add(Stream::data, c, encoder.data(data, c), false, data, c);
        if (i == 3) folder.add(Stream::catalog, c, encoder.catalog(c), false, c);
        if (i % 2 != 0) continue;
        const Live& live = rack.live(static_cast<std::uint32_t>(i));
        folder.add(Stream::live, c, encoder.live(live, c), false, live, c);
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return std::fputs("usage: foreign_messages FOLDER\n", stderr), 64;
    Folder folder(argv[1]);
    Encoder encoder;
    add_samples(folder, encoder);
    add_rack(folder, encoder);
    return folder.good() ? 0 : 73;
}
