#!/usr/bin/python3
"""From a real conversation to a fleet total: pymodbus (not our code) serves an ORv3 power shelf over a pty, gwatt-agent reads it with
driver modbus, mosquitto carries it, gwatt-fleet adds it up. The fleet's joules must equal the energy that the shelf replayed
between the first and the last reading within 0.5 %.

    check.py --bin BIN --plugins PLUGINS [--trace FILE.csv.xz] [--seconds S]

With --trace it replays a segment of a real trace (exit 77, skipped, where the file is missing), else a sine.
"""
import argparse
import json
import math
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(ROOT / "tests" / "integration" / "foreign_decoders"))
from lab import Lab, free_port  # noqa: E402
import subscriber  # noqa: E402

TOLERANCE = 0.005
SPEED = 4  # of the trace: its 2 s samples come every 0.5 s, and are read every 0.2 s
PSUS = 6

AGENT = """[agent]
site = "test"
name = "rack-1"

[mqtt]
host = "127.0.0.1"
port = {port}

[publish]
fast_batch = "1s"

[[bus]]
name = "shelf"
driver = "modbus"
period = "200ms"

[bus.options]
port = "{pty}"
baud = 115200
profile = "{profile}"
units = "192-197"
"""

SITE = """[mqtt]
host = "127.0.0.1"
port = {port}

[metrics]
port = {metrics}

[[rack]]
site = "test"
agent = "rack-1"

[[rack]]
site = "test"
agent = "rack-silent"
estimated_watts = 1000
"""


def metrics(port):
    """{'name{labels}': value} of /metrics; empty while nobody answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=2) as page:
            lines = page.read().decode().splitlines()
    except OSError:
        return {}
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line and line[0] != "#")}


def sample(page, name, **labels):
    """The one sample of `name` with these labels; NaN while there is none."""
    wanted = [f'{k}="{v}"' for k, v in labels.items()]
    found = [v for k, v in page.items() if k.startswith(name + "{") and all(w in k for w in wanted)]
    if len(found) > 1:
        raise SystemExit(f"FAILED: {len(found)} samples of {name} {labels} in /metrics")
    return found[0] if found else math.nan


def of_fleet(page, name, **labels):
    return sample(page, name, scope="fleet", **labels)


def settled_metrics(port):
    """The page once it has told the same for longer than its refresh of a second; 10 s at most."""
    page, since = metrics(port), time.monotonic()
    for _ in range(100):
        time.sleep(0.1)
        now = metrics(port)
        if now.get("gwatt_messages_received_total") != page.get("gwatt_messages_received_total"):
            since = time.monotonic()
        page = now
        if time.monotonic() - since > 2.2:
            break
    return page


class Listener:
    """What a foreign subscriber reads of the agent meanwhile: when each supply's first and last readings were made."""

    def __init__(self, port, generated):
        import paho.mqtt.client as mqtt
        self.reader = subscriber.Reader(subscriber.generated_messages(generated))
        self.first, self.last, self.estimated, self.live = {}, {}, {}, 0  # by sensor: CLOCK_MONOTONIC ns; mJ
        self.client = mqtt.Client(client_id="listener", protocol=mqtt.MQTTv5)
        self.client.on_connect = lambda client, *_: client.subscribe("gwatt/v1/+/+/#", qos=1)
        self.client.on_message = self.take
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def take(self, _client, _data, packet):
        for shown in self.reader.read(packet.topic, packet.payload, ""):
            utc_to_monotonic = (shown["header"][3] - shown["header"][4]) if "header" in shown else 0
            if shown["message"] == "Data":
                for name, time_utc, _quality, value in shown["cells"]:
                    if name.endswith("input_power") and value is not None:
                        self.first[name] = min(time_utc + utc_to_monotonic, self.first.get(name, math.inf))
            elif shown["message"] == "Live":
                self.live += 1
                for point in shown["points"]:
                    if point["sensor"].endswith("input_power") and point["energy_mj"] > 0:
                        self.estimated[point["sensor"]] = max(point["estimated_mj"], self.estimated.get(point["sensor"], 0))
                        self.last[point["sensor"]] = max(point["as_of"] + utc_to_monotonic, self.last.get(point["sensor"], 0))

    def spans(self):
        """(first, last) of each supply in CLOCK_MONOTONIC s."""
        return [(first / 1e9, self.last[name] / 1e9) for name, first in self.first.items()]


def replayed_energy(shelf, spans):
    """Joules that the shelf's supplies, which share its load evenly, were asked for over their spans."""
    total = 0.0
    for span in spans:
        shelf.stdin.write((json.dumps({"energy": span}) + "\n").encode())
        shelf.stdin.flush()
        total += json.loads(shelf.stdout.readline())["energy_j"] / PSUS
    return total


