"""Holds the tree to ARCHITECTURE.md: which way an include may go, and which words have one home.

usage: check_layers.py ROOT    prints `file:line: what` for each breach; exit status 1 if there is one.
Python 3 standard library only. Its own test is test_check_layers.py.
"""
import os
import re
import sys

SOURCE = (".c", ".cpp", ".h", ".hpp")
ROOMS = ("runtime", "proto", "drivers", "agent", "fleet", "tests")

# Stages in the order in which a reading passes them; a stage never includes one after it, not even through another file.
STAGES = {
    "agent": ("config", "driver_host", "sampler", "energy", "batcher", "spool", "publisher", "self_device"),
    "fleet": ("config", "subscriber", "ledger", "topology", "aggregator", "outputs"),
}

# (word, pattern in code without comments and strings, homes as path prefixes, why)
CLOCKS = r"clock::now\s*\(|\b(clock_gettime|gettimeofday|timespec_get|adjtimex|ntp_adjtime|ntp_gettime)\s*\(|\btime\s*\(\s*(nullptr|NULL|0)\s*\)"
WORDS = (
    ("dlopen", r"\bdlm?open\s*\(", ("drivers/runner/", "drivers/check/"), "only a runner loads plugins"),
    # The runner gives drivers their now_ns, and links nothing of ours: it reads the clock itself.
    ("a clock", CLOCKS, ("runtime/clock.", "drivers/runner/", "drivers/check/"), "time comes from runtime/clock"),
    ("fork or spawn", r"\b(v?fork|posix_spawnp?|execvp?e?|system|popen)\s*\(",
     ("agent/driver_host", "drivers/check/"), "only driver_host starts processes"),
)
# (word, pattern in the target of an include, homes)
HEADERS = (
    ("<mqtt/", r"^mqtt/|^MQTT", ("runtime/mqtt_",)),
    (".pb.h", r"\.pb\.h$", ("proto/codec",)),
    ("protobuf", r"^google/protobuf/", ("proto/codec",)),
)
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^">]+)[">]')


def strip(text, strings):
    """Text with comments blanked (and string contents too where `strings`), line numbers kept."""
    token = re.compile(r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)

    def blank(match):
        found = match.group(0)
        if found[0] == "/" or strings:
            return re.sub(r"[^\n]", " ", found)
        return found

    return token.sub(blank, text)


def room_of(path):
    """`runtime`, `proto`, `agent`, `fleet`, `fleet/outputs`, `tests`, or `drivers/<name>`; None outside of the rooms."""
    parts = path.split("/")
    if parts[0] not in ROOMS or len(parts) < 2:
        return None
    if parts[0] == "drivers":
        return "/".join(parts[:2]) if len(parts) > 2 else None
    if parts[:2] == ["fleet", "outputs"]:
        return "fleet/outputs"
    return parts[0]


def stage_of(path):
    """(room, stage number) of a file of agent/ or fleet/; None where it is no stage (main, a type that stages share)."""
    room, _, rest = path.partition("/")
    if room not in STAGES:
        return None
    name = rest.split("/")[0].split(".")[0]
    best = None
    for number, stage in enumerate(STAGES[room]):
        if name == stage or name.startswith(stage + "_"):
            if best is None or len(stage) > len(STAGES[room][best]):
                best = number
    return None if best is None else (room, best)


def allowed(source, target):
    """Whether the file `source` may include our file `target` (the table of ARCHITECTURE.md)."""
    here, there = room_of(source), room_of(target)
    if here == "tests" or here == there != "fleet/outputs":
        return True
    if source == "fleet/outputs/output.hpp":  # the seam itself: what outputs are shown
        return there in ("runtime", "proto", "fleet")
    if here == "fleet/outputs":
        own = os.path.splitext(source)[0]
        if source == "fleet/outputs/output.hpp" and target == "fleet/report.hpp":  # what there is to show
            return True
        return there in ("runtime", "proto") or target in ("fleet/outputs/output.hpp", own + ".hpp") \
            or os.path.dirname(source) == os.path.dirname(target) != "fleet/outputs"
    if here == "drivers/check" and there == "drivers/runner":  # loads plugins and parses options as the runner does
        return True
    if here is not None and here.startswith("drivers/"):
        plain = here not in ("drivers/abi", "drivers/runner", "drivers/check", "drivers/profile")
        return (there == "drivers/abi") or (plain and there == "drivers/profile")
    if here == "agent":
        if target == "drivers/runner/frame.hpp":
            return source.startswith("agent/driver_host")
        return there in ("runtime", "proto")
    if here == "fleet":
        if there == "fleet/outputs":
            return target == "fleet/outputs/output.hpp" or source.startswith("fleet/main.")
        return there in ("runtime", "proto")
    return False


