"""The point table: every value that crosses a wire, once.

A row is (name, low, high, dead band). Names are `subsystem.name_unit`; the last part of a name is its unit
(see `units`). Values are integers. One outside [low, high] is INVALID, never clamped. The dead band is the
change worth telling about before the next full report (0: any change). Points whose values stand for words
have those words in the module `labels`. A point's number is its place in this table; numbers are not a wire
format, names are. Boards keep numbers on flash, so rows are only ever appended.

`POINTS` and `NAMES` are for hosts. The board keeps the same packed, behind its functions.
"""

POINTS = (
    ("grid.voltage_mv", 0, 500_000, 4_000),  # the worst phase, upstream of K_GRID
    ("grid.current_ma", 0, 1_000_000, 1_000),
    ("grid.power_w", -200_000, 200_000, 100),
    ("grid.frequency_chz", 0, 10_000, 20),
    ("grid.energy_wh", 0, 0x7FFFFFFFFF, 500),
    ("grid.mains_ok", 0, 1, 0),  # mains-fail input, where there is one
    ("grid.qualified", 0, 1, 0),
    ("genset.state", 0, 9, 0),
    ("genset.running", 0, 1, 0),
    ("genset.voltage_mv", 0, 500_000, 2_000),
    ("genset.frequency_chz", 0, 10_000, 20),
    ("genset.rpm", 0, 10_000, 50),
    ("genset.power_w", -200_000, 200_000, 100),
    ("genset.fuel_permille", 0, 1_000, 5),
    ("genset.oil_kpa", 0, 2_000, 20),
    ("genset.coolant_dc", -500, 2_000, 20),
    ("genset.run_s", 0, 0x7FFFFFFF, 300),
    ("genset.starts", 0, 0x7FFFFFFF, 0),
    ("genset.energy_wh", 0, 0x7FFFFFFFFF, 500),
    ("genset.fault", 0, 0xFFFF, 0),
    ("rectifier.output_mv", 0, 100_000, 200),
    ("rectifier.output_ma", 0, 1_000_000, 2_000),
    ("rectifier.setpoint_mv", 0, 100_000, 200),
    ("rectifier.limit_ma", 0, 1_000_000, 500),
    ("rectifier.ac_present", 0, 1, 0),
    ("rectifier.energy_wh", 0, 0x7FFFFFFFFF, 500),
    ("dc.bus_mv", 0, 100_000, 200),
    ("solar.voltage_mv", 0, 1_000_000, 2_000),
    ("solar.current_ma", 0, 1_000_000, 2_000),
    ("solar.power_w", 0, 200_000, 100),
    ("solar.energy_wh", 0, 0x7FFFFFFFFF, 500),
    ("battery.voltage_mv", 0, 100_000, 200),
    ("battery.current_ma", -1_000_000, 1_000_000, 2_000),
    ("battery.soc_permille", 0, 1_000, 10),
    ("battery.soc_error_permille", 0, 1_000, 10),
    ("battery.soh_permille", 0, 1_000, 5),
    ("battery.temperature_dc", -500, 1_000, 10),
    ("battery.cell_min_mv", 0, 10_000, 10),
    ("battery.cell_max_mv", 0, 10_000, 10),
    ("battery.charge_limit_ma", 0, 1_000_000, 1_000),
    ("battery.discharge_limit_ma", 0, 1_000_000, 1_000),
    ("battery.reserve_permille", 0, 1_000, 0),
    ("battery.to_lvd_s", 0, 0x7FFFFFFF, 900),  # expected; while there is AC: if it failed now
    ("battery.to_lvd_min_s", 0, 0x7FFFFFFF, 900),  # pessimistic
    ("load.power_w", 0, 200_000, 100),
    ("load.tier1_w", 0, 200_000, 50),
    ("load.tier2_w", 0, 200_000, 50),
    ("load.tier3_w", 0, 200_000, 50),
    ("load.energy_wh", 0, 0x7FFFFFFFFF, 500),
    ("load.tier1_wh", 0, 0x7FFFFFFFFF, 500),
    ("load.tier2_wh", 0, 0x7FFFFFFFFF, 500),
    ("load.tier3_wh", 0, 0x7FFFFFFFFF, 500),
    ("site.door_open", 0, 1, 0),
    ("site.smoke", 0, 1, 0),
    ("site.temperature_dc", -500, 1_000, 10),
    ("source.ac", 0, 2, 0),
    ("output.grid", 0, 1, 0),
    ("output.genset", 0, 1, 0),
    ("output.pv", 0, 1, 0),
    ("output.battery", 0, 1, 0),
    ("output.load1", 0, 1, 0),
    ("output.load2", 0, 1, 0),
    ("output.load3", 0, 1, 0),
    ("output.genset_start", 0, 1, 0),
    ("output.cooling", 0, 1, 0),
    ("output.alarm_major", 0, 1, 0),
    ("output.alarm_minor", 0, 1, 0),
    ("feedback.grid", 0, 1, 0),
    ("feedback.genset", 0, 1, 0),
    ("feedback.pv", 0, 1, 0),
    ("feedback.battery", 0, 1, 0),
    ("feedback.load1", 0, 1, 0),
    ("feedback.load2", 0, 1, 0),
    ("feedback.load3", 0, 1, 0),
    ("feedback.genset_start", 0, 1, 0),
    ("controller.mode", 0, 3, 0),
    ("controller.uptime_s", 0, 0x7FFFFFFF, 3_600),
    ("controller.boot", 0, 0x7FFFFFFF, 0),
    ("controller.time_trusted", 0, 1, 0),
    ("controller.alarms_active", 0, 1_000, 0),
    ("controller.heap_free_b", 0, 0x7FFFFFFF, 20_000),
    ("controller.scan_ms", 0, 0x7FFFFFFF, 50),
    ("controller.safe_mode", 0, 1, 0),
    ("reason.ac", 0, 255, 0),
    ("reason.genset", 0, 255, 0),
    ("reason.battery", 0, 255, 0),
    ("reason.load1", 0, 255, 0),
    ("reason.load2", 0, 255, 0),
    ("reason.load3", 0, 255, 0),
    ("reason.charge", 0, 255, 0),
    ("reason.cooling", 0, 255, 0),
    # How the Modbus devices answer, all of them together: counted since boot, the slowest, every one.
    ("device.requests", 0, 0x3FFFFFFF, 10_000),
    ("device.errors", 0, 0x3FFFFFFF, 20),
    ("device.timeouts", 0, 0x3FFFFFFF, 20),
    ("device.reply_ms", 0, 0x3FFFFFFF, 100),
    ("device.online", 0, 1, 0),
    ("genset.auto", 0, 1, 0),  # its controller lets itself be started by us
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
POLICIES = ("weak-grid", "off-grid", "tribrid", "disaster")  # by the value of policy.name

COUNT = len(POINTS)
NAMES = tuple([row[0] for row in POINTS])

_TEXT = ("\n" + "\n".join(NAMES) + "\n").encode()
_STARTS = b"".join([(_TEXT.find(("\n" + n + "\n").encode()) + 1).to_bytes(2, "big") for n in NAMES])
_ROWS = sorted(set([row[1:] for row in POINTS]))
_KINDS = bytes([3 * _ROWS.index(row[1:]) for row in POINTS])  # places in _LIMITS
_LIMITS = tuple([limit for row in _ROWS for limit in row])


def index(name: str) -> int:
    """Number of the point `name`. Raises KeyError for a name that is not in the table."""
    number = find(name)
    if number < 0:
        raise KeyError(name)
    return number


def find(name: str) -> int:
    """Number of the point `name`, or -1."""
    at = _TEXT.find(("\n" + name + "\n").encode())
    return -1 if at < 0 or "\n" in name else _TEXT.count(b"\n", 0, at)


def name(i: int) -> str:
    """Name of point `i`."""
    start = _STARTS[2 * i] << 8 | _STARTS[2 * i + 1]
    return _TEXT[start : _TEXT.find(b"\n", start)].decode()


def in_range(i: int, value: int) -> bool:
    """Whether `value` lies in the range of point `i`."""
    kind = _KINDS[i]
    return _LIMITS[kind] <= value <= _LIMITS[kind + 1]


def dead_band(i: int) -> int:
    """The dead band of point `i`."""
    return _LIMITS[_KINDS[i] + 2]
