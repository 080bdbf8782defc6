"""Modbus RTU master: one request at a time on one line, and no reply ever given to the wrong request.

Owns the timing of the line: the silent interval t3.5 between frames in both directions, the wait for a reply,
and the quarantine after a failed exchange. RTU has no transaction number, so a late reply looks like the
answer to the next request: after any failure the line is left alone until its slave can no longer answer, and
what came is dropped. A reply ends when its expected length has come, not at the next silence; the silence is
then checked, because a frame with bytes behind it is not a frame. Knows no device and no retry policy.
"""

from greenmast_fw.drivers import clock
from greenmast_protocol import modbus_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from typing import Protocol

    class HalfDuplex(Protocol):
        """What the master needs of a line (see `modbus_line.Line`)."""

        char_us: int
        gap_us: int

        async def send(self, frame: memoryview) -> None: ...
        async def receive(
            self, view: memoryview, missing: "Callable[[int], int]", timeout_ms: int
        ) -> int: ...
        def drain(self) -> int: ...


_BUSY_ROUNDS = 50  # silent intervals that a babbling line may break before a request is given up


class ModbusError(Exception):
    """An exchange that gave nothing. `code`: a verdict of `modbus_frame`, never OK."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return modbus_frame.verdict_name(self.code)


class RtuMaster:
    """`stats` counts exchanges by verdict code; `stray_bytes` counts bytes that belonged to no exchange.

    `timeout_ms`: how long a reply may take, its own length aside; `turnaround_ms`: how long after a request
    its slave may still answer. `limit` sets both for one slave.
    """

    def __init__(self, line: "HalfDuplex", timeout_ms: int = 300, turnaround_ms: int = 500) -> None:
        self.stats: "dict[int, int]" = {}
        self.stray_bytes = 0
        self._line = line
        self._timeout_ms = timeout_ms
        self._turnaround_ms = turnaround_ms
        self._limits: "dict[int, tuple[int, int]]" = {}
        self._request = memoryview(bytearray(modbus_frame.FRAME_MAX))
        # With room to notice bytes behind the longest reply.
        self._reply = memoryview(bytearray(modbus_frame.FRAME_MAX + 4))
        self._busy = False
        self._last_us = clock.ticks_us()  # when the line was last seen busy
        self._hold_from_ms = clock.ticks_ms()
        self._hold_ms = turnaround_ms  # somebody may have been asked before we were reset
        self._echoing = False
        self._missing_after = self._missing  # bound once, not at every request

    def limit(self, unit: int, timeout_ms: int, gap_ms: int) -> None:
        """Slave `unit` answers within `timeout_ms` and wants `gap_ms` of silence before a request."""
        self._limits[unit] = (timeout_ms, gap_ms * 1000)

    def read(self, unit: int, function: int, address: int, count: int) -> "Coroutine[None, None, memoryview]":
        """Functions 1-4. Gives the data bytes, valid until the next request. Raises ModbusError."""
        return self._exchange(unit, function, address, count)

    async def write_registers(self, unit: int, address: int, values: "list[int] | tuple[int, ...]") -> None:
        """Function 16. Raises ModbusError."""
        await self._exchange(unit, modbus_frame.WRITE_REGISTERS, address, len(values), values)

    async def write_register(self, unit: int, address: int, value: int) -> None:
        """Function 6. Raises ModbusError."""
        await self._exchange(unit, modbus_frame.WRITE_REGISTER, address, value)

    async def _exchange(
        self, unit: int, function: int, address: int, word: int, values: "list[int] | tuple[int, ...]" = ()
    ) -> memoryview:
        """Build a request in the shared buffer, send it and receive its reply, one task at a time.

        Returns the data bytes of a read. Raises ModbusError, counted.
        """
        while self._busy:
            await clock.sleep_ms(1)
        self._busy = True
        try:
            n = modbus_frame.build(self._request, unit, function, address, word, values)
            timeout_ms, gap_us = self._limits.get(unit, (self._timeout_ms, 0))
            # How long after the start of its request the slave may still answer, should anything go wrong or
            # this task be cancelled.
            quarantine_ms = timeout_ms if timeout_ms > self._turnaround_ms else self._turnaround_ms
            quarantine_ms += self._wire_ms(n)
            try:
                code = await self._transact(n, timeout_ms, gap_us)
                if code == modbus_frame.OK or code >= modbus_frame.EXCEPTION:
                    quarantine_ms = 0
            except OSError:
                code = modbus_frame.LINE_FAULT
            finally:
                self._hold_ms = quarantine_ms
        finally:
            self._busy = False
        self.stats[code] = self.stats.get(code, 0) + 1
        if code != modbus_frame.OK:
            raise ModbusError(code)
        return self._reply[3 : 3 + self._reply[2]]

    async def _transact(self, n: int, timeout_ms: int, gap_us: int) -> int:
        """Send the first `n` bytes of the request and receive the reply. Returns the verdict."""
        request, line = self._request, self._line
        if gap_us < line.gap_us:
            gap_us = line.gap_us
        held_ms = clock.diff(clock.ticks_ms(), self._hold_from_ms)
        # Ticks wrap: an age that looks negative is a long silence, not a short one.
        if 0 <= held_ms < self._hold_ms:
            await clock.sleep_ms(self._hold_ms - held_ms)
        # Then a gap without a byte. The last fraction of a millisecond is spun through; other tasks run.
        rounds = _BUSY_ROUNDS
        left_us = gap_us
        while left_us:
            dropped = line.drain()
            if dropped:
                self.stray_bytes += dropped
                self._last_us = clock.ticks_us()
                rounds -= 1
                if not rounds:
                    return modbus_frame.LINE_BUSY
            left_us = self._left_us(gap_us)
            if left_us:
                await clock.sleep_ms(left_us // 1000)
        self._hold_from_ms = clock.ticks_ms()
        await line.send(request[:n])
        timeout_ms += self._wire_ms(modbus_frame.reply_length(request))
        n = await line.receive(self._reply, self._missing_after, timeout_ms)
        self._last_us = clock.ticks_us()
        code = modbus_frame.check(request, self._reply, n)
        if code == modbus_frame.OK or code >= modbus_frame.EXCEPTION:
            left_us = line.gap_us
            while left_us:
                await clock.sleep_ms(left_us // 1000)
                left_us = self._left_us(line.gap_us)
            if line.drain():
                return modbus_frame.TRAILING
        # A line that returns our own bytes would confirm every single write; reads are what unmasks it.
        if code == modbus_frame.OWN_ECHO:
            self._echoing = True
        elif code == modbus_frame.OK:
            if request[1] <= modbus_frame.READ_INPUT:
                self._echoing = False
            elif self._echoing:
                return modbus_frame.OWN_ECHO
        return code

    def _missing(self, n: int) -> int:
        return modbus_frame.missing(self._request, self._reply, n)

    def _wire_ms(self, n: int) -> int:
        return n * self._line.char_us // 1000 + 1

    def _left_us(self, gap_us: int) -> int:
        """What is left of a gap that began when the line was last seen busy."""
        age_us = clock.diff(clock.ticks_us(), self._last_us)
        return gap_us - age_us if 0 <= age_us < gap_us else 0
