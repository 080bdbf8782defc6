"""Which boards are asked for a full report, and when. Pure; knows no clock, database or broker.

Boards report by exception, and a full report only every 15 minutes. A store whose unbroken run of a board's
records holds no full one, as it is new or as records were lost, does not know all values of the site: then
the board is asked, again now and then until one is there.
"""

from __future__ import annotations

GRACE_MS = 2_000  # after a boot one comes by itself
AGAIN_MS = 10_000  # a board makes no second one within so long


class Fulls:
    """`complete` tells it about a site whenever the site has spoken, `due` whom to ask now."""

    def __init__(self) -> None:
        self._due_ms: dict[str, int] = {}

    def complete(self, site: str, is_complete: bool, now_ms: int) -> None:
        """Whether the store knows all values of `site`."""
        if is_complete:
            self._due_ms.pop(site, None)
        else:
            self._due_ms.setdefault(site, now_ms + GRACE_MS)

    def due(self, now_ms: int) -> list[str]:
        """The sites that are to be asked now."""
        now = [site for site, due_ms in self._due_ms.items() if due_ms <= now_ms]
        for site in now:
            self._due_ms[site] = now_ms + AGAIN_MS
        return now
