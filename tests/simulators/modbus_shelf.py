#!/usr/bin/python3
"""A shelf of Modbus devices for tests and demos. The protocol is python3-pymodbus's, not ours.

  modbus_shelf.py --pty /tmp/shelf --units 1-6 --trace FILE.csv.xz --node 7 --speed 1 --start-at 600
  modbus_shelf.py --tcp 1502 --units 1 --device bench
  modbus_shelf.py --pty /tmp/shelf --units 1-6 --sine 9000:0.3:60

Prints one line `READY {json}` (pty or port, and `start`: its time 0 on CLOCK_MONOTONIC in s). Then each line of JSON on stdin is
obeyed and answered by one line of JSON:
  {"dials": {...}}             turns dials (faulty_line.py)     {"refuse": {"unit": U, "from": A, "to": B}}  exceptions for A..B
  {"counts": true}             requests and replies so far      {"registers": U}   what the unit's registers hold now
  {"energy": [BEGIN, END]}     exact joules of all units, CLOCK_MONOTONIC s      {"unplug": true} {"plug": true} {"cut": true}
Ends at the end of stdin, after --seconds, or on SIGTERM; last line: {"energy_j", "seconds", "requests"}.
"""
import argparse
import asyncio
import json
import signal
import socket
import sys
import threading
import time

from devices import BenchPdu, Noise, Orv3Psu
from faulty_line import Dials, PtyLine, TcpLine
from power_source import Sine, Trace, read_trace
from pymodbus.datastore import ModbusServerContext, ModbusSlaveContext
from pymodbus.server.async_io import ModbusSerialServer, ModbusTcpServer
from pymodbus.transaction import ModbusRtuFramer, ModbusSocketFramer


class LiveBlock:
    """pymodbus's datastore over a device: registers are computed when read. An attempt to write is refused."""

    def __init__(self, device, now):
        self.device, self.now = device, now
        self.refused = []

    def validate(self, address, count=1):
        hit = any(address <= last and address + count > first for first, last in self.refused)
        return 0 <= address and address + count <= self.device.size and not hit

    def getValues(self, address, count=1):
        return self.device.registers(self.now())[address:address + count]

    def reset(self):
        pass


class Shelf:
    def __init__(self, args):
        self.args, self.dials = args, Dials()
        self.start = time.monotonic()
        self.source = source(args)
        units = parse_units(args.units)
        self.blocks = {u: LiveBlock(device(args, i, len(units), u, self.source), self.now) for i, u in enumerate(units)}
        slaves = {u: ModbusSlaveContext(hr=b, ir=b, zero_mode=True) for u, b in self.blocks.items()}
        self.context = ModbusServerContext(slaves=slaves, single=False)
        self.line = None
        self.stop = asyncio.Event()

    def now(self):
        return time.monotonic() - self.start

    def energy(self, begin, end):
        return self.source.energy(begin - self.start, end - self.start)

    def obey(self, command):
        if "dials" in command:
            self.dials.turn(command["dials"])
        elif "refuse" in command:
            what = command["refuse"]
            self.blocks[what["unit"]].refused.append((what["from"], what["to"]))
        elif "accept" in command:
            self.blocks[command["accept"]].refused.clear()
        elif "counts" in command:
            return self.dials.counts
        elif "registers" in command:
            block = self.blocks[command["registers"]]
            return {"registers": block.getValues(0, block.device.size)}
        elif "model" in command:
            self.blocks[command["model"]["unit"]].device.texts[8] = Orv3Psu(0, 1, None, command["model"]["text"]).texts[8]
        elif "energy" in command:
            return {"energy_j": self.energy(*command["energy"])}
        elif "unplug" in command:
            self.line.unplug()
        elif "plug" in command:
            self.line.plug()
        elif "cut" in command:
            self.line.cut()
        else:
            raise ValueError(f"unknown command: {sorted(command)}")
        return {"done": True}

    async def serve(self):
        quiet = {"ignore_missing_slaves": True}
        if self.args.pty:
            self.line = PtyLine(self.dials, self.args.pty)
            server = ModbusSerialServer(self.context, framer=ModbusRtuFramer, port=self.line.device, baudrate=115200, **quiet)
            await server.start()
            self.line.start()
            ready = {"pty": self.args.pty}
        else:
            with socket.socket() as chosen:
                chosen.bind(("127.0.0.1", 0))
                behind = chosen.getsockname()[1]
            server = ModbusTcpServer(self.context, framer=ModbusSocketFramer, address=("127.0.0.1", behind),
                                     allow_reuse_address=True, **quiet)
            asyncio.ensure_future(server.serve_forever())
            self.line = TcpLine(self.dials, self.args.tcp, behind)
            await self.line.start()
            ready = {"port": self.line.port}
        print("READY", json.dumps({**ready, "start": self.start}), flush=True)
        await self.wait()

    async def wait(self):
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop.set)
        threading.Thread(target=self.listen, args=(loop,), daemon=True).start()
        try:
            await asyncio.wait_for(self.stop.wait(), self.args.seconds)
        except asyncio.TimeoutError:
            pass
        end = time.monotonic()
        if self.args.pty:
            self.line.close()
        print(json.dumps({"energy_j": self.energy(self.start, end), "seconds": end - self.start,
                          "requests": self.dials.counts["requests"]}), flush=True)

    def listen(self, loop):
        for line in sys.stdin:
            if line.strip():
                asyncio.run_coroutine_threadsafe(self.answer(line), loop).result()
        if not self.args.stay:
            loop.call_soon_threadsafe(self.stop.set)

    async def answer(self, line):
        try:
            reply = self.obey(json.loads(line))
        except Exception as error:  # pylint: disable=broad-except  # the tester learns what was wrong with the command
            reply = {"error": repr(error)}
        print(json.dumps(reply), flush=True)


def source(args):
    if args.trace:
        return Trace(read_trace(args.trace, args.node), args.speed, args.start_at)
    return Sine(*(float(part) for part in args.sine.split(":")))


def device(args, index, count, unit, power):
    return {"orv3": lambda: Orv3Psu(index, count, power), "noise": lambda: Noise(unit), "bench": BenchPdu}[args.device]()


def parse_units(text):
    out = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        out += range(int(first), int(last or first) + 1)
    return out


def main():
    parser = argparse.ArgumentParser(description="Modbus devices for tests and demos")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--pty", metavar="LINK", help="serve RTU; LINK becomes the tty's name")
    where.add_argument("--tcp", type=int, metavar="PORT", help="serve TCP on loopback; 0 takes a free port")
    parser.add_argument("--units", default="1-6")
    parser.add_argument("--device", choices=("orv3", "noise", "bench"), default="orv3")
    parser.add_argument("--trace", metavar="FILE", help="CSV or CSV.xz: node,time_ms,watts")
    parser.add_argument("--node", default="1")
    parser.add_argument("--speed", type=float, default=1.0, help="how much faster than it was recorded")
    parser.add_argument("--start-at", type=float, default=0.0, metavar="S", help="seconds into the trace")
    parser.add_argument("--sine", default="6000:0:60", metavar="MEAN[:SWING[:PERIOD]]", help="without a trace; all units together, W")
    parser.add_argument("--seconds", type=float, default=None, help="end after so long")
    parser.add_argument("--stay", action="store_true", help="do not end with stdin")
    args = parser.parse_args()

    async def run():
        await Shelf(args).serve()

    asyncio.run(run())


if __name__ == "__main__":
    main()
