"""One condition of a start/stop relay: below a value for a time it begins, above another for a time it ends.

Owns the two timers. A value that is not known ends it: "stop" is what the products do by default when the
battery monitor falls silent.
"""

from __future__ import annotations


class Condition:
    """`active`: it asks for the genset."""

    def __init__(self, start: int, stop: int, start_ms: int, stop_ms: int) -> None:
        self.active = False
        self._start = start
        self._stop = stop
        self._start_ms = start_ms
        self._stop_ms = stop_ms
        self._ms = 0

    def step(self, value: int | None, dt_ms: int) -> None:
        """`value` now, `dt_ms` after the one before."""
        if value is None:
            self.release()
            return
        odd = value >= self._stop if self.active else value <= self._start
        if not odd:
            self._ms = 0
            return
        self._ms += dt_ms
        if self._ms >= (self._stop_ms if self.active else self._start_ms):
            self.active = not self.active
            self._ms = 0

    def release(self) -> None:
        """It does not apply."""
        self.active = False
        self._ms = 0
