"""`machine.UART` of the virtual board: a pseudo-terminal; pace and faults belong to the wire behind it.

What a chip does and a pseudo-terminal does not, happens here. Received bytes that are not read in time
overflow `rxbuf` and are lost; they take no other memory, as on a chip. A write beyond `txbuf` waits. Where
the transceiver has a driver-enable pin (GREENMAST_DE<n>), bytes reach the line only while that is high: the
last byte of a write is held back until its time, and lost when the pin drops before.
"""

import io
import os
import select
import termios
import time

_GET_FILENO = 10  # MP_STREAM_GET_FILENO: lets a poll() wait on the descriptor itself
_VMIN = 6  # places in termios' list of control characters, Linux
_VTIME = 5
_FIFO = 128
_lost = bytearray(64)
drivers = {}  # pin -> the UART whose transceiver it enables


class UART(io.IOBase):
    def __init__(
        self,
        id,
        baudrate=9600,
        bits=8,
        parity=None,
        stop=1,
        *,
        tx=None,
        rx=None,
        timeout=0,
        rxbuf=256,
        txbuf=256,
        **_,
    ):
        if timeout:
            raise ValueError("a UART that waits would stop every task: timeout must be 0")
        if rxbuf <= _FIFO:
            raise ValueError("rxbuf must exceed the %d bytes of the FIFO" % _FIFO)
        self._file = open(os.getenv("GREENMAST_UART%d" % id), "r+b")
        termios.setraw(self._file.fileno())
        attributes = termios.tcgetattr(self._file.fileno())
        attributes[6][_VMIN] = attributes[6][_VTIME] = 0  # a read gives what is there, as on the chip
        termios.tcsetattr(self._file.fileno(), termios.TCSANOW, attributes)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        self._byte_us = 11_000_000 // baudrate + 1
        self._sent_by = time.ticks_us()
        self._txbuf = txbuf
        self._received = memoryview(bytearray(rxbuf))
        self._count = 0  # of the bytes in it
        self._last = b""  # held back until its time
        self._driven = 1
        enable = os.getenv("GREENMAST_DE%d" % id)
        if enable:
            drivers[int(enable)] = self
            self._driven = 0
        self._holds_back = bool(enable)

    def ioctl(self, request, argument):
        return self._file.fileno() if request == _GET_FILENO else 0

    def _take_in(self):
        """What the line has brought, up to what the chip can keep."""
        while self._poll.poll(0):
            room = self._received[self._count :]
            count = self._file.readinto(room or _lost)
            if not count:
                break
            if room:
                self._count += count

    def any(self):
        self._take_in()
        return self._count

    def readinto(self, buf, nbytes=None):
        self._take_in()
        count = min(self._count, len(buf) if nbytes is None else nbytes)
        if not count:
            return None
        received = self._received
        buf[:count] = received[:count]
        self._count -= count
        received[: self._count] = received[count : count + self._count]
        return count

    def read(self, nbytes=256):
        data = bytearray(min(self.any(), nbytes))
        return bytes(data) if self.readinto(data) else None

    def write(self, buf):
        now = time.ticks_us()
        start = now if time.ticks_diff(self._sent_by, now) < 0 else self._sent_by
        self._sent_by = time.ticks_add(start, len(buf) * self._byte_us)
        if not self._driven:
            return len(buf)  # into a transceiver that listens
        data = bytes(buf)
        if self._holds_back:
            data = self._last + data
            data, self._last = data[:-1], data[-1:]
        self._file.write(data)
        excess_us = time.ticks_diff(self._sent_by, now) - (self._txbuf + _FIFO) * self._byte_us
        if excess_us > 0:
            time.sleep_us(excess_us)
        return len(buf)

    def txdone(self):
        done = time.ticks_diff(time.ticks_us(), self._sent_by) >= 0
        if done:
            self._finish()
        return done

    def _finish(self):
        if self._last:
            self._file.write(self._last)
            self._last = b""

    def drive(self, level):
        """The driver-enable pin has moved."""
        self._driven = level
        if not level:
            if time.ticks_diff(time.ticks_us(), self._sent_by) >= 0:
                self._finish()
            self._last = b""
