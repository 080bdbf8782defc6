"""SunSpec information models: their layout as text, and a device that is a chain of them.

Source: sunspec/models (JSON, from which the layouts are taken), SunSpec Information Model Specification.
Owns the layout of models, scale factors, the values that stand for "not implemented" and the chain from
"SunS" to the end model. Must not know which models a product has, nor the plant's points.

A layout names the points of a model in their order, after their kind: `u16 A*A AphA*A sf A` is two
unsigned registers scaled by A_SF, then that factor. Point names are SunSpec's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from greenmast.emulator.devices.device import (
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    READ_HOLDING,
    WRITE_REGISTER,
    WRITE_REGISTERS,
    Device,
    RefusedError,
    put,
)
from greenmast.emulator.devices.encoding import registers

MARKER = (0x5375, 0x6E53)  # "SunS"
END = (0xFFFF, 0)
BASE = 40000  # the first place where a master looks; 50000 and 0 are the others
COMMON = 1
COMMON_LENGTHS = (65, 66)  # without and with the pad register: both are in the field

Value = float | str


@dataclass(frozen=True)
class Kind:
    """A kind of point: its registers, the value that says "not implemented", the range of the others.

    `number`: what `encoding.registers` calls it, "" for what is no number.
    """

    words: int
    absent: int
    low: int = 0
    high: int = 0
    number: str = ""


KINDS = {
    "u16": Kind(1, 0xFFFF, 0, 0xFFFE, "u16"),
    "s16": Kind(1, 0x8000, -0x7FFF, 0x7FFF, "s16"),
    "u32": Kind(2, 0xFFFFFFFF, 0, 0xFFFFFFFE, "u32"),
    "acc32": Kind(2, 0, 0, 0xFFFFFFFF, "acc32"),
    "enum": Kind(1, 0xFFFF, 0, 0xFFFE),
    "bits32": Kind(2, 0xFFFFFFFF, 0, 0x7FFFFFFF),
    "sf": Kind(1, 0x8000, -10, 10),
    "str8": Kind(8, 0),
    "str16": Kind(16, 0),
    "pad": Kind(1, 0x8000),
}


@dataclass(frozen=True)
class Point:
    """Place of a point, counted from the register with the model's number."""

    offset: int
    kind: Kind
    scale: str | None  # name of the factor without "_SF"


@dataclass(frozen=True)
class Layout:
    """Points of a model by name; scale factors are points too, with "_SF". `length` is that of the header."""

    points: Mapping[str, Point]
    length: int


def layout(text: str) -> Layout:
    """The layout that `text` describes; see the module. Raises KeyError for a name before its kind."""
    points: dict[str, Point] = {}
    kind = ""
    offset = 2  # number and length go first
    for token in text.split():
        if token in KINDS:
            kind = token
            continue
        name, _, scale = token.partition("*")
        points[name + "_SF" if kind == "sf" else name] = Point(offset, KINDS[kind], scale or None)
        offset += KINDS[kind].words
    return Layout(points, offset - 2)


class Model:
    """A model of a device at `address`: number, length and points, which begin as not implemented."""

    def __init__(
        self, bank: dict[int, int], address: int, number: int, points: Layout, **scales: int
    ) -> None:
        self.address = address
        self.length = points.length
        self._bank = bank
        self._points = points.points
        self._scales = scales
        put(bank, address, (number, self.length))
        for point in self._points.values():
            put(bank, address + point.offset, _words(point.kind, point.kind.absent))
        for name, exponent in scales.items():
            self.show(**{f"{name}_SF": exponent})

    @property
    def end(self) -> int:
        """Address behind the model: where the next one begins."""
        return self.address + 2 + self.length

    def at(self, name: str) -> int:
        """Address of the point `name`."""
        return self.address + self._points[name].offset

    def show(self, **values: Value) -> None:
        """Set points, in their units: the scale factor is applied here, and what exceeds a kind is held."""
        for name, value in values.items():
            point = self._points[name]
            if isinstance(value, str):
                put(self._bank, self.address + point.offset, _text(value, point.kind.words))
                continue
            scaled = value / 10.0 ** self._scales[point.scale] if point.scale else value
            held = round(min(max(scaled, point.kind.low), point.kind.high))
            shown = registers(point.kind.number, held) if point.kind.number else _words(point.kind, held)
            put(self._bank, self.address + point.offset, shown)


def _words(kind: Kind, value: int) -> list[int]:
    """Two's complement, high word first."""
    return [value >> 16 * place & 0xFFFF for place in range(kind.words - 1, -1, -1)]


def _text(text: str, words: int) -> list[int]:
    raw = text.encode("ascii").ljust(2 * words, b"\0")
    return [raw[i] << 8 | raw[i + 1] for i in range(0, 2 * words, 2)]


_COMMON = "str16 Mn Md str8 Opt Vr str16 SN u16 DA"
COMMON_LAYOUTS = {65: layout(_COMMON), 66: layout(_COMMON + " pad Pad")}


class SunSpecDevice(Device):
    """Models from `base` on: the marker, model 1 with `common_length` registers, then those that are added.

    Function 3 reads across models as it likes, at most 125 registers, and nothing outside of them; functions
    6 and 16 write the points that were declared as such.
    """

    functions = frozenset({READ_HOLDING, WRITE_REGISTER, WRITE_REGISTERS})
    no_value: ClassVar = {kind.number: kind.absent for kind in KINDS.values() if kind.number}

    def __init__(self, model_name: str, serial: str, base: int = BASE, common_length: int = 66) -> None:
        super().__init__()
        if common_length not in COMMON_LAYOUTS:
            raise ValueError(f"model 1 has {COMMON_LENGTHS} registers, not {common_length}")
        self._writable: dict[int, tuple[int, ...] | None] = {}
        put(self.holding, base, MARKER)
        self.common = Model(self.holding, base + 2, COMMON, COMMON_LAYOUTS[common_length])
        self.common.show(Mn="Greenmast", Md=model_name, Vr="1.0", SN=serial, DA=1)
        self._end = self.common.end
        self.allow(self.common, "DA", None)
        put(self.holding, self._end, END)

    def add(self, number: int, points: Layout, **scales: int) -> Model:
        """Append a model with the exponents of its scale factors; the end model moves behind it."""
        model = Model(self.holding, self._end, number, points, **scales)
        self._end = model.end
        put(self.holding, self._end, END)
        return model

    def allow(self, model: Model, name: str, values: tuple[int, ...] | None) -> None:
        """Let masters write the single-register point `name`: one of `values`, or anything."""
        self._writable[model.at(name)] = values

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        for at, value in enumerate(values, address):
            if at not in self._writable:
                raise RefusedError(ILLEGAL_ADDRESS)
            allowed = self._writable[at]
            if allowed is not None and value not in allowed:
                raise RefusedError(ILLEGAL_VALUE)
        put(self.holding, address, values)
