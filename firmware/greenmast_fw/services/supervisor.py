"""Tasks that must not end: one that does is logged and started again, after a pause that grows.

The scan is one of them, and the watchdog belongs to it alone: if the scan cannot be kept going, nobody feeds
the watchdog and the board is reset.
"""

import asyncio

from greenmast_fw.drivers import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from greenmast_fw.services.journal import Journal

    Task = Callable[[], Awaitable[None]]

_PAUSE_MS = 500
_PAUSE_MAX_MS = 30_000


async def run(journal: "Journal", tasks: "Sequence[tuple[str, Task]]") -> None:
    """Keep all of `tasks` (name, coroutine function) running for ever."""
    await asyncio.gather(*[_keep(journal, name, task) for name, task in tasks])


async def _keep(journal: "Journal", name: str, task: "Task") -> None:
    pause_ms = _PAUSE_MS
    while True:
        started_ms = clock.ticks_ms()
        try:
            await task()
            journal.write(name, "ended")
        except Exception as error:  # noqa: BLE001 (containing any failure of a task is what this is for)
            journal.write(name, "%s: %s" % (type(error).__name__, error))
        ran_ms = clock.diff(clock.ticks_ms(), started_ms)
        pause_ms = _PAUSE_MS if ran_ms > _PAUSE_MAX_MS else min(pause_ms * 2, _PAUSE_MAX_MS)
        await clock.sleep_ms(pause_ms)
