"""Mean Well CMU2C: controller of a rack of rectifiers, which it sets together. Modbus TCP.

Voltage and AC are those of its first power supply; the currents of 48 of them are not added up here. Its
limit of the current is that of each power supply, so the current of the whole rack cannot be set.
"""

from greenmast_fw.devices.profile import NONE_OF, TEXT16, U16, U32

NAME = "meanwell-cmu2c"
ROLE = "rectifier"
TEXT = "Mean Well CMU2C rack of rectifiers"
SOURCES = ("Mean Well CMU2C installation manual pp. 34-41",)
SINGLE_SOURCE = (
    "rectifier.output_mv",
    "rectifier.ac_present",
    "rectifier.setpoint_mv",
)
LINK = (0, "N", 1, 1)
TIMEOUT_MS = 250
GAP_MS = 20
READ_MAX = 48

_AC_FAIL = 1 << 5

READS = (
    (4, 0x0201, 1, 1),
    (3, 0x0200, 1, 1),
    (3, 0x0010, 1, 5),
)
ROWS = (
    ("rectifier.output_mv", 0, 0, U16, 10, 1, 0),
    ("rectifier.ac_present", 1, 0, NONE_OF, _AC_FAIL, 1, 0),
    ("rectifier.setpoint_mv", 2, 0, U16, 100, 1, 0),
)
WRITES = (("rectifier.setpoint_mv", 6, 0x0010, 1, 100, 42_000, 57_600),)
SWITCHES = ()
PROBE = (
    # Name of the maker of its first power supply: "MEAN". A single power supply has its own elsewhere.
    (3, 0x0210, 3, ((0, U32, 0x4D45414E, 0x4D45414E),)),
    (3, 0x0010, 2, ((0, U16, 0, 4000),)),
)
IDENTITY = (
    ("manufacturer", 3, 0x0210, 6, TEXT16),
    ("model", 3, 0x0216, 6, TEXT16),
    ("serial", 3, 0x0224, 6, TEXT16),
)
