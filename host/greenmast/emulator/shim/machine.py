"""`machine` of the virtual board, under real MicroPython: what touches it ends in the emulator's process.

Runs on the unix port ahead of its built-in `machine`, and is as strict as an ESP32 where the unix port would
be kinder: pins that the chip does not have or needs for its flash are refused, input-only pins are no
outputs and have no pull-up, UARTs lose what is not read in time. The emulator kills and restarts the process
as a reset would. GREENMAST_PINS tells the chip's pins, a character each: `-` none, `i` input only, `b` both.
"""

import os
import time

import channel
from uart import UART, drivers  # noqa: F401 (part of `machine`)

PWRON_RESET = 1
HARD_RESET = 2
WDT_RESET = 3
DEEPSLEEP_RESET = 4
SOFT_RESET = 5

_pins = os.getenv("GREENMAST_PINS") or 100 * "b"


def __getattr__(name):
    if name == "I2C":  # loaded by those who have chips
        from i2c import I2C

        return I2C
    raise AttributeError(name)


def reset():
    """The board goes down here: the emulator ends this process and starts it again."""
    channel.send("R")
    while True:
        time.sleep(1)


def reset_cause():
    return int(os.getenv("GREENMAST_RESET_CAUSE") or PWRON_RESET)


class Pin:
    IN = 1
    OUT = 3
    PULL_DOWN = 1
    PULL_UP = 2

    def __init__(self, id, mode=IN, pull=None, *, value=None):
        kind = _pins[id] if isinstance(id, int) and 0 <= id < len(_pins) else "-"
        if kind == "-":
            raise ValueError("invalid pin")
        if mode == Pin.OUT and kind == "i":
            raise ValueError("pin can only be input")
        self._id = id
        self._mode = mode
        self._level = None
        self._open_level = 1 if pull == Pin.PULL_UP and kind == "b" else 0  # with nothing connected
        if value is not None:
            self.value(value)

    def value(self, x=None):
        if x is None:
            if self._mode == Pin.OUT:
                return self._level or 0
            channel.receive()
            return channel.levels.get(self._id, self._open_level)
        x = 1 if x else 0
        if x != self._level:
            self._level = x
            if self._id in drivers:
                drivers[self._id].drive(x)
            channel.send("P %d %d" % (self._id, x))
        return None


class WDT:
    def __init__(self, id=0, timeout=5000):
        channel.send("W %d" % timeout)

    def feed(self):
        channel.send("F")


class RTC:
    """Can be set; the chip's other time, `time.time()`, is that of the machine and stays."""

    def datetime(self, value=None):
        pass