def generate(folder):
    folder.mkdir()
    sources = sorted((ROOT / "proto").glob("gwatt/v1/*.proto"))
    subprocess.run(["protoc", "-I", ROOT / "proto", f"--python_out={folder}", *sources], check=True)
    return str(folder)


def shelf_source(options):
    if not options.trace:
        return ["--sine", "9000:0.3:7"]
    if not Path(options.trace).is_file():
        print(f"SKIPPED: no real trace at {options.trace}")
        sys.exit(77)
    return ["--trace", options.trace, "--node", "7", "--speed", str(SPEED), "--start-at", "600"]


def run(lab, options):
    source = shelf_source(options)
    broker, port = lab.broker()
    pty, metrics_port = lab.folder / "shelf", free_port()
    shelf = lab.start("shelf", "/usr/bin/python3", ROOT / "tests/simulators/modbus_shelf.py", "--pty", pty, "--units", "192-197",
                      *source, stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    ready = shelf.stdout.readline().decode()
    assert ready.startswith("READY"), ready
    fleet = lab.start("fleet", options.bin / "gwatt-fleet", "--site", lab.write("site.toml", SITE.format(port=port, metrics=metrics_port)))
    lab.wait_until("gwatt-fleet serves /metrics", lambda: metrics(metrics_port))
    listener = Listener(port, generate(lab.folder / "generated"))
    profile = ROOT / "firmware-config/profiles/orv3_psu.toml"
    config = lab.write("agent.toml", AGENT.format(port=port, pty=pty, profile=profile))
    agent = lab.start("agent", options.bin / "gwatt-agent", "--config", config)
    lab.wait_until("the rack is measured", lambda: of_fleet(metrics(metrics_port), "gwatt_racks", state="measured") == 1)
    lab.wait_until(f"{options.seconds} s of readings", lambda: listener.live >= options.seconds, options.seconds + 20)
    during = metrics(metrics_port)
    agent.terminate()
    agent.wait(10)
    lab.processes = [p for p in lab.processes if p[1] is not agent]
    after = settled_metrics(metrics_port)
    return agent.returncode, during, after, replayed_energy(shelf, listener.spans()), listener.spans(), sum(listener.estimated.values()) / 1e3, fleet.poll()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--bin", type=lambda p: Path(p).resolve(), required=True)
    parser.add_argument("--trace", type=lambda p: str(Path(p).resolve()))
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    with Lab("spine") as lab:
        status, during, after, replayed, spans, booked, fleet_status = run(lab, options)
        rack = {"level": "rack", "scope": "site/test/rack/rack-1"}
        measured = sample(after, "gwatt_energy_joules_total", **rack, kind="measured")
        joules = measured + booked
        print(f"replayed  {replayed:12.1f} J in {max(last - first for first, last in spans):.3f} s, {len(spans)} PSUs")
        print(f"fleet     {joules:12.1f} J ({100 * (joules / replayed - 1):+.4f} %): {measured:.1f} measured, "
              f"{booked:.1f} booked by the agent as estimated, for readings that came late or not")
        print(f"power     {of_fleet(during, 'gwatt_fleet_power_watts'):12.1f} W, "
              f"{of_fleet(during, 'gwatt_racks', state='measured'):.0f} of {of_fleet(during, 'gwatt_racks_expected'):.0f} racks measured")
        checks = {
            "the agent ended with 0": status == 0,
            "the fleet program still runs": fleet_status is None,
            "all supplies were read": len(spans) == PSUS,
            "joules agree within 0.5 %": abs(joules / replayed - 1) <= TOLERANCE,
            "most of them measured": measured > 0.5 * joules,
            "time was covered": min(last - first for first, last in spans) >= options.seconds - 4,
            "one of two racks was measured, the silent one estimated": of_fleet(during, "gwatt_racks", state="measured") == 1
            and of_fleet(during, "gwatt_racks", state="estimated") == 1,
            "coverage says so": math.isclose(of_fleet(during, "gwatt_coverage_ratio"), 0.5),
            "all messages were used": sum(v for k, v in after.items() if k.startswith("gwatt_messages_rejected_total")) == 0,
            "none is missing": after.get("gwatt_messages_missing") == 0,
        }
        for what, good in checks.items():
            print("ok    " if good else "FAILED", what)
        if not all(checks.values()):
            lab.keep = True
            print(lab.log_tail("agent"), lab.log_tail("fleet"), sep="\n")
            sys.exit(1)


if __name__ == "__main__":
    main()
