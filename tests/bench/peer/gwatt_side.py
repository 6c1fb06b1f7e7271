"""gwatt-agent with its modbus driver on the same values: one bus, one profile with the 200 registers."""
class Gwatt:
    name = "gwatt"
    topic = "gwatt/#"
    def __init__(self, lab, broker_port, modbus_port, build):
        self._lab = lab
