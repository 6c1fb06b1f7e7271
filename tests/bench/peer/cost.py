"""What a group of processes costs, from /proc: CPU seconds, memory, threads."""
from pathlib import Path

from lab import children


def family(pid):
    return [pid, *children(pid)]


def cpu_seconds(pids):
    """Run time of all threads, in nanosecond resolution (schedstat), summed over the processes."""
    total = 0
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(path.read_text().split()[0])
            except OSError:
                continue
    return total / 1e9


def memory_kib(pids):
    """{'Rss', 'Pss', 'Private_Dirty'} in KiB, summed over the processes."""
    total = {"Rss": 0, "Pss": 0, "Private_Dirty": 0}
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            key = line.split(":")[0]
            if key in total:
                total[key] += int(line.split()[1])
    return total


def threads(pids):
    return sum(len(list(Path(f"/proc/{pid}/task").iterdir())) for pid in pids)


def switches(pids):
    """Context switches, voluntary and not: how often something woke up."""
    total = 0
    for pid in pids:
        for path in Path(f"/proc/{pid}/task").glob("*/status"):
            try:
                total += sum(int(line.split()[1]) for line in path.read_text().splitlines() if "ctxt_switches" in line)
            except OSError:
                continue
    return total


def name(pid):
    return Path(f"/proc/{pid}/comm").read_text().strip().replace(":", ".")
