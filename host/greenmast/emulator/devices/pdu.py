"""Carries out a Modbus request on a device: request bytes in, reply bytes out, one consistent picture each.

Owns the layout of requests and replies and the checks that come before the device. Must not know framing,
ports or products. A request is carried out without a break, so a reply never shows half of a refresh.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from greenmast.emulator.devices import register_faults
from greenmast.emulator.devices.device import (
    ILLEGAL_FUNCTION,
    ILLEGAL_VALUE,
    READ_COILS,
    READ_DISCRETE,
    READ_HOLDING,
    READ_INPUT,
    WRITE_COIL,
    WRITE_COILS,
    WRITE_REGISTER,
    WRITE_REGISTERS,
    Device,
    RefusedError,
)

MAX_BITS = 2000


def execute(device: Device, request: bytes) -> bytes:
    """Reply to `request`, both without address and checksum; a refusal is a reply too."""
    function = request[0]
    if function not in device.functions:
        return bytes((function | 0x80, ILLEGAL_FUNCTION))
    try:
        return bytes((function,)) + _carry_out(device, function, request[1:])
    except RefusedError as refused:
        return bytes((function | 0x80, refused.code))


def _carry_out(device: Device, function: int, data: bytes) -> bytes:
    if function in device.custom_functions:
        device.custom(function)
        return data
    if len(data) < 4:
        raise RefusedError(ILLEGAL_VALUE)
    address, second = struct.unpack_from(">HH", data)
    if function in (READ_HOLDING, READ_INPUT):
        registers = device.read_registers(function, address, _count(address, second, 125))
        if device.faults:
            registers = register_faults.disturbed(device, registers)
        return struct.pack(f">B{second}H", 2 * second, *registers)
    if function in (READ_COILS, READ_DISCRETE):
        packed = _packed(device.read_bits(function, address, _count(address, second, MAX_BITS)))
        return bytes((len(packed),)) + packed
    if function == WRITE_REGISTER:
        device.write_registers(function, address, (second,))
    elif function == WRITE_COIL:
        device.write_coil(address, second)
    elif function == WRITE_REGISTERS:
        payload = _payload(data, 2 * _count(address, second, 123))
        device.write_registers(function, address, struct.unpack(f">{second}H", payload))
    elif function == WRITE_COILS:
        payload = _payload(data, (_count(address, second, MAX_BITS) + 7) // 8)
        device.write_coils(function, address, [bool(payload[i >> 3] >> (i & 7) & 1) for i in range(second)])
    return data[:4]


def _count(address: int, count: int, most: int) -> int:
    """`count` if that many may be asked for from `address`."""
    if not 1 <= count <= most or address + count > 0x10000:
        raise RefusedError(ILLEGAL_VALUE)
    return count


def _payload(data: bytes, length: int) -> bytes:
    """The values behind address, count and byte count, which must agree."""
    if len(data) != 5 + length or data[4] != length:
        raise RefusedError(ILLEGAL_VALUE)
    return data[5:]


def _packed(bits: Sequence[bool]) -> bytes:
    packed = bytearray((len(bits) + 7) // 8)
    for i, bit in enumerate(bits):
        packed[i >> 3] |= bit << (i & 7)
    return bytes(packed)
