"""All that one device says: points in the units of the point table, the registers they come from, identity.

The registers become points by the firmware's own `decode`. Knows no screen.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from greenmast.device import recognise
from greenmast.device.station import Station
from greenmast.modbus.master import ModbusError, NoReplyError, RefusedByDeviceError
from greenmast_fw.devices import profile as tables
from greenmast_protocol import points, quality, units

if TYPE_CHECKING:
    from greenmast_fw.devices.profile import Profile


@dataclass(frozen=True)
class Register:
    """Words of a reply. `name`: the point that they stand for, "" where the table has no row for them."""

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


class _Values:
    """What `decode` stores into in place of the board's image; a point's number is that of its row."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def put(self, i: int, value: int) -> None:
        name = self._reading.product.ROWS[i][0]
        if points.in_range(points.index(name), value):
            self._reading.values[name] = value
            self._reading.notes.pop(name, None)
        else:
            self._reading.notes[name] = f"{quality.NAMES[quality.OUT_OF_RANGE]} ({value})"

    def invalid(self, i: int, why: int) -> None:
        self._reading.notes[self._reading.product.ROWS[i][0]] = quality.NAMES[why]


def read(station: Station, one: Profile) -> Reading:
    """Everything that product `one` tells. Raises NoReplyError when no read is answered, LineError."""
    station.timeout_s = recognise.timeout_s(station.master, one)
    reading = Reading(one, station.unit, {}, values={row[0]: None for row in one.ROWS})
    rows = array("i")
    for i, row in enumerate(one.ROWS):
        rows.extend((i, *row[1:]))
    for number, (function, address, count, _) in enumerate(one.READS):
        try:
            reply = station.ask(function, address, count)
        except ModbusError as e:
            why = str(e)
        else:
            if not isinstance(reply, int):
                tables.decode(rows, number, memoryview(reply), cast(Any, _Values(reading)))
                reading.registers.extend(_registers(one, number, reply))
                continue
            why = str(RefusedByDeviceError(reply))
        reading.lost[function, address] = why
        for row in one.ROWS:
            if row[1] == number:
                reading.notes[row[0]] = why
    if not station.answered:
        raise station.damage or NoReplyError
    reading.identity = recognise.identity(station, one)
    return reading


def _registers(one: Profile, number: int, reply: bytes) -> Iterator[Register]:
    function, address, count, _ = one.READS[number]
    words = struct.unpack(f">{count}H", reply)
    told: dict[int, list[tuple[str, int]]] = {}
    for row in one.ROWS:
        if row[1] == number:
            told.setdefault(row[2], []).append((row[0], 2 if row[3] & tables.WIDE else 1))
    at = 0
    while at < count:
        rows = told.get(at, [("", 1)])
        for name, width in rows:
            yield Register(function, address + at, name, list(words[at : at + width]))
        at += max(width for _, width in rows)
