// Driver `modbus`: Modbus RTU and TCP, described in docs/modbus.md.
#include "drivers/modbus/bus.hpp"

GWATT_DRIVER(gwatt::drivers::modbus::Bus)
