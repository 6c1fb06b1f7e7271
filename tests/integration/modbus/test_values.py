"""Every register of every shipped profile, over RTU and TCP, from two foreign servers, equals a second reading of the profile."""
import os
import subprocess
import time

from harness import BENCH_PROFILE, LIBMODBUS, OK, PROFILES, TRACES, Case, free_port, expected, main

SHIPPED = sorted(PROFILES.glob("*.toml"))


def trapezoid(points):
    return sum((w0 + w1) / 2 * (t1 - t0) for (t0, w0), (t1, w1) in zip(points, points[1:]))


class Values(Case):
    def compare_all(self, shelf, port):
        for profile in SHIPPED:
            with self.subTest(profile=profile.name):
                reader = self.reader(port=port, profile=profile, units="1-3")
                self.assertEqual(reader.opened["result"], OK, reader.opened["error"])
                turn = reader.read()
                self.assertEqual(turn.result, OK, turn.error)
                for unit in (1, 2, 3):
                    wanted = expected(profile, shelf.ask(registers=unit)["registers"])
                    self.assertEqual(len([s for s in reader.sensors if s.startswith(f"psu{unit - 1}.")]), len(wanted))
                    self.agree(turn, f"psu{unit - 1}", wanted)
                reader.ask("close")

    def test_every_register_over_rtu(self):
        self.compare_all(self.shelf("--pty", self.pty, "--units", "1-3", "--device", "noise"), self.pty)

    def test_every_register_over_tcp(self):
        shelf = self.shelf("--tcp", 0, "--units", "1-3", "--device", "noise")
        self.compare_all(shelf, f"127.0.0.1:{shelf.ready['port']}")

    def test_200_values_of_300_registers_take_at_most_4_requests(self):
        shelf = self.shelf("--tcp", 0, "--units", "1", "--device", "bench")
        reader = self.reader(port=f"127.0.0.1:{shelf.ready['port']}", profile=BENCH_PROFILE)
        before = shelf.requests()
        turn = reader.read()
        self.assertEqual(turn.result, OK, turn.error)
        self.assertLessEqual(shelf.requests() - before, 4)
        print("requests a turn:", shelf.requests() - before)
        self.assertEqual(len(turn.samples), 200)
        self.assertEqual(turn.value("pdu.branch99.power"), 49)
        self.assertEqual(turn.value("pdu.branch0.power"), -50)

    def test_values_are_whole_multiples_of_the_resolution(self):
        self.shelf("--pty", self.pty, "--units", "1-6", "--sine", "9000:0.3:7")
        reader = self.reader(port=self.pty, profile=PROFILES / "orv3_psu.toml", units="1-6")
        for _ in range(10):
            turn = reader.read()
            for name, sensor in reader.sensors.items():
                steps = (turn.value(name) - sensor["offset"]) / sensor["resolution"]
                self.assertEqual(steps, int(steps), name)

    def libmodbus(self, *argv):
        if not LIBMODBUS:
            self.skipTest("libmodbus was not found when this was built")
        from harness import Process
        server = self.keep(Process(LIBMODBUS, *argv))
        self.assertEqual(server.line(), "READY")
        return [(i * 40503 + 12345) & 0xFFFF for i in range(400)]

    def test_libmodbus_over_tcp(self):
        port = free_port()
        registers = self.libmodbus("tcp", port)
        for profile in (*SHIPPED, BENCH_PROFILE):
            reader = self.reader(port=f"127.0.0.1:{port}", profile=profile, units="1")
            turn = reader.read()
            self.agree(turn, next(iter(reader.sensors)).split(".")[0], expected(profile, registers))
            reader.ask("close")

    def test_libmodbus_over_rtu(self):
        far = self.folder / "far"
        pair = subprocess.Popen(["socat", f"pty,raw,echo=0,link={self.pty}", f"pty,raw,echo=0,link={far}"])
        self.addCleanup(pair.wait)
        self.addCleanup(pair.terminate)
        end = time.monotonic() + 10
        while not (far.exists() and self.pty.exists()):
            self.assertLess(time.monotonic(), end, "socat made no ptys")
        held = os.open(self.pty, os.O_RDWR | os.O_NOCTTY)  # socat ends when the last one leaves
        self.addCleanup(os.close, held)
        registers = self.libmodbus("rtu", far, 1)
        for profile in SHIPPED:
            reader = self.reader(port=self.pty, profile=profile, units="1", baud=115200)
            self.assertEqual(reader.opened["result"], OK, reader.opened["error"])
            turn = self.await_value(reader, "psu0.input_power")
            self.agree(turn, "psu0", expected(profile, registers))
            reader.ask("close")

    def test_the_energy_of_a_replayed_trace_is_read_within_half_a_percent(self):
        trace = TRACES / "smc-64x8xH100/gpt3_5849-240518014016374832336_1_ac.csv.xz"
        if not trace.exists():
            self.skipTest(f"no traces: {trace} is not there (set GWATT_TRACES)")
        shelf = self.shelf("--pty", self.pty, "--units", "1-6", "--trace", trace, "--node", "7", "--speed", "10", "--start-at", "600")
        reader = self.reader(port=self.pty, profile=PROFILES / "orv3_psu.toml", units="1-6")
        units = [f"psu{n}.input_power" for n in range(6)]
        reader.ask("want " + " ".join(units))
        points, end = {u: [] for u in units}, time.monotonic() + 8
        while time.monotonic() < end:
            turn = reader.read()
            for unit in units:
                points[unit].append((turn.samples[unit][2], turn.value(unit)))
        got = sum(trapezoid(points[u]) for u in units)
        exact = sum(shelf.ask(energy=[points[u][0][0], points[u][-1][0]])["energy_j"] / 6 for u in units)
        print(f"energy read {got:.1f} J, exact {exact:.1f} J, off by {100 * (got / exact - 1):+.4f} %")
        self.assertLess(abs(got / exact - 1), 0.005)


if __name__ == "__main__":
    main()
