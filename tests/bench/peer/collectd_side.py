"""collectd from Debian (collectd-core): modbus plugin in, mqtt plugin out, one Data block a value, as its manual shows."""
from lab import program

FLOATS, SHORTS = 100, 100


def config(folder, name, broker_port, modbus_port):
    data = "".join(
        f' <Data "f{i}">\n  RegisterBase {2 * i}\n  RegisterType float\n  RegisterCmd ReadHolding\n  Type power\n'
        f'  Instance "outlet-{i:03d}"\n </Data>\n' for i in range(FLOATS))
    data += "".join(
        f' <Data "i{i}">\n  RegisterBase {2 * FLOATS + i}\n  RegisterType Int16\n  RegisterCmd ReadHolding\n  Type power\n'
        f'  Instance "branch-{i:03d}"\n </Data>\n' for i in range(SHORTS))
    collect = "".join(f'   Collect "f{i}"\n' for i in range(FLOATS)) + "".join(f'   Collect "i{i}"\n' for i in range(SHORTS))
    return f"""Hostname "rack42"
FQDNLookup false
BaseDir "{folder}"
PIDFile "{folder}/{name}.pid"
PluginDir "/usr/lib/collectd"
TypesDB "/usr/share/collectd/types.db"
Interval 1
LoadPlugin logfile
<Plugin logfile>
 LogLevel "info"
 File STDOUT
</Plugin>
LoadPlugin modbus
LoadPlugin mqtt
<Plugin mqtt>
 <Publish "bench">
  Host "127.0.0.1"
  Port "{broker_port}"
  ClientId "{name}"
  Prefix "collectd"
  QoS 0
 </Publish>
</Plugin>
<Plugin modbus>
{data} <Host "rack42-pdu1">
  Address "127.0.0.1"
  Port "{modbus_port}"
  Interval 1
  <Slave 1>
   Instance "pdu"
{collect}  </Slave>
 </Host>
</Plugin>
"""


class Collectd:
    name = "collectd"
    topic = "collectd/#"

    def __init__(self, lab, broker_port, modbus_port):
        self._lab = lab
        self._config = lab.write("collectd.conf", config(lab.folder, "collectd", broker_port, modbus_port))

    def start(self):
        return self._lab.start("collectd", program("collectd"), "-f", "-C", self._config)

    def samples(self, heard):
        """One message is one value."""
        return len(heard)

    def is_sample(self, topic):
        return True
