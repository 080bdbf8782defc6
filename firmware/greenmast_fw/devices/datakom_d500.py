"""Datakom D-300, D-500, D-545 and D-700: genset controller and fuel level. 32-bit values, low word first.

It has no remote start by bus but presses its own buttons: RUN to start, and AUTO to go back to where it was.
"""

from greenmast_fw.devices.profile import CODE_IN, S16, TEXT16, U16, U32_LW

NAME = "datakom-d500"
ROLE = "genset"
TEXT = "Datakom D-300/500/545/700 genset controller"
SOURCES = (
    "Datakom D-500/D-700 Modbus Application Manual V5.6",
    "victronenergy/dbus-modbus-client datakom.py",
)
SINGLE_SOURCE = ()
LINK = (9600, "N", 1, 1)
TIMEOUT_MS = 500
GAP_MS = 0
READ_MAX = 16
HOLES = True

# 6-20 run without and with load, 21-23 stop with cooling down.
_RUNNING_CODES = (1 << 24) - (1 << 6)
_CODES = 26
_RUN = 2
_AUTO = 4

READS = (
    (3, 10604, 2, 1),
    (3, 10339, 1, 1),
    (3, 10246, 2, 1),
    (3, 10294, 2, 1),
    (3, 10376, 1, 1),
    (3, 10361, 3, 1),
    (3, 10616, 1, 10),
    (3, 10622, 2, 10),
    (3, 10628, 2, 10),
)
ROWS = (
    ("genset.running", 0, 0, CODE_IN, _RUNNING_CODES, _CODES, 0),
    ("genset.auto", 0, 1, CODE_IN, 1 << _AUTO, 9, 0),
    ("genset.frequency_chz", 1, 0, U16, 1, 1, 0),
    ("genset.voltage_mv", 2, 0, U32_LW, 100, 1, 0),
    ("genset.power_w", 3, 0, U32_LW, 100, 1, 0),
    ("genset.rpm", 4, 0, U16, 1, 1, 0),
    ("genset.oil_kpa", 5, 0, U16, 10, 1, 0),
    ("genset.coolant_dc", 5, 1, S16, 1, 1, 0),
    ("genset.fuel_permille", 5, 2, U16, 1, 1, 0),
    ("genset.starts", 6, 0, U16, 1, 1, 0),
    ("genset.run_s", 7, 0, U32_LW, 36, 1, 0),
    ("genset.energy_wh", 8, 0, U32_LW, 100, 1, 0),
)
WRITES = ()
# MANUAL and RUN together; AUTO.
SWITCHES = (("output.genset_start", 6, 8193, (0x12,), (0x04,)),)
READY = (
    ((3, 10605, 1, ((0, U16, _AUTO, _AUTO),)),),
    ((3, 10605, 1, ((0, U16, _RUN, _RUN),)),),
)
PROBE = (
    (3, 10609, 1, ((0, U16, 0xD300, 0xD7FF),)),  # D300, D500, D545 or D700
    (3, 10604, 2, ((0, U16, 0, 30), (1, U16, 1, 8))),
)
IDENTITY = (
    ("model", 3, 10609, 1, U16),
    ("serial", 3, 11687, 6, TEXT16),
    ("firmware", 3, 10611, 1, U16),
)
