"""Requests that are no requests are refused before they reach a device."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenmast.emulator.devices import Device, Plant, pdu


class Anything(Device):
    """Accepts every function and address: what is refused, `pdu` refused."""

    profile = "anything"
    role = "none"
    functions = frozenset({1, 2, 3, 4, 5, 6, 15, 16})

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[tuple[int, int, tuple[int, ...]]] = []

    def refresh(self, plant: Plant) -> None:
        """Shows nothing of a plant."""

    def hole(self, function: int, address: int) -> int:
        return address

    def read_bits(self, function: int, address: int, count: int) -> list[bool]:
        return [bool(at % 3) for at in range(address, address + count)]

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        self.writes.append((function, address, tuple(values)))

    def write_coils(self, function: int, address: int, values: Sequence[bool]) -> None:
        self.writes.append((function, address, tuple(values)))


@pytest.mark.parametrize(
    "request_hex",
    [
        "03", "0300", "03000000", "0300000000", "030000007e", "03ffff0002", "0400000100",  # counts
        "0100000000", "01000007d1", "02ffff0002",
        "0500000001", "05000000ff",
        "0600", "10000000010200", "100000000102000000", "1000000001030000", "1000000000", "10000000000000",
        "100000007cf8",
        "0f0000000901ff", "0f000000080200ff",
    ],
)  # fmt: skip
def test_malformed_is_exception_3_and_writes_nothing(request_hex: str) -> None:
    device = Anything()
    request = bytes.fromhex(request_hex)
    assert pdu.execute(device, request) == bytes((request[0] | 0x80, 3))
    assert device.writes == []


@pytest.mark.parametrize("function", [0, 7, 8, 11, 17, 20, 22, 23, 43, 0x42, 0x7F])
def test_a_function_the_product_lacks_is_exception_1(function: int) -> None:
    assert pdu.execute(Anything(), bytes((function, 0, 0, 0, 1))) == bytes((function | 0x80, 1))


@pytest.mark.parametrize(
    ("request_hex", "reply_hex"),
    [
        ("030010 0003", "0306001000110012"),
        ("01000000 0a", "0102b601"),
        ("06000a1234", "06000a1234"),
        ("05000aff00", "05000aff00"),
        ("10000a000204 12345678", "10000a0002"),
        ("0f000a000a02 ff03", "0f000a000a"),
    ],
)
def test_replies_have_the_layout_of_the_standard(request_hex: str, reply_hex: str) -> None:
    assert pdu.execute(Anything(), bytes.fromhex(request_hex)).hex() == reply_hex


def test_written_values_arrive_in_order() -> None:
    device = Anything()
    pdu.execute(device, bytes.fromhex("10000a00020412345678"))
    pdu.execute(device, bytes.fromhex("0f000a000a020103"))
    assert device.writes == [
        (16, 10, (0x1234, 0x5678)),
        (15, 10, (True, *[False] * 7, True, True)),
    ]


@given(st.binary(min_size=1, max_size=260))
def test_any_bytes_get_a_reply_of_legal_length(request: bytes) -> None:
    reply = pdu.execute(Anything(), request)
    assert reply[0] & 0x7F == request[0] & 0x7F
    assert 2 <= len(reply) <= 253
