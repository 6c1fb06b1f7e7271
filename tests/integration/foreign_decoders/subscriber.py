#!/usr/bin/python3
"""A complete gwatt subscriber in Python: prints every message it understands as one line of JSON.

    protoc -I proto --python_out=generated proto/gwatt/v1/*.proto
    subscriber.py --broker localhost:1883 --topic 'gwatt/v1/+/+/#' --generated generated [--count N] [--seconds S]

Needs python3-paho-mqtt and python3-protobuf. Copy from it what you need: docs/wire.md explains each step.
"""
import argparse
import json
import sys
import time

NO_VALUE = 16  # qualities from here on have no value


def runs(numbers, parts):
    """[1, 2, 3, 4, ...] as tuples of `parts` numbers."""
    return zip(*(iter(numbers),) * parts)


def qualities(triples, cells):
    """Quality of each cell: good (0), but for the runs [gap, length, quality]."""
    all_cells, end = [0] * cells, 0
    for gap, length, quality in runs(triples, 3):
        end += gap + length
        all_cells[end - length:end] = [quality] * length
    return all_cells


def column(pairs, length):
    """A column told as runs [length, number]; nothing told means zeros."""
    return [number for count, number in runs(pairs, 2) for _ in range(count)] or [0] * length


def running_sum(numbers):
    total = 0
    for number in numbers:
        total += number
        yield total


def data_cells(data, catalog):
    """Every cell of a Data message: (sensor, UTC in ns, quality, value or None)."""
    group = catalog.groups[data.group]
    sensors = catalog.sensors[group.first:group.first + group.count]
    quality = qualities(data.quality, len(sensors) * data.samples)
    offsets = list(running_sum(data.scan_offset[1::2]))
    offset = column([n for pair in zip(data.scan_offset[::2], offsets) for n in pair], len(sensors))
    off_grid = dict(zip(running_sum(data.off_grid[::2]), data.off_grid[1::2]))
    steps, numbers = iter(data.steps), iter(data.numbers)
    start = data.header.clock.utc_ns + data.start_ns
    for s, sensor in enumerate(sensors):
        n = 0
        for k in range(data.samples):
            cell, value = s * data.samples + k, None
            if quality[cell] < NO_VALUE and sensor.resolution > 0:
                n += next(steps)
                value = sensor.offset + n * sensor.resolution
            elif quality[cell] < NO_VALUE:
                value = next(numbers)
            moment = start + k * data.period_ns + (offset[s] + off_grid.get(cell, 0)) * (data.time_step_ns or 1)
            yield sensor, moment, quality[cell], value


def live_points(live, catalog):
    """Every energy point of a Live message, as a dictionary. Energies in millijoules, power in watts."""
    zeros = [0] * live.points
    quality = qualities(live.quality, live.points)
    samples, epoch = column(live.samples, live.points), column(live.epoch, live.points)
    as_of = list(running_sum(live.as_of)) or zeros
    unit = live.estimated_unit_mj or 1
    for i in range(live.points):
        def of(numbers):
            return numbers[i] if numbers else 0
        sensor = catalog.sensors[catalog.energy_points[i]]
        stepped = sensor.quantity == 1 and sensor.resolution > 0  # 1: power
        offset, step = (sensor.offset, sensor.resolution) if stepped else (0.0, 0.01)
        mean, below = of(live.mean), of(live.estimated_below)
        power = {"mean": mean, "min": mean - of(live.mean_less_min), "max": mean + of(live.max_less_mean)}
        yield {
            "sensor": sensor.name, "epoch": epoch[i], "quality": quality[i], "samples": samples[i],
            "as_of": live.header.clock.utc_ns + as_of[i] * (live.time_step_ns or 1),
            "energy_mj": of(live.energy_mj), "exported_mj": of(live.exported_mj),
            "estimated_mj": of(live.estimated) * unit, "estimated_low_mj": (of(live.estimated) - below) * unit,
            "estimated_high_mj": (of(live.estimated) + below + of(live.estimated_skew)) * unit,
            **{name: offset + n * step if samples[i] else None for name, n in power.items()},
        }


