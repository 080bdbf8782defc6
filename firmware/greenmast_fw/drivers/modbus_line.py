"""One half-duplex RS-485 line: sends a frame, receives bytes within a time limit, throws bytes away.

Owns the UART and the driver-enable pin and knows how long a character lasts; knows nothing of Modbus. The
UART is a `machine.UART` with `timeout=0`, or any stream that `select.poll` understands and whose `readinto`
gives what has come (a terminal needs VMIN 0). All waiting for bytes goes through asyncio's own queue: a
stream registered behind its back crashes the interpreter when a task ends.
"""

import asyncio
import select

from greenmast_fw.drivers import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Uart(Protocol):
        """What the line needs of `machine.UART` (`txdone` only with a driver-enable pin)."""

        def write(self, data: memoryview) -> "int | None": ...
        def readinto(self, buffer: memoryview) -> "int | None": ...
        def txdone(self) -> bool: ...


_EIO = 5
_DRAIN_READS = 16  # of 64 bytes: bounds one drain of a line that never falls silent


class Line:
    """`de`, where the transceiver has one, is a `machine.Pin`: `de(1)` drives the line, `de(0)` listens."""

    def __init__(self, uart: "Uart", baud: int, de: "Callable[[int], object] | None" = None) -> None:
        self.char_us = 11_000_000 // baud  # start, 8 data, parity or second stop, stop
        # t3.5 of "MODBUS over Serial Line V1.02" 2.5.1.1: fixed above 19200 baud.
        self.gap_us = 38_500_000 // baud if baud <= 19200 else 1750
        self._uart = uart
        self._de = de
        self._stream = asyncio.StreamReader(uart)  # type: ignore[arg-type]
        self._poll = select.poll()
        self._poll.register(uart, select.POLLIN)  # type: ignore[arg-type]
        self._scrap = memoryview(bytearray(64))
        self._got = 0

    async def send(self, frame: memoryview) -> None:
        """Hand the frame to the UART; with a driver-enable pin, also wait until it has left.

        Raises OSError.
        """
        de = self._de
        if de is None:
            self._write(frame)
            return
        de(1)
        try:
            self._write(frame)
            wire_ms = len(frame) * self.char_us // 1000
            await clock.sleep_ms(wire_ms)
            # A slave may answer 3.5 characters later: release at once, and do not wait for a UART that hangs.
            start = clock.ticks_ms()
            while not self._uart.txdone() and clock.diff(clock.ticks_ms(), start) < 20 + wire_ms:
                await clock.sleep_ms(0)
        finally:
            de(0)

    def _write(self, frame: memoryview) -> None:
        if self._uart.write(frame) != len(frame):
            raise OSError(_EIO)

    async def receive(self, view: memoryview, missing: "Callable[[int], int]", timeout_ms: int) -> int:
        """Fill `view` until `missing(bytes so far)` is 0, `view` is full or the time is over.

        Returns the number of bytes received. Raises OSError when the stream has gone.
        """
        self._got = 0
        try:
            await asyncio.wait_for_ms(self._fill(view, missing), timeout_ms)  # type: ignore[attr-defined]
        except asyncio.TimeoutError:
            return self._got  # what came in time; the caller judges it
        return self._got

    async def _fill(self, view: memoryview, missing: "Callable[[int], int]") -> None:
        while self._got < len(view):
            got = await self._stream.readinto(view[self._got :])  # type: ignore[attr-defined]
            if got == 0:
                raise OSError(_EIO)  # end of file: the other side of a pseudo-terminal has closed
            self._got += got or 0
            lacking = missing(self._got)
            if not lacking:
                return
            # One wake-up for the rest instead of one for each character: the UART buffers meanwhile.
            wait_ms = (lacking - 1) * self.char_us // 1000
            if wait_ms:
                await clock.sleep_ms(wait_ms)

    def drain(self) -> int:
        """Throw away what has arrived. Returns the number of bytes. Raises OSError as `receive` does."""
        dropped = 0
        for _ in range(_DRAIN_READS):
            if not self._poll.poll(0):
                break
            got = self._uart.readinto(self._scrap)
            if got == 0:
                raise OSError(_EIO)
            dropped += got or 0
        return dropped
