"""`time` of an ESP32: whole seconds since 2000. The unix port counts from 1970, in floats.

Stands for the module `time`; imported by the virtual board's boot script before any firmware.
"""

import sys
import time as _time
from time import sleep, sleep_ms, sleep_us, ticks_add, ticks_diff, ticks_ms, ticks_us  # noqa: F401

_SINCE_1970_S = 946_684_800


def time():
    return int(_time.time()) - _SINCE_1970_S


def gmtime(seconds=None):
    return _time.gmtime((time() if seconds is None else seconds) + _SINCE_1970_S)[:8]


def mktime(fields):
    return _time.mktime(fields[:6] + (0, 0, 0)) - _time.mktime((2000, 1, 1, 0, 0, 0, 0, 0, 0))


localtime = gmtime  # the chip knows no zones


def install(stand_in):
    """Let firmware meet `stand_in` as `time`."""
    sys.modules["time"] = stand_in
