"""A clock and a line that exist only in memory: the time that passes is the time that was waited for."""

import asyncio
import errno

from greenmast_fw.drivers import modbus_line, modbus_master, modbus_tcp
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


class FakeServer:
    """The modules `socket` and `select` of a network with one Modbus TCP server.

    A request takes the next of `answers`: a function of the request that gives [(delay_us, bytes) ..]; None
    for bytes: the server closes the connection.
    """

    SOCK_STREAM = POLLIN = 1
    POLLOUT = 4
    POLLERR = 8
    POLLHUP = 16

    def __init__(self, clock):
        self.clock = clock
        self.answers = []
        self.sent = []
        self.opened = []  # FakeConnection
        self.is_there = True  # else nobody answers
        self.refuses = False

    def getaddrinfo(self, host, port, family, kind):
        return [(2, kind, 0, "", (host, port))]

    def socket(self, *_):
        self.opened.append(FakeConnection(self))
        return self.opened[-1]

    def poll(self):
        return FakePoll(self)


class FakePoll:
    def __init__(self, server):
        self.server = server

    def register(self, connection, flags):
        self.connection = connection
        self.flags = flags

    modify = register

    def ipoll(self, ms):
        server = self.server
        if self.flags & server.POLLOUT:
            if server.refuses:
                return ((self.connection, server.POLLOUT | server.POLLERR | server.POLLHUP),)
            return ((self.connection, server.POLLOUT),) if server.is_there else ()
        end_us = server.clock.now_us + 1000 * ms
        if self.connection.arriving:
            end_us = max(server.clock.now_us, min(end_us, self.connection.arriving[0][0]))
        server.clock.now_us = end_us
        return ()


class FakeConnection:
    def __init__(self, server):
        self.server = server
        self.arriving = []  # (time_us, bytes)
        self.is_open = True
        self.room = 1000  # bytes that can be sent

    def setblocking(self, _):
        pass

    def setsockopt(self, *_):
        pass

    def connect(self, address):
        raise OSError(errno.EINPROGRESS, "in progress")

    def write(self, data):
        assert self.is_open
        count = min(len(data), self.room)
        self.room -= count
        if not count:
            return None
        self.server.sent.append(bytes(data[:count]))
        if self.server.answers:
            for delay_us, reply in self.server.answers.pop(0)(bytes(data)):
                self.arriving.append((self.server.clock.now_us + delay_us, reply))
        return count

    def readinto(self, view):
        assert self.is_open
        if not self.arriving or self.arriving[0][0] > self.server.clock.now_us:
            return None
        at, data = self.arriving.pop(0)
        if data is None:
            return 0
        count = min(len(data), len(view))
        view[:count] = data[:count]
        if count < len(data):
            self.arriving.insert(0, (at, data[count:]))
        return count

    def close(self):
        self.is_open = False


class Rig:
    """A master on a fake line. `run(function, ..)` awaits it and returns its result or its ModbusError."""

    def __init__(self, baud=9600, **limits):
        self.clock = FakeClock()
        self.line = FakeLine(self.clock, baud)
        self.master = self._timed(lambda: modbus_master.RtuMaster(self.line, **limits))

    def _timed(self, action):
        before = modbus_master.clock
        modules = (modbus_line, modbus_master, modbus_tcp, poll)
        for module in modules:
            module.clock = self.clock
        try:
            return action()
        finally:
            for module in modules:
                module.clock = before

    def run(self, function, *arguments):
        async def guarded():
            try:
                return await function(*arguments)
            except modbus_master.ModbusError as error:
                return error

        return self._timed(lambda: asyncio.run(guarded()))


class TcpRig(Rig):
    """A master on a fake network."""

    def __init__(self, **limits):
        self.clock = FakeClock()
        self.server = FakeServer(self.clock)
        self.master = self._timed(lambda: modbus_tcp.TcpMaster("10.0.0.2", 502, **limits))

    def _timed(self, action):
        before = modbus_tcp.socket, modbus_tcp.select
        modbus_tcp.socket = modbus_tcp.select = self.server
        try:
            return super()._timed(action)
        finally:
            modbus_tcp.socket, modbus_tcp.select = before


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
