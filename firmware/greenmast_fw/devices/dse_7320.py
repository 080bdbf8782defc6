"""Deep Sea Electronics 7320 MkII and GenComm relatives (73xx, 74xx, 86xx): genset controller and fuel level.

Registers are page * 256 + offset. What a controller lacks it answers with sentinel values, not with
exceptions; but one request stays on one page. The 4520 MkII says that it can be started by telemetry, and
does not do it: start that one by a contact.
"""

from greenmast_fw.devices.profile import CODE_IN, GENCOMM, MASKED, S16, S32, U16, U32

NAME = "dse-7320"
ROLE = "genset"
TEXT = "DSE 7320 MkII genset controller (GenComm)"
SOURCES = (
    "DSE GenComm manual pp. 38-54",
    "victronenergy/dbus-modbus-client dse.py",
)
SINGLE_SOURCE = ("genset.running", "genset.fault")
LINK = (9600, "N", 2, 10)
TIMEOUT_MS = 1000
GAP_MS = 0
READ_MAX = 125
HOLES = True

# Page 3 offset 6, bits from the least significant: shutdown by unit failure, alarm, electrical trip,
# controlled shutdown.
_FAULT_BITS = 1 << 14 | 1 << 13 | 1 << 12 | 1 << 7
# Page 5 offset 128: 2 warming up, 3 running, 4 cooling down.
_RUNNING_CODES = 1 << 2 | 1 << 3 | 1 << 4

# Page 3 offset 4: 1 automatic, 4 automatic with manual restore.
_AUTO = 1
# Telemetry start and its cancelling, functions 32 and 33: the top bits of the third word of their bitmap.
_TELEMETRY = 0xC000
_START = 35_732
_CANCEL = 35_733

READS = (
    (3, 0x0400, 10, 1),
    (3, 0x0580, 1, 1),
    (3, 0x0304, 3, 1),
    (3, 0x0600, 2, 1),
    (3, 0x0706, 12, 10),
)
ROWS = (
    ("genset.oil_kpa", 0, 0, U16 | GENCOMM, 1, 1, 0),
    ("genset.coolant_dc", 0, 1, S16 | GENCOMM, 10, 1, 0),
    ("genset.fuel_permille", 0, 3, U16 | GENCOMM, 10, 1, 0),
    ("genset.rpm", 0, 6, U16 | GENCOMM, 1, 1, 0),
    ("genset.frequency_chz", 0, 7, U16 | GENCOMM, 10, 1, 0),
    ("genset.voltage_mv", 0, 8, U32 | GENCOMM, 100, 1, 0),
    ("genset.running", 1, 0, CODE_IN | GENCOMM, _RUNNING_CODES, 15, 0),
    ("genset.auto", 2, 0, CODE_IN | GENCOMM, 1 << _AUTO | 1 << 4, 8, 0),
    ("genset.fault", 2, 2, MASKED | GENCOMM, _FAULT_BITS, 1, 0),
    ("genset.power_w", 3, 0, S32 | GENCOMM, 1, 1, 0),
    ("genset.run_s", 4, 0, U32 | GENCOMM, 1, 1, 0),
    ("genset.energy_wh", 4, 2, U32 | GENCOMM, 100, 1, 0),
    ("genset.starts", 4, 10, U32 | GENCOMM, 1, 1, 0),
)
WRITES = ()
# The key and its complement, in one request.
SWITCHES = (("output.genset_start", 16, 0x1008, (_START, 0xFFFF - _START), (_CANCEL, 0xFFFF - _CANCEL)),)
READY = (
    (
        (3, 0x0304, 1, ((0, U16, _AUTO, _AUTO),)),
        (3, 0x1002, 1, ((0, U16, _TELEMETRY, 0xFFFF),)),
    ),
    (),
)
PROBE = (
    # Manufacturer 1; the model codes of the families 45xx, 60xx, 61xx, 73xx, 74xx and 86xx.
    (3, 0x0300, 2, ((0, U16, 1, 1), (1, U16, 32_768, 32_895))),
)
IDENTITY = (
    ("model", 3, 0x0301, 1, U16),
    ("serial", 3, 0x0302, 2, U32),
)
