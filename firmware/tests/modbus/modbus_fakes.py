"""A clock and a line that exist only in memory: the time that passes is the time that was waited for."""

import asyncio

from greenmast_fw.drivers import modbus_line, modbus_master
from greenmast_fw.services import poll
from greenmast_protocol import modbus_frame as frame

_WRAP = 1 << 30


class FakeClock:
    """Ticks that wrap like the board's. A sleep ends up to a millisecond early, as asyncio's does there."""

    def __init__(self, now_us=_WRAP - 40_000):
        self.now_us = now_us

    def ticks_us(self):
        return self.now_us % _WRAP

    def ticks_ms(self):
        return self.now_us // 1000 % _WRAP

    def diff(self, a, b):
        return (a - b + _WRAP // 2) % _WRAP - _WRAP // 2

    def add(self, ticks, ms):
        return (ticks + ms) % _WRAP

    async def sleep_ms(self, ms):
        self.now_us += 1000 * ms - 700 if ms > 0 else 100


class FakeLine:
    """Sends into a list; a request takes the next of `answers`: [(delay_us after its end, bytes) ..]."""

    def __init__(self, clock, baud=9600):
        self.char_us = 11_000_000 // baud
        self.gap_us = 38_500_000 // baud if baud <= 19200 else 1750
        self.clock = clock
        self.answers = []
        self.sent = []
        self.silences_us = []  # before each request
        self.arriving = []  # (time_us, byte)
        self.last_us = clock.now_us
        self.broken = False

    def arrive(self, start_us, data):
        for i in range(len(data)):
            self.arriving.append((start_us + (i + 1) * self.char_us, data[i]))
        self.arriving.sort()

    async def send(self, view):
        if self.broken:
            raise OSError(5)
        now = self.clock.now_us
        seen = [at for at, _ in self.arriving if at <= now]
        self.silences_us.append(now - max(seen + [self.last_us]))
        self.sent.append(bytes(view))
        ended = now + len(view) * self.char_us
        self.last_us = ended
        if self.answers:
            for delay_us, data in self.answers.pop(0):
                self.arrive(ended + delay_us, data)
        self.clock.now_us = ended

    def _take(self):
        at, byte = self.arriving.pop(0)
        self.last_us = max(self.last_us, at)
        return byte

    def _arrived(self):
        return bool(self.arriving) and self.arriving[0][0] <= self.clock.now_us

    async def receive(self, view, missing, timeout_ms):
        end_us = self.clock.now_us + 1000 * timeout_ms
        got = 0
        while got < len(view):
            if self._arrived():
                view[got] = self._take()
                got += 1
                if not missing(got):
                    while got < len(view) and self._arrived():
                        view[got] = self._take()
                        got += 1
                    break
            elif self.arriving and self.arriving[0][0] <= end_us:
                self.clock.now_us = self.arriving[0][0]
            else:
                self.clock.now_us = end_us
                break
        return got

    def drain(self):
        dropped = 0
        while self._arrived():
            self._take()
            dropped += 1
        return dropped


class Rig:
    """A master on a fake line. `run(function, ..)` awaits it and returns its result or its ModbusError."""

    def __init__(self, baud=9600, **limits):
        self.clock = FakeClock()
        self.line = FakeLine(self.clock, baud)
        self.master = self._timed(lambda: modbus_master.RtuMaster(self.line, **limits))

    def _timed(self, action):
        before = modbus_master.clock
        modbus_line.clock = modbus_master.clock = poll.clock = self.clock
        try:
            return action()
        finally:
            modbus_line.clock = modbus_master.clock = poll.clock = before

    def run(self, function, *arguments):
        async def guarded():
            try:
                return await function(*arguments)
            except modbus_master.ModbusError as error:
                return error

        return self._timed(lambda: asyncio.run(guarded()))


def sealed(*parts):
    """A frame with its CRC; parts are ints (bytes) or bytes."""
    body = bytearray()
    for part in parts:
        body.extend(bytes([part]) if isinstance(part, int) else part)
    crc = frame.crc16(body, len(body))
    return bytes(body) + bytes([crc & 0xFF, crc >> 8])


def words(*values):
    out = bytearray()
    for value in values:
        out.extend(bytes([value >> 8, value & 0xFF]))
    return bytes(out)
