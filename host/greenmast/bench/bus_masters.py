"""The masters that the bus bench measures, behind one interface: ours under MicroPython, libmodbus, pymodbus.

Owns how each is told to read. Every one is asked as its makers mean it to be, without retries of its own:
they would hide what a single exchange gives.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Protocol

from greenmast.bench.board_master import BoardMaster
from greenmast.bench.libmodbus import LibmodbusError
from greenmast.bench.libmodbus import Master as Libmodbus

OURS = "Greenmast"
_FUNCTIONS = {3: "read_holding_registers", 4: "read_input_registers"}


class Reader(Protocol):
    """One master at one serial port."""

    def rate(self, seconds: float, request: list[int]) -> tuple[list[float], int]:
        """Read [unit, function, address, count] over and over: the seconds of each read, and errors."""

    def read(self, request: list[int]) -> list[int] | None:
        """Read once: the registers, or None for whatever the master calls an error."""


# Port, baud rate, unit, time limit in seconds.
Maker = Callable[[str, int, int, float], AbstractContextManager[Reader]]


def makers(folder: Path, turnaround_ms: int = 500) -> dict[str, Maker]:
    """Name -> maker of each master. `folder`: see `board_master.compile_master`."""

    @contextmanager
    def ours(path: str, baud: int, unit: int, timeout_s: float) -> Iterator[Reader]:
        timeout_ms = round(1000 * timeout_s)
        with BoardMaster(folder, path, baud, timeout_ms=timeout_ms, turnaround_ms=turnaround_ms) as board:
            yield _Ours(board)

    logging.getLogger("pymodbus").setLevel(logging.CRITICAL)  # it tells of every reply that it refuses
    return {OURS: ours, "libmodbus": _libmodbus, "pymodbus": _pymodbus, "pymodbus async": _pymodbus_async}


class _Ours:
    def __init__(self, board: BoardMaster) -> None:
        self._board = board

    def rate(self, seconds: float, request: list[int]) -> tuple[list[float], int]:
        return self._board.rate(seconds, request)

    def read(self, request: list[int]) -> list[int] | None:
        data = self._board.read(request)
        if isinstance(data, str):
            return None
        return [int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2)]


class _Repeated:
    """A master that only reads once."""

    def __init__(self, once: Callable[[list[int]], list[int] | None]) -> None:
        self.read = once

    def rate(self, seconds: float, request: list[int]) -> tuple[list[float], int]:
        times_s = []
        errors = 0
        start_s = begun_s = time.monotonic()
        while begun_s - start_s < seconds:
            answer = self.read(request)
            now_s = time.monotonic()
            if answer is None:
                errors += 1
            else:
                times_s.append(now_s - begun_s)
            begun_s = now_s
        return times_s, errors


@contextmanager
def _libmodbus(path: str, baud: int, unit: int, timeout_s: float) -> Iterator[Reader]:
    with Libmodbus.rtu(path, baud, unit, timeout_s=timeout_s) as master:

        def once(request: list[int]) -> list[int] | None:
            _, function, address, count = request
            try:
                return (master.read_holding if function == 3 else master.read_input)(address, count)
            except LibmodbusError:
                return None

        yield _Repeated(once)


def _registers(answer: Any) -> list[int] | None:
    return None if answer is None or answer.isError() else list(answer.registers)


@contextmanager
def _pymodbus(path: str, baud: int, unit: int, timeout_s: float) -> Iterator[Reader]:
    from pymodbus.client import ModbusSerialClient
    from pymodbus.exceptions import ModbusException

    client = ModbusSerialClient(path, baudrate=baud, timeout=timeout_s, retries=0)
    client.connect()

    def once(request: list[int]) -> list[int] | None:
        unit, function, address, count = request
        try:
            return _registers(getattr(client, _FUNCTIONS[function])(address, count=count, device_id=unit))
        except ModbusException:
            client.connect()
            return None

    try:
        yield _Repeated(once)
    finally:
        client.close()  # type: ignore[no-untyped-call]


@contextmanager
def _pymodbus_async(path: str, baud: int, unit: int, timeout_s: float) -> Iterator[Reader]:
    from pymodbus.client import AsyncModbusSerialClient
    from pymodbus.exceptions import ModbusException

    loop = asyncio.new_event_loop()

    async def opened() -> AsyncModbusSerialClient:
        client = AsyncModbusSerialClient(path, baudrate=baud, timeout=timeout_s, retries=0)
        await client.connect()
        return client

    client = loop.run_until_complete(opened())

    async def once(request: list[int]) -> list[int] | None:
        unit, function, address, count = request
        try:
            return _registers(
                await getattr(client, _FUNCTIONS[function])(address, count=count, device_id=unit)
            )
        except ModbusException:
            if not client.connected:
                await client.connect()
            return None

    async def repeated(seconds: float, request: list[int]) -> tuple[list[float], int]:
        times_s = []
        errors = 0
        start_s = begun_s = loop.time()
        while begun_s - start_s < seconds:
            answer = await once(request)
            now_s = loop.time()
            if answer is None:
                errors += 1
            else:
                times_s.append(now_s - begun_s)
            begun_s = now_s
        return times_s, errors

    class Looped:
        def rate(self, seconds: float, request: list[int]) -> tuple[list[float], int]:
            return loop.run_until_complete(repeated(seconds, request))

        def read(self, request: list[int]) -> list[int] | None:
            return loop.run_until_complete(once(request))

    try:
        yield Looped()
    finally:
        client.close()
        with contextlib.suppress(RuntimeError):
            loop.run_until_complete(asyncio.sleep(0))
        loop.close()
