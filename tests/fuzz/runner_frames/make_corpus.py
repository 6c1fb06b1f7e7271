"""Writes the seeds of the fuzz target runner_frames into the folder corpus beside this file. Python 3, nothing else."""
import os
import struct

MAGIC = 0x31574747
NOW = 1000 * 10**9
folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")


def frame(kind, body, request=1):
    return struct.pack("<4I", MAGIC, len(body), kind, request) + body


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<I", len(data)) + data


def sensor(name, bands=0, quantity=1, low=0.0, high=0.0, window=0):
    return (struct.pack("<5I2q5d", quantity, 1, 6, 0, 1, window, 0, 0.125, 0.0, 0.0, low, high)
            + text(name) + text("A label") + text("psu0") + text("A")
            + struct.pack("<I", bands) + b"".join(struct.pack("<4d", i, i + 1, 0.01, 0.5) for i in range(bands)))


def catalog(*sensors, claimed=None):
    return frame(20, struct.pack("<i", 0) + text("") + struct.pack("<I", len(sensors) if claimed is None else claimed) + b"".join(sensors))


def samples(*rows, result=0, why=""):
    data = why.encode()
    return frame(21, struct.pack("<i3I", result, len(rows), len(data), 0) + b"".join(struct.pack("<qd2I", *row) for row in rows) + data)


def pairs(kind, base, *options):
    return frame(kind, text(base) + struct.pack("<I", len(options)) + b"".join(text(n) + text(v) for n, v in options))


def read(*wanted, capacity=64):
    return frame(5, struct.pack("<qII", NOW, capacity, len(wanted)) + struct.pack("<%dI" % len(wanted), *wanted))


GOOD = (NOW - 10**6, 230.5, 0, 0)
SEEDS = {
    "described": frame(17, struct.pack("<i", 0) + text("") + text("simulated") + text("0.1") + text("Reads.") + struct.pack("<3q", 10**9, 10**9, 0)),
    "catalog_one": catalog(sensor("psu0.power")),
    "catalog_bands": catalog(sensor("a", bands=3), sensor("b", low=0, high=100)),
    "catalog_many": catalog(*[sensor("psu%d.power" % i) for i in range(12)]),
    "catalog_twice": catalog(sensor("a"), sensor("a")),
    "catalog_claims": catalog(sensor("a"), claimed=4096),
    "catalog_bad_id": catalog(sensor("PSU 0")),
    "catalog_window": catalog(sensor("a", window=10**10), sensor("b", quantity=4711)),
    "catalog_nan": catalog(sensor("a", low=float("nan"), high=float("inf"))),
    "samples_good": samples(GOOD, (NOW - 10**6, 12.0, 1, 0)),
    "samples_none": samples(result=1, why="no answer"),
    "samples_nan": samples((NOW, float("nan"), 0, 0), (NOW, float("inf"), 1, 0)),
    "samples_future": samples((2**63 - 1, 1.0, 0, 0), (-2**63, 1.0, 1, 0)),
    "samples_strangers": samples((NOW, 1.0, 4000000, 0), (NOW, 1.0, 1, 999)),
    "samples_quality": samples(*[(NOW - 10**6 + i, 1.0, i % 2, i) for i in range(26)]),
    "samples_fifo": samples(*[(NOW - 10**8 + i * 10**6, float(i), 0, 0) for i in range(64)]),
    "open_good": pairs(3, "/etc/gwatt", ("device", "tty0"), ("unit", "0x10"), ("timeout", "250ms"), ("word", "two")),
    "open_wrong": pairs(3, "/", ("devise", "x"), ("unit", "999"), ("timeout", "3"), ("word", "tow"), ("quick", "yes")),
    "check_types": pairs(2, "", ("device", "/dev/x"), ("factor", "1e3"), ("quick", "true"), ("text", "\u00e4 b")),
    "check_long": pairs(2, "/b", ("text", "x" * 1025), ("y" * 70, "")),
    "check_nul": pairs(2, "/b", ("device", b"a\0b")),
    "open_nul_in_base": pairs(3, b"\0etc", ("device", "tty0")),  # found by the fuzzer
    "read_two": read(0, 1),
    "read_no_room": read(0, 1, 2, capacity=2),
    "log_plain": frame(32, struct.pack("<I", 1) + text("a line"), 0),
    "log_utf8": frame(32, struct.pack("<I", 9) + text(b"\xc0\xaf \xed\xa0\x80 \xf4\x90\x80\x80 ok \x1b[31m"), 0),
    "conversation": catalog(sensor("a"), sensor("b")) + samples(GOOD) + samples(GOOD, result=2, why="crc") + frame(22, b""),
    "short_head": struct.pack("<3I", MAGIC, 4, 20),
    "wrong_magic": struct.pack("<4I", MAGIC + 1, 0, 20, 1),
}

os.makedirs(folder, exist_ok=True)
for name, data in SEEDS.items():
    with open(os.path.join(folder, name), "wb") as out:
        out.write(data)
print(len(SEEDS), "seeds in", folder)
