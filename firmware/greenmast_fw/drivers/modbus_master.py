"""Modbus masters: one request at a time on one bus, and no reply ever given to the wrong request.

`Master` owns what every kind of bus has in common: requests by function, verdicts, counters. `RtuMaster` owns
the timing of a line: the silent interval t3.5 between frames in both directions, the wait for a reply, and
the quarantine after a failed exchange. RTU has no transaction number, so a late reply looks like the answer
to the next request: after any failure the line is left alone until its slave can no longer answer, and what
came is dropped. A reply ends when its expected length has come, not at the next silence; the silence is then
checked, because a frame with bytes behind it is not a frame. Knows no device and no retry policy.
"""

from array import array

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


# Places in what a master knows of a unit (`Master.unit`). Errors are all failures but time-outs, exceptions
# included; the time of an exchange is a moving mean.
REQUESTS = 0
ERRORS = 1
TIMEOUTS = 2
REPLY_MS = 3
UNANSWERED = 4  # exchanges in vain since the last answer, up to 255; 255 before the first
DAMAGED = 5  # those of them with a damaged reply
_LIMIT_MS = 6
_GAP_US = 7
_COUNT_MAX = 0x3FFFFFFF
_UNANSWERED_MAX = 255

DAMAGED_MAX = 3  # of one unit since its last answer: not noise any more
# A bus as a whole: every damaged reply adds, every answer takes one off. So one in eleven is too many.
_TROUBLE_STEP = 10
_TROUBLE = 50
_TROUBLE_MAX = 100
_BUSY_ROUNDS = 50  # silent intervals that a babbling line may break before a request is given up


