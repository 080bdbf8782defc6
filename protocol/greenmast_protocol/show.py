"""Values as people read them: "51.23 V", "42.0 %", "grid", "closed". Integer arithmetic only."""

from greenmast_protocol import alarms, labels, points, reason_text, reasons, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Digits after the point, by unit; cells are read to the millivolt.
_DECIMALS = {"mv": 2, "ma": 1, "wh": 1, "chz": 2, "permille": 1, "dc": 1}
_FINE_BELOW_MV = 10_000
_CONTACTORS = points.OUTPUTS[:7]  # the rest are relays

# Units of the values that a reason's text takes; reasons that are not here take counts or nothing.
_REASON_UNITS = {
    "fuel_low": ("permille", "permille"),
    "min_off": ("s",),
    "min_run": ("s",),
    "grid_lost": ("mv", "mv"),
    "grid_frequency": ("chz", "chz"),
    "grid_return_delay": ("s",),
    "dead_time": ("s",),
    "soc_low": ("permille", "permille"),
    "soc_reached": ("permille", "permille"),
    "soc_above": ("permille", "permille"),
    "warm_up": ("s",),
    "cool_down": ("s",),
    "stopping": ("s",),
    "bus_low": ("mv", "mv"),
    "bus_above": ("mv", "mv"),
    "bus_recovering": ("s",),
    "shed_countdown": ("s",),
    "stagger": ("s",),
    "holding": ("s",),
    "soc_unsure": ("permille",),
    "outage_planned": ("s",),
    "load_high": ("w", "w"),
    "load_below": ("w", "w"),
    "battery_hot": ("dc", "dc"),
    "battery_cool": ("dc", "dc"),
    "grid_absent": ("s", "s"),
    "to_lvd_short": ("s", "s"),
    "to_lvd_enough": ("s", "s"),
    "glow": ("s",),
    "fuel_ration": ("permille", "permille"),
    "absorption": ("s",),
    "equalise": ("s",),
    "charge_cold": ("dc", "dc"),
    "charge_hot": ("dc", "dc"),
    "cell_limit": ("mv", "mv"),
    "soc_shed": ("permille", "permille"),
    "time_shed": ("s", "s"),
    "too_hot": ("dc", "dc"),
    "cool_enough": ("dc", "dc"),
    "compressor_rest": ("s",),
    "soc_bms": ("permille", "permille"),
    "soc_counted": ("permille", "permille", "s"),
    "tariff_cheap": ("permille",),
    "disaster": ("s",),
    "reset_hold": ("s",),
    "alarm_on": ("alarm",),
    "fuel_enough": ("permille", "permille"),
    "bus_margin": ("mv", "mv"),
    "grid_margin": ("mv", "mv", "mv"),
    "setpoint": ("mv",),
}
# Reasons that are no obstacle: told beside the obstacles, so that nobody need look for them there.
FINE = ("fuel_enough", "starts_left", "bus_margin", "grid_margin", "setpoint")

NOTHING = "?"
_ENDLESS_S = 0x7FFFFFFF  # what a point in seconds says of what never ends


def value(name: str, v: "int | None") -> str:
    """Value `v` of point `name` with its unit or in its word; "?" for none."""
    if v is None:
        return NOTHING
    words = labels.of(name)
    if words:
        return words[v] if 0 <= v < len(words) else str(v)
    unit = units.of(name)
    if unit:
        return quantity(v, unit)
    i = points.find(name)
    if i >= 0 and not points.in_range(i, 2):
        return _bit(name)[1 if v else 0]
    return str(v)


def quantity(v: int, unit: str) -> str:
    """`v` with the symbol of `unit`, one of units.UNITS; for "alarm" the name of alarm number `v`."""
    if unit == "s":
        return duration(v)
    if unit == "alarm":
        return alarms.NAMES[v] if 0 <= v < len(alarms.NAMES) else str(v)
    symbol, divisor = units.UNITS[unit]
    decimals = _DECIMALS.get(unit, 0)
    if unit == "mv" and v and -_FINE_BELOW_MV < v < _FINE_BELOW_MV:
        decimals = 3
    return "%s %s" % (decimal(v, divisor, decimals), symbol)


def decimal(v: int, divisor: int, decimals: int) -> str:
    """v / divisor, rounded half away from zero to so many decimals: decimal(51235, 1000, 2) is "51.24"."""
    scale = 10**decimals
    n = (abs(v) * scale * 2 + divisor) // (divisor * 2)
    sign = "-" if v < 0 and n else ""
    if not decimals:
        return "%s%d" % (sign, n)
    digits = "%d" % (n % scale)
    return "%s%d.%s" % (sign, n // scale, "0" * (decimals - len(digits)) + digits)


def duration(seconds: int) -> str:
    """ "45 s", "12 min 05 s", "3 h 20 min", "5 d 03 h"."""
    if seconds >= _ENDLESS_S:
        return "without end"
    if seconds < 60:
        return "%d s" % seconds
    minutes = seconds // 60
    if minutes < 60:
        return "%d min %02d s" % (minutes, seconds % 60)
    hours = minutes // 60
    if hours < 48:
        return "%d h %02d min" % (hours, minutes % 60)
    return "%d d %02d h" % (hours // 24, hours % 24)


def reason(code: int, *values: int) -> str:
    """The sentence for a reason, its values in their units. A newer board's codes are named by number."""
    if not 0 <= code < len(reasons.NAMES):
        return "reason %d" % code
    of_values = _REASON_UNITS.get(reasons.NAMES[code], ())
    shown = [quantity(v, of_values[i]) if i < len(of_values) else str(v) for i, v in enumerate(values)]
    return reason_text.text(code, *shown)


def explanation(row: "Any") -> str:
    """One line for a row of `explain`: (subject, state, reason code, values, blocked, next).

    `blocked` holds (reason code, values..) of what stands in the way, and those of `FINE`, which might but do
    not. `next` is (what, in s) of what comes. Either may be empty. A row that is text already stays as it is.
    """
    if isinstance(row, str):
        return row
    subject, state, code, values, blocked, upcoming = row
    line = "%s %s: %s" % (subject, state, reason(code, *values))
    for words, fine in (("in the way", False), ("fine", True)):
        told = [reason(*entry) for entry in blocked if is_fine(entry[0]) == fine]
        if told:
            line += "; %s: %s" % (words, ", ".join(told))
    if upcoming:
        line += "; next: %s in %s" % (upcoming[0], duration(upcoming[1]))
    return line


def is_fine(code: int) -> bool:
    """Whether reason `code` is one of `FINE`."""
    return 0 <= code < len(reasons.NAMES) and reasons.NAMES[code] in FINE


def _bit(name: str) -> "tuple[str, str]":
    subsystem, rest = name.split(".", 1)
    if subsystem == "output" or subsystem == "feedback":
        return ("open", "closed") if rest in _CONTACTORS else ("off", "on")
    return ("no", "yes")
