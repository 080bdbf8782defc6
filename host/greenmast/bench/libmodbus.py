"""libmodbus, the C library, as a second master and a second slave: nothing in it is this project's.

Binding by ctypes to libmodbus.so.5 (Debian package libmodbus5, which mbpoll needs as well). Owns the
binding and its errors. Must not know products.

`python -m greenmast.bench.libmodbus serve PATH BAUD UNIT IMAGE` is a slave that holds a register image (see
`register_image`) at the serial port PATH, or at PATH = "tcp:HOST:PORT" (port 0: any free one). It prints
"serving WHERE" when it does, answers exception 2 to whatever the image does not hold and to other units
what a bus or a gateway does (nothing; exception 0x0B), and ends when its standard input does.
"""

from __future__ import annotations

import ctypes
import os
import select
import socket
import sys
from collections.abc import Mapping
from ctypes import POINTER, c_char, c_char_p, c_int, c_uint8, c_uint16, c_uint32, c_void_p
from functools import cache
from typing import Any, Self

from greenmast.bench import register_image
from greenmast.errors import UserError

_ENOBASE = 112345678  # libmodbus's errno of exception 0
_ILLEGAL_ADDRESS, _TARGET_FAILED = 2, 11
_LONGEST_REQUEST = 260
_TABLES = {1: "coils", 2: "discrete", 3: "holding", 4: "input"}


class LibmodbusError(Exception):
    """What libmodbus says of a call. `exception`: the code that the slave answered; None: no answer."""

    def __init__(self, number: int) -> None:
        super().__init__(_library().modbus_strerror(number).decode())
        code = number - _ENOBASE
        self.exception = code if 1 <= code <= _TARGET_FAILED else None


class _Mapping(ctypes.Structure):
    """modbus_mapping_t."""

    _fields_ = (
        ("nb_bits", c_int), ("start_bits", c_int),
        ("nb_input_bits", c_int), ("start_input_bits", c_int),
        ("nb_input_registers", c_int), ("start_input_registers", c_int),
        ("nb_registers", c_int), ("start_registers", c_int),
        ("tab_bits", POINTER(c_uint8)), ("tab_input_bits", POINTER(c_uint8)),
        ("tab_input_registers", POINTER(c_uint16)), ("tab_registers", POINTER(c_uint16)),
    )  # fmt: skip


@cache
def _library() -> ctypes.CDLL:
    try:
        library = ctypes.CDLL("libmodbus.so.5", use_errno=True)
    except OSError:
        raise UserError("libmodbus is missing: make system") from None
    library.modbus_strerror.restype = c_char_p
    library.modbus_new_rtu.restype = library.modbus_new_tcp.restype = c_void_p
    library.modbus_mapping_new_start_address.restype = POINTER(_Mapping)
    library.modbus_set_response_timeout.argtypes = (c_void_p, c_uint32, c_uint32)
    return library


def _checked(result: int) -> int:
    if result < 0:
        raise LibmodbusError(ctypes.get_errno())
    return result


def _context(pointer: int | None) -> c_void_p:
    if not pointer:
        raise LibmodbusError(ctypes.get_errno())
    return c_void_p(pointer)


def _rtu(path: str, baud: int, parity: str) -> c_void_p:
    return _context(_library().modbus_new_rtu(path.encode(), baud, c_char(parity.encode()), 8, 1))


def _tcp(host: str, port: int) -> c_void_p:
    return _context(_library().modbus_new_tcp(host.encode(), port))


