"""Physical values as 16-bit registers: the word orders and number kinds that the emulated products use.

Every function saturates at the limits of its kind, as the products do, and never wraps. Must not know any
product. Values are numbers in register units (already scaled); the words returned are 0..65535.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import cache
from typing import ClassVar

Words = tuple[int, int]


class Register(int):
    """A register that carries a number or a part of one: an integer like any other that knows what it is of.

    So a fault can tell numbers from states and addresses, wherever a device puts them: see `register_faults`.
    `kind` of the number: "u16" "s16" "u32" "s32" "f32", and "acc32", a counter of SunSpec. `part`: its place
    among the `parts` registers of the number by address; `low_first`: the lowest word comes first.
    """

    __slots__ = ()
    kind: ClassVar[str]
    part: ClassVar[int]
    parts: ClassVar[int]
    low_first: ClassVar[bool]


@cache
def _class_of(kind: str, part: int, parts: int, low_first: bool) -> type[Register]:
    facts = {"__slots__": (), "kind": kind, "part": part, "parts": parts, "low_first": low_first}
    return type(f"{kind}_{part}", (Register,), facts)


def registers(kind: str, raw: int, *, low_first: bool = False) -> tuple[int, ...]:
    """The registers of a number whose bits are `raw`; as many as the digits of `kind` say."""
    parts = int(kind[-2:]) // 16
    words = [raw >> 16 * place & 0xFFFF for place in range(parts)]
    if not low_first:
        words.reverse()
    return tuple(_class_of(kind, part, parts, low_first)(word) for part, word in enumerate(words))


def _pair(kind: str, raw: int, *, low_first: bool = False) -> Words:
    first, second = registers(kind, raw, low_first=low_first)
    return first, second


def _bounded(value: float, low: int, high: int) -> int:
    if value <= low:
        return low
    return high if value >= high else round(value)


def _raw_u32(value: float) -> int:
    return _bounded(value, 0, 0xFFFFFFFF)


def _raw_s32(value: float) -> int:
    return _bounded(value, -0x80000000, 0x7FFFFFFF) & 0xFFFFFFFF


def u16(value: float) -> int:
    """Unsigned register."""
    return registers("u16", _bounded(value, 0, 0xFFFF))[0]


def s16(value: float) -> int:
    """Two's complement register."""
    return registers("s16", _bounded(value, -0x8000, 0x7FFF) & 0xFFFF)[0]


def u32_high_first(value: float) -> Words:
    """Unsigned 32 bits, high word at the lower address."""
    return _pair("u32", _raw_u32(value))


def s32_high_first(value: float) -> Words:
    """Two's complement 32 bits, high word at the lower address."""
    return _pair("s32", _raw_s32(value))


def u32_low_first(value: float) -> Words:
    """Unsigned 32 bits, low word at the lower address."""
    return _pair("u32", _raw_u32(value), low_first=True)


def s32_low_first(value: float) -> Words:
    """Two's complement 32 bits, low word at the lower address."""
    return _pair("s32", _raw_s32(value), low_first=True)


def f32_high_first(value: float) -> Words:
    """IEEE 754 single precision, high word at the lower address."""
    return _pair("f32", int.from_bytes(struct.pack(">f", value), "big"))


def f32_value(high: int, low: int) -> float:
    """The number that two words of a single-precision value stand for."""
    value: float = struct.unpack(">f", struct.pack(">HH", high, low))[0]
    return value


def ascii_words(text: str, count: int) -> list[int]:
    """`count` registers of text, two characters each, the first in the high byte, padded with spaces."""
    raw = text.ljust(2 * count)[: 2 * count].encode("ascii")
    return list(struct.unpack(f">{count}H", raw))


def flags(states: Mapping[int, bool]) -> int:
    """A word of status bits: bit number -> set."""
    return sum(1 << bit for bit, state in states.items() if state)
