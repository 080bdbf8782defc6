"""JK BMS of the PB series ("inverter BMS"): the battery.

Addresses count bytes: a field of two registers takes four addresses, but the registers of one answer follow
each other. Address 0 is the first pack, which then is master of the bus: give every pack another one.
"""

from greenmast_fw.devices.profile import HIGHEST, LEAST, MASKED, NOT_ZERO, S16, S32, SIGNED, TEXT16, U16, U32

NAME = "jk-pb"
ROLE = "battery"
TEXT = "JK BMS PB series (PB2A16S20P and relatives)"
SOURCES = (
    "JK BMS RS485 Modbus V1.1",
    "syssi/esphome-jk-bms esp32-jk-pb-modbus-example.yaml",
    "mr-manuel/venus-os_dbus-serialbattery jkbms_pb.py",
)
SINGLE_SOURCE = ()
LINK = (115200, "N", 1, 1)
TIMEOUT_MS = 300
GAP_MS = 100
READ_MAX = 125

READS = (
    (3, 0x1290, 21, 1),
    (3, 0x1200, 16, 1),
)
ROWS = (
    ("battery.voltage_mv", 0, 0, U32, 1, 1, 0),
    ("battery.current_ma", 0, 4, S32, 1, 1, 0),
    ("battery.temperature_dc", 0, 6, HIGHEST + SIGNED, 1, 2, 0),  # the hotter of its two probes
    ("battery.soc_permille", 0, 11, MASKED, 0xFF, 10, 0),  # the high byte is about balancing
    ("battery.soh_permille", 0, 20, U16, 10, 256, 0),  # percent in the high byte, 0 or 1 in the low one
    ("battery.cell_max_mv", 1, 0, HIGHEST + NOT_ZERO, 1, 16, 0),
    ("battery.cell_min_mv", 1, 0, LEAST + NOT_ZERO, 1, 16, 0),
)
WRITES = ()
SWITCHES = ()
PROBE = (
    (3, 0x1400, 8, ((0, U16, 0x4A4B, 0x4A4B),)),  # its model's name begins with "JK"
    (3, 0x1290, 21, ((0, U32, 10_000, 100_000), (6, S16, -400, 1200))),
)
IDENTITY = (
    ("model", 3, 0x1400, 8, TEXT16),
    ("hardware", 3, 0x1410, 4, TEXT16),
    ("firmware", 3, 0x1418, 4, TEXT16),
)