class Master:
    """A connected master for one unit; a context manager. Every call raises LibmodbusError."""

    def __init__(self, context: c_void_p, unit: int, timeout_s: float) -> None:
        self._context = context
        self._library = _library()
        try:
            _checked(self._library.modbus_set_slave(context, unit))
            whole_s, part = divmod(timeout_s, 1.0)
            _checked(self._library.modbus_set_response_timeout(context, int(whole_s), int(part * 1e6)))
            _checked(self._library.modbus_connect(context))
        except LibmodbusError:
            self._library.modbus_free(context)
            raise

    @classmethod
    def rtu(cls, path: str, baud: int, unit: int, *, parity: str = "N", timeout_s: float = 1.0) -> Self:
        return cls(_rtu(path, baud, parity), unit, timeout_s)

    @classmethod
    def tcp(cls, host: str, port: int, unit: int, *, timeout_s: float = 1.0) -> Self:
        return cls(_tcp(host, port), unit, timeout_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._library.modbus_close(self._context)
        self._library.modbus_free(self._context)

    def read_holding(self, address: int, count: int) -> list[int]:
        return self._read(self._library.modbus_read_registers, c_uint16, address, count)

    def read_input(self, address: int, count: int) -> list[int]:
        return self._read(self._library.modbus_read_input_registers, c_uint16, address, count)

    def read_coils(self, address: int, count: int) -> list[bool]:
        return [bool(bit) for bit in self._read(self._library.modbus_read_bits, c_uint8, address, count)]

    def read_discrete(self, address: int, count: int) -> list[bool]:
        return [
            bool(bit) for bit in self._read(self._library.modbus_read_input_bits, c_uint8, address, count)
        ]

    def write_register(self, address: int, value: int) -> None:
        _checked(self._library.modbus_write_register(self._context, address, c_uint16(value)))

    def write_registers(self, address: int, values: list[int]) -> None:
        words = (c_uint16 * len(values))(*values)
        _checked(self._library.modbus_write_registers(self._context, address, len(values), words))

    def write_coil(self, address: int, on: bool) -> None:
        _checked(self._library.modbus_write_bit(self._context, address, int(on)))

    def _read(self, function: Any, kind: Any, address: int, count: int) -> list[int]:
        words = (kind * count)()
        _checked(function(self._context, address, count, words))
        return list(words)


def _mapping(tables: Mapping[str, Mapping[int, int]]) -> Any:
    """The library's memory, one span a table, filled with an image."""
    spans = []
    for name in ("coils", "discrete", "holding", "input"):
        table = tables[name]
        first = min(table, default=0)
        spans += [first, max(table) + 1 - first if table else 0]
    mapping = _library().modbus_mapping_new_start_address(*spans)
    if not mapping:
        raise LibmodbusError(ctypes.get_errno())
    memory = mapping.contents
    places = (memory.tab_bits, memory.tab_input_bits, memory.tab_registers, memory.tab_input_registers)
    for place, name in zip(places, ("coils", "discrete", "holding", "input"), strict=True):
        first = min(tables[name], default=0)
        for address, value in tables[name].items():
            place[address - first] = value
    return mapping


class _Slave:
    """An image behind the library's server: one serial port, or one TCP connection after another."""

    def __init__(self, path: str, baud: int, unit: int, image: register_image.Image) -> None:
        self._library = _library()
        self._image = image
        self._unit = unit
        self._mapping = _mapping(image.tables)
        self._listening = -1
        self.where = path
        if path.startswith("tcp:"):
            host, _, port = path.removeprefix("tcp:").rpartition(":")
            self._context = _tcp(host, int(port))
            self._listening = _checked(self._library.modbus_tcp_listen(self._context, 1))
            with socket.socket(fileno=os.dup(self._listening)) as bound:
                self.where = "tcp:{}:{}".format(*bound.getsockname()[:2])
        else:
            self._context = _rtu(path, baud, "N")
            _checked(self._library.modbus_connect(self._context))
        _checked(self._library.modbus_set_slave(self._context, unit))

    def run(self) -> None:
        """Answer until standard input ends."""
        connected = self._library.modbus_get_socket(self._context) if self._listening < 0 else -1
        while True:
            ready, _, _ = select.select([0, connected if connected >= 0 else self._listening], [], [])
            if 0 in ready and not os.read(0, 4096):
                return
            if connected in ready:
                if not self._answer() and self._listening >= 0:
                    self._library.modbus_close(self._context)
                    connected = -1
            elif self._listening in ready:
                connected = _checked(
                    self._library.modbus_tcp_accept(self._context, ctypes.byref(c_int(self._listening)))
                )

    def _answer(self) -> bool:
        """One request; False when it cannot be received: a broken frame, or a peer that is gone."""
        request = (c_uint8 * _LONGEST_REQUEST)()
        length: int = self._library.modbus_receive(self._context, request)
        if length <= 0:
            return length == 0  # meant for another unit
        at = self._library.modbus_get_header_length(self._context)
        if self._listening >= 0 and request[at - 1] != self._unit:
            self._library.modbus_reply_exception(self._context, request, _TARGET_FAILED)
        elif self._holds(bytes(request[at:length])):
            self._library.modbus_reply(self._context, request, length, self._mapping)
        else:
            self._library.modbus_reply_exception(self._context, request, _ILLEGAL_ADDRESS)
        return True

    def _holds(self, request: bytes) -> bool:
        """Whether a read stays within the image; other functions are the library's business."""
        table = _TABLES.get(request[0])
        if table is None:
            return True
        first, count = int.from_bytes(request[1:3], "big"), int.from_bytes(request[3:5], "big")
        return all(address in self._image.tables[table] for address in range(first, first + count))


def main(arguments: list[str]) -> None:
    """`serve PATH BAUD UNIT IMAGE`; see the module. Raises UserError, LibmodbusError."""
    command, path, baud, unit, image = arguments
    if command != "serve":
        raise UserError(f"serve PATH BAUD UNIT IMAGE, not {command}")
    slave = _Slave(path, int(baud), int(unit), register_image.load(image))
    print("serving", slave.where, flush=True)
    slave.run()


if __name__ == "__main__":
    main(sys.argv[1:])