class ModbusError(Exception):
    """An exchange that gave nothing. `code`: a verdict of `modbus_frame`, never OK."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code

    def __str__(self) -> str:
        return modbus_frame.verdict_name(self.code)


class Master:
    """`stats` counts exchanges by verdict code; `stray_bytes` counts bytes that belonged to no exchange.

    `timeout_ms`: how long the reply of a unit without a `limit` of its own may take. A kind of bus adds
    `_transact`: send the first `n` bytes of `_request`, receive into `_reply`, return the verdict; OSError
    when the bus has gone.
    """

    def __init__(self, timeout_ms: int, request: memoryview, reply: memoryview) -> None:
        self.stats: "dict[int, int]" = {}
        self.stray_bytes = 0
        self._units: "dict[int, array[int]]" = {}
        self._others = _unit(timeout_ms, 0)
        self._request = request
        self._reply = reply
        self._busy = False
        self._trouble = 0
        self._asked_ms = clock.ticks_ms()  # when the last request began

    def limit(self, unit: int, timeout_ms: int, gap_ms: int) -> None:
        """Slave `unit` answers within `timeout_ms` and wants `gap_ms` of silence before a request."""
        self._units[unit] = _unit(timeout_ms, gap_ms)

    def unit(self, unit: int) -> "array[int]":
        """Counters of a unit that has a `limit`, by `REQUESTS` .. `DAMAGED`; they change in place."""
        return self._units[unit]

    def is_faulty(self) -> bool:
        """Whether replies on this bus are damaged, of all units or of one again and again."""
        for unit in self._units:
            if self._units[unit][DAMAGED] >= DAMAGED_MAX:
                return True
        return self._trouble >= _TROUBLE

    def read(self, unit: int, function: int, address: int, count: int) -> "Coroutine[None, None, memoryview]":
        """Functions 1-4. Gives the data bytes, valid until the next request. Raises ModbusError."""
        return self._exchange(unit, function, address, count)

    async def write_coil(self, unit: int, address: int, on: int) -> None:
        """Function 5. Raises ModbusError."""
        await self._exchange(unit, modbus_frame.WRITE_COIL, address, modbus_frame.COIL_ON if on else 0)

    async def write_register(self, unit: int, address: int, value: int) -> None:
        """Function 6. Raises ModbusError."""
        await self._exchange(unit, modbus_frame.WRITE_REGISTER, address, value)

    async def write_coils(self, unit: int, address: int, bits: "list[int] | tuple[int, ...]") -> None:
        """Function 15; `bits`: 0 or 1 each. Raises ModbusError."""
        await self._exchange(unit, modbus_frame.WRITE_COILS, address, len(bits), bits)

    async def write_registers(self, unit: int, address: int, values: "list[int] | tuple[int, ...]") -> None:
        """Function 16. Raises ModbusError."""
        await self._exchange(unit, modbus_frame.WRITE_REGISTERS, address, len(values), values)

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
            n = modbus_frame.put(self._request, unit, function, address, word, values)
            known = self._units.get(unit, self._others)
            try:
                code = await self._transact(n, known[_LIMIT_MS], known[_GAP_US])
            except OSError:
                code = modbus_frame.LINE_FAULT
        finally:
            self._busy = False
        self.stats[code] = self.stats.get(code, 0) + 1
        self._count(known, code)
        if code != modbus_frame.OK:
            raise ModbusError(code)
        return self._reply[3 : 3 + self._reply[2]]

    def _transact(self, n: int, timeout_ms: int, gap_us: int) -> "Coroutine[None, None, int]":
        raise NotImplementedError

    def _count(self, known: "array[int]", code: int) -> None:
        _add(known, REQUESTS)
        if code == modbus_frame.TIMEOUT or code == modbus_frame.UNREACHABLE:
            _add(known, TIMEOUTS)
        elif code != modbus_frame.OK:
            _add(known, ERRORS)
        if code == modbus_frame.OK or code >= modbus_frame.EXCEPTION:
            took_ms = clock.diff(clock.ticks_ms(), self._asked_ms)
            known[REPLY_MS] = (7 * known[REPLY_MS] + took_ms + 4) // 8 if known[REPLY_MS] else took_ms
            known[UNANSWERED] = known[DAMAGED] = 0
            if self._trouble:
                self._trouble -= 1
            return
        if known[UNANSWERED] < _UNANSWERED_MAX:
            known[UNANSWERED] += 1
        if code != modbus_frame.TIMEOUT and code != modbus_frame.UNREACHABLE:
            known[DAMAGED] = known[DAMAGED] + 1 if known[DAMAGED] < DAMAGED_MAX else DAMAGED_MAX
            self._trouble = min(self._trouble + _TROUBLE_STEP, _TROUBLE_MAX)


def _unit(timeout_ms: int, gap_ms: int) -> "array[int]":
    return array("i", (0, 0, 0, 0, _UNANSWERED_MAX, 0, timeout_ms, 1000 * gap_ms))


def _add(known: "array[int]", place: int) -> None:
    known[place] = (known[place] + 1) & _COUNT_MAX


class RtuMaster(Master):
    """`timeout_ms`: how long a reply may take, its own length aside; `turnaround_ms`: how long its slave may
    still answer after a request, or its own time limit, if that is longer.
    """

    def __init__(self, line: "HalfDuplex", timeout_ms: int = 300, turnaround_ms: int = 500) -> None:
        # With room to notice bytes behind the longest reply.
        reply = memoryview(bytearray(modbus_frame.FRAME_MAX + 4))
        super().__init__(timeout_ms, memoryview(bytearray(modbus_frame.FRAME_MAX)), reply)
        self._line = line
        self._turnaround_ms = turnaround_ms
        self._last_us = clock.ticks_us()  # when the line was last seen busy
        # How long after `_asked_ms` somebody may answer. Who was asked before a reset may still do so.
        self._hold_ms = turnaround_ms
        self._echoing = False
        self._missing_after = self._missing  # bound once, not at every request

    async def _transact(self, n: int, timeout_ms: int, gap_us: int) -> int:
        request, line = self._request, self._line
        n = modbus_frame.seal(request, n)
        if gap_us < line.gap_us:
            gap_us = line.gap_us
        held_ms = clock.diff(clock.ticks_ms(), self._asked_ms)
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
        self._asked_ms = clock.ticks_ms()
        # Until a good reply is there: this task may be cancelled, too.
        self._hold_ms = max(timeout_ms, self._turnaround_ms) + self._wire_ms(n)
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
        code = self._unmasked(code)
        if code == modbus_frame.OK or code >= modbus_frame.EXCEPTION:
            self._hold_ms = 0
        return code

    def _unmasked(self, code: int) -> int:
        """A line that returns our own bytes would confirm every single write; reads are what unmasks it."""
        if code == modbus_frame.OWN_ECHO:
            self._echoing = True
        elif code == modbus_frame.OK:
            if self._request[1] <= modbus_frame.READ_INPUT:
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
