"""Eastron SDM120: single-phase energy meter, measuring the grid upstream of its contactor."""

from greenmast_fw.devices.profile import F32, U16, U32

NAME = "eastron-sdm120"
ROLE = "grid"
TEXT = "Eastron SDM120 AC energy meter"
SOURCES = (
    "Eastron SDM120 Modbus protocol V2.5",
    "evcc/mbmd sdm120.go",
    "nmakel/sdm_modbus src/sdm_modbus/sdm.py",
)
SINGLE_SOURCE = ()
LINK = (2400, "N", 1, 1)
TIMEOUT_MS = 300
GAP_MS = 0
READ_MAX = 60

# Only even addresses and even counts. Reading over the words that a single phase leaves at 0 is cheaper than
# a second request.
READS = (
    (4, 0x0000, 14, 1),
    (4, 0x0046, 4, 1),
)
ROWS = (
    ("grid.voltage_mv", 0, 0x00, F32, 1000, 1, 0),
    ("grid.current_ma", 0, 0x06, F32, 1000, 1, 0),
    ("grid.power_w", 0, 0x0C, F32, 1, 1, 0),
    ("grid.frequency_chz", 1, 0, F32, 100, 1, 0),
    ("grid.energy_wh", 1, 2, F32, 1000, 1, 0),
)
WRITES = ()
SWITCHES = ()
PROBE = (
    (3, 0xFC02, 1, ((0, U16, 0x0004, 0x0020),)),  # meter code 0x0020; 0x0004 has been met
    (4, 0x0046, 2, ((0, F32, 0, 70),)),
    (3, 0x0014, 2, ((0, F32, 1, 247),)),  # its own address
)
IDENTITY = (
    ("serial", 3, 0xFC00, 2, U32),
    ("firmware", 3, 0xFC03, 1, U16),
)
