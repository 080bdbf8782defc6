"""Eastron SDM630: energy meter of three phases, measuring the grid upstream of its contactor.

It misses requests that follow its own reply without a pause.
"""

from greenmast_fw.devices.profile import F32, U32

NAME = "eastron-sdm630"
ROLE = "grid"
TEXT = "Eastron SDM630 three-phase AC energy meter"
SOURCES = (
    "Eastron SDM630 Modbus protocol V1.8 and V2.0",
    "nmakel/sdm_modbus src/sdm_modbus/sdm.py",
    "esphome/esphome components/sdm_meter",
)
SINGLE_SOURCE = ()
LINK = (9600, "N", 1, 1)
TIMEOUT_MS = 300
GAP_MS = 50
READ_MAX = 80
PHASES = 3

READS = (
    (4, 0x0000, 18, 1),
    (4, 0x0046, 2, 1),
    (4, 0x015A, 6, 10),
)
ROWS = (
    ("grid.l1_voltage_mv", 0, 0x00, F32, 1000, 1, 0),
    ("grid.l2_voltage_mv", 0, 0x02, F32, 1000, 1, 0),
    ("grid.l3_voltage_mv", 0, 0x04, F32, 1000, 1, 0),
    ("grid.l1_current_ma", 0, 0x06, F32, 1000, 1, 0),
    ("grid.l2_current_ma", 0, 0x08, F32, 1000, 1, 0),
    ("grid.l3_current_ma", 0, 0x0A, F32, 1000, 1, 0),
    ("grid.l1_power_w", 0, 0x0C, F32, 1, 1, 0),
    ("grid.l2_power_w", 0, 0x0E, F32, 1, 1, 0),
    ("grid.l3_power_w", 0, 0x10, F32, 1, 1, 0),
    ("grid.frequency_chz", 1, 0, F32, 100, 1, 0),
    ("grid.l1_energy_wh", 2, 0, F32, 1000, 1, 0),
    ("grid.l2_energy_wh", 2, 2, F32, 1000, 1, 0),
    ("grid.l3_energy_wh", 2, 4, F32, 1000, 1, 0),
)
WRITES = ()
SWITCHES = ()
PROBE = (
    (3, 0x000A, 2, ((0, F32, 1, 3),)),  # kind of system: one to three phases; single-phase meters lack it
    (3, 0x0014, 2, ((0, F32, 1, 247),)),  # its own address
    (4, 0x0046, 2, ((0, F32, 0, 70),)),
)
IDENTITY = (("serial", 3, 0xFC00, 2, U32),)
