"""gwatt-agent and its modbus driver on the same values: one bus, one profile with the 200 registers. Two ways:

Gwatt      `data` alone: every value at 1 Hz, in batches of 10 s, QoS 1. The same work as collectd's.
GwattLive  as it comes: also `live`, the energy, mean, least and most of all 200 power points once a second.
"""
import importlib
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SECOND = 1_000_000_000

CONFIG = """[agent]
site = "bench"
name = "rack42"
log = "warning"

[mqtt]
host = "127.0.0.1"
port = {broker_port}

[[bus]]
name = "pdu1"
driver = "modbus"

[bus.options]
port = "127.0.0.1:{modbus_port}"
profile = "{profile}"

[publish]
live = {live}
"""


class Gwatt:
    name, live = "gwatt", False
    topic = "gwatt/#"

    def __init__(self, lab, broker_port, modbus_port, build):
        self._lab, self._build = lab, build
        profile = ROOT / "tests/simulators/bench_pdu.toml"
        text = CONFIG.format(broker_port=broker_port, modbus_port=modbus_port, profile=profile,
                             live=str(self.live).lower())
        self._config = lab.write(f"{self.name}.toml", text)
        self._data = self._decoder(lab)

    @staticmethod
    def _decoder(lab):
        """The Data message as protoc's Python makes it: a decoder that is not ours."""
        schema = sorted((ROOT / "proto/gwatt/v1").glob("*.proto"))
        subprocess.run(["protoc", f"-I{ROOT / 'proto'}", f"--python_out={lab.folder}", *map(str, schema)], check=True)
        sys.path.insert(0, str(lab.folder))
        return importlib.import_module("gwatt.v1.data_pb2").Data

    def start(self):
        return self._lab.start(self.name, self._build / "bin/gwatt-agent", "--config", self._config)

    def samples(self, heard):
        """Values of the 1 Hz group in `data` messages: what is present, as a foreign decoder sees it."""
        total = 0
        for _, topic, payload, _ in heard:
            if topic.endswith("/data"):
                message = self._data.FromString(payload)
                if message.period_ns == SECOND:
                    total += len(message.steps) + len(message.numbers)
        return total

    def is_sample(self, topic):
        """`live` carries the first second's values, ten seconds before `data` does."""
        return topic.endswith("/live") or topic.endswith("/data")


class GwattLive(Gwatt):
    name, live = "gwatt_live", True
