"""A strict reader of the Prometheus text format 0.0.4, in the spirit of `promtool check metrics`. Standard library only.

parse(text) -> {(name, frozenset of label pairs): value}; raises Bad with the line for what promtool or Prometheus refuse.
"""
import re

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
SAMPLE = re.compile(rf'^({NAME})(?:\{{(.*)\}})? (\S+)$')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:\\[\\n"]|[^\\"\n])*)"(,|$)')


class Bad(Exception):
    pass


def _labels(text, line):
    pairs, at = [], 0
    while at < len(text):
        match = LABEL.match(text, at)
        if not match:
            raise Bad(f"labels: {line}")
        pairs.append((match[1], match[2]))
        at = match.end()
    if len({name for name, _ in pairs}) != len(pairs):
        raise Bad(f"a label twice: {line}")
    return frozenset(pairs)


def parse(text):
    if not text.endswith("\n"):
        raise Bad("the last line has no end")
    types, helps, samples, finished, family = {}, set(), {}, set(), None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            _, _, name, words = line.split(" ", 3)
            if name in helps or not words.strip():
                raise Bad(f"HELP twice or empty: {line}")
            helps.add(name)
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            if name in types or kind not in ("counter", "gauge"):
                raise Bad(f"TYPE twice or unknown: {line}")
            if name not in helps:
                raise Bad(f"TYPE without HELP before: {line}")
            if (kind == "counter") != name.endswith("_total"):
                raise Bad(f"counters, and only they, end in _total: {line}")
            if re.search(r"_(milliwatts|kilowatts|kwh|ms|millijoules|percent)(_|$)", name):
                raise Bad(f"not a base unit: {line}")
            if family:
                finished.add(family)
            types[name], family = kind, name
        elif line and not line.startswith("#"):
            match = SAMPLE.match(line)
            if not match:
                raise Bad(f"no sample: {line}")
            name, labels = match[1], _labels(match[2] or "", line)
            if name != family or name in finished:
                raise Bad(f"outside of its family: {line}")
            if (name, labels) in samples:
                raise Bad(f"the same series twice: {line}")
            value = float(match[3].replace("Inf", "inf"))
            if types[name] == "counter" and not value >= 0:
                raise Bad(f"a counter below zero: {line}")
            samples[name, labels] = value
    return samples
