"""The exercise run: an engine that stands for weeks does not start on the day it is needed.

Rules
- Due after so many days without a run that lasted as long as an exercise; any such run counts.
- It begins from a minute of the day on, outside quiet hours. Where the time is not known it begins a day
  later whatever the hour, so that a board that waits for its clock does not wake the neighbours.
- It ends when the genset has run long enough. The grid, if it is there, keeps serving: the genset runs
  unloaded; without a grid it takes the load.
- A genset that is locked out or faulty has failed it, and that stands until a run succeeds or the genset is
  reset. Low fuel, rationed fuel, quiet hours, a command, and a grid that comes back end it without blame.
  However it ended early, it is due again a day later.

Time is counted, never read from a clock, and survives resets. Knows no contactor and starts nothing itself:
`active` is a demand like others.
"""

from greenmast_protocol import reasons

_FUEL_LOW = reasons.code("fuel_low")

_DAY_S = 86_400
_DAY_MIN = 1_440
_SATURATED_S = 0x3FFFFFFF


class Exercise:
    """`active`: under way, or waiting for the genset. `failed`: the last one. `since_s`: since a long run."""

    def __init__(self, params: "dict[str, int]") -> None:
        self.active = False
        self.failed = False
        self.since_s = 0
        self._ms = 0
        self._grid = True
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; what is under way stays."""
        self._due_s = params["genset.exercise_days"] * _DAY_S
        self._run_ms = params["genset.exercise_run_s"] * 1000
        self._minute = params["genset.exercise_min"]

    def due_s(self) -> "int | None":
        """Until the next exercise is due; None where there are none."""
        if not self._due_s:
            return None
        return self._due_s - self.since_s if self.since_s < self._due_s else 0

    def stop(self) -> None:
        """End one that is under way: it is due again a day later."""
        if self.active:
            self.active = False
            self.since_s = self._due_s - _DAY_S if self._due_s else 0

    def step(
        self, dt_ms: int, minute: "int | None", unwanted: bool, grid_serves: bool, run_ms: int, forbidden: int
    ) -> None:
        """`minute`: local time as in `Snapshot`. `unwanted`: quiet hours, or fuel is rationed.

        `run_ms`: how long the genset has run by now, 0 while it does not. `forbidden`: reason code that keeps
        it from running, or 0.
        """
        self._ms += dt_ms
        if self._ms < 1000:
            return
        seconds = self._ms // 1000
        self._ms -= seconds * 1000
        if self.since_s < _SATURATED_S - seconds:
            self.since_s += seconds
        returned = grid_serves and not self._grid
        self._grid = grid_serves
        if run_ms >= self._run_ms:
            self.active = self.failed = False
            self.since_s = 0
        elif self.active:
            if forbidden or unwanted or returned or not self._due_s:
                if forbidden and forbidden != _FUEL_LOW:
                    self.failed = True
                self.stop()
        elif self._due_s and self.since_s >= self._due_s and not forbidden and not unwanted:
            if minute is None:
                self.active = self.since_s >= self._due_s + _DAY_S
            else:
                self.active = minute % _DAY_MIN >= self._minute

    def memory(self) -> "list[int]":
        """What must survive a reset."""
        return [(1 if self.active else 0) + (2 if self.failed else 0), self.since_s]

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        self.active = bool(kept[0] & 1)
        self.failed = bool(kept[0] & 2)
        self.since_s = kept[1]
