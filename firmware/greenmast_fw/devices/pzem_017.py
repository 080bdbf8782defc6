"""PZEM-017: DC meter in the load feed. It measures without direction."""

from greenmast_fw.devices.profile import U16, U32_LW

NAME = "pzem-017"
ROLE = "load"
TEXT = "PZEM-017 DC meter"
SOURCE = "PZEM-003/017 manual V1.0; esphome/esphome components/pzemdc"
LINK = (9600, "N", 2, 1)
TIMEOUT_MS = 300
GAP_MS = 0

READS = ((4, 0x0000, 6, 1),)
ROWS = (
    ("dc.bus_mv", 0, 0, U16, 10, 1, 0),
    ("load.power_w", 0, 2, U32_LW, 1, 10, 0),
    ("load.energy_wh", 0, 4, U32_LW, 1, 1, 0),
)
WRITES = ()