class Reader:
    """Turns payloads into dictionaries. Keeps catalogs by their hash; messages that came before theirs wait for it."""

    def __init__(self, messages):
        self.messages = messages  # stream name -> generated class
        self.catalogs = {}
        self.waiting = []

    def read(self, topic, payload, content_type):
        """The dictionaries that this payload makes known: none, one, or with a catalog those that waited for it."""
        stream = topic.split("/")[-1]
        kind = self.messages.get("data" if stream == "burst" else stream)
        if kind is None:
            return []
        message = kind.FromString(payload)
        if stream != "rollup" and stream != "ack" and message.header.schema != 1:
            return []
        if stream == "catalog":
            self.catalogs[message.header.catalog] = message
            waited, self.waiting = self.waiting, []
            return [show(topic, content_type, message)] + [one for held in waited for one in self.read(*held)]
        if stream in ("data", "live", "burst"):
            catalog = self.catalogs.get(message.header.catalog)
            if catalog is None:
                self.waiting = self.waiting[-999:] + [(topic, payload, content_type)]
                return []
            return [show(topic, content_type, message, catalog)]
        return [show(topic, content_type, message)]


def show(topic, content_type, message, catalog=None):
    """A message as plain values."""
    kind = type(message).__name__
    shown = {"topic": topic, "content_type": content_type, "message": kind}
    if kind not in ("Ack", "Rollup"):
        header, clock = message.header, message.header.clock
        shown["header"] = [header.boot, header.sequence, header.catalog, clock.monotonic_ns, clock.utc_ns, clock.state,
                           clock.offset_ns, clock.bound_ns]
    if kind == "Data":
        shown["cells"] = [[sensor.name, *rest] for sensor, *rest in data_cells(message, catalog)]
        shown["grid"] = [message.group, message.period_ns, message.grid_bound_ns]
    elif kind == "Live":
        shown["interval"] = [message.header.clock.utc_ns + message.start_ns, message.interval_ns]
        shown["points"] = list(live_points(message, catalog))
    elif kind == "Catalog":
        shown["place"] = [message.site, message.agent, message.hall, message.row, message.rack, message.rating_watts, message.software]
        shown["sensors"] = [[s.name, s.label, s.part_of, s.quantity, s.kind, s.point, s.feed, s.direction, s.resolution, s.offset,
                             s.window_ns, s.refresh_ns, s.wraps_at, s.range_min, s.range_max, s.basis,
                             [[getattr(b, "from"), b.to, b.relative, b.absolute] for b in s.accuracy]]
                            for s in message.sensors]
        shown["groups"] = [[g.period_ns, g.first, g.count] for g in message.groups]
        shown["energy_points"] = list(message.energy_points)
    elif kind == "Status":
        shown["presence"] = [message.presence, message.software]
        shown["buses"] = [[b.name, b.driver, b.state, b.restarts, b.error] for b in message.buses]
    elif kind == "Ack":
        shown["taken"] = [message.boot, [[e.stream, e.contiguous] for e in message.streams]]
    else:
        m = message
        shown["rollup"] = [m.schema, m.scope, m.start_ns, m.window_ns, m.version, m.watts, m.watts_low, m.watts_high, m.measured_joules,
                           m.estimated_joules, m.racks_expected, m.racks_measured, m.racks_held, m.racks_estimated,
                           m.racks_missing, m.oldest_ns, m.clock_bound_ns]
    return shown


def generated_messages(folder):
    """Stream name -> class, from what `protoc --python_out` made."""
    sys.path.insert(0, folder)
    from gwatt.v1 import catalog_pb2, data_pb2, fleet_pb2, live_pb2, status_pb2
    return {"catalog": catalog_pb2.Catalog, "status": status_pb2.Status, "live": live_pb2.Live, "data": data_pb2.Data,
            "ack": fleet_pb2.Ack, "rollup": fleet_pb2.Rollup}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--broker", default="localhost:1883")
    parser.add_argument("--topic", default="gwatt/v1/+/+/#")
    parser.add_argument("--generated", required=True)
    parser.add_argument("--count", type=int, default=0, help="end after so many messages")
    parser.add_argument("--seconds", type=float, default=0, help="end after so long")
    options = parser.parse_args()
    import paho.mqtt.client as mqtt
    reader = Reader(generated_messages(options.generated))
    seen = 0

    def on_message(_client, _data, packet):
        nonlocal seen
        for shown in reader.read(packet.topic, packet.payload, getattr(packet.properties, "ContentType", "")):
            print(json.dumps(shown), flush=True)
        seen += 1

    client = mqtt.Client(client_id="gwatt-python", protocol=mqtt.MQTTv5)
    client.on_connect = lambda *_: client.subscribe(options.topic, qos=1)
    client.on_message = on_message
    host, port = options.broker.rsplit(":", 1)
    client.connect(host, int(port))
    end = time.monotonic() + options.seconds if options.seconds else float("inf")
    while (not options.count or seen < options.count) and time.monotonic() < end:
        client.loop(0.1)
    client.disconnect()


if __name__ == "__main__":
    main()
