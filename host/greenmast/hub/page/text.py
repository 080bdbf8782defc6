"""Values, ages and codes in the words that the page shows. Pure text: no HTML."""

from __future__ import annotations

from greenmast_protocol import labels, reason_text, show, units

MISSING = "–"
NO_DATA = "no data"
THIN = "\u202f"  # narrow no-break space between digits and unit

# Title and order of the subsystems; the instances of a role follow their aggregate.
SUBSYSTEMS = {
    "source": "AC source",
    "grid": "Grid",
    "genset": "Genset",
    "rectifier": "Rectifier",
    "dc": "DC bus",
    "solar": "Solar",
    "battery": "Battery",
    "load": "Load",
    "site": "Site",
    "controller": "Controller",
    "device": "Modbus devices",
    "output": "Outputs",
    "feedback": "Feedback",
    "reason": "Reasons",
}

OUTPUTS = {
    "grid": "Grid",
    "genset": "Genset",
    "pv": "Solar",
    "battery": "Battery",
    "load1": "Load tier 1",
    "load2": "Load tier 2",
    "load3": "Load tier 3",
    "genset_start": "Genset start",
    "cooling": "Cooling",
    "alarm_major": "Major alarm",
    "alarm_minor": "Minor alarm",
}

_SPOKEN = {"soc": "state of charge", "soh": "state of health", "pv": "PV", "ac": "AC source"}
_SPOKEN_POINTS = {
    "dc.bus_mv": "DC bus voltage",
    "battery.to_lvd_s": "time to disconnect",
    "genset.run_s": "run time",
    "genset.rpm": "speed (rpm)",
    "load.tier1_w": "tier 1",
    "load.tier2_w": "tier 2",
    "load.tier3_w": "tier 3",
    "controller.heap_free_b": "free heap",
    "controller.scan_ms": "scan time",
    "device.reply_ms": "reply time",
}
ENDLESS_S = 0x7FFFFFFF  # of battery.to_lvd_s: no disconnection in sight


def duration(seconds: int) -> str:
    """As `show.duration`, without line breaks."""
    return show.duration(seconds).replace(" ", THIN)


def watts(power: int | None) -> str:
    """A power without its sign, which the picture shows as an arrow."""
    return MISSING if power is None else f"{abs(power)}{THIN}W"


def value(name: str, told: int | None) -> str:
    """A point's value with its unit or as a word; a dash when there is none."""
    if told is None:
        return MISSING
    if name.startswith("reason."):
        return reason_text.brief(told)
    if name == "battery.to_lvd_s" and told >= ENDLESS_S:
        return "no end in sight"
    shown = show.value(name, told)
    return shown.replace("_", " ") if labels.of(name) else shown.replace(" ", THIN)


def label(name: str) -> str:
    """A point's name for people, without its subsystem and unit."""
    if name in _SPOKEN_POINTS:
        return _SPOKEN_POINTS[name]
    last = name.rpartition(".")[2]
    unit = units.of(name)
    stem = last.removesuffix(f"_{unit}") if unit else last
    return " ".join(_SPOKEN.get(part, part) for part in stem.split("_"))


def seen(seconds: int | None) -> str:
    """When the board last spoke."""
    return "never seen" if seconds is None else f"last seen {duration(seconds)} ago"
