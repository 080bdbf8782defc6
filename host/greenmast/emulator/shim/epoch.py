"""`time` of an ESP32: whole seconds since 2000. The unix port counts from 1970, in floats.

Imported by the virtual board's boot script before any firmware.
"""

import sys
import time as _time

_SINCE_1970_S = 946_684_800
_TICKS = ("ticks_diff", "ticks_add", "ticks_cpu")


class Time:
    """Stands for the module `time`; `native`: what stays as it is."""

    def __init__(self, native=_TICKS + ("ticks_us", "ticks_ms", "sleep", "sleep_ms", "sleep_us")):
        for name in native:
            setattr(self, name, getattr(_time, name))

    def time(self):
        return int(_time.time()) - _SINCE_1970_S

    def time_ns(self):
        return self.time() * 1_000_000_000

    def gmtime(self, seconds=None):
        if seconds is None:
            seconds = self.time()
        return _time.gmtime(seconds + _SINCE_1970_S)[:8]

    localtime = gmtime  # the chip knows no zones

    def mktime(self, fields):
        days = 0
        year, month = fields[0], fields[1]
        for y in range(2000, year):
            days += 366 if y % 4 == 0 and (y % 100 or y % 400 == 0) else 365
        leap = year % 4 == 0 and (year % 100 or year % 400 == 0)
        for length in (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)[: month - 1]:
            days += length
        return (days + fields[2] - 1) * 86_400 + fields[3] * 3_600 + fields[4] * 60 + fields[5]


def install(stand_in):
    """Let firmware meet `stand_in` as `time`."""
    sys.modules["time"] = stand_in
