"""Physical values as 16-bit registers: the word orders and number kinds that the emulated products use.

Every function saturates at the limits of its kind, as the products do, and never wraps. Must not know any
product. Values are numbers in register units (already scaled); the words returned are 0..65535.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping

Words = tuple[int, int]


def _bounded(value: float, low: int, high: int) -> int:
    if value <= low:
        return low
    return high if value >= high else round(value)


def u16(value: float) -> int:
    """Unsigned register."""
    return _bounded(value, 0, 0xFFFF)


def s16(value: float) -> int:
    """Two's complement register."""
    return _bounded(value, -0x8000, 0x7FFF) & 0xFFFF


def u32_high_first(value: float) -> Words:
    """Unsigned 32 bits, high word at the lower address."""
    raw = _bounded(value, 0, 0xFFFFFFFF)
    return raw >> 16, raw & 0xFFFF


def s32_high_first(value: float) -> Words:
    """Two's complement 32 bits, high word at the lower address."""
    raw = _bounded(value, -0x80000000, 0x7FFFFFFF) & 0xFFFFFFFF
    return raw >> 16, raw & 0xFFFF


def u32_low_first(value: float) -> Words:
    """Unsigned 32 bits, low word at the lower address."""
    high, low = u32_high_first(value)
    return low, high


def s32_low_first(value: float) -> Words:
    """Two's complement 32 bits, low word at the lower address."""
    high, low = s32_high_first(value)
    return low, high


def f32_high_first(value: float) -> Words:
    """IEEE 754 single precision, high word at the lower address."""
    high, low = struct.unpack(">HH", struct.pack(">f", value))
    return high, low


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
