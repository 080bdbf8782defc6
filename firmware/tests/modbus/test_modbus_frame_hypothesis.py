"""Whatever arrives: accepted only when it is the one good reply, read independently from the standard."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from greenmast_protocol import modbus_frame as frame

UNIT, FUNCTION, ADDRESS, COUNT = 3, 4, 0x10, 4


def slow_crc(data: bytes) -> bytes:
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


def request() -> bytearray:
    buffer = bytearray(frame.FRAME_MAX)
    frame.build(buffer, UNIT, FUNCTION, ADDRESS, COUNT)
    return buffer


def good(registers: list[int]) -> bytes:
    body = bytes([UNIT, FUNCTION, 2 * COUNT]) + b"".join(value.to_bytes(2, "big") for value in registers)
    return body + slow_crc(body)


registers = st.lists(st.integers(0, 0xFFFF), min_size=COUNT, max_size=COUNT)


@given(st.binary(max_size=256))
def test_the_table_computes_the_crc_of_the_standard(data: bytes) -> None:
    assert frame.crc16(data, len(data)).to_bytes(2, "little") == slow_crc(data)


@given(registers)
def test_a_good_reply_is_accepted_whatever_it_holds(values: list[int]) -> None:
    reply = bytearray(good(values))
    assert frame.check(request(), reply, len(reply)) == frame.OK


@given(registers, st.integers(0, 13 * 8 - 1), st.integers(1, 0xFFFF))
def test_every_burst_of_up_to_16_damaged_bits_is_refused(values: list[int], start: int, burst: int) -> None:
    sent = good(values)
    whole = int.from_bytes(sent, "little") ^ (burst << start)
    damaged = bytearray((whole & ((1 << 8 * len(sent)) - 1)).to_bytes(len(sent), "little"))
    verdict = frame.check(request(), damaged, len(damaged))
    assert verdict != frame.OK or bytes(damaged) == sent


@given(
    st.binary(max_size=30)
    | st.binary(max_size=12).map(lambda data: bytes([UNIT, FUNCTION]) + data)
    | st.binary(max_size=20).map(lambda data: data + slow_crc(data))
    | st.tuples(registers, st.binary(max_size=4)).map(lambda pair: good(pair[0]) + pair[1])
)
def test_arbitrary_bytes_are_accepted_only_when_they_are_the_good_reply(data: bytes) -> None:
    n = len(data)
    accepted = frame.check(request(), bytearray(data), n) == frame.OK
    head = data[:3] == bytes([UNIT, FUNCTION, 2 * COUNT])
    assert accepted == (n == 5 + 2 * COUNT and head and data[-2:] == slow_crc(data[:-2]))


@given(st.binary(max_size=30))
def test_missing_never_asks_for_bytes_beyond_the_longest_reply(data: bytes) -> None:
    lacking = frame.missing(request(), bytearray(data), len(data))
    assert 0 <= lacking <= 5 + 2 * COUNT - min(len(data), 5 + 2 * COUNT)
