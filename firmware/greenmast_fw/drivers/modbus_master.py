"""Modbus RTU master: one request at a time on one line, and no reply ever given to the wrong request.

Owns the timing of the line: the silent interval t3.5 between frames in both directions, the wait for a reply,
and the quarantine after a failed exchange. RTU has no transaction number, so a late reply looks like the
answer to the next request: after any failure the line is left alone until its slave can no longer answer, and
what came is dropped. A reply ends when its expected length has come, not at the next silence; the silence is
then checked, because a frame with bytes behind it is not a frame. Knows no device and no retry policy.
"""

import asyncio

from greenmast_fw.drivers import clock, modbus_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
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


_BUSY_ROUNDS = 100  # silent intervals that a babbling line may break before a request is given up


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
        self._request = bytearray(modbus_frame.FRAME_MAX)
        self._reply = bytearray(modbus_frame.FRAME_MAX + 4)  # room to notice bytes behind the longest reply
        self._request_view = memoryview(self._request)
        self._reply_view = memoryview(self._reply)
        self._lock = asyncio.Lock()
        self._last_us = clock.ticks_us()  # when the line was last seen busy
        self._hold_from_ms = clock.ticks_ms()
        self._hold_ms = turnaround_ms  # somebody may have been asked before we were reset
        self._echoing = False
        self._missing_after = self._missing  # bound once, not at every request

    def limit(self, unit: int, timeout_ms: int, gap_ms: int) -> None:
        """Slave `unit` answers within `timeout_ms` and wants `gap_ms` of silence before a request."""
        self._limits[unit] = (timeout_ms, gap_ms * 1000)

    async def read(self, unit: int, function: int, address: int, count: int) -> memoryview:
        """Functions 1-4. Returns the data bytes, valid until the next request. Raises ModbusError."""
        await self._perform(modbus_frame.build_read, unit, function, address, count)
        return self._reply_view[3 : 3 + modbus_frame.data_length(self._request)]

    async def write_registers(self, unit: int, address: int, values: "list[int] | tuple[int, ...]") -> None:
        """Function 16. Raises ModbusError."""
        await self._perform(modbus_frame.build_write_registers, unit, address, values)

    async def write_register(self, unit: int, address: int, value: int) -> None:
        """Function 6. Raises ModbusError."""
        await self._perform(modbus_frame.build_write_one, unit, modbus_frame.WRITE_REGISTER, address, value)

    async def write_coil(self, unit: int, address: int, on: bool) -> None:
        """Function 5. Raises ModbusError."""
        word = 0xFF00 if on else 0
        await self._perform(modbus_frame.build_write_one, unit, modbus_frame.WRITE_COIL, address, word)

    async def _perform(self, build: "Callable[..., int]", *arguments: object) -> None:
        """Build a request into the shared buffer and exchange it, one task at a time."""
        await self._lock.acquire()
        try:
            await self._exchange(build(self._request, *arguments))
        finally:
            self._lock.release()

    async def _exchange(self, n: int) -> None:
        """Send the first `n` bytes of the request and receive its reply. Raises ModbusError, counted."""
        code = modbus_frame.LINE_FAULT
        answered = False  # stays so when this task is cancelled half-way
        try:
            code = await self._transact(n)
            answered = code == modbus_frame.OK or code >= modbus_frame.EXCEPTION
        except OSError:
            code = modbus_frame.LINE_FAULT
        finally:
            self._hold_ms = 0 if answered else self._worst_ms(n)
        self.stats[code] = self.stats.get(code, 0) + 1
        if code != modbus_frame.OK:
            raise ModbusError(code)

    async def _transact(self, n: int) -> int:
        request, line = self._request, self._line
        timeout_ms, gap_us = self._limits.get(request[0], (self._timeout_ms, 0))
        if not await self._silence(gap_us if gap_us > line.gap_us else line.gap_us):
            return modbus_frame.LINE_BUSY
        self._hold_from_ms = clock.ticks_ms()
        await line.send(self._request_view[:n])
        limit_ms = timeout_ms + self._wire_ms(modbus_frame.reply_length(request))
        got = await line.receive(self._reply_view, self._missing_after, limit_ms)
        self._last_us = clock.ticks_us()
        code = modbus_frame.check(request, self._reply, got)
        if code == modbus_frame.OK or code >= modbus_frame.EXCEPTION:
            await self._gap(line.gap_us)
            if line.drain():
                return modbus_frame.TRAILING
        return self._echo_verdict(code)

    def _missing(self, n: int) -> int:
        return modbus_frame.missing(self._request, self._reply, n)

    def _echo_verdict(self, code: int) -> int:
        """A line that returns our own bytes would confirm every single write; reads are what unmasks it."""
        if code == modbus_frame.OWN_ECHO:
            self._echoing = True
        elif code == modbus_frame.OK:
            if self._request[1] <= modbus_frame.READ_INPUT:
                self._echoing = False
            elif self._echoing:
                return modbus_frame.OWN_ECHO
        return code

    def _worst_ms(self, n: int) -> int:
        """How long after the start of its request (`n` bytes) the slave just asked may still answer."""
        timeout_ms, _ = self._limits.get(self._request[0], (0, 0))
        worst_ms = timeout_ms if timeout_ms > self._turnaround_ms else self._turnaround_ms
        return worst_ms + self._wire_ms(n)

    def _wire_ms(self, n: int) -> int:
        return n * self._line.char_us // 1000 + 1

    async def _silence(self, gap_us: int) -> bool:
        """Wait out the quarantine and then a gap without a byte, dropping what comes.

        False: there was no gap.
        """
        held_ms = clock.diff(clock.ticks_ms(), self._hold_from_ms)
        # Ticks wrap: an age that looks negative is a long silence, not a short one.
        if 0 <= held_ms < self._hold_ms:
            await clock.sleep_ms(self._hold_ms - held_ms)
        for _ in range(_BUSY_ROUNDS):
            dropped = self._line.drain()
            if dropped:
                self.stray_bytes += dropped
                self._last_us = clock.ticks_us()
            elif not await self._gap(gap_us):
                return True
        return False

    async def _gap(self, gap_us: int) -> bool:
        """Wait until the line has been left alone for `gap_us`. False: it already had been."""
        waited = False
        while True:
            age_us = clock.diff(clock.ticks_us(), self._last_us)
            if not 0 <= age_us < gap_us:
                return waited
            waited = True
            # The last fraction of a millisecond is spun through, letting other tasks run.
            await clock.sleep_ms((gap_us - age_us) // 1000)
