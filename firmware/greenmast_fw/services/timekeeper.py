"""Keeps the wall clock right: one round with the time server, then a pause, for ever. See `time_round`."""

from greenmast_fw.drivers import clock
from greenmast_fw.services import overlay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from greenmast_fw.drivers.wall import Wall
    from greenmast_fw.services.journal import Journal


class Timekeeper:
    """`run` is a task."""

    def __init__(self, wall: "Wall", server: str, journal: "Journal") -> None:
        self._about = (wall, server, journal)

    async def run(self) -> None:
        """Ask for ever."""
        while True:
            await clock.sleep_ms(1000 * await overlay.run(_round, *self._about))


def _round(wall: "Wall", server: str, journal: "Journal") -> "Coroutine[Any, Any, int]":
    from greenmast_fw.services import time_round

    return time_round.run(wall, server, journal)
