"""`machine` of the virtual board, under real MicroPython: pins, watchdog, reset and UARTs end in the
emulator's process.

Runs on the unix port ahead of its built-in `machine`. Pins and watchdog talk over one inherited descriptor, a
line each: out `P <pin> <level>`, `W <timeout ms>`, `F` (fed), `R` (reset); in `V <pin> <level>`. The emulator
kills and restarts the process as a reset would. A UART is a pseudo-terminal; pace and faults belong to the
wire behind it.
"""

import io
import os
import select
import termios
import time

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_GET_FILENO = 10  # MP_STREAM_GET_FILENO: lets the scheduler's poll() wait on the descriptor itself

_VMIN = 6  # places in termios' list of control characters, Linux
_VTIME = 5

# Non-blocking, as its maker set it: a read gives what has come.
_channel = open(int(os.getenv("GREENMAST_IO_FD")), "r+b")
_poller = select.poll()
_poller.register(_channel, select.POLLIN)
_levels = {}
_pending = b""


def _send(line):
    _channel.write(line.encode() + b"\n")


def _receive():
    global _pending
    while _poller.poll(0):
        chunk = _channel.read(256)
        if not chunk:
            return
        lines = (_pending + chunk).split(b"\n")
        _pending = lines.pop()
        for line in lines:
            fields = line.split()
            _levels[int(fields[1])] = int(fields[2])


def reset():
    """The board goes down here: the emulator ends this process and starts it again."""
    _send("R")
    while True:
        time.sleep(1)


def reset_cause():
    return int(os.getenv("GREENMAST_RESET_CAUSE") or PWRON_RESET)


class Pin:
    IN = 0
    OUT = 1
    PULL_UP = 2

    def __init__(self, id, mode=IN, pull=None, *, value=None):
        self._id = id
        self._mode = mode
        self._level = None
        if value is not None:
            self.value(value)

    def value(self, x=None):
        if x is None:
            if self._mode == Pin.OUT:
                return self._level or 0
            _receive()
            return _levels.get(self._id, 0)
        if x != self._level:
            self._level = x
            _send("P %d %d" % (self._id, x))
        return None


class WDT:
    def __init__(self, id=0, timeout=5000):
        _send("W %d" % timeout)

    def feed(self):
        _send("F")


class RTC:
    """Can be set; the chip's other time, `time.time()`, is that of the machine and stays."""

    def datetime(self, value=None):
        pass


class UART(io.IOBase):
    def __init__(self, id, baudrate=9600, bits=8, parity=None, stop=1, **_):
        self._file = open(os.getenv("GREENMAST_UART%d" % id), "r+b")
        termios.setraw(self._file.fileno())
        attributes = termios.tcgetattr(self._file.fileno())
        attributes[6][_VMIN] = attributes[6][_VTIME] = 0  # a read gives what is there, as on the chip
        termios.tcsetattr(self._file.fileno(), termios.TCSANOW, attributes)
        self._poll = select.poll()
        self._poll.register(self._file, select.POLLIN)
        self._byte_us = 11_000_000 // baudrate + 1
        self._sent_by = time.ticks_us()

    def ioctl(self, request, argument):
        return self._file.fileno() if request == _GET_FILENO else 0

    def any(self):
        return 1 if self._poll.poll(0) else 0

    def readinto(self, buf, nbytes=None):
        return self._file.readinto(buf) if nbytes is None else self._file.readinto(buf, nbytes)

    def read(self, nbytes=256):
        return self._file.read(nbytes)

    def write(self, buf):
        now = time.ticks_us()
        start = now if time.ticks_diff(self._sent_by, now) < 0 else self._sent_by
        self._sent_by = time.ticks_add(start, len(buf) * self._byte_us)
        return self._file.write(buf)

    def txdone(self):
        return time.ticks_diff(time.ticks_us(), self._sent_by) >= 0
