"""Tasks that must not end: one that does is logged and started again, after a pause that grows.

The scan is one of them, and the watchdog belongs to it alone: if the scan cannot be kept going, nobody feeds the
watchdog and the board is reset.
"""

import asyncio

from greenmast_fw.drivers import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from greenmast_fw.services.journal import Journal

_PAUSE_MS = 500
_PAUSE_MAX_MS = 30_000


class Supervisor:
    """`restarts` counts by task name."""

    def __init__(self, journal: "Journal") -> None:
        self._journal = journal
        self.restarts: "dict[str, int]" = {}

    async def keep(self, name: str, task: "Callable[[], Awaitable[None]]") -> None:
        """Run `task()` again and again. Ends only by cancellation."""
        pause_ms = _PAUSE_MS
        while True:
            started_ms = clock.ticks_ms()
            try:
                await task()
                self._journal.write(name, "ended")
            except Exception as error:  # noqa: BLE001 (containing any failure of a task is what this is for)
                self._journal.error(name, error)
            self.restarts[name] = self.restarts.get(name, 0) + 1
            ran_ms = clock.diff(clock.ticks_ms(), started_ms)
            pause_ms = _PAUSE_MS if ran_ms > _PAUSE_MAX_MS else min(pause_ms * 2, _PAUSE_MAX_MS)
            await clock.sleep_ms(pause_ms)

    async def run(self, tasks: "list[tuple[str, Callable[[], Awaitable[None]]]]") -> None:
        """Keep all of `tasks` (name, coroutine function)."""
        await asyncio.gather(*[self.keep(name, task) for name, task in tasks])
