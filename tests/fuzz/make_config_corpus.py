"""Writes the seeds of fuzz target config: whole files, single sections, and each with one thing broken."""
import os

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "config", "corpus")
HEAD = "[agent]\nsite = 'lab'\nname = 'rack-1'\n"
BUS = "[[bus]]\nname = 'shelf'\ndriver = 'modbus'\n"
PARTS = {
    "least": HEAD + BUS,
    "empty": "",
    "location": HEAD + "[location]\nhall = 'h'\nrow = 'r'\nrack = 'k'\nrating = 130e3\n" + BUS,
    "mqtt": HEAD + "[mqtt]\nhost = '10.0.0.1'\nport = 8883\nprotocol = '3.1.1'\nkeepalive = 30\nwindow = 5\n"
            "[mqtt.tls]\nca = 'a'\ncert = 'b'\nkey = 'c'\n" + BUS,
    "insecure": HEAD + "[mqtt]\nhost = 'x'\ninsecure = true\nusername = 'u'\npassword_file = '/p'\n" + BUS,
    "publish": HEAD + "[publish]\nlive = false\nlive_interval = '2s'\nfast_batch = '5s'\nhistory_rate = 9\n" + BUS,
    "spool": HEAD + "[spool]\nmemory_bytes = 65536\nage = '1h'\n[energy]\ngap = '30s'\n" + BUS,
    "options": HEAD + BUS + "[bus.options]\ndevice = '${TTY:-/dev/ttyS1}'\nunits = [1, 2, 'x']\nspeed = 9600.5\non = true\n",
    "rules": HEAD + BUS + "[[bus.sensor]]\nmatch = '*fan*'\nperiod = '60s'\nenabled = false\n"
             "[[bus.sensor]]\nmatch = 'p'\nresolution = 0.5\npoint = 'psu_in'\nfeed = 'A'\nname = 'n'\nlabel = 'l'\n",
    "variables": "[agent]\nsite = '${SITE}'\nname = '$${A}${B:-}${'\n" + BUS,
    "two_buses": HEAD + BUS + BUS,
    "wrong_types": "agent = 3\nbus = 'x'\nmqtt = []\n",
    "inline": "agent = { site = 'a', name = 'b' }\nbus = [ { name = 'x', driver = 'y', options = { a = [[1]] } } ]\n",
    "durations": HEAD + BUS + "period = '1e300s'\nslow_period = '-1s'\n",
    "dates": HEAD + BUS + "period = 1979-05-27T07:32:00Z\n",
    "torn": HEAD + "[[bus]\nname = ",
}

os.makedirs(HERE, exist_ok=True)
for name, text in PARTS.items():
    with open(os.path.join(HERE, name + ".toml"), "w", encoding="utf-8") as out:
        out.write(text)
