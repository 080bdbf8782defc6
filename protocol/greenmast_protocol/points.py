"""The point table: every value that crosses a wire, once.

A row is (name, low, high, dead band). Names are `subsystem.name_unit`; the last part of a name is its unit (`UNITS`).
Values are integers. One outside [low, high] is INVALID, never clamped. The dead band is the change worth telling about
before the next full report (0: any change). Points whose values stand for words have those words in `LABELS`.
A point's number is its place in this table; the numbers are not a wire format, the names are.
"""

import hashlib

from greenmast_protocol import reasons

_BIT = (0, 1, 0)
_AC_V = (0, 500_000, 2_000)
_DC_V = (0, 100_000, 100)
_WH = (0, 0x7FFFFFFFFF, 100)

POINTS = (
    ("grid.voltage_mv",) + _AC_V,  # the worst phase, upstream of K_GRID
    ("grid.current_ma", 0, 1_000_000, 500),
    ("grid.power_w", -200_000, 200_000, 50),
    ("grid.frequency_chz", 0, 10_000, 20),
    ("grid.energy_wh",) + _WH,
    ("grid.mains_ok",) + _BIT,  # mains-fail input, where there is one
    ("grid.qualified",) + _BIT,
    ("genset.state", 0, 9, 0),
    ("genset.running",) + _BIT,
    ("genset.voltage_mv",) + _AC_V,
    ("genset.frequency_chz", 0, 10_000, 20),
    ("genset.rpm", 0, 10_000, 50),
    ("genset.power_w", -200_000, 200_000, 50),
    ("genset.fuel_permille", 0, 1_000, 5),
    ("genset.oil_kpa", 0, 2_000, 20),
    ("genset.coolant_dc", -500, 2_000, 20),
    ("genset.run_s", 0, 0x7FFFFFFF, 300),
    ("genset.starts", 0, 0x7FFFFFFF, 0),
    ("genset.energy_wh",) + _WH,
    ("genset.fault", 0, 0xFFFF, 0),
    ("rectifier.output_mv",) + _DC_V,
    ("rectifier.output_ma", 0, 1_000_000, 500),
    ("rectifier.setpoint_mv",) + _DC_V,
    ("rectifier.limit_ma", 0, 1_000_000, 500),
    ("rectifier.ac_present",) + _BIT,
    ("rectifier.energy_wh",) + _WH,
    ("dc.bus_mv",) + _DC_V,
    ("solar.voltage_mv", 0, 1_000_000, 2_000),
    ("solar.current_ma", 0, 1_000_000, 500),
    ("solar.power_w", 0, 200_000, 50),
    ("solar.energy_wh",) + _WH,
    ("battery.voltage_mv",) + _DC_V,
    ("battery.current_ma", -1_000_000, 1_000_000, 1_000),
    ("battery.soc_permille", 0, 1_000, 5),
    ("battery.soc_error_permille", 0, 1_000, 10),
    ("battery.soh_permille", 0, 1_000, 5),
    ("battery.temperature_dc", -500, 1_000, 10),
    ("battery.cell_min_mv", 0, 10_000, 10),
    ("battery.cell_max_mv", 0, 10_000, 10),
    ("battery.charge_limit_ma", 0, 1_000_000, 1_000),
    ("battery.discharge_limit_ma", 0, 1_000_000, 1_000),
    ("battery.reserve_permille", 0, 1_000, 0),
    ("battery.to_lvd_s", 0, 0x7FFFFFFF, 900),
    ("load.power_w", 0, 200_000, 50),
    ("load.tier1_w", 0, 200_000, 50),
    ("load.tier2_w", 0, 200_000, 50),
    ("load.tier3_w", 0, 200_000, 50),
    ("load.energy_wh",) + _WH,
    ("load.tier1_wh",) + _WH,
    ("load.tier2_wh",) + _WH,
    ("load.tier3_wh",) + _WH,
    ("site.door_open",) + _BIT,
    ("site.smoke",) + _BIT,
    ("site.temperature_dc", -500, 1_000, 10),
    ("source.ac", 0, 2, 0),
    ("output.grid",) + _BIT,
    ("output.genset",) + _BIT,
    ("output.pv",) + _BIT,
    ("output.battery",) + _BIT,
    ("output.load1",) + _BIT,
    ("output.load2",) + _BIT,
    ("output.load3",) + _BIT,
    ("output.genset_start",) + _BIT,
    ("output.cooling",) + _BIT,
    ("output.alarm_major",) + _BIT,
    ("output.alarm_minor",) + _BIT,
    ("feedback.grid",) + _BIT,
    ("feedback.genset",) + _BIT,
    ("feedback.pv",) + _BIT,
    ("feedback.battery",) + _BIT,
    ("feedback.load1",) + _BIT,
    ("feedback.load2",) + _BIT,
    ("feedback.load3",) + _BIT,
    ("feedback.genset_start",) + _BIT,
    ("controller.mode", 0, 3, 0),
    ("controller.uptime_s", 0, 0x7FFFFFFF, 3_600),
    ("controller.boot", 0, 0x7FFFFFFF, 0),
    ("controller.time_trusted",) + _BIT,
    ("controller.alarms_active", 0, 1_000, 0),
    ("controller.heap_free_b", 0, 0x7FFFFFFF, 20_000),
    ("controller.scan_ms", 0, 0x7FFFFFFF, 50),
    ("controller.safe_mode",) + _BIT,
    ("reason.ac", 0, 255, 0),
    ("reason.genset", 0, 255, 0),
    ("reason.battery", 0, 255, 0),
    ("reason.load1", 0, 255, 0),
    ("reason.load2", 0, 255, 0),
    ("reason.load3", 0, 255, 0),
)

