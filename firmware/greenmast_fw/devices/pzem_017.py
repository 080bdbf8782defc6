"""PZEM-017: DC meter in the load feed. It measures without direction."""

from greenmast_fw.devices.profile import U16, U32_LW

NAME = "pzem-017"
ROLE = "load"
TEXT = "PZEM-017 DC meter"
SOURCES = (
    "PZEM-003/017 manual V1.0",
    "esphome/esphome components/pzemdc",
)
SINGLE_SOURCE = ()
LINK = (9600, "N", 2, 1)
TIMEOUT_MS = 300
GAP_MS = 0
READ_MAX = 8

READS = ((4, 0x0000, 6, 1),)
ROWS = (
    ("dc.bus_mv", 0, 0, U16, 10, 1, 0),
    ("load.power_w", 0, 2, U32_LW, 1, 10, 0),
    ("load.energy_wh", 0, 4, U32_LW, 1, 1, 0),
)
WRITES = ()
SWITCHES = ()
PROBE = (
    # Limits of its alarms, address and shunt; two alarms that are 0 or 0xFFFF.
    (3, 0x0000, 4, ((0, U16, 500, 35_000), (1, U16, 100, 35_000), (2, U16, 1, 247), (3, U16, 0, 3))),
    (4, 0x0000, 8, ((0, U16, 0, 35_000),)),
)
IDENTITY = ()
