"""Eastron SDM230: single-phase energy meter, measuring the grid upstream of its contactor."""

from greenmast_fw.devices.profile import F32, U32

NAME = "eastron-sdm230"
ROLE = "grid"
TEXT = "Eastron SDM230 AC energy meter"
SOURCES = (
    "Eastron SDM230 Modbus manual V1.1",
    "evcc/mbmd sdm230.go",
    "nmakel/sdm_modbus src/sdm_modbus/sdm.py",
)
SINGLE_SOURCE = ()
LINK = (9600, "N", 1, 1)
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
    # No register says who it is. What other meters of the family use for phases 2 and 3 is 0, and it alone
    # has the demand of a tariff.
    (4, 0x0000, 14, ((0, F32, 0, 500), (2, F32, 0, 0), (4, F32, 0, 0), (8, F32, 0, 0), (10, F32, 0, 0))),
    (4, 0x0046, 2, ((0, F32, 0, 70),)),
    (4, 0x1560, 2, ()),
    (3, 0x0014, 2, ((0, F32, 1, 247),)),  # its own address
)
IDENTITY = (("serial", 3, 0xFC00, 2, U32),)
