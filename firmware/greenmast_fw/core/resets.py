"""Patience after resets in a row, and when the record of everything is worth storing.

Rules
- A reset that follows another within ten minutes (a brown-out, as a rule) makes the board wait: one minute,
  two, four, at most ten, in which nothing that stands open is closed, no engine is cranked and a load tier
  that was off stays off, but for the critical one. Opening is never delayed. Ten calm minutes end the row.
- Storing wears the flash. The record is worth it at boot (the row of resets), when something has happened,
  though on average not more often than every ten seconds, and every ten minutes.

Counts and times only: the controller does the waiting, `record` knows what there is to store.
"""

_CALM_MS = 600_000
_FIRST_HOLD_MS = 60_000
_HOLD_MAX_MS = 600_000
_BOOTS_MAX = 20

_STORE_COST_MS = 10_000
_CREDIT_MAX_MS = 60_000  # a handful of events in a row are stored at once
_STORE_EVERY_MS = 600_000


class Resets:
    """`boots`: resets in a row, this one included. `left_ms`: patience left.

    `was`: the outputs before the reset, until they are known to be in force again.
    """

    def __init__(self, idle: bytes) -> None:
        self.boots = 0
        self.left_ms = 0
        self.was = bytearray(idle)
        self._up_ms = 0
        self._due = True
        self._credit_ms = _STORE_COST_MS
        self._age_ms = 0

    def step(self, dt_ms: int, happened: bool, known: bool, out: bytearray) -> bool:
        """Returns whether the record should be stored now.

        `happened`: there are events. `known`: the contactors have been read, so that `out` is in force.
        """
        if self.left_ms:
            self.left_ms = self.left_ms - dt_ms if self.left_ms > dt_ms else 0
        elif known and self.was != out:
            self.was[:] = out
        if self._up_ms < _CALM_MS:
            self._up_ms += dt_ms
            if self._up_ms >= _CALM_MS and self.boots:
                self.boots = 0
                self._due = True
        self._age_ms += dt_ms
        if self._credit_ms < _CREDIT_MAX_MS:
            self._credit_ms += dt_ms
        if happened:
            self._due = True
        if self._age_ms < _STORE_EVERY_MS and not (self._due and self._credit_ms >= _STORE_COST_MS):
            return False
        self._due = False
        self._age_ms = 0
        self._credit_ms -= _STORE_COST_MS
        return True

    def memory(self) -> "list[int]":
        """Resets in a row, and the outputs."""
        return [self.boots] + list(self.was)

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`: one reset more."""
        self.boots = min(kept[0] + 1, _BOOTS_MAX)
        if self.boots > 1:
            self.left_ms = min(_FIRST_HOLD_MS << (self.boots - 2), _HOLD_MAX_MS)
        for i in range(len(self.was)):
            self.was[i] = 1 if kept[1 + i] else 0
