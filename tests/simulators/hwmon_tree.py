#!/usr/bin/python3
"""A sysfs hwmon tree whose values move: two hot-swap controllers (feeds A and B of one rack) and a thermometer.

usage: hwmon_tree.py FOLDER [--watts W] [--period S] [--seed N] [--once]

Makes FOLDER/class/hwmon/hwmon{0,1,2} with `device` links into FOLDER/devices, as Linux does, and rewrites the values every
S seconds (0.1). Units as in the kernel's sysfs-interface document: microwatts, microjoules, millivolts, milliamperes,
millidegrees. Readers keep files of sysfs open and read them again from the start, so a value is rewritten in place: one
pwrite(2) of constant length, padded with spaces. energy1_input is the sum of the power shown times the time it was shown, to
the microjoule. Labels are those of Linux' driver for the chip. Prints `ready` when all is there; runs until it is ended.
Python 3 standard library only.
"""
import argparse
import math
import os
import random
import sys
import time
from pathlib import Path


class Chip:
    """One hwmon device folder with its attributes."""

    def __init__(self, root, index, name, address):
        self.folder = root / "devices" / "platform" / "soc" / "i2c-3" / f"3-{address:04x}" / "hwmon" / f"hwmon{index}"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._open = {}
        link = root / "class" / "hwmon" / f"hwmon{index}"
        link.parent.mkdir(parents=True, exist_ok=True)
        for path, target in ((link, os.path.relpath(self.folder, link.parent)), (self.folder / "device", "../..")):
            if not path.is_symlink():
                path.symlink_to(target)
        self.put("name", name)

    def put(self, attribute, value):
        if attribute not in self._open:
            self._open[attribute] = os.open(self.folder / attribute, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        text = f"{value:<20}\n" if attribute.endswith("_input") else f"{value}\n"
        os.pwrite(self._open[attribute], text.encode("ascii"), 0)


class HotSwap(Chip):
    """A hot-swap controller at the rack's input: power, energy, voltage, current, temperature."""

    def __init__(self, root, index, watts, random_source):
        super().__init__(root, index, "adm1278", 0x10 + index)
        self._watts, self._random, self._phase = watts, random_source, random_source.uniform(0, 60)
        self._walk, self._shown, self._microjoules, self._since = 0.0, None, 0, None
        for attribute, label in (("power1", "pin"), ("in1", "vin"), ("curr1", "iout1")):
            self.put(f"{attribute}_label", label)

    def move(self, now):
        """New values at monotonic time `now` in ns."""
        if self._shown is not None:
            self._microjoules += self._shown * (now - self._since) // 1_000_000_000
        self._walk = 0.98 * self._walk + self._random.gauss(0, 0.004)
        swing = 0.06 * math.sin((now / 1e9 + self._phase) * 2 * math.pi / 45)
        self._shown, self._since = round(self._watts * (1 + swing + self._walk) * 1e6), now
        volts = 54.2 - self._shown / 1e6 / 50_000
        self.put("power1_input", self._shown)
        self.put("energy1_input", self._microjoules)
        self.put("in1_input", round(volts * 1000))
        self.put("curr1_input", round(self._shown / volts / 1000))
        self.put("temp1_input", round(31_000 + self._shown / 1e6 / 2 * (1 + self._walk)))


class Thermometer(Chip):
    def __init__(self, root, index, random_source):
        super().__init__(root, index, "tmp421", 0x4c)
        self._random = random_source
        self.put("temp1_label", "inlet")

    def move(self, _now):
        self.put("temp1_input", round(24_000 + self._random.gauss(0, 60)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--watts", type=float, default=6000, help="of each feed")
    parser.add_argument("--period", type=float, default=0.1, help="seconds between two changes")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--once", action="store_true", help="write the tree once and leave it")
    words = parser.parse_args()
    source = random.Random(words.seed)
    words.folder.mkdir(parents=True, exist_ok=True)
    chips = [HotSwap(words.folder, 0, words.watts, source), HotSwap(words.folder, 1, words.watts, source),
             Thermometer(words.folder, 2, source)]
    for chip in chips:
        chip.move(time.monotonic_ns())
    print("ready", flush=True)
    while not words.once:
        time.sleep(words.period)
        for chip in chips:
            chip.move(time.monotonic_ns())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(0)