OUTPUTS = (
    "grid",
    "genset",
    "pv",
    "battery",
    "load1",
    "load2",
    "load3",
    "genset_start",
    "cooling",
    "alarm_major",
    "alarm_minor",
)
FEEDBACKS = OUTPUTS[:8]  # the rest have no auxiliary contact

GENSET_STATES = (
    "off",
    "glow",
    "crank",
    "rest",
    "warm_up",
    "ready",
    "on_load",
    "cool_down",
    "stopping",
    "locked_out",
)
AC_SOURCES = ("none", "grid", "genset")
MODES = ("auto", "manual", "disaster", "safe")

COUNT = len(POINTS)
NAMES = tuple([row[0] for row in POINTS])
LOW = tuple([row[1] for row in POINTS])
HIGH = tuple([row[2] for row in POINTS])
DEAD_BAND = tuple([row[3] for row in POINTS])

_INDEX = {row[0]: i for i, row in enumerate(POINTS)}

# Unit suffix -> (symbol, divisor to that symbol's unit)
UNITS = {
    "mv": ("V", 1000),
    "ma": ("A", 1000),
    "w": ("W", 1),
    "wh": ("kWh", 1000),
    "chz": ("Hz", 100),
    "permille": ("%", 10),
    "dc": ("°C", 10),
    "kpa": ("kPa", 1),
    "s": ("s", 1),
    "ms": ("ms", 1),
    "b": ("B", 1),
}


def index(name: str) -> int:
    """Number of the point `name`. Raises KeyError for a name that is not in the table."""
    return _INDEX[name]


def find(name: str) -> int:
    """Number of the point `name`, or -1."""
    return _INDEX.get(name, -1)


def unit(name: str) -> str:
    """Unit suffix of a name ("mv", "permille" ...), or "" where the value is a count, a bit or a word."""
    suffix = name.split("_")[-1]
    return suffix if "_" in name and suffix in UNITS else ""


def labels(name: str) -> "tuple[str, ...]":
    """The words that the values of point `name` stand for; empty where they are plain numbers."""
    if name == "source.ac":
        return AC_SOURCES
    if name == "genset.state":
        return GENSET_STATES
    if name == "controller.mode":
        return MODES
    if name.startswith("reason."):
        return reasons.NAMES
    return ()


def table_hash() -> str:
    """Eight hex digits that change when a name, range or label of the table does: hosts compare before commanding."""
    h = hashlib.sha256()
    for name, low, high, _ in POINTS:
        h.update(("%s %d %d %s\n" % (name, low, high, ",".join(labels(name)))).encode())
    return "".join(["%02x" % b for b in h.digest()[:4]])
