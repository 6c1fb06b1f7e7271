"""What is behind the Modbus addresses: register files, computed when they are asked for. Standard library only."""
import random
import struct


def ascii_words(text, words):
    raw = text.encode("ascii").ljust(2 * words, b"\0")[: 2 * words]
    return list(struct.unpack(f">{words}H", raw))


def fixed(value, bits, signed=False):
    raw = round(value * (1 << bits))
    low, high = (-32768, 32767) if signed else (0, 65535)
    return max(low, min(high, raw)) & 0xFFFF


class Orv3Psu:
    """One of `count` supplies that share a load evenly: the ORv3 PSU registers of Meta's rackmon map."""

    size = 110
    efficiency, power_factor, input_volts, output_volts = 0.965, 0.99, 277.0, 50.5

    def __init__(self, number, count, source, model="ECD17020037"):
        self.number, self.count, self.source = number, count, source
        self.texts = {0: ascii_words("FBPN-0001", 8), 8: ascii_words(model, 8), 24: ascii_words(f"SIM{number:05d}", 16),
                      44: ascii_words("HW1.0", 4), 48: ascii_words("FW2.3", 4)}

    def registers(self, t):
        r = [0] * self.size
        for first, words in self.texts.items():
            r[first:first + len(words)] = words
        watts_in = self.source.power(t) / self.count
        watts_out = watts_in * self.efficiency
        r[56], r[57], r[90] = 12, 3, 0
        r[64] = 1 << 8  # Modbus active
        r[67] = r[68] = 4000 + int(watts_in)
        r[69], r[70] = fixed(24.5, 7, True), fixed(24.5 + watts_in / 100, 7, True)
        r[71], r[72] = fixed(61.0, 7, True), fixed(-4.5, 7, True)
        r[79], r[80], r[82] = fixed(self.output_volts, 10), fixed(watts_out / self.output_volts, 6), fixed(watts_out, 3)
        r[81], r[83], r[84] = r[80], fixed(430, 6), 60
        r[86], r[87], r[88] = fixed(self.power_factor, 9), fixed(watts_in, 3), fixed(self.input_volts, 6)
        r[89] = fixed(watts_in / self.input_volts / self.power_factor, 10)
        return r


class Noise:
    """Registers with any content, always the same for the same seed: for comparing every register."""

    def __init__(self, seed, size=400):
        self.size = size
        chance = random.Random(seed)
        self.content = [chance.randrange(65536) for _ in range(size)]

    def registers(self, _t):
        return self.content


class BenchPdu:
    """100 float32, high word first, in 0-199; 100 int16 in 200-299: what the comparison with collectd reads."""

    size = 300

    def registers(self, t):
        floats = [1100.0 + 0.37 * i + (int(t) % 10) for i in range(100)]
        return list(struct.unpack(">200H", struct.pack(">100f", *floats))) + [(200 + i - 250) & 0xFFFF for i in range(100)]
