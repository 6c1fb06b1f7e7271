"""The demo shows a live total with its coverage, and ends everything that it started, however it is ended.

usage: test_demo.py SOURCE_DIR BUILD_DIR
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import unittest
from pathlib import Path

SOURCE, BUILD = Path(sys.argv[1]), Path(sys.argv[2])
sys.dont_write_bytecode = True
sys.path.insert(0, str(SOURCE / "scripts"))
from lab import children  # noqa: E402

DEMO = ["/usr/bin/python3", str(SOURCE / "scripts/demo.py"), "--build", str(BUILD)]
RACKS_SPEAKING = "6/7"


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Terminal:
    """The demo in a terminal of its own."""

    def __init__(self):
        self.pid, self.master = pty.fork()
        if self.pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(DEMO[0], DEMO)
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 160, 0, 0))
        self.text, self.started = "", set()

    def read_until(self, wanted, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.started.update(children(self.pid))
            if select.select([self.master], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.master, 65536).decode(errors="replace")
                except OSError:
                    break
            if wanted and re.search(wanted, self.text):
                return True
        return False

    def wait(self, seconds):
        """Exit status as the shell sees it, or None."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            if self.master >= 0:
                self.read_until("", 0.1)
            else:
                time.sleep(0.1)
        return None


class Demo(unittest.TestCase):
    def shown(self):
        terminal = Terminal()
        self.addCleanup(lambda: alive(terminal.pid) and os.kill(terminal.pid, signal.SIGKILL))
        self.assertTrue(terminal.read_until(rf"fleet\s.*[kM]W.*{RACKS_SPEAKING}", 120), terminal.text[-2000:])
        self.assertGreater(len(terminal.started), 10, "broker, simulators, agents, runners and the fleet program were seen")
        return terminal

    def assert_all_gone(self, terminal):
        end = time.monotonic() + 10
        while any(map(alive, terminal.started)) and time.monotonic() < end:
            time.sleep(0.1)
        left = [Path(f"/proc/{p}/cmdline").read_text().replace("\0", " ") for p in terminal.started if alive(p)]
        self.assertEqual(left, [])

    def test_ctrl_c_ends_everything_and_is_no_failure(self):
        terminal = self.shown()
        os.write(terminal.master, b"\x03")
        self.assertEqual(terminal.wait(30), 0, terminal.text[-2000:])
        self.assert_all_gone(terminal)
        folder = re.search(r"Files: (\S+)", terminal.text)[1]
        self.assertFalse(Path(folder).exists(), "the demo's folder is removed")

    def test_a_terminal_that_goes_away_ends_everything(self):
        terminal = self.shown()
        os.close(terminal.master)
        terminal.master = -1
        self.assertIsNotNone(terminal.wait(30))
        self.assert_all_gone(terminal)

    def test_killed_without_a_chance_nothing_stays_behind(self):
        terminal = self.shown()
        os.kill(terminal.pid, signal.SIGKILL)
        terminal.wait(10)
        self.assert_all_gone(terminal)
        folder = re.search(r"Files: (\S+)", terminal.text)[1]
        subprocess.run(["rm", "-rf", "--", folder], check=True)

    def test_with_a_time_it_says_what_it_saw(self):
        done = subprocess.run([*DEMO, "--seconds", "5"], capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"coverage 6 of 7 racks in \d+ of \d+ looks")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
