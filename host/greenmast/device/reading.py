"""All that one device says: points in the units of the point table, the registers they come from, identity.

The registers become points by the firmware's own `decode`. Knows no screen.
"""

from __future__ import annotations

import re
import struct
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from greenmast.device import recognise
from greenmast.device.station import NO_ANSWER, Request, Station
from greenmast.modbus.master import NoReplyError, RefusedByDeviceError
from greenmast_fw.devices import probe
from greenmast_fw.devices import profile as tables
from greenmast_protocol import points, quality, units

if TYPE_CHECKING:
    from greenmast_fw.devices.profile import Profile, Row


@dataclass(frozen=True)
class Register:
    """Words of a reply, or bits. `name`: the point that they stand for, "" where the table has no row."""

    function: int
    address: int
    name: str
    raw: list[int]


@dataclass
class Reading:
    """`values`: by point, None where there is no good one and `notes` says why. `lost`: reads that gave
    nothing, (function, address) -> why.
    """

    product: Profile
    unit: int
    identity: dict[str, str]
    values: dict[str, int | None] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    registers: list[Register] = field(default_factory=list)
    lost: dict[tuple[int, int], str] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """What `device read --json` prints."""
        return {
            "profile": self.product.NAME,
            "address": self.unit,
            "identity": self.identity,
            "points": self.values,
            "quality": self.notes,
            "registers": [self._register(register) for register in self.registers],
        }

    def _register(self, register: Register) -> dict[str, Any]:
        value: float | int | None = None
        unit = ""
        if register.name:
            value = self.values[register.name]
            symbol = units.of(register.name)
            if symbol:
                unit, divisor = units.UNITS[symbol]
                value = value / divisor if value is not None and divisor > 1 else value
        elif len(register.raw) == 1:
            value = register.raw[0]
        return {
            "function": register.function,
            "address": register.address,
            "name": register.name,
            "raw": register.raw,
            "value": value,
            "unit": unit,
        }


_PHASE = re.compile(r"\.l\d_")
BITS = (1, 2)  # functions that read them


class _Values:
    """What `decode` stores into in place of the board's image; a point's number is that of its row."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def put(self, i: int, value: int) -> None:
        name = self._reading.product.ROWS[i][0]
        if points.in_range(points.index(_PHASE.sub(".", name)), value):
            self._reading.values[name] = value
            self._reading.notes.pop(name, None)
        else:
            self._reading.notes[name] = f"{quality.NAMES[quality.OUT_OF_RANGE]} ({value})"

    def invalid(self, i: int, why: int) -> None:
        self._reading.notes[self._reading.product.ROWS[i][0]] = quality.NAMES[why]


def read(station: Station, one: Profile) -> Reading:
    """Everything that product `one` tells. Raises DamagedError or NoReplyError for want of any answer,
    LineError.
    """
    station.timeout_s = recognise.timeout_s(station.master, one)
    reading = Reading(one, station.unit, {}, values={row[0]: None for row in one.ROWS})
    rows = array("i")
    for i, row in enumerate(one.ROWS):
        rows.extend((i, *row[1:]))
    unanswered: dict[Request, str] = {}
    replies = station.run(probe.readings(one), unanswered)
    if not station.answered:
        raise station.damage or NoReplyError
    for number, (function, address, count, _) in enumerate(one.READS):
        at, reply = replies.get(number, (address, NO_ANSWER))
        if not isinstance(reply, int):
            tables.decode(rows, number, reply, cast(Any, _Values(reading)))
            reading.registers.extend(_registers(one, number, at, reply))
            continue
        why = (
            str(RefusedByDeviceError(reply)) if reply else unanswered.get((function, at, count), "not there")
        )
        reading.lost[function, at] = why
        for row in one.ROWS:
            if row[1] == number:
                reading.notes[row[0]] = why
    reading.identity = recognise.identity(station, one)
    return reading


def _registers(one: Profile, number: int, address: int, reply: bytes) -> list[Register]:
    """What read number `number` brought from `address` on, by address; nothing is left out."""
    function, _, count, _ = one.READS[number]
    words: list[int]
    if function in BITS:
        words = [reply[i >> 3] >> (i & 7) & 1 for i in range(count)]
    else:
        words = list(struct.unpack(f">{count}H", reply))
    out = []
    bare = set(range(count))
    for row in one.ROWS:
        if row[1] == number:
            places = range(row[2], row[2] + _width(row))
            bare.difference_update(places)
            out.append(Register(function, address + row[2], row[0], [words[at] for at in places]))
    out += [Register(function, address + at, "", [words[at]]) for at in bare]
    return sorted(out, key=lambda register: register.address)


def _width(row: Row) -> int:
    """Registers that a row is made of."""
    form = row[3] & tables.BIT  # the bits that all forms are made of
    if form in (tables.HIGHEST, tables.LEAST):
        return row[5]
    return 2 if row[3] & tables.WIDE else 1
