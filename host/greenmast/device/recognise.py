"""Which product answers at an address: every table's PROBE is put to it, cheap questions first.

Several may fit; those that check exact values (a model code, a name) come before those that only find
plausible ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from greenmast.device.station import Station
from greenmast.modbus.master import Master, ModbusError
from greenmast_fw.devices import probe

if TYPE_CHECKING:
    from greenmast_fw.devices.profile import Profile
_CHAIN = 100


def recognise(station: Station, known: Iterable[Profile]) -> list[Profile]:
    """The products of `known` that fit what answers, the surest first. Raises LineError."""
    fitting = [one for one in sorted(known, key=_cost) if fits(station, one)]
    return sorted(fitting, key=_sureness, reverse=True)


def fits(station: Station, one: Profile) -> bool:
    """Whether what answers looks like product `one`; a question without an answer says no."""
    station.timeout_s = timeout_s(station.master, one)
    try:
        return station.run(probe.recognise(one))
    except ModbusError:
        return False


def identity(station: Station, one: Profile) -> dict[str, str]:
    """What the device says of itself, by the IDENTITY of `one`; what it does not tell is left out."""
    told = station.run(probe.identify(one), {})
    return {name: text for name, text in told.items() if text}


def first_question(one: Profile) -> tuple[int, int, int]:
    """What product `one` would answer: function, address, count."""
    questions = probe.recognise(one)
    first = next(questions)
    questions.close()
    return first


def timeout_s(master: Master, one: Profile) -> float:
    """How long to wait for an answer of product `one`."""
    return one.TIMEOUT_MS / 1000 + master.slack_s


def _cost(one: Profile) -> int:
    """Registers to be read; a request costs as much as some of them. A SunSpec chain has many."""
    return sum(8 + count for _, _, count, _ in one.PROBE) or _CHAIN


def _sureness(one: Profile) -> tuple[int, int]:
    checks = [check for row in one.PROBE for check in row[3] or ()]
    return sum(low == high for _, _, low, high in checks) if checks else _CHAIN, len(checks)
