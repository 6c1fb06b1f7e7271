"""Starts the shelf, the plugin's reader and libmodbus's server, and talks to them; a second opinion on what registers mean."""
import json
import math
import os
import select
import socket
import struct
import subprocess
import sys
import tempfile
import time
import tomllib
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PROFILES = ROOT / "firmware-config/profiles"
SHELF = ROOT / "tests/simulators/modbus_shelf.py"
BENCH_PROFILE = ROOT / "tests/simulators/bench_pdu.toml"
PLUGIN, READER, LIBMODBUS, CHECK = (os.environ.get(n, "") for n in (
    "GWATT_PLUGIN", "GWATT_PLUGIN_READER", "GWATT_LIBMODBUS_SERVER", "GWATT_DRIVER_CHECK"))
TRACES = Path(os.environ.get("GWATT_TRACES", ROOT.parent / "shared/traces"))

OK, TIMEOUT, GARBLED, GONE, BUSY, DENIED, BAD_CONFIG = 0, 1, 2, 3, 4, 6, 7
HAS_VALUE = range(0, 16)


class Process:
    """A child that is talked to in lines; ended with the test."""

    def __init__(self, *argv):
        self.child = subprocess.Popen([str(a) for a in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                      bufsize=0)
        self.held = b""

    def line(self, timeout=20.0):
        end = time.monotonic() + timeout
        while b"\n" not in self.held:
            ready, _, _ = select.select([self.child.stdout], [], [], max(0, end - time.monotonic()))
            part = os.read(self.child.stdout.fileno(), 65536) if ready else b""
            if not part:
                raise AssertionError(f"{self.child.args[0]} {'said nothing' if not ready else 'ended'}")
            self.held += part
        line, _, self.held = self.held.partition(b"\n")
        return line.decode()

    def tell(self, text):
        self.child.stdin.write(text.encode() + b"\n")

    def end(self):
        self.child.terminate()
        self.child.wait(10)
        self.child.stdin.close()
        self.child.stdout.close()


class Shelf(Process):
    def __init__(self, *argv):
        super().__init__("/usr/bin/python3", SHELF, *argv)
        self.ready = json.loads(self.line().removeprefix("READY "))

    def ask(self, **command):
        self.tell(json.dumps(command))
        answer = json.loads(self.line())
        if "error" in answer:
            raise AssertionError(answer["error"])
        return answer

    def dials(self, **values):
        self.ask(dials=values)

    def requests(self):
        return self.ask(counts=True)["requests"]


class Reader(Process):
    """The plugin in a process of its own."""

    def __init__(self, **options):
        super().__init__(READER, PLUGIN, *(f"{name}={value}" for name, value in options.items()))
        self.log = []
        self.opened = self.ask("open")
        self.sensors = {s["id"]: s for s in self.opened["sensors"]}

    def ask(self, command):
        self.tell(command)
        while True:
            answer = json.loads(self.line())
            if "log" not in answer:
                return answer
            self.log.append(answer["log"][1])

    def read(self, budget_ms=900):
        return Turn(self.ask(f"read {budget_ms}"))


class Turn:
    def __init__(self, answer):
        self.result, self.error, self.took, self.samples = answer["result"], answer["error"], answer["took"], answer["samples"]

    def value(self, sensor):
        quality, value, _ = self.samples[sensor]
        return value if quality in HAS_VALUE else None


def decode(sensor, registers, defaults):
    """(value, or None where there is none), by the words of docs/modbus.md; shares no line with the plugin."""
    words = {"u16": 1, "s16": 1, "u32": 2, "s32": 2, "u64": 4, "s64": 4, "float32": 2, "float64": 4}[sensor["type"]]
    held = registers[sensor["register"]:sensor["register"] + words]
    order = {**defaults, **sensor}
    raw = b"".join(struct.pack("<H" if order.get("byte_order") == "little" else ">H", w) for w in
                   (reversed(held) if order.get("word_order") == "little" else held))
    code = {"u16": "H", "s16": "h", "u32": "I", "s32": "i", "u64": "Q", "s64": "q", "float32": "f", "float64": "d"}[sensor["type"]]
    number, = struct.unpack(">" + code, raw)
    unsigned = int.from_bytes(raw, "big")
    if unsigned in sensor.get("no_value", ()) or not math.isfinite(number):
        return None
    scale = 2.0 ** -sensor["fraction_bits"] if "fraction_bits" in sensor else float(sensor.get("scale", 1))
    return sensor.get("offset", 0.0) + number * scale


def expected(profile, registers):
    """{id: value or None} of one unit."""
    document = tomllib.loads(Path(profile).read_text(encoding="utf-8"))
    out = {}
    for sensor in document["sensor"]:
        width = {"u16": 1, "s16": 1, "u64": 4, "s64": 4, "float64": 4}.get(sensor["type"], 2)
        for i in range(sensor.get("repeat", 1)):
            here = {**sensor, "register": sensor["register"] + i * sensor.get("step", width)}
            out[sensor["id"].replace("{i}", str(i + sensor.get("number_from", 0)))] = decode(here, registers, document.get("modbus", {}))
    return out


def free_port():
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        return chosen.getsockname()[1]


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gwatt-modbus-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.pty = self.folder / "tty"

    def shelf(self, *argv):
        return self.keep(Shelf(*argv))

    def reader(self, **options):
        return self.keep(Reader(**options))

    def keep(self, process):
        self.addCleanup(process.end)
        return process

    def agree(self, turn, unit, wanted):
        for sensor, value in wanted.items():
            self.assertEqual(turn.value(f"{unit}.{sensor}"), value, f"{unit}.{sensor}")

    def await_value(self, reader, sensor, seconds=20):
        """Reads until the sensor has a value."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            turn = reader.read()
            if turn.value(sensor) is not None:
                return turn
        raise AssertionError(f"no value of {sensor} in {seconds} s")


def main():
    if not (PLUGIN and READER):
        sys.exit("run me through ctest: GWATT_PLUGIN and GWATT_PLUGIN_READER say what to test")
    unittest.main(verbosity=2)
