"""One half-duplex RS-485 line: sends a frame, receives bytes within a time limit, throws bytes away.

Owns the UART and the driver-enable pin and knows how long a character lasts; knows nothing of Modbus. It
sleeps while nothing can have come, then watches closely for a while: at every turn of the scheduler it waits
for up to a millisecond, woken by the first byte. That allocates nothing and needs no stream in the
scheduler's own queue, where a task that ends at the wrong moment crashes the interpreter.
"""

import select

from greenmast_fw.drivers import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class Uart(Protocol):
        """What the line needs of `machine.UART`, opened with `timeout=0`; `txdone` only with a `de` pin.

        `readinto` gives what has come without waiting, None or 0 when that is nothing. A terminal does so
        with VMIN = VTIME = 0.
        """

        def write(self, data: memoryview) -> "int | None": ...
        def readinto(self, buffer: memoryview) -> "int | None": ...
        def txdone(self) -> bool: ...


_EIO = 5
_DRAIN_READS = 16  # of 64 bytes: bounds one drain of a line that never falls silent
_WATCH_MS = 20  # how long a byte that is due is watched for
_SPIN_MS = 20  # the end of a transmission that no other task may come into
_PATIENCE = 16  # later it is looked for at intervals of 1/16 of the time waited so far


class Line:
    """`de`, where the transceiver has one, is a `machine.Pin`: `de(1)` drives the line, `de(0)` listens."""

    def __init__(self, uart: "Uart", baud: int, de: "Callable[[int], object] | None" = None) -> None:
        self.char_us = 11_000_000 // baud  # start, 8 data, parity or second stop, stop
        # t3.5 of "MODBUS over Serial Line V1.02" 2.5.1.1: fixed above 19200 baud.
        self.gap_us = 38_500_000 // baud if baud <= 19200 else 1750
        self._uart = uart
        self._de = de
        self._scrap = memoryview(bytearray(64))
        self._poll = select.poll()
        self._poll.register(uart, select.POLLIN)  # type: ignore[arg-type]

    async def send(self, frame: memoryview) -> None:
        """Send `frame`; returns when it has left. Raises OSError when the UART does not take it."""
        de = self._de
        if de is not None:
            de(1)
        try:
            if self._uart.write(frame) != len(frame):
                raise OSError(_EIO)
            wire_ms = len(frame) * self.char_us // 1000
            if de is None:
                await clock.sleep_ms(wire_ms)
            else:
                # The slave may answer 3.5 characters later, sooner than another task may be done: the line is
                # watched to the end and released at once. But not for ever: a UART may hang.
                start_ms = clock.ticks_ms()
                if wire_ms > _SPIN_MS:
                    await clock.sleep_ms(wire_ms - _SPIN_MS)
                while not self._uart.txdone() and clock.diff(clock.ticks_ms(), start_ms) < 20 + wire_ms:
                    pass
        finally:
            if de is not None:
                de(0)

    async def receive(self, view: memoryview, missing: "Callable[[int], int]", timeout_ms: int) -> int:
        """Fill `view` until `missing(bytes so far)` is 0, `view` is full or the time is over.

        Returns the number of bytes received. Raises OSError when the UART has gone.
        """
        got = 0
        rest = view
        start_ms = due_ms = clock.ticks_ms()
        while True:
            pause_ms = 0
            now_ms = clock.ticks_ms()
            came = self._uart.readinto(rest)
            if came:
                got += came
                lacking = missing(got)
                if not lacking or got == len(view):
                    return got
                rest = view[got:]
                pause_ms = (lacking - 1) * self.char_us // 1000
                due_ms = clock.add(now_ms, pause_ms)
            else:
                late_ms = clock.diff(now_ms, due_ms)
                if late_ms >= _WATCH_MS:
                    pause_ms = 1 + late_ms // _PATIENCE
            if clock.diff(now_ms, start_ms) >= timeout_ms:
                return got
            await clock.sleep_ms(pause_ms)
            if not pause_ms:
                for _ in self._poll.ipoll(1):  # type: ignore[attr-defined]
                    break

    def drain(self) -> int:
        """Throw away what has arrived. Returns the number of bytes. Raises OSError as `receive` does."""
        dropped = 0
        for _ in range(_DRAIN_READS):
            came = self._uart.readinto(self._scrap)
            if not came:
                break
            dropped += came
        return dropped
