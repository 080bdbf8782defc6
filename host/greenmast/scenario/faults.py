"""The faults that a scenario may name: on what, which kinds, and their options.

Owns the table. What a fault does is the business of the level that plays the scenario.
"""

from __future__ import annotations

from greenmast.emulator import line_faults
from greenmast.plant.config import CONTACTORS
from greenmast.site import Site
from greenmast_protocol import config, instances

DEVICE = (
    "silent",
    "frozen",
    "nan",
    "spike",
    "late",
    "wrong_crc",
    "truncated",
    "word_swap",
    "wrong_address",
    "babble",
)
CONTACTOR = ("welded", "wont_close", "feedback_stuck", "chatter")
GENSET = ("wont_start", "stalls", "wont_stop", "bad_hz", "fuel_theft")
LINE = tuple(line_faults.FAULTS)
BUS = "bus"  # every line of the site; "bus.meters" is one
_OTHERS = {
    "controller": ("reset", "hang", "power_cut", "bit_rot", "flash_full"),
    "clock": ("jump", "lost"),
    "link": ("partition", "broker_restart"),
    BUS: LINE,
}
TARGETS = tuple(dict.fromkeys((*config.ROLES, *CONTACTORS, *_OTHERS)))
# Options beside `on`, `kind` and `for`, by kind.
OPTIONS = {"jump": ("by_s",)}
# How long a fault lasts without `for`; the others last until the end.
DEFAULT_MS = {"power_cut": 5_000, "broker_restart": 5_000}
# Faults that are over as soon as they have happened.
INSTANT = ("reset", "bit_rot")


def kinds(on: str) -> tuple[str, ...]:
    """What may go wrong with `on`; empty for an unknown one."""
    return (
        *(DEVICE if on.split(".")[0] in config.ROLES else ()),
        *(CONTACTOR if on in CONTACTORS else ()),
        *(GENSET if on == "genset" else ()),
        *_OTHERS.get(BUS if on.split(".")[0] == BUS else on, ()),
    )


def single(site: Site | None) -> tuple[str, ...]:
    """Names of single devices ("battery.2") where several share a role, and of lines ("bus.meters")."""
    if not site:
        return ()
    counts = instances.count([device.role for device in site.devices])
    devices = [f"{role}.{n}" for role, count in counts.items() if count > 1 for n in range(1, count + 1)]
    return (*devices, *(f"{BUS}.{bus.name}" for bus in site.buses))


def absent(on: str, kind: str, site: Site) -> str:
    """What the site lacks for this fault, or "". A fuel level comes from the genset without a fuel device."""
    roles = {device.role for device in site.devices}
    if "genset" in roles:
        roles.add("fuel")
    if on.split(".")[0] == BUS:
        lines = [
            bus for bus in site.buses if on in (BUS, f"{BUS}.{bus.name}") and not getattr(bus, "tcp", None)
        ]
        return "" if lines else f"{site.id} has no line {on}"
    if kind in DEVICE:
        return "" if on.split(".")[0] in roles else f"{site.id} has no {on} device"
    if kind in CONTACTOR:
        return "" if on in {output.name for output in site.outputs} else f"{site.id} has no contactor {on}"
    if kind in GENSET:
        return "" if "genset" in site.plant or "genset" in roles else f"{site.id} has no genset"
    return ""
