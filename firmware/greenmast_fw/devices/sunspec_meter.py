"""SunSpec meter (models 201 to 204, which have one layout): the grid.

A meter of a single phase (model 201) needs `phases = 1` at the site: it does not know the others.
"""

from greenmast_fw.devices import sunspec
from greenmast_fw.devices.profile import NOT_ZERO, S16, SUNSPEC, TEXT16, U32

NAME = "sunspec-meter"
ROLE = "grid"
TEXT = "SunSpec AC meter, models 201-204"
SOURCES = (
    "sunspec/models json/model_203.json",
    "evcc-io/evcc and andig/gosunspec",
)
SINGLE_SOURCE = ()
LINK = (9600, "N", 1, 1)
TIMEOUT_MS = 1000
GAP_MS = 0
READ_MAX = 125
PHASES = 3
MODELS = (201, 202, 203, 204)
WALKER = sunspec.Walker

READS = ((3, 0, 55, 1),)
ROWS = (
    ("grid.l1_current_ma", 0, 3, S16 + SUNSPEC, 1000, 6, 0),
    ("grid.l2_current_ma", 0, 4, S16 + SUNSPEC, 1000, 6, 0),
    ("grid.l3_current_ma", 0, 5, S16 + SUNSPEC, 1000, 6, 0),
    ("grid.l1_voltage_mv", 0, 8, S16 + SUNSPEC, 1000, 15, 0),
    ("grid.l2_voltage_mv", 0, 9, S16 + SUNSPEC, 1000, 15, 0),
    ("grid.l3_voltage_mv", 0, 10, S16 + SUNSPEC, 1000, 15, 0),
    ("grid.frequency_chz", 0, 16, S16 + SUNSPEC, 100, 17, 0),
    ("grid.l1_power_w", 0, 19, S16 + SUNSPEC, 1, 22, 0),
    ("grid.l2_power_w", 0, 20, S16 + SUNSPEC, 1, 22, 0),
    ("grid.l3_power_w", 0, 21, S16 + SUNSPEC, 1, 22, 0),
    ("grid.l1_energy_wh", 0, 48, U32 + SUNSPEC + NOT_ZERO, 1, 54, 0),
    ("grid.l2_energy_wh", 0, 50, U32 + SUNSPEC + NOT_ZERO, 1, 54, 0),
    ("grid.l3_energy_wh", 0, 52, U32 + SUNSPEC + NOT_ZERO, 1, 54, 0),
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