def resolve(tree, source, target):
    """Our file that an include means: from the root, or beside the including file; None if it is not ours."""
    beside = os.path.normpath(os.path.join(os.path.dirname(source), target)).replace(os.sep, "/")
    return target if target in tree else beside if beside in tree else None


def read_tree(root):
    tree = {}
    for room in ROOMS:
        for folder, names, files in os.walk(os.path.join(root, room)):
            names[:] = [n for n in names if n not in ("node_modules", "__pycache__")]
            for name in files:
                if name.endswith(SOURCE):
                    path = os.path.join(folder, name)
                    with open(path, encoding="utf-8", errors="replace") as file:
                        tree[os.path.relpath(path, root).replace(os.sep, "/")] = file.read()
    return tree


def includes_of(tree):
    """{file: [(line, bracket, text, our file or None)]}"""
    found = {}
    for path, text in tree.items():
        found[path] = []
        for number, line in enumerate(strip(text, strings=False).splitlines(), 1):
            match = INCLUDE.match(line)
            if match:
                found[path].append((number, match[1], match[2], resolve(tree, path, match[2])))
    return found


def check_includes(includes):
    for path, lines in includes.items():
        for number, bracket, text, target in lines:
            for word, pattern, homes in HEADERS:
                if re.search(pattern, text) and not path.startswith(homes + ("tests/",)):
                    yield path, number, f"{word} has its home in {', '.join(homes)}*: include of {text}"
            if target is None:
                if bracket == '"' and not text.endswith(".pb.h") and not path.startswith("tests/"):
                    yield path, number, f'"{text}" is no file of this tree (includes go from the root; libraries in <>)'
            elif not allowed(path, target):
                yield path, number, f"{room_of(path)} may not include {target}"


def check_stages(includes):
    """A stage reaches no later stage of its room, directly or through other files."""
    for path in includes:
        start = stage_of(path)
        if start is None:
            continue
        seen, todo = {path}, [(path, None)]
        while todo:
            here, first_line = todo.pop()
            for number, _, _, target in includes[here]:
                line = first_line or number
                if target is None or target in seen:
                    continue
                seen.add(target)
                there = stage_of(target)
                if there is not None and there[0] == start[0] and there[1] > start[1]:
                    stages = STAGES[start[0]]
                    yield path, line, f"stage {stages[start[1]]} reaches the later stage {stages[there[1]]} ({target})"
                else:
                    todo.append((target, line))


def check_words(tree):
    for path, text in tree.items():
        if path.startswith("tests/") and not path.startswith(("tests/unit/", "tests/simulation/")):
            continue
        code = strip(text, strings=True)
        for word, pattern, homes, why in WORDS:
            if path.startswith(homes) or (path.startswith("tests/") and word != "a clock"):
                continue
            if path.startswith("tests/unit/runtime/"):  # the real clock is tested against the real clock
                continue
            for match in re.finditer(pattern, code):
                number = code.count("\n", 0, match.start()) + 1
                yield path, number, f"{word} has its home in {', '.join(homes)}*: {why}"


def condition_from(code, start):
    """The text between the parenthesis that ends at `start` and its partner."""
    depth = 1
    for end in range(start, len(code)):
        depth += {"(": 1, ")": -1}.get(code[end], 0)
        if depth == 0:
            return code[start:end]
    return code[start:]


def check_coroutines(tree):
    """g++ 12 makes a program that crashes of `while (co_await f())` and `if (co_await f())`: name the result first."""
    for path, text in tree.items():
        code = strip(text, strings=True)
        for match in re.finditer(r"\b(?:if|while|switch)\s*\(", code):
            if re.search(r"\bco_await\b", condition_from(code, match.end())):
                yield path, code.count("\n", 0, match.start()) + 1, "co_await in a condition: g++ 12 miscompiles it"


def breaches(root):
    """(number of files seen, sorted breaches as (path, line, text))"""
    tree = read_tree(root)
    includes = includes_of(tree)
    found = [*check_includes(includes), *check_stages(includes), *check_words(tree), *check_coroutines(tree)]
    return len(tree), sorted(set(found))


def main():
    count, found = breaches(sys.argv[1])
    for path, number, text in found:
        print(f"{path}:{number}: {text}")
    print(f"layers: {count} files, {len(found)} breaches")
    if count == 0:
        print("layers: nothing to look at, so nothing was shown")
    return 1 if found or count == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
