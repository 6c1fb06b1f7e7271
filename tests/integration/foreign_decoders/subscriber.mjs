#!/usr/bin/env node
// A complete gwatt subscriber in JavaScript: prints every message it understands as one line of JSON.
//
//     npm ci
//     node subscriber.mjs --broker localhost:1883 --topic 'gwatt/v1/+/+/#' --proto ../../../proto [--count N] [--seconds S]
//
// Needs MQTT.js and protobufjs, and the .proto files themselves. 64-bit numbers are BigInt on the way and, in the JSON, plain
// digits. Copy from it what you need: docs/wire.md explains each step.
import { join } from "node:path";
import { parseArgs } from "node:util";
import mqtt from "mqtt";
import protobuf from "protobufjs";

const NO_VALUE = 16; // qualities from here on have no value

const big = (long) => BigInt(long.toString());

function runningSums(numbers) {
  let total = 0n;
  return numbers.map((number) => (total += big(number)));
}

// Quality of each cell: good (0), but for the runs [gap, length, quality].
function qualities(triples, cells) {
  const all = new Array(cells).fill(0);
  for (let i = 0, end = 0; i < triples.length; i += 3) {
    const begin = end + triples[i];
    end = begin + triples[i + 1];
    all.fill(triples[i + 2], begin, end);
  }
  return all;
}

// A column told as lengths and numbers; nothing told means zeros.
function column(lengths, numbers, length, zero) {
  if (lengths.length === 0) return new Array(length).fill(zero);
  return numbers.flatMap((number, i) => new Array(Number(lengths[i])).fill(number));
}

const even = (list) => list.filter((_, i) => i % 2 === 0);
const odd = (list) => list.filter((_, i) => i % 2 === 1);

// Every cell of a Data message: [sensor name, UTC in ns, quality, value or null].
function dataCells(data, catalog) {
  const group = catalog.groups[data.group];
  const sensors = catalog.sensors.slice(group.first, group.first + group.count);
  const quality = qualities(data.quality, sensors.length * data.samples);
  const offset = column(even(data.scanOffset), runningSums(odd(data.scanOffset)), sensors.length, 0n);
  const offGridCells = runningSums(even(data.offGrid));
  const offGrid = new Map(odd(data.offGrid).map((error, i) => [Number(offGridCells[i]), big(error)]));
  const start = big(data.header.clock.utcNs) + big(data.startNs);
  let nextStep = 0, nextNumber = 0;
  return sensors.flatMap((sensor, s) => {
    let n = 0n;
    return Array.from({ length: data.samples }, (_, k) => {
      const cell = s * data.samples + k;
      let value = null;
      if (quality[cell] < NO_VALUE && sensor.resolution > 0) {
        n += big(data.steps[nextStep++]);
        value = sensor.offset + Number(n) * sensor.resolution;
      } else if (quality[cell] < NO_VALUE) {
        value = data.numbers[nextNumber++];
      }
      const moment = start + BigInt(k) * big(data.periodNs) + (offset[s] + (offGrid.get(cell) ?? 0n)) * (big(data.timeStepNs) || 1n);
      return [sensor.name, moment, quality[cell], value];
    });
  });
}

// Every energy point of a Live message. Energies in millijoules, power in watts.
function livePoints(live, catalog) {
  const quality = qualities(live.quality, live.points);
  const samples = column(even(live.samples), odd(live.samples), live.points, 0);
  const epoch = column(even(live.epoch), odd(live.epoch), live.points, 0);
  const asOf = runningSums(live.asOf);
  const unit = BigInt(live.estimatedUnitMj || 1);
  return Array.from({ length: live.points }, (_, i) => {
    const of = (numbers) => (numbers.length ? big(numbers[i]) : 0n);
    const sensor = catalog.sensors[catalog.energyPoints[i]];
    const stepped = sensor.quantity === 1 && sensor.resolution > 0; // 1: power
    const [offset, step] = stepped ? [sensor.offset, sensor.resolution] : [0, 0.01];
    const watts = (n) => (samples[i] ? offset + Number(n) * step : null);
    const mean = of(live.mean), estimated = of(live.estimated), below = of(live.estimatedBelow);
    return {
      sensor: sensor.name, epoch: epoch[i], quality: quality[i], samples: samples[i],
      as_of: big(live.header.clock.utcNs) + (asOf[i] ?? 0n) * (big(live.timeStepNs) || 1n),
      energy_mj: of(live.energyMj), exported_mj: of(live.exportedMj),
      estimated_mj: estimated * unit, estimated_low_mj: (estimated - below) * unit,
      estimated_high_mj: (estimated + below + of(live.estimatedSkew)) * unit,
      mean: watts(mean), min: watts(mean - of(live.meanLessMin)), max: watts(mean + of(live.maxLessMean)),
    };
  });
}

