"""When a battery that gives no data gets the safe voltage.

Rules
- Data lost for a minute: the safe voltage, which neither overcharges a battery that nobody watches nor leaves
  it to sleep.
- For a while longer all stays as it was, if the last cells were mid-band or charging was blocked for
  temperature. Not on a bus on which loads would soon go.
- A BMS that refused all charge and then gives no limit any more gets it too: asleep for want of charge, it
  could never ask for any.
- Data that come back must stay for ten seconds.
- A reset does not start the times again.
"""

from greenmast_fw.core.limits import COLD, HOT, NOT_ALLOWED, Limits
from greenmast_protocol import points

_CELL_MIN = points.index("battery.cell_min_mv")
_CELL_MAX = points.index("battery.cell_max_mv")

_BACK_MS = 10_000
_SATURATED_MS = 0x3FFFFFFF


class Silence:
    """`safe`: the safe voltage applies. `heard`: the battery has given data since the reset."""

    def __init__(self, params: "dict[str, int]") -> None:
        self.safe = False
        self.heard = False
        self._mid = 0  # the last cells were mid-band
        self._lost_ms = 0
        self._back_ms = 0
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the state stays."""
        self._cell_low_mv = params["battery.cell_low_mv"]
        self._limit_ms = params["battery.lost_s"] * 1000
        self._grace_ms = self._limit_ms + params["battery.grace_s"] * 1000
        self._wake_mv = params["lvd.tier3_mv"]

    def step(
        self, v: "tuple[int | None, ...]", dt_ms: int, lost_ms: int, bus_mv: "int | None", limits: Limits
    ) -> None:
        """`lost_ms`: 0 while the battery gives data."""
        if lost_ms:
            self._back_ms = 0
            if self._lost_ms < _SATURATED_MS - dt_ms:
                self._lost_ms += dt_ms
            self.safe = self._lost_ms >= self._limit_ms and not self._grace(bus_mv, limits.blocked)
            return
        self.heard = True
        low, high = v[_CELL_MIN], v[_CELL_MAX]
        if low is not None and high is not None:
            self._mid = 1 if self._cell_low_mv <= low and high < limits.cell_high_mv else 0
        if limits.blocked == NOT_ALLOWED:
            self._mid = 0
            self.safe = limits.silent_ms >= self._limit_ms
        elif self.safe:
            self._back_ms += dt_ms
            self.safe = self._back_ms < _BACK_MS
        if not self.safe:
            self._lost_ms = 0

    def _grace(self, bus_mv: "int | None", blocked: int) -> bool:
        if self._lost_ms >= self._grace_ms or bus_mv is None or bus_mv < self._wake_mv:
            return False
        return blocked == COLD or blocked == HOT or (self._mid > 0 and not blocked)

    def memory(self) -> "list[int]":
        """What must survive a reset."""
        return [self._lost_ms, self._mid]

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        self._lost_ms, self._mid = kept
        self.safe = self._lost_ms >= self._limit_ms and not self._mid
