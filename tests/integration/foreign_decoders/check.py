#!/usr/bin/python3
"""Do decoders that are not ours read what our codec wrote?

check.py --decoder python|node|protoc --messages PROGRAM --work DIR
    PROGRAM (foreign_messages) writes messages and what they mean; they go through a mosquitto of our own, and the decoder has to
    print the same, value for value, doubles exactly.
check.py --broker HOST:PORT [--topic T] [--seconds S] --work DIR
    Listens to whatever is published there (by gwatt-agent, say) with all three, and holds them against each other.

Exit status: 0 they agree, 1 they do not, 77 the decoder is not installed (node: npm could not fetch MQTT.js and protobufjs).
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(HERE))
import lab  # noqa: E402
import subscriber  # noqa: E402


class Skipped(Exception):
    pass


def generate(work):
    """Python classes from the published .proto files."""
    folder = work / "generated"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    protos = sorted(str(p) for p in (ROOT / "proto/gwatt/v1").glob("*.proto"))
    subprocess.run(["protoc", "-I", str(ROOT / "proto"), f"--python_out={folder}", *protos], check=True)
    return folder


def node_folder(work):
    """subscriber.mjs beside its packages: those of the source tree, else a copy that `npm ci` fills."""
    if not shutil.which("node"):
        raise Skipped("node is not installed")
    if (HERE / "node_modules/mqtt").is_dir():
        return HERE
    folder = work.parent / "node"
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json", ".npmrc", "subscriber.mjs"):
        shutil.copy(HERE / name, folder / name)
    if not (folder / "node_modules/mqtt").is_dir():
        if not shutil.which("npm"):
            raise Skipped("npm is not installed")
        done = subprocess.run(["npm", "ci", "--ignore-scripts"], cwd=folder, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise Skipped("npm ci could not fetch the packages: " + (done.stderr.strip().splitlines() or ["no reason given"])[-1])
    return folder


def command(decoder, broker, topic, work, limit):
    """The decoder's command line; `limit` is ("--count", N) or ("--seconds", S)."""
    if decoder == "python":
        return ["/usr/bin/python3", HERE / "subscriber.py", "--broker", broker, "--topic", topic, "--generated", generate(work), *limit]
    if decoder == "node":
        return ["node", node_folder(work) / "subscriber.mjs", "--broker", broker, "--topic", topic, "--proto", ROOT / "proto", *limit]
    host, port = broker.rsplit(":", 1)
    bound = ["-C", limit[1]] if limit[0] == "--count" else ["-W", limit[1]]
    return ["mosquitto_sub", "-h", host, "-p", port, "-V", "mqttv5", "-i", "gwatt-protoc", "-q", "1", "-t", topic, "-F", "%t\t%C\t%x", *bound]


TYPES = {"catalog": "Catalog", "status": "Status", "live": "Live", "data": "Data", "burst": "Data", "ack": "Ack", "rollup": "Rollup"}
FILES = {"Catalog": "catalog", "Status": "status", "Live": "live", "Data": "data", "Ack": "fleet", "Rollup": "fleet"}


def protoc_text(kind, payload):
    """What `protoc --decode` prints."""
    done = subprocess.run(["protoc", "-I", str(ROOT / "proto"), f"--decode=gwatt.v1.{kind}", f"gwatt/v1/{FILES[kind]}.proto"],
                          input=payload, capture_output=True, cwd=ROOT / "proto", check=True)
    return done.stdout.decode()


class ProtocReader(subscriber.Reader):
    """The bytes are read by protoc; only its text goes on to what follows."""

    def __init__(self, messages):
        from google.protobuf import text_format
        outer = self

        class Kind:
            def __init__(self, name):
                self.name = name

            def FromString(self, payload):  # pylint: disable=invalid-name
                outer.decoded += 1
                return text_format.Parse(protoc_text(TYPES[self.name], payload), messages[self.name]())

        self.decoded = 0
        super().__init__({name: Kind(name) for name in messages})


def read_protoc(text, work):
    reader = ProtocReader(subscriber.generated_messages(str(generate(work))))
    for line in text.splitlines():
        topic, content_type, payload = line.split("\t")
        yield from reader.read(topic, bytes.fromhex(payload), content_type)


