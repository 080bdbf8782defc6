"""Modbus TCP master: one request at a time over one connection, and no reply ever given to the wrong request.

Owns the connection: time limits on connecting, sending and receiving, and when to connect again. Every
request has a number of its own and only the reply with that number counts; what comes later is dropped. After
anything but a good reply, a refusal or plain silence nobody knows where the next reply begins, so the
connection ends there. Source: "MODBUS Messaging on TCP/IP Implementation Guide V1.0b" (header, 3.1.3). A unit
that a gateway cannot reach counts as silent. Knows no device and no retry policy.

It tries, and when nothing moved it sleeps a little or waits for up to a millisecond in a poll object of its
own: a socket in the scheduler's queue can crash the interpreter (see `mqtt.link`).
"""

import errno
import select
import socket

from greenmast_fw.drivers import clock
from greenmast_fw.drivers.modbus_master import Master
from greenmast_protocol import modbus_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEAD = 6  # bytes before the unit: number, protocol (0), length of what follows
_LENGTH_MIN = 3
_LENGTH_MAX = 254
_TCP_NODELAY = 1  # the number is the same in Linux and lwIP; not every port names it
_CONNECT_MS = 3000
_FIRST_WAIT_MS = 1000  # before the second attempt in a row; then twice as long each time
_LAST_WAIT_MS = 64_000
_WATCH_MS = 20  # how long a reply is watched for closely
_LONGEST_SLEEP_MS = 15
_SWEEPS = 16  # replies that came too late, dropped before a request; more are no Modbus
_NO_PATH = modbus_frame.EXCEPTION + 10
_NO_ANSWER = modbus_frame.EXCEPTION + 11