// A message as plain values.
const show = {
  Data: (m, catalog) => ({
    cells: dataCells(m, catalog), grid: [m.group, big(m.periodNs), big(m.gridBoundNs)],
  }),
  Live: (m, catalog) => ({
    interval: [big(m.header.clock.utcNs) + big(m.startNs), big(m.intervalNs)], points: livePoints(m, catalog),
  }),
  Catalog: (m) => ({
    place: [m.site, m.agent, m.hall, m.row, m.rack, m.ratingWatts, m.software],
    sensors: m.sensors.map((s) => [s.name, s.label, s.partOf, s.quantity, s.kind, s.point, s.feed, s.direction, s.resolution,
      s.offset, big(s.windowNs), big(s.refreshNs), s.wrapsAt, s.rangeMin, s.rangeMax, s.basis,
      s.accuracy.map((b) => [b.from, b.to, b.relative, b.absolute])]),
    groups: m.groups.map((g) => [big(g.periodNs), g.first, g.count]), energy_points: m.energyPoints,
  }),
  Status: (m) => ({
    presence: [m.presence, m.software], buses: m.buses.map((b) => [b.name, b.driver, b.state, b.restarts, b.error]),
  }),
  Ack: (m) => ({ taken: [big(m.boot), m.streams.map((e) => [e.stream, big(e.contiguous)])] }),
  Rollup: (m) => ({
    rollup: [m.schema, m.scope, big(m.startNs), big(m.windowNs), m.version, m.watts, m.wattsLow, m.wattsHigh, m.measuredJoules,
      m.estimatedJoules, m.racksExpected, m.racksMeasured, m.racksHeld, m.racksEstimated, m.racksMissing, big(m.oldestNs),
      big(m.clockBoundNs)],
  }),
};

const kinds = { catalog: "Catalog", status: "Status", live: "Live", data: "Data", burst: "Data", ack: "Ack", rollup: "Rollup" };

// Turns payloads into plain values. Keeps catalogs by their hash; messages that came before theirs wait for it.
class Reader {
  constructor(root) {
    this.root = root;
    this.catalogs = new Map();
    this.waiting = [];
  }

  read(topic, payload, contentType) {
    const kind = kinds[topic.split("/").at(-1)];
    if (!kind) return [];
    const message = this.root.lookupType(`gwatt.v1.${kind}`).decode(payload);
    const shown = { topic, content_type: contentType, message: kind };
    let catalog, waited = [];
    if (kind !== "Ack" && kind !== "Rollup") {
      const { schema, boot, sequence, catalog: hash, clock } = message.header;
      if (schema !== 1) return [];
      shown.header = [big(boot), big(sequence), big(hash), big(clock.monotonicNs), big(clock.utcNs), clock.state,
        big(clock.offsetNs), big(clock.boundNs)];
      if (kind === "Catalog") {
        this.catalogs.set(hash.toString(), message);
        [waited, this.waiting] = [this.waiting, []];
      }
      catalog = this.catalogs.get(hash.toString());
      if (!catalog && (kind === "Data" || kind === "Live")) {
        this.waiting = [...this.waiting.slice(-999), [topic, payload, contentType]];
        return [];
      }
    }
    return [{ ...shown, ...show[kind](message, catalog) }, ...waited.flatMap((held) => this.read(...held))];
  }
}

// BigInt as plain digits, which JSON.stringify refuses.
const json = (value) =>
  typeof value === "bigint" ? value.toString()
  : Array.isArray(value) ? `[${value.map(json)}]`
  : value !== null && typeof value === "object" ? `{${Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}:${json(v)}`)}}`
  : JSON.stringify(value);

const { values: options } = parseArgs({
  options: {
    broker: { type: "string", default: "localhost:1883" }, topic: { type: "string", default: "gwatt/v1/+/+/#" },
    proto: { type: "string" }, count: { type: "string", default: "0" }, seconds: { type: "string", default: "0" },
  },
});
const root = new protobuf.Root();
root.resolvePath = (_origin, target) => join(options.proto, target);
await root.load(["header", "catalog", "status", "live", "data", "fleet"].map((name) => `gwatt/v1/${name}.proto`));
const reader = new Reader(root);
const client = mqtt.connect(`mqtt://${options.broker}`, { protocolVersion: 5, clientId: "gwatt-node" });
let seen = 0;
client.on("connect", () => client.subscribe(options.topic, { qos: 1 }));
client.on("message", (topic, payload, packet) => {
  for (const shown of reader.read(topic, payload, packet.properties?.contentType ?? "")) console.log(json(shown));
  if (++seen === Number(options.count)) client.end();
});
if (Number(options.seconds)) setTimeout(() => client.end(), Number(options.seconds) * 1000);
