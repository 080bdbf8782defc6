"""Eastron SDM230: single-phase energy meter, measuring the grid upstream of its contactor."""

from greenmast_fw.devices.profile import F32, U16, U32

NAME = "eastron-sdm230"
ROLE = "grid"
TEXT = "Eastron SDM230 AC energy meter"
SOURCES = (
    "Eastron SDM230 Modbus manual V1.1",
    "evcc/mbmd sdm230.go",
)
SINGLE_SOURCE = ()
LINK = (9600, "N", 1, 1)
TIMEOUT_MS = 300
GAP_MS = 0

# Only even addresses and even counts; 0x0000-0x000D also spans words that this single-phase meter leaves at
# 0.
READS = (
    (4, 0x0000, 14, 1),
    (4, 0x0046, 2, 1),
    (4, 0x0048, 2, 10),
)
ROWS = (
    ("grid.voltage_mv", 0, 0x00, F32, 1000, 1, 0),
    ("grid.current_ma", 0, 0x06, F32, 1000, 1, 0),
    ("grid.power_w", 0, 0x0C, F32, 1, 1, 0),
    ("grid.frequency_chz", 1, 0, F32, 100, 1, 0),
    ("grid.energy_wh", 2, 0, F32, 1000, 1, 0),
)
WRITES = ()
SWITCHES = ()
PROBE = (
    (3, 0xFC02, 1, ((0, U16, 0x002B, 0x002B),)),  # meter code
)
IDENTITY = (
    ("serial", 3, 0xFC00, 2, U32),
    ("firmware", 3, 0xFC03, 1, U16),
)