class TcpMaster(Master):
    """The address of `host` is looked up once; a name, other than an address, may block for seconds then."""

    def __init__(self, host: str, port: int, timeout_ms: int = 1000) -> None:
        self._sent = memoryview(bytearray(_HEAD + modbus_frame.FRAME_MAX))
        self._came = memoryview(bytearray(_HEAD + _LENGTH_MAX + 64))
        super().__init__(timeout_ms, self._sent[_HEAD:], self._came[_HEAD:])
        self._host = host
        self._port = port
        self._address: "Any" = None
        self._socket: "Any" = None
        self._poll: "Any" = None
        self._got = 0  # bytes in `_came`
        self._used = 0  # of them, those of a reply that has been judged
        self._number = clock.ticks_us() & 0xFFFF  # not what a connection before a reset began with
        self._failures = 0  # connections begun since the last answer
        self._tried_ms = 0

    async def _transact(self, n: int, timeout_ms: int, gap_us: int) -> int:
        is_good = False
        try:
            # A server may close an idle connection: that is no failure.
            if self._socket is None or not self._sweep():
                await self._open()
            sent = self._sent
            self._number = (self._number + 1) & 0xFFFF
            sent[0] = self._number >> 8
            sent[1] = self._number & 0xFF
            sent[5] = n
            self._asked_ms = clock.ticks_ms()
            await self._write(sent[: _HEAD + n], timeout_ms)
            code = await self._receive(timeout_ms)
            if code == modbus_frame.OK or code >= modbus_frame.EXCEPTION:
                self._failures = 0
                is_good = True
            elif code == modbus_frame.TIMEOUT:
                is_good = True
        finally:
            if not is_good:
                self._close()
        return modbus_frame.UNREACHABLE if code == _NO_PATH or code == _NO_ANSWER else code

    async def _open(self) -> None:
        """Connect. Raises OSError: refused, no answer, or too soon after the last attempt."""
        self._close()
        if self._failures > 1:
            wait_ms = min(_FIRST_WAIT_MS << min(self._failures - 2, 16), _LAST_WAIT_MS)
            # Ticks wrap: an age that looks negative is a long time.
            if 0 <= clock.diff(clock.ticks_ms(), self._tried_ms) < wait_ms:
                raise OSError(errno.ENOTCONN)
        self._failures += 1
        self._tried_ms = clock.ticks_ms()
        if self._address is None:
            self._address = socket.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM)[0]
        opened = self._socket = socket.socket(*self._address[:3])
        opened.setblocking(False)
        opened.setsockopt(6, _TCP_NODELAY, 1)
        try:
            opened.connect(self._address[-1])
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        self._poll = select.poll()
        self._poll.register(opened, select.POLLOUT)
        delay_ms = 0
        while not self._is_writable():
            if clock.diff(clock.ticks_ms(), self._tried_ms) >= _CONNECT_MS:
                raise OSError(errno.ETIMEDOUT)
            delay_ms = min(2 * delay_ms + 1, _LONGEST_SLEEP_MS)
            await clock.sleep_ms(delay_ms)
        self._poll.modify(opened, select.POLLIN)

    def _is_writable(self) -> bool:
        """Whether the connection is there. Raises OSError when it is refused."""
        for event in self._poll.ipoll(0):
            if event[1] & (select.POLLERR | select.POLLHUP):
                raise OSError(errno.ECONNREFUSED)
            return True
        return False

    async def _write(self, frame: memoryview, timeout_ms: int) -> None:
        """Send `frame`. Raises OSError."""
        delay_ms = 0
        while True:
            count = self._socket.write(frame)
            if count == len(frame):
                return
            if clock.diff(clock.ticks_ms(), self._asked_ms) >= timeout_ms:
                raise OSError(errno.ETIMEDOUT)
            frame = frame[count or 0 :]
            delay_ms = min(2 * delay_ms + 1, _LONGEST_SLEEP_MS)
            await clock.sleep_ms(delay_ms)

    async def _receive(self, timeout_ms: int) -> int:
        """Wait for the reply to the last request. Returns its verdict. Raises OSError."""
        start_ms = clock.ticks_ms()
        came = self._came
        while True:
            length = self._next()
            waited_ms = clock.diff(clock.ticks_ms(), start_ms)
            if length < 0:
                return modbus_frame.HEADER
            if length and (came[0] << 8 | came[1]) == self._number:
                return modbus_frame.verdict(self._request, self._reply, length - _HEAD)
            self.stray_bytes += length
            if waited_ms >= timeout_ms:
                return modbus_frame.TRUNCATED if self._got > self._used else modbus_frame.TIMEOUT
            if length or waited_ms < _WATCH_MS:
                await clock.sleep_ms(0)  # a peer that never pauses must not keep the other tasks waiting
                if not length:
                    for _ in self._poll.ipoll(1):
                        break
            else:
                await clock.sleep_ms(min(1 + waited_ms // 16, _LONGEST_SLEEP_MS))

    def _sweep(self) -> bool:
        """Drop the replies that came too late. False when the connection is of no use any more."""
        for _ in range(_SWEEPS):
            try:
                length = self._next()
            except OSError:
                return False
            if length <= 0:
                return length == 0
            self.stray_bytes += length
        return False

    def _next(self) -> int:
        """Drop the last reply and look for another one, now at the start of `_came`.

        Returns its length with the header, 0 when it is not all there, -1 when that is no Modbus. Raises
        OSError when the connection has ended.
        """
        came = self._came
        used = self._used
        if used:
            for i in range(used, self._got):
                came[i - used] = came[i]
            self._got -= used
            self._used = 0
        length = self._frame_length()
        if not length:
            count = self._socket.readinto(came[self._got :])
            if count == 0:
                raise OSError(errno.ECONNRESET)
            if count:
                self._got += count
                length = self._frame_length()
        if length > 0:
            self._used = length
        return length

    def _frame_length(self) -> int:
        """As `_next`, of what is there."""
        came = self._came
        if self._got < _HEAD:
            return 0
        length = came[4] << 8 | came[5]
        if came[2] or came[3] or not _LENGTH_MIN <= length <= _LENGTH_MAX:
            return -1
        return _HEAD + length if self._got >= _HEAD + length else 0

    def _close(self) -> None:
        self._got = self._used = 0
        self._poll = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None
