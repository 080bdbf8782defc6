"""What a bench with a real board cannot do that one with a virtual board can, and why."""

from __future__ import annotations

from greenmast.scenario import faults

# What a virtual board can be made to do and a real one cannot.
LACKS = {
    "pins": "nobody looks at the pins of a real board without an I/O fixture",
    "kill": "the firmware of a real board cannot be killed from here",
    "hang": "the firmware of a real board cannot be stopped from here",
    "flash": "the flash of a real board cannot be made to fail",
    "power_cut": "the supply of a real board is not switched from here",
    "broker": "the board's broker is not one of this machine's processes",
    "contacts": "auxiliary contacts are wired, not driven by this machine: it needs an I/O fixture",
    "line": "the lines are real: this machine is only at their ends",
    "link": "the board's link is not in this machine's hands",
    "clock": "the board's clock is not in this machine's hands",
}
_OF_TARGET = {faults.BUS: "line", "controller": "hang", "clock": "clock", "link": "link"}
_OF_KIND = {"power_cut": "power_cut", "bit_rot": "flash", "flash_full": "flash"}


def hinders(on: str, kind: str) -> str:
    """Why a fault cannot be made on a bench with a real board, or ""."""
    if kind in faults.CONTACTOR:
        return LACKS["contacts"]
    if kind == "reset":
        return ""
    target = on.partition(".")[0]
    if target not in _OF_TARGET:
        return ""
    return LACKS[_OF_KIND.get(kind, _OF_TARGET[target])]


class NotHereError(Exception):
    """This bench cannot do what a test asks for; the text says why."""
