"""The products that Greenmast knows: the firmware's own tables, for people and for whoever looks for devices.

Owns what is derived from all tables together. Knows no line.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from greenmast.errors import USAGE, UserError
from greenmast.site import near
from greenmast_fw.devices import binding

if TYPE_CHECKING:
    from greenmast_fw.devices.profile import Profile

# Rates that RS-485 devices leave the factory with or are set to, the most usual first.
COMMON_BAUDS = (9600, 115_200, 19_200, 38_400, 4800, 2400, 57_600)


def products() -> list[Profile]:
    """All of them, by name."""
    return [binding.load(name) for name in sorted(binding.PROFILES)]


def product(name: str) -> Profile:
    """Raises UserError for a name that is none."""
    if name not in binding.PROFILES:
        hint = near(name, binding.PROFILES) or "; `greenmast device list` names them"
        raise UserError(f"no profile {name}{hint}", USAGE)
    return binding.load(name)


def factory_addresses(known: Iterable[Profile]) -> dict[int, list[Profile]]:
    """Address -> products that leave the factory with it, in the order of the addresses."""
    out: dict[int, list[Profile]] = {}
    for one in sorted(known, key=lambda one: (one.LINK[3], one.NAME)):
        out.setdefault(one.LINK[3], []).append(one)
    return out


def points(one: Profile) -> list[str]:
    """Names of the points that the product supplies, in the order of its table."""
    return list(dict.fromkeys(row[0] for row in one.ROWS))


def link_text(one: Profile) -> str:
    """How it leaves the factory: "9600 8N1, address 1", or "Modbus TCP, unit 1"."""
    baud, parity, stop_bits, address = one.LINK
    if not baud:
        return f"Modbus TCP, unit {address}"
    return f"{baud} 8{parity}{stop_bits}, address {address}"


def document(one: Profile) -> dict[str, Any]:
    """A row of `device list --json`."""
    baud, parity, stop_bits, address = one.LINK
    return {
        "profile": one.NAME,
        "role": one.ROLE,
        "text": one.TEXT,
        "link": {"baud": baud or None, "parity": parity, "stop_bits": stop_bits, "address": address},
        "points": points(one),
        "settings": [row[0] for row in one.WRITES],
        "switches": [row[0] for row in one.SWITCHES],
        "sources": list(one.SOURCES),
        "single_source": list(one.SINGLE_SOURCE),
    }
