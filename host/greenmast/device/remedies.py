"""What to do when a line stays silent or brings nonsense: the sentences, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

_SERIAL = (
    "power and menu: is the device on, and its RS-485 or Modbus port enabled?",
    "A and B: swap the two wires; makers disagree on the names and swapping harms nothing",
    "rate and parity: see the device's menu or switches, or try `device probe --baud all`",
    "address: see the menu or switches; `device probe` without --address asks all of them",
    "common ground: connect the adapter's GND with the device's (C, 0 V)",
    "termination: 120 ohm at both ends of the cable; with all power off, A to B measures about 60 ohm",
    "another master: a controller or gateway on the same wires must be unplugged meanwhile",
)
_TCP = (
    "Modbus TCP: is it switched on in the device's or gateway's menu?",
    "unit: behind a gateway it is the device's address (--address); devices of their own often want 1 or 247",
    "gateway: its rate and parity on the RS-485 side must be those of the device",
    "other masters: many devices take one or two connections at a time",
)
_DAMAGED = (
    "rate and parity: a wrong one turns every answer into nonsense; try `device probe --baud all`",
    "two devices with one address: both answer at once; take one off the line and give it another",
    "wiring: common ground, termination at both ends, no star, shield at one end",
    "another master: a controller or gateway on the same wires must be unplugged meanwhile",
)
_ECHO = (
    "switch the adapter's local echo off (often a jumper: RE tied to DE), or take another adapter",
    "A and B shorted or a second adapter in loop-back has the same effect",
)


def of_silence(what: str, serial: bool) -> str:
    """What to say when nobody answered; `what` tells what was tried."""
    return _listed(what, _SERIAL if serial else _TCP)


def of_damage(what: str) -> str:
    """What to say when something came back that is no answer."""
    return _listed(what, _DAMAGED)


def of_line(name: str, damage: str) -> str:
    """What to say when the line itself is at fault."""
    return _listed(f"{name}: {damage}", _ECHO if "echo" in damage else _DAMAGED)


def _listed(what: str, remedies: Iterable[str]) -> str:
    return "\n".join((what, "What helps, the most likely first:", *(f"  - {line}" for line in remedies)))
