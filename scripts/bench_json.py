"""bench_json.py NAME STATUS <lines >json: `name value unit` lines of a bench as JSON, with what they were measured on."""
import json
import os
import platform
import re
import subprocess
import sys

LINE = re.compile(r"^([a-z][\w./-]*) (-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?) (\S+)\s*$")


def cpu_model():
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "")
    except OSError:
        return ""


def main():
    name, status = sys.argv[1], int(sys.argv[2])
    results = [{"name": m[1], "value": float(m[2]), "unit": m[3]} for m in map(LINE.match, sys.stdin) if m]
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False).stdout.strip()
    json.dump({"bench": name, "bars_met": status == 0, "commit": commit, "machine": platform.machine(), "cpu": cpu_model(),
               "cores": os.cpu_count(), "kernel": platform.release(), "results": results}, sys.stdout, indent=1)
    print()
    if not results:
        sys.exit(f"bench_json: {name} printed no `name value unit` line")


if __name__ == "__main__":
    main()
