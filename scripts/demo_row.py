"""The demo's row of racks, as configuration: who is there, and what each agent and the fleet program are told."""

SITE = "demo"

# (agent, row, kind, kW for people and ratings). `silent` is in the site file and has no agent: what is missing stays visible.
RACKS = (
    ("rack-a1", "a", "simulated", 120),
    ("rack-a2", "a", "simulated", 120),
    ("rack-a3", "a", "simulated", 120),
    ("rack-a4", "a", "simulated", 120),
    ("rack-a5", "a", "silent", 120),
    ("rack-b1", "b", "modbus", 15),
    ("rack-b2", "b", "hwmon", 12),
)

WHAT = {
    "simulated": "driver `simulated`: 24 power supplies, 72 GPUs",
    "modbus": "driver `modbus`: an ORv3 power shelf, Modbus RTU over a pty pair, answered by pymodbus",
    "hwmon": "driver `hwmon`: a sysfs tree of two hot-swap controllers, feeds A and B",
    "silent": "expected by the site file, but no agent runs: its watts are estimated, and said to be",
}


def speaking():
    return [rack for rack in RACKS if rack[2] != "silent"]


def agent_config(rack, broker_port, bus):
    """TOML of one agent; `bus` is the text of its [[bus]]."""
    agent, row, _, kilowatts = rack
    return f"""[agent]
site = "{SITE}"
name = "{agent}"

[location]
hall = "h1"
row = "{row}"
rack = "{agent}"
rating = {kilowatts * 1250}

[mqtt]
host = "127.0.0.1"
port = {broker_port}

{bus}"""


def simulated_bus(number, kilowatts):
    return f"""[[bus]]
name = "sim"
driver = "simulated"

[bus.options]
psus = 24
gpus = 72
power = {kilowatts * 880}
swing = 0.25
period = "40s"
noise = 2
seed = {number}
"""


def site_config(broker_port, metrics_port):
    """TOML of gwatt-fleet: the broker and every rack that is expected."""
    racks = "".join(f"""
[[rack]]
site = "{SITE}"
agent = "{agent}"
hall = "h1"
row = "{row}"
rating_watts = {kilowatts * 1250}
peers = "{'gpu' if kilowatts > 50 else 'small'}"
""" for agent, row, _, kilowatts in RACKS)
    return f"""[fleet]
name = "demo-fleet"

[mqtt]
host = "127.0.0.1"
port = {broker_port}

[metrics]
address = "127.0.0.1"
port = {metrics_port}
{racks}"""


def modbus_bus(tty, profile):
    return f"""[[bus]]
name = "shelf"
driver = "modbus"

[bus.options]
port = "{tty}"
profile = "{profile}"
units = "1-6"
"""


def hwmon_bus(tree):
    return f"""[[bus]]
name = "board"
driver = "hwmon"

[bus.options]
root = "{tree}/class/hwmon"
parts = "feeda=3-0010 feedb=3-0011 inlet=3-004c"
points = "pin=rack_in energy1=rack_in"
feeds = "feeda=A feedb=B"
"""
