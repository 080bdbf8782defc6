"""Seplos BMS V3: the battery, with the charge and discharge limits that it asks for.

With several packs the first one is itself master of the pack bus: only a single pack can be read this way.
"""

from greenmast_fw.devices.profile import S16, U16

NAME = "seplos-v3"
ROLE = "battery"
TEXT = "Seplos BMS V3"
SOURCES = (
    "syssi/esphome-seplos-bms docs, XZH BMS Modbus-RTU protocol",
    "mr-manuel/venus-os_dbus-serialbattery seplosv3.py",
)
SINGLE_SOURCE = ()
LINK = (19200, "N", 1, 0)
TIMEOUT_MS = 300
GAP_MS = 0
READ_MAX = 53

READS = ((4, 0x1000, 17, 1),)
ROWS = (
    ("battery.voltage_mv", 0, 0, U16, 10, 1, 0),
    ("battery.current_ma", 0, 1, S16, 10, 1, 0),
    ("battery.soc_permille", 0, 5, U16, 1, 1, 0),
    ("battery.soh_permille", 0, 6, U16, 1, 1, 0),
    ("battery.cell_max_mv", 0, 10, U16, 1, 1, 0),
    ("battery.cell_min_mv", 0, 11, U16, 1, 1, 0),
    ("battery.temperature_dc", 0, 12, U16, 1, 1, -2731),  # the hottest probe, in 0.1 K
    ("battery.discharge_limit_ma", 0, 15, U16, 1000, 1, 0),
    ("battery.charge_limit_ma", 0, 16, U16, 1000, 1, 0),
)
WRITES = ()
SWITCHES = ()
PROBE = (
    # No register says who it is: charge, health, cells and probes must look like a battery.
    (
        4,
        0x1000,
        17,
        (
            (0, U16, 1000, 10_000),  # 10 mV
            (5, U16, 0, 1000),
            (6, U16, 1, 1000),
            (8, U16, 1000, 5000),  # mean of the cells in mV
            (10, U16, 1000, 5000),
            (11, U16, 1000, 5000),
            (12, U16, 2231, 3931),  # 0.1 K
            (13, U16, 2231, 3931),
        ),
    ),
    (4, 0x2100, 1, None),
)
IDENTITY = ()
