"""Patience after resets in a row, and when the record of everything is worth storing.

Rules
- A reset that follows another within ten minutes (a brown-out, as a rule) makes the board wait: one minute,
  two, four, at most ten, in which nothing that stands open is closed, no engine is cranked and a load tier
  that was off stays off, but for the critical one. Opening is never delayed. Ten calm minutes end the row.
  (Of `reset.hold_s` and `reset.calm_s`, these are the defaults.)
- Storing wears the flash. The record is worth it at boot (the row of resets), when something has happened,
  though on average not more often than every ten seconds, and every ten minutes.

Counts and times only: the controller does the waiting, `record` knows what there is to store.
"""

_HOLDS_MAX = 10  # the longest wait is so many first ones
_BOOTS_MAX = 20

_STORE_COST_MS = 10_000
_CREDIT_MAX_MS = 60_000  # a handful of events in a row are stored at once
_STORE_EVERY_MS = 600_000


class Resets:
    """`boots`: resets in a row, this one included. `left_ms`: patience left.

    `was`: the outputs before the reset, until they are known to be in force again.
    """

    def __init__(self, params: "dict[str, int]", idle: bytes) -> None:
        self.boots = 0
        self.left_ms = 0
        self.was = bytearray(idle)
        self._up_ms = 0
        self._due = True
        self._credit_ms = _STORE_COST_MS
        self._age_ms = 0
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; a wait that has begun goes on."""
        self._hold_ms = params["reset.hold_s"] * 1000
        self._calm_ms = params["reset.calm_s"] * 1000

    def step(self, dt_ms: int, happened: bool, known: bool, out: bytearray) -> bool:
        """Returns whether the record should be stored now.

        `happened`: there are events. `known`: the contactors have been read, so that `out` is in force.
        """
        if self.left_ms:
            self.left_ms = self.left_ms - dt_ms if self.left_ms > dt_ms else 0
        elif known and self.was != out:
            self.was[:] = out
        if self._up_ms < self._calm_ms:
            self._up_ms += dt_ms
            if self._up_ms >= self._calm_ms and self.boots:
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
            self.left_ms = self._hold_ms * min(1 << (self.boots - 2), _HOLDS_MAX)
        for i in range(len(self.was)):
            self.was[i] = 1 if kept[1 + i] else 0
