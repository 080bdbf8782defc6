"""SunSpec battery (model 802).

Which sign its current has, the model leaves open: as elsewhere in SunSpec, what it gives is taken as
positive, and a commissioning visit proves it. Temperatures stand in models of the maker's choice.
"""

from greenmast_fw.devices import sunspec
from greenmast_fw.devices.profile import S16, SUNSPEC, TEXT16, U16

NAME = "sunspec-battery"
ROLE = "battery"
TEXT = "SunSpec battery, model 802"
SOURCES = (
    "sunspec/models json/model_802.json",
    "evcc-io/evcc and andig/gosunspec",
)
SINGLE_SOURCE = ("battery.current_ma",)  # its sign is left open
LINK = (0, "N", 1, 1)
TIMEOUT_MS = 1000
GAP_MS = 0
READ_MAX = 125
MODELS = (802,)
WALKER = sunspec.Walker

READS = ((3, 0, 64, 1),)
ROWS = (
    ("battery.soc_permille", 0, 11, U16 + SUNSPEC, 10, 56, 0),
    ("battery.soh_permille", 0, 13, U16 + SUNSPEC, 10, 58, 0),
    ("battery.voltage_mv", 0, 34, U16 + SUNSPEC, 1000, 59, 0),
    ("battery.cell_max_mv", 0, 37, U16 + SUNSPEC, 1000, 60, 0),
    ("battery.cell_min_mv", 0, 40, U16 + SUNSPEC, 1000, 60, 0),
    ("battery.current_ma", 0, 44, S16 + SUNSPEC, -1000, 61, 0),
    ("battery.charge_limit_ma", 0, 45, U16 + SUNSPEC, 1000, 62, 0),
    ("battery.discharge_limit_ma", 0, 46, U16 + SUNSPEC, 1000, 62, 0),
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
