"""What goes wrong on real lines, one dial at a time: it costs what it hits and nothing else, and no wrong value ever passes."""
import subprocess
import time

from harness import BAD_CONFIG, BUSY, CHECK, GONE, OK, PLUGIN, PROFILES, TIMEOUT, Case, main

PROFILE = PROFILES / "orv3_psu.toml"
WATTS = 1000.0  # of each unit: 6000 W over six


class Faults(Case):
    def start(self, *argv, **options):
        self.line = self.shelf("--pty", self.pty, "--units", "1-6", *argv)
        reader = self.reader(port=self.pty, profile=PROFILE, units="1-6", **options)
        self.assertEqual(reader.opened["result"], OK, reader.opened["error"])
        for _ in range(7):  # until each has said what it is
            reader.read()
        return reader

    def powers(self, turn):
        return [turn.value(f"psu{n}.input_power") for n in range(6)]

    def check_turns(self, reader, turns, least, budget_ms=2400):
        """Of `turns` turns: no wrong value; at least `least` of the values there could be."""
        good = 0
        for _ in range(turns):
            powers = self.powers(reader.read(budget_ms))
            self.assertEqual([p for p in powers if p not in (None, WATTS)], [])
            good += sum(p == WATTS for p in powers)
        self.assertGreaterEqual(good, least)
        return good

    def test_a_silent_unit_leaves_the_others_their_share(self):
        reader = self.start()
        self.line.dials(silent=[3])
        longest = 0
        for turn_number in range(8):
            turn = reader.read(1800)  # the budgets leave room for a busy machine; the exact shares are a unit test's
            self.assertEqual(turn.result, OK)
            self.assertEqual(self.powers(turn), [WATTS, WATTS, None, WATTS, WATTS, WATTS], f"turn {turn_number}")
            longest = max(longest, turn.took)
        self.assertLess(longest, 1.8)
        self.assertLess(turn.took, 0.29, "the silent unit is dormant by now and costs nothing")
        self.assertTrue(any("asking it rarely: unit=psu2 address=3" in line for line in reader.log))
        self.line.dials(silent=[])
        self.await_value(reader, "psu2.input_power", 35)

    def test_all_silent_is_a_timeout(self):
        reader = self.start()
        self.line.dials(silent=[1, 2, 3, 4, 5, 6])
        turn = reader.read(300)
        self.assertEqual(turn.result, TIMEOUT)
        self.assertLess(turn.took, 0.6)

    def test_a_slow_unit_does_not_slow_the_bus(self):
        reader = self.start()
        self.line.dials(slow={"2": 0.08})
        self.check_turns(reader, 5, 30)

    def test_lost_replies_cost_only_themselves(self):
        reader = self.start(response_timeout="60ms")
        self.line.dials(drop=0.2)
        self.check_turns(reader, 30, 100)

    def test_garbage_before_replies_costs_nothing(self):
        reader = self.start()
        self.line.dials(garbage=1.0)
        self.check_turns(reader, 10, 60)

    def test_damaged_replies_are_noticed_and_asked_for_again(self):
        reader = self.start(response_timeout="100ms")
        self.line.dials(bad_crc=0.3)
        self.check_turns(reader, 30, 140)

    def test_doubled_replies_are_not_taken_for_others(self):
        reader = self.start()
        self.line.dials(double=1.0)
        self.check_turns(reader, 20, 120)

    def test_replies_byte_by_byte(self):
        reader = self.start()
        self.line.dials(pieces=True)
        self.check_turns(reader, 3, 18, budget_ms=6000)

    def test_the_pace_of_a_real_line(self):
        reader = self.start()
        reader.ask("want " + " ".join(f"psu{n}.input_power" for n in range(6)))
        self.line.dials(baud=19200)
        self.check_turns(reader, 5, 30)

    def test_a_refused_register_costs_itself_alone(self):
        reader = self.start()
        self.line.ask(refuse={"unit": 4, "from": 71, "to": 71})
        for _ in range(6):
            turn = reader.read()
            self.assertEqual(self.powers(turn), [WATTS] * 6)
            self.assertIsNone(turn.value("psu3.max_temperature"))
            self.assertEqual(turn.value("psu3.min_temperature"), -4.5)
            self.assertEqual(turn.value("psu2.max_temperature"), 61)
        before = self.line.requests()
        reader.read()
        self.assertLessEqual(self.line.requests() - before, 7)

    def test_an_adapter_that_is_pulled_out_is_gone_and_can_be_opened_again(self):
        reader = self.start()
        self.line.ask(unplug=True)
        turn = reader.read()
        self.assertEqual(turn.result, GONE)
        self.assertEqual({quality for quality, _, _ in turn.samples.values()}, {19})
        self.assertEqual(reader.ask("open")["result"], GONE)
        self.line.ask(plug=True)
        self.assertEqual(reader.ask("open")["result"], OK)
        self.assertEqual(self.powers(reader.read()), [WATTS] * 6)

    def test_a_tcp_connection_that_is_cut_is_made_again_in_the_same_turn(self):
        line = self.shelf("--tcp", 0, "--units", "1-6")
        reader = self.reader(port=f"localhost:{line.ready['port']}", profile=PROFILE, units="1-6")
        reader.read()
        for _ in range(3):
            line.ask(cut=True)
            time.sleep(0.05)
            self.assertEqual(self.powers(reader.read()), [WATTS] * 6)

    def test_another_device_in_a_units_place_is_denied(self):
        profile = self.folder / "strict.toml"
        profile.write_text(PROFILE.read_text().replace('id = "model"', 'id = "model"\nexpect = ["ECD17020037"]'))
        line = self.shelf("--pty", self.pty, "--units", "1-6")
        line.ask(model={"unit": 2, "text": "IMPOSTOR"})
        reader = self.reader(port=self.pty, profile=profile, units="1-6")
        turn = reader.read()
        self.assertEqual(turn.result, OK)
        self.assertEqual(self.powers(turn), [WATTS, None, WATTS, WATTS, WATTS, WATTS])
        self.assertEqual(turn.samples["psu1.input_power"][0], 21)
        self.assertTrue(any("unit=psu1 address=2" in line and "IMPOSTOR" in line for line in reader.log), reader.log)

    def test_a_line_that_another_program_has_is_busy(self):
        self.start()
        second = self.reader(port=self.pty, profile=PROFILE, units="1-6")
        self.assertEqual(second.opened["result"], BUSY)
        self.assertIn("locked by another program", second.opened["error"])


