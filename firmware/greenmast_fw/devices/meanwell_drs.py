"""Mean Well DRS-240/480: rectifier with settable output voltage and current limit (48 V models)."""

from greenmast_fw.devices.profile import NONE_OF, TEXT16, U16, U32

NAME = "meanwell-drs"
ROLE = "rectifier"
TEXT = "Mean Well DRS-240/480 rectifier"
SOURCES = (
    "DRS-240/480 manual pp. 16, 21",
    "IoTpl/meanwell-modbus-monitor",
)
SINGLE_SOURCE = ()
LINK = (115200, "N", 1, 0x83)
TIMEOUT_MS = 250
GAP_MS = 8
READ_MAX = 125

_AC_FAIL = 1 << 5

READS = (
    (4, 0x0060, 2, 1),
    (4, 0x0040, 1, 1),
    (3, 0x0020, 1, 5),
    (3, 0x0030, 1, 5),
)
ROWS = (
    ("rectifier.output_mv", 0, 0, U16, 10, 1, 0),
    ("rectifier.output_ma", 0, 1, U16, 10, 1, 0),
    ("rectifier.ac_present", 1, 0, NONE_OF, _AC_FAIL, 1, 0),
    ("rectifier.setpoint_mv", 2, 0, U16, 10, 1, 0),
    ("rectifier.limit_ma", 3, 0, U16, 10, 1, 0),
)
WRITES = (
    ("rectifier.setpoint_mv", 6, 0x0020, 1, 10, 42_000, 57_600),
    ("rectifier.limit_ma", 6, 0x0030, 1, 10, 0, 655_350),
)
SWITCHES = ()
PROBE = (
    # The manufacturer's name and the model's: "MEAN.." and "DRS-".
    (3, 0x0080, 6, ((0, U32, 0x4D45414E, 0x4D45414E),)),
    (3, 0x0086, 6, ((0, U32, 0x4452532D, 0x4452532D),)),
)
IDENTITY = (
    ("manufacturer", 3, 0x0080, 6, TEXT16),
    ("model", 3, 0x0086, 6, TEXT16),
)
