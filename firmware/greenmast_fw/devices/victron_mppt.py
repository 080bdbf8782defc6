"""Victron solar charger behind a GX device (Modbus TCP), which also knows its battery.

Every device has a unit number of its own, shown in the GX device under Settings, Services, Modbus TCP. What
the GX device does not know it answers with 0.
"""

from greenmast_fw.devices.profile import NOT_ZERO, U16

NAME = "victron-mppt"
ROLE = "solar"
TEXT = "Victron solar charger by its GX device"
SOURCES = (
    "victronenergy/dbus_modbustcp attributes.csv",
    "Victron CCGX Modbus TCP register list",
)
SINGLE_SOURCE = (
    "solar.voltage_mv",
    "solar.power_w",
    "solar.energy_wh",
    "battery.voltage_mv",
)
LINK = (0, "N", 1, 1)
TIMEOUT_MS = 1000
GAP_MS = 0
READ_MAX = 125
HOLES = True

READS = (
    (3, 776, 1, 1),
    (3, 789, 2, 1),
    (3, 771, 1, 1),
)
ROWS = (
    ("solar.voltage_mv", 0, 0, U16, 10, 1, 0),
    ("solar.power_w", 1, 0, U16, 1, 10, 0),
    ("solar.energy_wh", 1, 1, U16, 100, 1, 0),
    ("battery.voltage_mv", 2, 0, U16 + NOT_ZERO, 10, 1, 0),
)
WRITES = ()
SWITCHES = ()
PROBE = (
    # The battery's voltage, whether it is on, and its state.
    (3, 771, 6, ((0, U16, 500, 8000), (3, U16, 1, 4), (4, U16, 0, 252))),
    (3, 789, 2, ()),
)
IDENTITY = ()
