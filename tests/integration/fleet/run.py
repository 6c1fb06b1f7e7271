"""gwatt-fleet against a real mosquitto: racks publish, /metrics says the right total with its coverage, whatever hostile
messages are sent between; a rack that dies is said to be lost and is estimated, not zero. Debian's python3-paho-mqtt.

usage: run.py --fleet PROGRAM --rack PROGRAM --root PROJECT
"""
import argparse
import errno
import math
import random
import signal
import socket
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import metrics_text  # noqa: E402

ARGS = None
SITE = """
[fleet]
name = "fleet-test"
site = "s1"
[mqtt]
host = "127.0.0.1"
port = {port}
[windows]
provisional_after = "2s"
final_after = "2s"
hold = "3s"
[metrics]
port = {metrics}
[[rack]]
agent = "r1"
hall = "h1"
rating_watts = 2000
[[rack]]
agent = "r2"
hall = "h1"
rating_watts = 2000
feeds = ["A", "B"]
[[rack]]
agent = "r3"
hall = "h2"
rating_watts = 2000
[[rack]]
agent = "silent"
hall = "h2"
rating_watts = 4000
"""


class FleetTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = lab.Lab("fleet").__enter__()
        cls.addClassCleanup(cls.lab.__exit__, None, None, None)
        _, cls.port = cls.lab.broker()
        cls.metrics = lab.free_port()
        cls.site = cls.lab.write("site.toml", SITE.format(port=cls.port, metrics=cls.metrics))
        cls.fleet = cls.lab.start("fleet", ARGS.fleet, "--site", cls.site)
        cls.racks = {
            "r1": cls.lab.start("r1", ARGS.rack, cls.port, "s1", "r1", "rack_in::1000"),
            "r2": cls.lab.start("r2", ARGS.rack, cls.port, "s1", "r2", "psu_in:A:600", "psu_in:B:700"),
            "r3": cls.lab.start("r3", ARGS.rack, cls.port, "s1", "r3", "rack_in::1015.4", "psu_out::1000"),
        }
        cls.lab.wait_until("three racks are measured", lambda: cls.value("gwatt_racks", scope="fleet", level="fleet", state="measured") == 3)

    @classmethod
    def page(cls):
        with urllib.request.urlopen(f"http://127.0.0.1:{cls.metrics}/metrics", timeout=5) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            return answer.read().decode()

    @classmethod
    def value(cls, name, **labels):
        try:
            return metrics_text.parse(cls.page()).get((name, frozenset(labels.items())))
        except (urllib.error.URLError, ConnectionError):
            return None

    def fleet_value(self, name, **labels):
        return self.value(name, scope="fleet", **labels)

    def client(self):
        import paho.mqtt.client as mqtt
        client = mqtt.Client(protocol=mqtt.MQTTv5)
        client.max_inflight_messages_set(20)
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        self.addCleanup(client.loop_stop)
        self.addCleanup(client.disconnect)
        return client

    def balance(self):
        samples = metrics_text.parse(self.page())
        total = lambda name: sum(v for (n, _), v in samples.items() if n == name)  # noqa: E731
        self.assertEqual(total("gwatt_messages_received_total"),
                         total("gwatt_messages_taken_total") + total("gwatt_messages_rejected_total") + total("gwatt_messages_parked"))

    def test_1_the_total_is_right_and_its_coverage_stands_beside_it(self):
        samples = metrics_text.parse(self.page())
        get = lambda name, **labels: samples[name, frozenset(labels.items())]  # noqa: E731
        # r3 is AC alone; the silent rack is the median of its peers a watt of rating: 1015.4 / 2000 * 4000.
        self.assertAlmostEqual(get("gwatt_fleet_power_watts", scope="fleet", level="fleet"), 1000 + 1300 + 1015.4 + 2 * 1015.4, delta=0.5)
        self.assertAlmostEqual(get("gwatt_fleet_power_watts", scope="site/s1/hall/h1", level="hall"), 2300, delta=0.5)
        self.assertEqual(get("gwatt_racks_expected", scope="fleet", level="fleet"), 4)
        self.assertEqual(get("gwatt_racks", scope="fleet", level="fleet", state="estimated"), 1)
        self.assertEqual(get("gwatt_coverage_ratio", scope="fleet", level="fleet"), 0.75)
        self.assertAlmostEqual(get("gwatt_fleet_power_by_state_watts", scope="fleet", level="fleet", state="measured"), 3315.4, delta=0.5)
        self.assertEqual(get("gwatt_racks_by_method", scope="fleet", method="rack_in"), 2)
        self.assertEqual(get("gwatt_racks_by_method", scope="fleet", method="psu_in"), 1)
        self.assertEqual(get("gwatt_points_measured", scope="fleet", level="fleet"), 4)
        low, high = (get(f"gwatt_fleet_power_{end}_watts", scope="site/s1/hall/h1", level="hall") for end in ("low", "high"))
        # Two racks of two kinds of point, 1 % each: 2 * sqrt(10^2 + 13^2) / sqrt(3).
        self.assertAlmostEqual((high - low) / 2, 2 * math.hypot(10, 13) / math.sqrt(3), delta=0.2)
        self.balance()

    def test_2_energy_follows_power(self):
        read = lambda: metrics_text.parse(self.page())["gwatt_energy_joules_total", frozenset(  # noqa: E731
            {"scope": "site/s1/hall/h1", "level": "hall", "kind": "measured"}.items())]
        before = read()
        self.lab.wait_until("two racks have used 11.5 kJ more", lambda: read() >= before + 5 * 2300 - 1)
        self.assertLess(read() - before, 7 * 2300 + 1)

    def test_3_hostile_messages_are_counted_by_reason_and_change_nothing(self):
        client, rng = self.client(), random.Random(1)
        before = metrics_text.parse(self.page())
        sent = {"malformed": 0}
        for i in range(300):
            client.publish(f"gwatt/v1/s1/r{1 + i % 3}/{rng.choice(('live', 'data', 'history/live'))}", rng.randbytes(rng.randrange(1, 400)), qos=1)
        client.publish("gwatt/v1/s1/r1/catalog", b"\x0a\xff\xff\xff\xff\x7f", qos=1)
        client.publish("gwatt/v1/s1/r1/live", bytes(3 << 20), qos=1)
        client.publish("gwatt/v1/s1/r1/nonsense", b"x", qos=1)
        client.publish("gwatt/v1/s1/Big Rack/live", b"x", qos=1)
        last = client.publish("gwatt/v1/s1/r1/rollup", b"", qos=1)
        last.wait_for_publish(10)
        rejected = lambda reason: metrics_text.parse(self.page())["gwatt_messages_rejected_total", frozenset({("reason", reason)})]  # noqa: E731
        self.lab.wait_until("the last one is counted", lambda: rejected("foreign_stream") >= 1)
        self.assertGreaterEqual(rejected("bad_topic"), 2)
        self.assertGreater(rejected("malformed") + rejected("inconsistent") + rejected("wrong_schema"), 250)
        self.balance()
        self.assertIsNone(self.fleet.poll())
        after = metrics_text.parse(self.page())
        key = ("gwatt_fleet_power_watts", frozenset({"scope": "fleet", "level": "fleet"}.items()))
        self.assertAlmostEqual(after[key], before[key], delta=1)

    def test_4_top_prints_one_plain_table_where_there_is_no_terminal(self):
        done = subprocess.run([ARGS.fleet, "top", "--site", str(self.site), "--wait", "4"], capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("\x1b", done.stdout)
        rows = {line.split()[0]: line for line in done.stdout.splitlines()[2:]}
        self.assertIn("3/4", rows["fleet"])
        self.assertIn("5.346 kW", rows["fleet"])
        self.assertIn("live", rows["r2"])
        self.assertIn("estimated", rows["silent"])

    def test_5_the_page_is_served_within_bounds(self):
        def ask(raw):
            with socket.create_connection(("127.0.0.1", self.metrics), timeout=5) as s:
                s.sendall(raw)
                try:
                    s.shutdown(socket.SHUT_WR)
                except OSError as error:
                    self.assertEqual(error.errno, errno.ENOTCONN)  # closed while we were still sending; what it said counts
                data = b""
                while chunk := s.recv(65536):
                    data += chunk
                return data
        self.assertIn(b" 405 ", ask(b"POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        self.assertIn(b" 404 ", ask(b"GET /etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
        head = ask(b"HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        self.assertTrue(head.startswith(b"HTTP/1.1 200") and head.endswith(b"\r\n\r\n"))
        for raw in (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n\r\n", b"\x00" * 5000, b"nonsense\r\n\r\n"):
            try:
                self.assertEqual(ask(raw), b"")
            except ConnectionError:
                pass
        many = [socket.create_connection(("127.0.0.1", self.metrics), timeout=5) for _ in range(60)]
        refused = sum(1 for s in many if self.closed(s))
        self.assertGreaterEqual(refused, 28)
        for s in many:
            s.close()
        self.lab.wait_until("the page answers again", lambda: self.value("gwatt_build_info", version=ARGS.version) == 1)

    @staticmethod
    def closed(s):
        s.settimeout(0.5 if s.fileno() >= 0 else 0)
        try:
            return s.recv(1) == b""
        except TimeoutError:
            return False
        except ConnectionError:
            return True

    def test_6_a_rack_that_is_killed_is_lost_and_estimated_and_never_zero(self):
        self.racks["r1"].kill()
        self.lab.processes = [(n, p) for n, p in self.lab.processes if p is not self.racks["r1"]]
        self.racks["r1"].wait()
        self.lab.wait_until("its will says that the controller is lost", lambda: self.fleet_value("gwatt_controllers_lost", level="fleet") == 1, 30)
        self.lab.wait_until("coverage drops", lambda: self.fleet_value("gwatt_coverage_ratio", level="fleet") == 0.5, 30)
        self.lab.wait_until("it is estimated", lambda: self.fleet_value("gwatt_racks", level="fleet", state="estimated") == 2, 30)
        total = self.fleet_value("gwatt_fleet_power_watts", level="fleet")
        median = (1300 + 1015.4) / 2
        self.assertAlmostEqual(total, 1300 + 1015.4 + median + 2 * median, delta=1)
        self.assertEqual(self.value("gwatt_racks", scope="site/s1/hall/h1/rack/r1", level="rack", state="estimated"), 1)

    def test_7_windows_come_and_cover_what_was_measured(self):
        ended = lambda: self.value("gwatt_window_end_timestamp_seconds", scope="fleet", window="1m", state="final")  # noqa: E731
        self.lab.wait_until("a minute is final", ended, 75)
        samples = metrics_text.parse(self.page())
        get = lambda name, **more: samples[name, frozenset({"scope": "fleet", "window": "1m", "state": "final", **more}.items())]  # noqa: E731
        seconds = get("gwatt_window_seconds")
        energy = sum(get("gwatt_window_energy_joules", kind=k) for k in ("measured", "agent_estimated", "held", "peer_estimated"))
        self.assertAlmostEqual(energy / seconds, get("gwatt_window_mean_watts"), delta=0.01)
        self.assertLessEqual(get("gwatt_window_min_watts"), get("gwatt_window_mean_watts"))
        self.assertLessEqual(get("gwatt_window_mean_watts"), get("gwatt_window_max_watts"))

    def test_8_sigterm_ends_it_in_order(self):
        self.lab.processes = [(n, p) for n, p in self.lab.processes if p is not self.fleet]
        self.fleet.send_signal(signal.SIGTERM)
        self.assertEqual(self.fleet.wait(10), 0)
        self.assertIn("stopped", (self.lab.folder / "fleet.log").read_text())


class CommandTest(unittest.TestCase):
    def run_fleet(self, *argv):
        return subprocess.run([ARGS.fleet, *argv], capture_output=True, text=True, timeout=30)

    def test_exit_codes_say_what_went_wrong(self):
        with lab.Lab("fleet-cli") as place:
            good = place.write("good.toml", "[fleet]\nsite = 's1'\n[[rack]]\nagent = 'r1'\n")
            bad = place.write("bad.toml", "[fleet]\nsiet = 's1'\n")
            self.assertEqual(self.run_fleet("--version").stdout.strip(), f"gwatt-fleet {ARGS.version}")
            self.assertEqual(self.run_fleet("--help").returncode, 0)
            self.assertEqual(self.run_fleet().returncode, 64)
            self.assertEqual(self.run_fleet("--nonsense").returncode, 64)
            self.assertEqual(self.run_fleet("check", "--site", str(good)).returncode, 0)
            done = self.run_fleet("check", "--site", str(bad))
            self.assertEqual(done.returncode, 78)
            self.assertIn("bad.toml:2: fleet.siet: unknown key; did you mean \"site\"?", done.stderr)
            with socket.socket() as taken:
                taken.bind(("127.0.0.1", 0))
                taken.listen()
                busy = place.write("busy.toml", f"[metrics]\nport = {taken.getsockname()[1]}\n")
                self.assertEqual(self.run_fleet("--site", str(busy)).returncode, 73)
            nobody = self.run_fleet("top", "--broker", f"127.0.0.1:{lab.free_port()}", "--once", "--wait", "1")
            self.assertEqual(nobody.returncode, 69)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for name in ("--fleet", "--rack", "--root", "--version"):
        parser.add_argument(name, required=True)
    ARGS, rest = parser.parse_known_args()
    sys.path.insert(0, str(Path(ARGS.root) / "scripts"))
    import lab
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)
