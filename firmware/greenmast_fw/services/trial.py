"""The time within which a configuration on trial has to be confirmed; then the board goes back by itself.

Owns the countdown. What is left is noted on flash from time to time, so that power cuts do not prolong it.
"""

from greenmast_fw.drivers import clock
from greenmast_fw.services import overlay

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from greenmast_fw.services.journal import Journal

_NOTES = 24  # how often it is noted at most
_STEP_MIN_S = 5


class Trial:
    """`left_s`: 0 when it is decided; whoever decides sets it. `restart` resets the board soon."""

    def __init__(self, left_s: int, restart: "Callable[[], None]", journal: "Journal") -> None:
        self.left_s = left_s
        self._restart = restart
        self._journal = journal
        self._step_s = max(left_s // _NOTES, _STEP_MIN_S)
        self._noted_ms = clock.ticks_ms()

    def tick(self) -> None:
        """Count, once a second at least. A flash that does not take it is asked again."""
        passed_s = clock.diff(clock.ticks_ms(), self._noted_ms) // 1000
        if not self.left_s or passed_s < min(self._step_s, self.left_s):
            return
        try:
            if passed_s < self.left_s:
                self.left_s -= passed_s
                self._noted_ms = clock.add(self._noted_ms, passed_s * 1000)
                overlay.run(_keep, self.left_s)
            else:
                overlay.run(_roll_back)
                self.left_s = 0
                self._journal.write("config", "not confirmed in time: back to the revision before")
                self._restart()
        except OSError:
            pass


def _keep(left_s: int) -> None:
    from greenmast_fw.storage import revisions  # for these moments only: heap is scarce

    revisions.keep(left_s)


def _roll_back() -> None:
    from greenmast_fw.storage import revisions

    revisions.roll_back()
