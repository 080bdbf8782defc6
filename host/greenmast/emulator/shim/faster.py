"""A world that runs GREENMAST_SPEED times faster than the clock on the wall: the firmware's time follows.

Imported by the virtual board's boot script before any firmware. The scheduler itself goes on in real ticks
(its task queue is native code); what firmware sees of time, and every wait it asks for, is scaled.
"""

import asyncio
import os
import time as _time
from asyncio import core

import epoch

SPEED = int(os.getenv("GREENMAST_SPEED") or 1)
_PERIOD = 1 << 30  # as on the ESP32

_real_sleep_ms = core.sleep_ms


class ScaledTime:
    """Stands for the module `time`."""

    def __init__(self):
        self._seen_us = 0
        self._last_us = _time.ticks_us()
        self._start_s = epoch.time()
        for name in ("ticks_diff", "ticks_add", "gmtime", "localtime", "mktime"):
            setattr(self, name, getattr(epoch, name))

    def ticks_us(self):
        now = _time.ticks_us()
        self._seen_us += _time.ticks_diff(now, self._last_us) * SPEED
        self._last_us = now
        return self._seen_us

    def ticks_ms(self):
        return self.ticks_us() // 1000 & (_PERIOD - 1)

    def time(self):
        return self._start_s + self.ticks_us() // 1_000_000

    def sleep_us(self, us):
        _time.sleep_us(us // SPEED)

    def sleep_ms(self, ms):
        _time.sleep_us(ms * 1000 // SPEED)

    def sleep(self, seconds):
        _time.sleep_us(int(seconds * 1_000_000) // SPEED)


def _sleep_ms(ms, *rest):
    return _real_sleep_ms(-(-ms // SPEED), *rest)


def install():
    """Scale `time` and every wait of asyncio."""
    epoch.install(ScaledTime())
    core.sleep_ms = _sleep_ms
    asyncio.sleep_ms = _sleep_ms
