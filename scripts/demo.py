#!/usr/bin/python3
"""The demo: a broker, a row of racks with one agent each, gwatt-fleet, and its live table. Usually run as `./dev demo`.

usage: demo.py --build BUILD_DIR [--seconds N] [--keep]
Without --seconds it shows `gwatt-fleet top` until Ctrl-C. With it, it runs that long, prints the last table, and exits 0 only
if a total with the expected coverage was seen. Everything that it started is ended on every way out, and nothing else.
"""
import argparse
import re
import signal
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "scripts"))

import demo_row  # noqa: E402
from lab import Ended, Failed, Lab, free_port, listens  # noqa: E402

READY_WITHIN = 60


def say(text=""):
    print(text, flush=True)


class Metrics:
    """What gwatt-fleet's /metrics says of the whole fleet."""

    def __init__(self, port):
        self._url = f"http://127.0.0.1:{port}/metrics"

    def read(self):
        try:
            with urllib.request.urlopen(self._url, timeout=2) as answer:
                text = answer.read().decode()
        except OSError:
            return {}
        found = {}
        for name, labels, value in re.findall(r"^(\w+)\{([^}]*)\} (\S+)$", text, re.M):
            if 'level="fleet"' in labels:
                state = re.search(r'(?:state|kind)="(\w+)"', labels)
                found[name + (f":{state[1]}" if state else "")] = float(value)
        return found

    def measured(self):
        return int(self.read().get("gwatt_racks:measured", 0))


class Row:
    """Starts the parts in the order in which they need each other."""

    def __init__(self, lab, build):
        self.lab, self.programs = lab, build / "bin"

    def start(self):
        _, self.broker_port = self.lab.broker()
        for number, rack in enumerate(demo_row.speaking(), 1):
            bus = getattr(self, f"_{rack[2]}_bus")(number, rack)
            config = self.lab.write(f"{rack[0]}.toml", demo_row.agent_config(rack, self.broker_port, bus))
            self.lab.start(rack[0], self.programs / "gwatt-agent", "--config", config)
        self.metrics_port = free_port()
        self.site = self.lab.write("site.toml", demo_row.site_config(self.broker_port, self.metrics_port))
        self.lab.start("gwatt-fleet", self.programs / "gwatt-fleet", "--site", self.site)
        self.lab.wait_until("gwatt-fleet answers on /metrics", lambda: listens(self.metrics_port))
        return Metrics(self.metrics_port)

    def _simulated_bus(self, number, rack):
        return demo_row.simulated_bus(number, rack[3])

    def _modbus_bus(self, _number, rack):
        """pymodbus plays an ORv3 shelf behind a pty; the agent knows only the tty."""
        tty = self.lab.folder / f"{rack[0]}-rs485"
        self._simulator(f"{rack[0]}-shelf", "modbus_shelf.py", "--pty", tty, "--units", "1-6", "--stay",
                        "--sine", f"{rack[3] * 800}:0.2:50")
        return demo_row.modbus_bus(tty, ROOT / "firmware-config/profiles/orv3_psu.toml")

    def _hwmon_bus(self, _number, rack):
        tree = self.lab.folder / f"{rack[0]}-sys"
        self._simulator(f"{rack[0]}-tree", "hwmon_tree.py", tree, "--watts", str(rack[3] * 400))
        return demo_row.hwmon_bus(tree)

    def _simulator(self, name, script, *words):
        self.lab.start(name, "/usr/bin/python3", ROOT / "tests/simulators" / script, *words)
        log = self.lab.folder / f"{name}.log"
        self.lab.wait_until(f"{script} is ready", lambda: "ready" in log.read_text(encoding="utf-8", errors="replace").lower())


def explain(row, metrics_port):
    speaking = len(demo_row.speaking())
    say(f"\nWhat you are looking at: {speaking} of {len(demo_row.RACKS)} racks of site `{demo_row.SITE}`, one gwatt-agent each,")
    say(f"publishing protobuf to mosquitto on port {row.broker_port}; gwatt-fleet adds them up.")
    for agent, _, kind, _ in demo_row.RACKS:
        say(f"  {agent}  {demo_row.WHAT[kind]}")
    say(f"Metrics: http://127.0.0.1:{metrics_port}/metrics    Files: {row.lab.folder}")
    say(f"Messages: mosquitto_sub -p {row.broker_port} -t 'gwatt/#' -F '%t %l bytes'\n")


def wait_for_all(lab, metrics):
    wanted, shown = len(demo_row.speaking()), None

    def all_speak():
        nonlocal shown
        measured = metrics.measured()
        if measured != shown:
            shown = measured
            say(f"  {measured} of {wanted} agents heard")
        return measured == wanted

    lab.wait_until(f"all {wanted} agents are heard", all_speak, READY_WITHIN)


def run_for(lab, row, metrics, seconds):
    """Non-interactive: the coverage must hold for the whole time; then the table. Returns the exit status."""
    wanted, expected = len(demo_row.speaking()), len(demo_row.RACKS)
    end = time.monotonic() + seconds
    full, looks, last = 0, 0, {}
    while time.monotonic() < end:
        lab.check()
        last = metrics.read()
        looks += 1
        full += last.get("gwatt_racks:measured") == wanted and last.get("gwatt_racks_expected") == expected
        time.sleep(min(1.0, max(0.0, end - time.monotonic())))
    table = lab.start("top", row.programs / "gwatt-fleet", "top", "--once", "--site", row.site, stdout=sys.stdout)
    status = table.wait(30)
    watts = last.get("gwatt_fleet_power_watts", 0)
    joules = last.get("gwatt_energy_joules_total:measured", 0)
    say(f"\ndemo: {watts / 1e3:.1f} kW, {joules / 1e6:.2f} MJ measured; coverage {wanted} of {expected} racks in {full} of {looks} looks")
    good = status == 0 and watts > 0 and looks > 0 and full >= 0.8 * looks
    if not good:
        say(f"demo: FAILED (top ended with {status}; wanted {wanted} of {expected} racks measured)")
    return 0 if good else 1


def show(lab, row):
    """Interactive: the live table in this terminal, until Ctrl-C or the table's own end."""
    table = lab.start("top", row.programs / "gwatt-fleet", "top", "--site", row.site, stdout=sys.stdout, stdin=sys.stdin)
    while table.poll() is None:
        time.sleep(0.2)
        lab.check(besides=table)
    return table.returncode


def main():
    parser = argparse.ArgumentParser(description="gwatt's demo")
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--keep", action="store_true", help="keep configurations and logs")
    words = parser.parse_args()
    try:
        with Lab("demo", words.keep) as lab:
            row = Row(lab, words.build.resolve())
            say("Starting a broker, simulators, agents and gwatt-fleet ...")
            metrics = row.start()
            explain(row, row.metrics_port)
            wait_for_all(lab, metrics)
            return show(lab, row) if words.seconds is None else run_for(lab, row, metrics, words.seconds)
    except Failed as error:
        say(f"demo: {error}")
        return 70
    except Ended as error:
        say(f"\ndemo: ended by {error}; everything it started has ended too.")
        return 0 if str(error) == signal.Signals.SIGINT.name else 128


if __name__ == "__main__":
    sys.exit(main())
