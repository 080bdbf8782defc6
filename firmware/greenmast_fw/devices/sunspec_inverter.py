"""SunSpec inverter (models 101, 102 and 103, which have one layout): solar.

Voltage, current and power are those of its DC side.
"""

from greenmast_fw.devices import sunspec
from greenmast_fw.devices.profile import NOT_ZERO, S16, SUNSPEC, TEXT16, U16, U32

NAME = "sunspec-inverter"
ROLE = "solar"
TEXT = "SunSpec inverter, models 101-103"
SOURCES = (
    "sunspec/models json/model_101.json",
    "evcc-io/evcc and andig/gosunspec",
)
SINGLE_SOURCE = ()
LINK = (9600, "N", 1, 1)
TIMEOUT_MS = 1000
GAP_MS = 0
READ_MAX = 125
MODELS = (101, 102, 103)
WALKER = sunspec.Walker

READS = ((3, 0, 38, 1),)
ROWS = (
    ("solar.energy_wh", 0, 24, U32 + SUNSPEC + NOT_ZERO, 1, 26, 0),
    ("solar.current_ma", 0, 27, U16 + SUNSPEC, 1000, 28, 0),
    ("solar.voltage_mv", 0, 29, U16 + SUNSPEC, 1000, 30, 0),
    ("solar.power_w", 0, 31, S16 + SUNSPEC, 1, 32, 0),
)
WRITES = ()
SWITCHES = ()
PROBE = ()
IDENTITY = (
    ("manufacturer", 3, 2, 16, TEXT16),
    ("model", 3, 18, 16, TEXT16),
    ("serial", 3, 50, 16, TEXT16),
    ("firmware", 3, 42, 8, TEXT16),
)