def read_output(decoder, path, work):
    text = path.read_text(encoding="utf-8")
    if decoder == "protoc":
        return list(read_protoc(text, work))
    return [json.loads(line) for line in text.splitlines()]


def difference(expected, got, where=""):
    """The first place where two values differ, or None. Numbers must be equal as doubles, or as whole numbers."""
    if isinstance(expected, dict) and isinstance(got, dict):
        if expected.keys() != got.keys():
            return f"{where}: fields {sorted(expected)} and {sorted(got)}"
        return next((d for key in expected if (d := difference(expected[key], got[key], f"{where}.{key}"))), None)
    if isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            return f"{where}: {len(expected)} and {len(got)} elements"
        return next((d for i, (a, b) in enumerate(zip(expected, got)) if (d := difference(a, b, f"{where}[{i}]"))), None)
    return None if expected == got and (expected is None) == (got is None) else f"{where}: {expected!r} and {got!r}"


def key(shown):
    return json.dumps([shown["topic"], shown["message"], shown.get("header", [0, 0])[:2]])


def compare(expected, got, names):
    """Prints the differences of two lists of messages; messages are found by topic, boot and sequence."""
    there = {key(shown): shown for shown in got}
    wrong = 0
    for shown in expected:
        if key(shown) not in there:
            print(f"{names[1]} lacks {key(shown)}")
            wrong += 1
        elif found := difference(shown, there[key(shown)]):
            print(f"{names[0]} and {names[1]} differ in {key(shown)} at {found}")
            wrong += 1
    return wrong


def values_in(shown):
    return len(shown.get("cells", [])) + len(shown.get("points", [])) + len(shown.get("sensors", []))


def publish(port, work, stage):
    """Everything in the index, one after the other."""
    for line in (work / "index").read_text(encoding="utf-8").splitlines():
        number, retain, topic, content_type = line.split(" ", 3)
        subprocess.run(["mosquitto_pub", "-p", str(port), "-V", "mqttv5", "-q", "1", "-t", topic, "-f", str(work / f"{number}.bin"),
                        "-D", "publish", "content-type", content_type, *(["-r"] if retain == "1" else [])], check=True, timeout=20)
        stage.check_broker()


def one_line_of_the_docs(port, catalog):
    """The command of docs/wire.md for a look at a retained message: a plain pipe."""
    pipe = (f"mosquitto_sub -p {port} -C 1 -N -t '{catalog['topic']}' | protoc -I '{ROOT}/proto' --decode=gwatt.v1.Catalog "
            "gwatt/v1/catalog.proto")
    done = subprocess.run(["bash", "-o", "pipefail", "-c", pipe], capture_output=True, text=True, timeout=20, check=False)
    names = [line.split('"')[1] for line in done.stdout.splitlines() if line.startswith("  name: ")]
    if names != [sensor[0] for sensor in catalog["sensors"]]:
        print("mosquitto_sub | protoc --decode does not show the catalog's sensors:", done.stdout[:300], done.stderr)
        return 1
    return 0


def thirty_lines_of_the_docs(work):
    """The decoder printed in docs/wire.md reads what subscriber.py reads."""
    lines = (ROOT / "docs/wire.md").read_text(encoding="utf-8").splitlines()
    begin = lines.index("    def read(data, catalog):")
    end = next(i for i in range(begin, len(lines)) if lines[i] and not lines[i].startswith("    "))
    printed = {}
    exec("\n".join(line[4:] for line in lines[begin:end]), printed)  # pylint: disable=exec-used
    kinds = subscriber.generated_messages(str(work / "generated"))
    index = [line.split(" ", 3) for line in (work / "index").read_text(encoding="utf-8").splitlines()]
    payloads = [(topic.split("/")[-1], (work / f"{number}.bin").read_bytes()) for number, _, topic, _ in index]
    catalogs = {c.header.catalog: c for c in (kinds["catalog"].FromString(p) for s, p in payloads if s == "catalog")}
    compared = 0
    for data in (kinds["data"].FromString(p) for s, p in payloads if s == "data"):
        catalog = catalogs[data.header.catalog]
        ours = [(sensor.name, *rest) for sensor, *rest in subscriber.data_cells(data, catalog)]
        if list(printed["read"](data, catalog)) != ours:
            print("the code in docs/wire.md reads other values than subscriber.py")
            return 1
        compared += len(ours)
    return 0 if compared else 1


