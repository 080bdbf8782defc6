"""PACE BMS with Modbus protocol V1.3: the battery. Not its ASCII protocol, which begins with "~"."""

from greenmast_fw.devices.profile import HIGHEST, LEAST, NOT_ZERO, S16, SIGNED, TEXT16, U16

NAME = "pace-bms"
ROLE = "battery"
TEXT = "PACE BMS, Modbus protocol V1.3"
SOURCES = (
    "PACE BMS Modbus Protocol for RS485 V1.3",
    "open-watt/openwatt router/modbus/profile/pace_bms.d",
)
SINGLE_SOURCE = ()
LINK = (9600, "N", 1, 1)
TIMEOUT_MS = 200
GAP_MS = 100
READ_MAX = 125

# One request: a second one would cost the pause that the protocol wants, more than the words between.
READS = ((3, 0, 35, 1),)
ROWS = (
    ("battery.current_ma", 0, 0, S16, 10, 1, 0),
    ("battery.voltage_mv", 0, 1, U16, 10, 1, 0),
    ("battery.soc_permille", 0, 2, U16, 10, 1, 0),
    ("battery.soh_permille", 0, 3, U16, 10, 1, 0),
    ("battery.cell_max_mv", 0, 15, HIGHEST + NOT_ZERO, 1, 16, 0),
    ("battery.cell_min_mv", 0, 15, LEAST + NOT_ZERO, 1, 16, 0),
    ("battery.temperature_dc", 0, 31, HIGHEST + SIGNED, 1, 4, 0),  # the hottest of four cells
)
WRITES = ()
SWITCHES = ()
PROBE = (
    # No register says who it is: charge, health, capacities, cells and temperatures must look like a battery.
    (
        3,
        0,
        35,
        (
            (1, U16, 1000, 10_000),  # 10 mV
            (2, U16, 0, 100),
            (3, U16, 1, 100),
            (6, U16, 100, 60_000),  # design capacity in 10 mAh
            (15, U16, 1000, 5000),
            (16, U16, 1000, 5000),
            (31, S16, -400, 1200),
        ),
    ),
    (3, 150, 10, ()),  # version, as text
    (3, 160, 10, ()),
)
IDENTITY = (
    ("model", 3, 160, 10, TEXT16),
    ("serial", 3, 170, 10, TEXT16),
    ("firmware", 3, 150, 10, TEXT16),
)
