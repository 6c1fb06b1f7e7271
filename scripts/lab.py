"""A small stage for programs that talk to each other on this machine: starts them, waits until they are ready (never for a
fixed time), and ends what it started, by process id, whatever happens: also on Ctrl-C, SIGTERM, SIGHUP or an error.

Used by the demo and by the peer bench. Python 3 standard library only.
"""
import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class Ended(Exception):
    """Someone asked this program to end (Ctrl-C, SIGTERM, SIGHUP)."""


class Failed(Exception):
    """Something did not start, or ended early. The text is for people."""


def _end(number, _frame):
    raise Ended(signal.Signals(number).name)


def _child():
    # Its own session, so that a Ctrl-C at the terminal reaches us alone; and gone when we are gone, even by SIGKILL.
    os.setsid()
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Lab:
    """`with Lab("demo") as lab:` a folder of its own for files and logs, and the processes in it."""

    def __init__(self, name, keep=False):
        self.folder = Path(tempfile.mkdtemp(prefix=f"gwatt-{name}-"))
        self.folder.chmod(0o755)
        self.keep = keep
        self.processes = []  # (name, Popen), in the order of their start

    def __enter__(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, _end)
        return self

    def __exit__(self, kind, error, _trace):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        self.end()
        if self.keep or (kind is not None and kind is not Ended):
            print(f"files and logs are left in {self.folder}", file=sys.stderr)
        else:
            subprocess.run(["rm", "-rf", "--", str(self.folder)], check=False)

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def start(self, name, *argv, stdout=None, stdin=None, user=None):
        """Starts a program; its output goes to NAME.log unless `stdout` says otherwise."""
        log = open(self.folder / f"{name}.log", "ab")
        with log:
            process = subprocess.Popen([str(a) for a in argv], stdin=stdin or subprocess.DEVNULL, stdout=stdout or log, stderr=log,
                                       preexec_fn=_child, cwd=self.folder, user=user)
        self.processes.append((name, process))
        return process

    def end(self):
        """Ends everything that was started, the last first: asked to stop, then killed after 5 s."""
        for _, process in reversed(self.processes):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.processes.clear()

    def log_tail(self, name, lines=15):
        try:
            text = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            return ""
        return "\n".join("    " + line for line in text.splitlines()[-lines:])

    def check(self, besides=None):
        """Fails if something that was started has ended (`besides` may)."""
        for name, process in self.processes:
            if process is not besides and process.poll() is not None:
                raise Failed(f"{name} ended with status {process.returncode}:\n{self.log_tail(name)}")

    def wait_until(self, what, ready, timeout=20.0):
        """Polls `ready` until it is true and returns its value; fails after `timeout` s or when a process has ended."""
        end = time.monotonic() + timeout
        while True:
            value = ready()
            if value:
                return value
            self.check()
            if time.monotonic() > end:
                raise Failed(f"waited {timeout:g} s in vain: {what}")
            time.sleep(0.02)

    def broker(self, name="mosquitto", options=""):
        """A mosquitto on a free loopback port; returns (process, port)."""
        port = free_port()
        config = self.write(f"{name}.conf", f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n"
                                            f"log_dest stdout\nset_tcp_nodelay true\n{options}")
        # mosquitto changes its user when it is started by root, which loses the kernel's promise to end it with us.
        process = self.start(name, program("mosquitto"), "-c", config, user=_broker_user())
        self.wait_until(f"{name} listens on port {port}", lambda: listens(port))
        return process, port


def _broker_user():
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam("mosquitto").pw_uid
    except KeyError:
        return None


def program(name):
    """A program of the system, also where the sbin folders are not on the PATH."""
    for folder in [*os.environ.get("PATH", "").split(":"), "/usr/sbin", "/sbin"]:
        path = os.path.join(folder, name)
        if folder and os.access(path, os.X_OK):
            return path
    raise Failed(f"{name} is not installed")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(port):
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def children(pid):
    """Process ids of all descendants of `pid`."""
    found = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            ids = [int(word) for word in path.read_text().split()]
        except OSError:
            continue
        for child in ids:
            found += [child, *children(child)]
    return found
