"""Replies that no master may take for an answer, and what ours says of each.

Owns the cases: the one request of all of them, its good reply, and by name what comes instead. Knows no
master. The checksum is computed bit by bit, on purpose not with the firmware's table.
"""

from __future__ import annotations

from dataclasses import dataclass

BAUD = 115_200
UNIT, FUNCTION, ADDRESS, COUNT = 3, 4, 0x10, 4
# A master waits this long for a reply, and knows that nothing comes later than that after a request.
TIMEOUT_MS = 200
TURNAROUND_MS = 500


def crc(data: bytes) -> bytes:
    """CRC-16 of "MODBUS over Serial Line V1.02" 2.5.1.2, low byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


def sealed(data: bytes) -> bytes:
    """`data` with its checksum."""
    return data + crc(data)


def words(*values: int) -> bytes:
    """Registers as they are sent."""
    return b"".join(value.to_bytes(2, "big") for value in values)


def gap_s(baud: int) -> float:
    """t3.5, "MODBUS over Serial Line V1.02" 2.5.1.1: fixed above 19200 baud."""
    return 38.5 / baud if baud <= 19_200 else 1.75e-3


def _reply(*values: int, function: int = FUNCTION, unit: int = UNIT, says: int | None = None) -> bytes:
    return sealed(bytes((unit, function, 2 * len(values) if says is None else says)) + words(*values))


REQUEST = sealed(bytes((UNIT, FUNCTION)) + words(ADDRESS, COUNT))
GOOD_VALUES = [11, 22, 33, 44]
GOOD = _reply(*GOOD_VALUES)
# What the next request gets: never to be mixed up with what the one before it got.
OTHER_VALUES = [91, 92, 93, 94]
OTHER = _reply(*OTHER_VALUES)


@dataclass(frozen=True)
class Case:
    """`pieces`: what the slave sends, each after so many seconds. `verdict`: see `modbus_frame`."""

    name: str
    pieces: tuple[tuple[float, bytes], ...]
    verdict: str


def _at_once(name: str, data: bytes, verdict: str) -> Case:
    return Case(name, ((0.0, data),), verdict)


CASES = (
    _at_once("wrong function", _reply(1, 2, 3, 4, function=3), "wrong_function"),
    _at_once("wrong address", _reply(1, 2, 3, 4, unit=UNIT + 1), "wrong_unit"),
    _at_once("fewer registers", _reply(1, 2, 3), "byte_count"),
    _at_once("more registers", _reply(1, 2, 3, 4, 5), "byte_count"),
    _at_once("byte count too high", _reply(1, 2, 3, 4, says=10), "byte_count"),
    _at_once("byte count too low", _reply(1, 2, 3, 4, says=6), "byte_count"),
    _at_once("byte count 0", _reply(says=0), "byte_count"),
    _at_once("byte count odd", sealed(bytes((UNIT, FUNCTION, 7)) + words(1, 2, 3) + b"\x04"), "byte_count"),
    _at_once("exception for another function", sealed(bytes((UNIT, 0x83, 2))), "wrong_function"),
    _at_once("unknown exception", sealed(bytes((UNIT, 0x84, 99))), "exception_99"),
    _at_once("exception with a wrong CRC", sealed(bytes((UNIT, 0x84, 2)))[:-1] + b"\x00", "crc"),
    _at_once("two frames back to back", GOOD + _reply(1, 2, 3, 4), "trailing"),
    _at_once("stale reply to an older request, then the right one", _reply(1, 2, 3, 4) + GOOD, "trailing"),
    _at_once("CRC wrong", GOOD[:-1] + bytes((GOOD[-1] ^ 1,)), "crc"),
    _at_once("CRC swapped", GOOD[:-2] + GOOD[:-3:-1], "crc"),
    _at_once("a bit flipped", GOOD[:5] + bytes((GOOD[5] ^ 0x10,)) + GOOD[6:], "crc"),
    _at_once("truncated", GOOD[:7], "truncated"),
    _at_once("noise before", b"\x00" + GOOD, "wrong_unit"),
    _at_once("noise after", GOOD + b"\xff", "trailing"),
    _at_once("own echo", REQUEST, "own_echo"),
    _at_once("own echo, then the reply", REQUEST + GOOD, "own_echo"),
    _at_once("300 bytes of babble", b"\x55" * 300, "wrong_unit"),
    _at_once("babble that begins like a reply", GOOD[:3] + b"\x55" * 297, "crc"),
    _at_once("reply to a broadcast", _reply(1, 2, 3, 4, unit=0), "wrong_unit"),
    Case("a byte every 20 ms", tuple((0.02, GOOD[i : i + 1]) for i in range(len(GOOD))), "truncated"),
    Case("a gap of 300 ms inside", ((0.0, GOOD[:6]), (0.3, GOOD[6:])), "truncated"),
    Case("late", ((0.3, _reply(1, 2, 3, 4)),), "timeout"),
    Case("silent", (), "timeout"),
)
