"""Daly BMS with the Modbus protocol ("D2"): the battery.

Not the P81/HKMS firmware, whose registers differ.
"""

from greenmast_fw.devices.profile import U16

NAME = "daly-bms"
ROLE = "battery"
TEXT = "Daly BMS, Modbus protocol D2"
SOURCES = (
    "syssi/esphome-daly-bms docs/protocol-register-map.md",
    "syssi/esphome-daly-bms docs/pdus (recorded replies)",
)
SINGLE_SOURCE = ()
LINK = (9600, "N", 1, 0xD2)
TIMEOUT_MS = 300
GAP_MS = 0
READ_MAX = 80

READS = ((3, 0x0000, 62, 1),)  # the block that the protocol documents
ROWS = (
    ("battery.voltage_mv", 0, 0x28, U16, 100, 1, 0),
    ("battery.current_ma", 0, 0x29, U16, 100, 1, -3_000_000),  # 30000 is 0 A; above it the battery charges
    ("battery.soc_permille", 0, 0x2A, U16, 1, 1, 0),
    ("battery.cell_max_mv", 0, 0x2B, U16, 1, 1, 0),
    ("battery.cell_min_mv", 0, 0x2C, U16, 1, 1, 0),
    ("battery.temperature_dc", 0, 0x2D, U16, 10, 1, -400),  # the hottest probe; 40 is 0 degC
)
WRITES = ()
SWITCHES = ()
PROBE = (
    # No register says who it is: the documented block must look like a battery.
    (
        3,
        0x0000,
        62,
        (
            (0x28, U16, 100, 1500),  # voltage in 0.1 V
            (0x29, U16, 20_000, 40_000),  # current around 30000
            (0x2A, U16, 0, 1000),
            (0x2B, U16, 1000, 5000),
            (0x2C, U16, 1000, 5000),
            (0x2D, U16, 0, 160),  # hottest probe, 40 is 0 degC
            (0x2F, U16, 0, 2),  # idle, charging, discharging
            (0x31, U16, 1, 48),  # cells
            (0x32, U16, 1, 16),  # probes
        ),
    ),
)
IDENTITY = ()
