"""What these tests need on CPython: the fakes beside them and the names that the board's clock imports."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

_WRAP = 1 << 30

sys.path.append(str(Path(__file__).parent))

if not hasattr(time, "ticks_ms"):
    vars(time).update(
        ticks_us=lambda: time.monotonic_ns() // 1000 % _WRAP,
        ticks_ms=lambda: time.monotonic_ns() // 1_000_000 % _WRAP,
        ticks_diff=lambda a, b: (a - b + _WRAP // 2) % _WRAP - _WRAP // 2,
        ticks_add=lambda ticks, ms: (ticks + ms) % _WRAP,
    )
    vars(asyncio).update(sleep_ms=lambda ms: asyncio.sleep(ms / 1000))
