"""Lends CPython the names of MicroPython that the firmware imports."""

from __future__ import annotations

import asyncio
import gc
import time

_WRAP = 1 << 30

if not hasattr(time, "ticks_ms"):
    vars(time).update(
        ticks_us=lambda: time.monotonic_ns() // 1000 % _WRAP,
        ticks_ms=lambda: time.monotonic_ns() // 1_000_000 % _WRAP,
        ticks_diff=lambda a, b: (a - b + _WRAP // 2) % _WRAP - _WRAP // 2,
        ticks_add=lambda ticks, ms: (ticks + ms) % _WRAP,
    )
    vars(asyncio).update(
        sleep_ms=lambda ms: asyncio.sleep(ms / 1000),
        wait_for_ms=lambda awaitable, ms: asyncio.wait_for(awaitable, ms / 1000),
    )
    vars(gc).update(mem_free=lambda: 1_000_000)
