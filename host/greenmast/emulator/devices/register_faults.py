"""What may be wrong with the numbers that a device sends, while its reply is as it should be.

Owns the table of these faults. They concern registers that carry numbers (`encoding.Register`): states, texts
and holes stay as they are. Must not know products, frames or the plant.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from random import Random

from greenmast.emulator.devices.device import Device
from greenmast.emulator.devices.encoding import Register, registers

SPIKE_ONE_IN = 10
# Bits of "no value" where the product says nothing: no float is one, an integer is as far out as it gets.
NO_VALUE = {"u16": 0xFFFF, "s16": 0x7FFF, "u32": 0xFFFFFFFF, "s32": 0x7FFFFFFF, "f32": 0x7FC00000}

Number = Sequence[Register]


def disturbed(device: Device, reply: Sequence[int]) -> list[int]:
    """The registers of a reply as the faults of the device leave them."""
    result = list(reply)
    numbers = list(_numbers(reply))
    for name, fault in FAULTS.items():
        if name in device.faults:
            for at, number in fault(device, numbers):
                result[at : at + len(number)] = number
            numbers = list(_numbers(result))
    return result


def nan(device: Device, numbers: list[tuple[int, Number]]) -> Iterator[tuple[int, Sequence[int]]]:
    """Every number is what the product says when it has no value."""
    for at, number in numbers:
        first = number[0]
        unknown = NO_VALUE.get(first.kind, (1 << 16 * first.parts) - 1)
        raw = device.no_value.get(first.kind, unknown)
        yield at, registers(first.kind, raw, low_first=first.low_first)


def spike(device: Device, numbers: list[tuple[int, Number]]) -> Iterator[tuple[int, Sequence[int]]]:
    """In one reply of ten, one number is five times as large, or 0."""
    random = device.random
    if numbers and random.randrange(SPIKE_ONE_IN) == 0:
        at, number = random.choice(numbers)
        yield at, _spiked(number, random)


def word_swap(device: Device, numbers: list[tuple[int, Number]]) -> Iterator[tuple[int, Sequence[int]]]:
    """Numbers of several registers have them in the opposite order."""
    for at, number in numbers:
        yield at, number[::-1]


FAULTS: dict[str, Callable[[Device, list[tuple[int, Number]]], Iterator[tuple[int, Sequence[int]]]]] = {
    "nan": nan,
    "spike": spike,
    "word_swap": word_swap,
}


def _numbers(reply: Sequence[int]) -> Iterator[tuple[int, Number]]:
    """Place and registers of every number that is in the reply as a whole."""
    at = 0
    while at < len(reply):
        first = reply[at]
        at += 1
        if not isinstance(first, Register) or first.part:
            continue
        number = [word for word in reply[at - 1 : at - 1 + first.parts] if isinstance(word, Register)]
        if len(number) == first.parts and all(b.part == a.part + 1 for a, b in pairwise(number)):
            yield at - 1, number


def _spiked(number: Number, random: Random) -> tuple[int, ...]:
    """Five times the value, within what the registers can hold, or 0."""
    first = number[0]
    raw = 0
    for word in reversed(number) if first.low_first else number:
        raw = raw << 16 | word
    bits = 16 * first.parts
    if random.randrange(2):
        raw = 0
    elif first.kind == "f32":
        value: float = struct.unpack(">f", raw.to_bytes(4, "big"))[0]
        raw = int.from_bytes(struct.pack(">f", min(max(5.0 * value, -3e38), 3e38)), "big")
    else:
        signed = first.kind.startswith("s")
        high = (1 << bits - signed) - 1
        low = -high - 1 if signed else 0
        if signed and raw > high:
            raw -= 1 << bits
        raw = min(max(5 * raw, low), high) & (1 << bits) - 1
    return registers(first.kind, raw, low_first=first.low_first)
