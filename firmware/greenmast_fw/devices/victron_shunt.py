"""Victron SmartShunt or BMV behind a GX device (Modbus TCP): the battery.

Every device has a unit number of its own, shown in the GX device under Settings, Services, Modbus TCP. What
the GX device does not know it answers with 0: a charge before the first full one, a probe that is not there.
"""

from greenmast_fw.devices.profile import NOT_ZERO, S16, U16

NAME = "victron-shunt"
ROLE = "battery"
TEXT = "Victron SmartShunt or BMV by its GX device"
SOURCES = (
    "victronenergy/dbus_modbustcp attributes.csv and mappings.cpp",
    "Victron CCGX Modbus TCP register list",
)
SINGLE_SOURCE = (
    "battery.voltage_mv",
    "battery.current_ma",
    "battery.temperature_dc",
    "battery.soc_permille",
)
LINK = (0, "N", 1, 1)
TIMEOUT_MS = 1000
GAP_MS = 0
READ_MAX = 125

READS = ((3, 259, 8, 1),)
ROWS = (
    ("battery.voltage_mv", 0, 0, U16 + NOT_ZERO, 10, 1, 0),
    ("battery.current_ma", 0, 2, S16, 100, 1, 0),
    ("battery.temperature_dc", 0, 3, S16 + NOT_ZERO, 1, 1, 0),
    ("battery.soc_permille", 0, 7, U16 + NOT_ZERO, 1, 1, 0),
)
WRITES = ()
SWITCHES = ()
PROBE = (
    (3, 259, 8, ((0, U16, 500, 8000), (3, S16, -400, 1200), (7, U16, 0, 1000))),
    (3, 303, 2, ()),
)
IDENTITY = ()
