"""ComAp InteliLite 4 (AMF and MRS): genset controller and fuel level, with the register map of its archive.

It refuses to read an address that no object has, or a part of an object: every block stands alone.
"""

from greenmast_fw.devices.profile import CODE_IN, MINIMUM, S16, TEXT16, U16, U32

NAME = "comap-il4"
ROLE = "genset"
TEXT = "ComAp InteliLite 4 genset controller"
SOURCES = (
    "ComAp InteliLite4 AMF20 Global Guide pp. 189-197",
    "ComAp IGS-NT Communication Guide p. 96 (decimals)",
    "victronenergy/dbus-modbus-client comap.py",
)
SINGLE_SOURCE = ("genset.fault",)
LINK = (9600, "N", 1, 1)
TIMEOUT_MS = 500
GAP_MS = 0
READ_MAX = 16
HOLES = True

# 7 running, 8 loaded, 9 unloading, 10 cooling, 15 soft load.
_RUNNING_CODES = 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10 | 1 << 15
# 2 not ready, which it stays after a shutdown until somebody resets the fault; 12 shutdown.
_FAULT_CODES = 1 << 2 | 1 << 12
_CODES = 18
_AUTO = 2

READS = (
    (3, 1298, 1, 1),
    (3, 1036, 2, 1),
    (3, 1004, 1, 1),
    (3, 1020, 1, 1),
    (3, 1008, 1, 1),
    (3, 1006, 1, 5),
    (3, 1382, 1, 5),
    (3, 1055, 1, 10),
    (3, 1013, 2, 10),
    (3, 1263, 2, 10),
)
ROWS = (
    ("genset.running", 0, 0, CODE_IN, _RUNNING_CODES, _CODES, 0),
    ("genset.fault", 0, 0, CODE_IN, _FAULT_CODES, _CODES, 0),
    ("genset.frequency_chz", 1, 0, U16 + MINIMUM, 10, 1, 0),
    ("genset.voltage_mv", 1, 1, U16 + MINIMUM, 1000, 1, 0),
    ("genset.rpm", 2, 0, U16 + MINIMUM, 1, 1, 0),
    ("genset.power_w", 3, 0, S16 + MINIMUM, 1000, 1, 0),
    ("genset.oil_kpa", 4, 0, S16 + MINIMUM, 10, 1, 0),
    ("genset.coolant_dc", 5, 0, S16 + MINIMUM, 10, 1, 0),
    ("genset.auto", 6, 0, CODE_IN, 1 << _AUTO, 4, 0),
    ("genset.fuel_permille", 7, 0, U16 + MINIMUM, 10, 1, 0),
    ("genset.run_s", 8, 0, U32 + MINIMUM, 360, 1, 0),
    ("genset.energy_wh", 9, 0, U32 + MINIMUM, 1000, 1, 0),
)
WRITES = ()
SWITCHES = (("output.genset_start", 5, 4700, (0xFF00,), (0,)),)
# Remote start is for its automatic mode alone.
READY = (((3, 1382, 1, ((0, U16, _AUTO, _AUTO),)),), ())
PROBE = (
    # "InteliLi..", which it gives as a whole only.
    (3, 1307, 16, ((0, U32, 0x496E7465, 0x496E7465), (2, U32, 0x6C694C69, 0x6C694C69))),
    (3, 1307, 1, None),
)
IDENTITY = (
    ("model", 3, 1307, 16, TEXT16),
    ("firmware", 3, 1323, 8, TEXT16),
)
