"""That check_layers.py finds what it is for: one bad tree a rule, and a good tree that stays silent."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import check_layers  # noqa: E402

GOOD = {
    "runtime/clock.hpp": "#pragma once\n",
    "runtime/clock.cpp": '#include "runtime/clock.hpp"\nauto a = std::chrono::steady_clock::now();\n',
    "runtime/mqtt_link.cpp": "#include <mqtt/async_client.h>\n",
    "proto/reading.hpp": "#pragma once\n// not #include \"agent/sampler.hpp\"\n",
    "proto/codec.cpp": '#include "gwatt/v1/data.pb.h"\n#include <google/protobuf/arena.h>\n',
    "drivers/abi/driver.h": "#pragma once\n",
    "drivers/profile/profile.hpp": '#include "drivers/abi/driver.h"\n',
    "drivers/modbus/bus.cpp": '#include "drivers/abi/driver.h"\n#include "drivers/profile/profile.hpp"\n',
    "drivers/runner/frame.hpp": "#pragma once\n",
    "drivers/runner/main.cpp": '#include "drivers/abi/driver.h"\nvoid* p = dlopen(path, 0); int t = clock_gettime(1, &now);\n',
    "agent/driver_host.hpp": '#include "proto/reading.hpp"\n',
    "agent/driver_host.cpp": '#include "drivers/runner/frame.hpp"\nint p = fork();\n',
    "agent/sampler.hpp": '#include "agent/driver_host.hpp"\nauto t = clock_.now(); // std::chrono::steady_clock::now()\n',
    "agent/main.cpp": '#include "agent/sampler.hpp"\n#include "runtime/clock.hpp"\nauto s = "dlopen(";\n',
    "fleet/report.hpp": '#include "proto/reading.hpp"\n',
    "fleet/outputs/output.hpp": '#include "fleet/report.hpp"\n',
    "fleet/outputs/web.cpp": '#include "fleet/outputs/output.hpp"\n',
    "fleet/main.cpp": '#include "fleet/outputs/output.hpp"\n#include "runtime/clock.hpp"\n',
    "tests/integration/x/test.cpp": '#include "agent/sampler.hpp"\n#include "support.hpp"\nauto t = steady_clock::now();\n',
}

# name of the rule -> (files that break it, where the breach must be found, a word of its text)
BAD = {
    "runtime knows nothing of power": ({"runtime/log.cpp": '#include "proto/reading.hpp"\n'}, "runtime/log.cpp:1", "runtime may not"),
    "proto stands on nothing": ({"proto/units.cpp": '\n#include "runtime/clock.hpp"\n'}, "proto/units.cpp:2", "proto may not"),
    "a driver sees no other driver": ({"drivers/hwmon/a.cpp": '#include "drivers/modbus/bus.hpp"\n', "drivers/modbus/bus.hpp": ""},
                                      "drivers/hwmon/a.cpp:1", "drivers/hwmon may not"),
    "a driver sees no agent": ({"drivers/hwmon/a.cpp": '#include "agent/sampler.hpp"\n'}, "drivers/hwmon/a.cpp:1", "may not"),
    "a path beside the file is no way around": ({"drivers/hwmon/a.cpp": '#include "../../agent/sampler.hpp"\n'},
                                                "drivers/hwmon/a.cpp:1", "may not"),
    "the runner sees the ABI only": ({"drivers/runner/b.cpp": '#include "drivers/profile/profile.hpp"\n'}, "drivers/runner/b.cpp:1", "may not"),
    "frames are for driver_host only": ({"agent/sampler.cpp": '#include "drivers/runner/frame.hpp"\n'}, "agent/sampler.cpp:1", "may not"),
    "agent and fleet are strangers": ({"fleet/ledger.cpp": '#include "agent/sampler.hpp"\n'}, "fleet/ledger.cpp:1", "may not"),
    "an output sees only output.hpp": ({"fleet/outputs/web.hpp": '#include "fleet/ledger.hpp"\n', "fleet/ledger.hpp": ""},
                                       "fleet/outputs/web.hpp:1", "may not"),
    "a stage does not include a later one": ({"agent/energy.hpp": '#include "agent/spool.hpp"\n', "agent/spool.hpp": ""},
                                             "agent/energy.hpp:1", "later stage spool"),
    "nor through a third file": ({"agent/energy.hpp": '#include "agent/shared.hpp"\n', "agent/shared.hpp": '#include "agent/spool.hpp"\n',
                                  "agent/spool.hpp": ""}, "agent/energy.hpp:1", "later stage spool"),
    "Paho has one home": ({"agent/publisher.cpp": "#include <mqtt/message.h>\n"}, "agent/publisher.cpp:1", "<mqtt/"),
    "Paho C too": ({"runtime/log.cpp": "#include <MQTTAsync.h>\n"}, "runtime/log.cpp:1", "<mqtt/"),
    "generated protobuf has one home": ({"fleet/subscriber.cpp": '#include "gwatt/v1/data.pb.h"\n'}, "fleet/subscriber.cpp:1", ".pb.h"),
    "no co_await in a condition": ({"agent/main.cpp": "if (ready()) co_await f();\nwhile (!(co_await g(x)))\n    h();\n"},
                                   "agent/main.cpp:2", "co_await"),
    "dlopen has one home": ({"agent/main.cpp": "void* h = dlopen(name, RTLD_NOW);\n"}, "agent/main.cpp:1", "dlopen"),
    "the clock has one home": ({"agent/energy.cpp": "\n\nauto t = std::chrono::steady_clock::now();\n"}, "agent/energy.cpp:3", "a clock"),
    "and system calls are no way around": ({"drivers/hwmon/a.cpp": "clock_gettime(CLOCK_MONOTONIC, &t);\n"}, "drivers/hwmon/a.cpp:1", "a clock"),
    "nor time()": ({"fleet/topology.cpp": "auto t = std::time(nullptr);\n"}, "fleet/topology.cpp:1", "a clock"),
    "unit tests take no real time": ({"tests/unit/agent/a.cpp": "auto t = system_clock::now();\n"}, "tests/unit/agent/a.cpp:1", "a clock"),
    "processes have one home": ({"fleet/main.cpp": "if (fork() == 0) {}\n"}, "fleet/main.cpp:1", "fork"),
    "an unknown quoted include is told": ({"agent/energy.cpp": '#include "boost/asio.hpp"\n'}, "agent/energy.cpp:1", "no file of this tree"),
}


def breaches_of(files):
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        return [f"{p}:{n}: {t}" for p, n, t in check_layers.breaches(root)[1]]


class Layers(unittest.TestCase):
    def test_a_tree_that_keeps_the_rules_is_silent(self):
        self.assertEqual(breaches_of(GOOD), [])

    def test_each_rule_finds_its_breach_and_nothing_else(self):
        for name, (files, where, word) in BAD.items():
            with self.subTest(name):
                found = breaches_of({**GOOD, **files})
                self.assertEqual(len(found), 1, found)
                self.assertTrue(found[0].startswith(where + ":"), found)
                self.assertIn(word, found[0])


if __name__ == "__main__":
    unittest.main()
