"""The board's monotonic clock: the only place that reads ticks.

Ticks wrap at 2^30 ms (12 days), so nothing keeps them for longer than a scan: callers take differences and
add them up.
"""

import asyncio
import time

ticks_ms = time.ticks_ms  # type: ignore[attr-defined]
ticks_us = time.ticks_us  # type: ignore[attr-defined]
diff = time.ticks_diff  # type: ignore[attr-defined]
add = time.ticks_add  # type: ignore[attr-defined]
sleep_ms = asyncio.sleep_ms  # type: ignore[attr-defined]