class Promise(Case):
    def check(self, *dials):
        line = self.shelf("--pty", self.pty, "--units", "1-3")
        for dial in dials:
            line.dials(**dial)
        done = subprocess.run([CHECK, PLUGIN, f"port={self.pty}", "units=1-3", f"profile={PROFILE}", "response_timeout=50ms"],
                              capture_output=True, text=True, timeout=100, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_driver_keeps_the_promise_of_driver_h(self):
        self.check()

    def test_and_keeps_it_when_a_unit_is_silent_and_the_line_is_noisy(self):
        self.check({"silent": [2], "garbage": 0.5, "bad_crc": 0.3, "drop": 0.2})


class Options(Case):
    def refused(self, result=BAD_CONFIG, **options):
        answer = self.reader(**{"port": "/dev/null", "profile": PROFILE, **options}).opened
        self.assertEqual(answer["result"], result, answer)
        return answer["error"]

    def test_what_is_wrong_is_said(self):
        self.assertIn("not a serial line", self.refused())
        self.assertIn("cannot be opened", self.refused(profile="/nowhere.toml"))
        self.assertIn("expected addresses such as", self.refused(units="1-"))
        self.assertIn("broadcast", self.refused(units="0"))
        self.assertIn("two units are called shelf", self.refused(units="1-2", name="shelf"))
        self.assertIn("given twice", self.refused(units="1-2", profile2=PROFILE, units2="2", name2="other{n}"))
        self.assertIn("missing, expected the addresses of profile2", self.refused(profile2=PROFILE))
        self.assertIn("the profiles disagree", self.refused(profile2=PROFILES / "orv3_hpr_psu.toml", units2="150", name2="hpr{n}"))
        self.assertIn("tty cannot carry", self.refused(framing="tcp"))
        self.assertIn("expected a tty, HOST, HOST:PORT", self.refused(port="host:0"))
        self.assertIn("did you mean", self.refused(bauds="9600"))
        broken = self.folder / "broken.toml"
        broken.write_text('name = "x"\n[unit]\nname = "u"\n[[sensor]]\nid = "p"\nregister = 1\ntype = "u15"\nquantity = "powr"\n')
        reader = self.reader(port="/dev/null", profile=broken)
        self.assertIn("broken.toml:7: sensor[0].type: found \"u15\"", reader.opened["error"])
        self.assertTrue(any("broken.toml:8: sensor[0].quantity: found \"powr\"" in line for line in reader.log), reader.log)

    def test_a_port_that_is_not_there_is_gone(self):
        self.refused(GONE, port="/dev/not-there")
        self.refused(GONE, port="127.0.0.1:1")


if __name__ == "__main__":
    main()