class Stage(lab.Lab):
    def check_broker(self):
        name, process = self.processes[0]
        if process.poll() is not None:
            raise lab.Failed(f"{name} has ended:\n{self.log_tail(name)}")


def against_expected(decoder, messages, work):
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    subprocess.run([messages, str(work)], check=True)
    expected = [json.loads(line) for line in (work / "expected").read_text(encoding="utf-8").splitlines()]
    output = work / "output"
    with Stage("foreign") as stage, output.open("wb") as sink:
        _, port = stage.broker(options="log_type all\nlog_dest stderr\n")  # stdout would be buffered
        listener = stage.start(decoder, *command(decoder, f"127.0.0.1:{port}", "gwatt/v1/#", work, ("--count", str(len(expected)))),
                               stdout=sink)
        log = stage.folder / "mosquitto.log"
        stage.wait_until("the decoder has subscribed", lambda: f"SUBACK to gwatt-{decoder}" in log.read_text(errors="replace"))
        publish(port, work, stage)
        stage.processes = [p for p in stage.processes if p[1] is not listener]  # it may end now
        try:
            status = listener.wait(60)
        except subprocess.TimeoutExpired:
            listener.kill()
            listener.wait()
            status = "none: still waiting for messages after 60 s"
        if status != 0:
            raise lab.Failed(f"{decoder} ended with status {status}:\n{stage.log_tail(decoder)}")
        wrong = one_line_of_the_docs(port, expected[0]) if decoder == "protoc" else 0
    got = read_output(decoder, output, work)
    if decoder == "python":
        wrong += thirty_lines_of_the_docs(work)
    wrong += compare(expected, got, ("gwatt", decoder))
    if len(got) != len(expected):
        print(f"{len(expected)} messages were published, {decoder} read {len(got)}")
        wrong += 1
    print(f"{decoder}: {len(got)} messages with {sum(map(values_in, got))} values, {wrong} differences")
    return wrong


def against_each_other(broker, topic, seconds, work):
    work.mkdir(parents=True, exist_ok=True)
    decoders = ("python", "node", "protoc")
    with Stage("foreign") as stage:
        sinks = {d: work / f"{d}.output" for d in decoders}
        processes = []
        for d in decoders:
            with sinks[d].open("wb") as sink:
                processes.append((d, stage.start(d, *command(d, broker, topic, work / d, ("--seconds", str(seconds))), stdout=sink)))
        for d, process in processes:
            status = process.wait(seconds + 30)
            if status not in (0, 27):  # 27: mosquitto_sub after -W
                raise lab.Failed(f"{d} ended with status {status}:\n{stage.log_tail(d)}")
    read = {d: read_output(d, sinks[d], work / d) for d in decoders}
    common = set.intersection(*({key(s) for s in read[d]} for d in decoders))
    shared = {d: [s for s in read[d] if key(s) in common] for d in decoders}
    wrong = sum(compare(shared["python"], shared[d], ("python", d)) for d in decoders[1:])
    kinds = {s["message"] for s in shared["python"]}
    for kind in {"Catalog", "Status", "Live", "Data"} - kinds:
        print(f"no {kind} was read by all three")
        wrong += 1
    print(f"all three: {len(common)} messages ({', '.join(sorted(kinds))}) with {sum(map(values_in, shared['python']))} values, "
          f"{wrong} differences")
    return wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--decoder", choices=("python", "node", "protoc"))
    parser.add_argument("--messages")
    parser.add_argument("--broker")
    parser.add_argument("--topic", default="gwatt/v1/+/+/#")
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    try:
        if options.broker:
            return 1 if against_each_other(options.broker, options.topic, options.seconds, options.work.resolve()) else 0
        return 1 if against_expected(options.decoder, options.messages, options.work.resolve()) else 0
    except Skipped as why:
        print(f"SKIPPED: {why}")
        return 1 if os.environ.get("GWATT_REQUIRE_NODE") == "1" else 77
    except lab.Failed as why:
        print(why)
        return 1


if __name__ == "__main__":
    sys.exit(main())
