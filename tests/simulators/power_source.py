"""Power over time, with its exact integral: a recorded trace, a sine, a constant. Time is seconds since the start.

Trace files are CSV (also .xz) with a head line `node,time_ms,watts`; between two records power is a straight line, as the
trapezoid rule has it. Standard library only.
"""
import bisect
import lzma
import math


def read_trace(path, node):
    """[(seconds since the first record, watts)] of one node, in order of time."""
    opened = lzma.open(path, "rt") if str(path).endswith(".xz") else open(path, encoding="ascii")
    with opened as file:
        head = file.readline().strip().split(",")
        columns = [head.index(name) for name in (head[0], "time_ms", "watts")]
        rows = (line.strip().split(",") for line in file)
        points = sorted((int(r[columns[1]]), float(r[columns[2]])) for r in rows if r[columns[0]] == str(node))
    if len(points) < 2:
        raise SystemExit(f"{path}: fewer than two records of node {node}")
    return [((ms - points[0][0]) / 1000, watts) for ms, watts in points]


class Trace:
    """The trace from `start_at` on, `speed` times as fast; after its end the last power stays."""

    def __init__(self, points, speed=1.0, start_at=0.0):
        self.times = [t for t, _ in points]
        self.watts = [w for _, w in points]
        self.speed, self.start_at = speed, start_at
        self.sums = [0.0]
        for i in range(1, len(points)):
            self.sums.append(self.sums[-1] + (self.watts[i] + self.watts[i - 1]) / 2 * (self.times[i] - self.times[i - 1]))

    def _at(self, t):
        """(watts, joules since the trace's beginning in trace time) at trace time t."""
        i = bisect.bisect_right(self.times, t)
        if i == 0:
            return self.watts[0], self.watts[0] * (t - self.times[0])
        if i == len(self.times):
            return self.watts[-1], self.sums[-1] + self.watts[-1] * (t - self.times[-1])
        part = (t - self.times[i - 1]) / (self.times[i] - self.times[i - 1])
        watts = self.watts[i - 1] + part * (self.watts[i] - self.watts[i - 1])
        return watts, self.sums[i - 1] + (self.watts[i - 1] + watts) / 2 * (t - self.times[i - 1])

    def power(self, t):
        return self._at(self.start_at + t * self.speed)[0]

    def energy(self, begin, end):
        ends = (self._at(self.start_at + t * self.speed)[1] for t in (begin, end))
        first = next(ends)
        return (next(ends) - first) / self.speed


class Sine:
    """mean * (1 + swing * sin(2 pi t / period)); swing 0 is a constant."""

    def __init__(self, mean, swing=0.0, period=60.0):
        self.mean, self.swing, self.omega = mean, swing, 2 * math.pi / period

    def power(self, t):
        return self.mean * (1 + self.swing * math.sin(self.omega * t))

    def energy(self, begin, end):
        wave = math.cos(self.omega * begin) - math.cos(self.omega * end)
        return self.mean * ((end - begin) + self.swing / self.omega * wave)
