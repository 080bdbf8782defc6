"""An outage of the grid that has been announced: be charged before, leave in time, return carefully.

Rules
- From its time before the announced start on, charge fully.
- Leave the grid a little before the start, so that nobody is cut off under load; only while the battery can
  carry. An outage that has not come as long after its start is late or off: the grid is used again.
- The outage is on once the grid has been lost around the announced time. Its first return then has a delay of
  its own. A grid that fails earlier, or returns much later, follows the usual rules.

Time is counted from the announcement, so no clock is needed. Knows no contactor and no rectifier.
"""

from greenmast_protocol import reasons

PLANNED = reasons.code("outage_planned")

_MARGIN_MS = 3_600_000  # an outage may last so much longer than announced


class Outage:
    """`charge_first`: charge fully now. `leave`: reason code while the grid shall be left, or 0.

    `return_ms`: the grid's return delay while the outage is on, else 0. `in_ms`: until it starts. `over`:
    forget it.
    """

    def __init__(self, params: "dict[str, int]") -> None:
        self.charge_first = False
        self.leave = 0
        self.return_ms = 0
        self.in_ms = 0
        self.over = False
        self._left_ms = 0  # until it is forgotten, however late
        self._since_ms = 0  # its announced start
        self._on = False
        self._stays = False  # the battery could not carry
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the announcement stays."""
        self._charge_ms = params["outage.charge_before_s"] * 1000
        self._leave_ms = params["outage.leave_before_s"] * 1000
        self._return_ms = params["outage.return_s"] * 1000

    def announce(self, in_ms: int, for_ms: int) -> None:
        """It starts in `in_ms` and lasts for `for_ms`."""
        self.in_ms = in_ms
        self._left_ms = for_ms + _MARGIN_MS
        self._since_ms = 0
        self._on = self._stays = self.over = False

    def pass_time(self, dt_ms: int) -> None:
        """Instead of `step`, while nothing can be decided."""
        if self.in_ms > dt_ms:
            self.in_ms -= dt_ms
        else:
            self.in_ms = 0
            if self._left_ms:
                self._since_ms += dt_ms
            self._left_ms = self._left_ms - dt_ms if self._left_ms > dt_ms else 0

    def step(self, dt_ms: int, grid_ok: bool, proven: bool, carries: bool) -> None:
        """`grid_ok`, `proven`: as `Grid` says. `carries`: the battery could carry the load."""
        self.pass_time(dt_ms)
        near = self.in_ms <= self._leave_ms
        if not grid_ok:
            self._on = self._on or near
        elif proven and (self._on or self._left_ms <= _MARGIN_MS):
            self.over = True  # it has come back, or has never been away
        if self._left_ms == 0:
            self.over = True
        if near and not carries:
            self._stays = True
        self.charge_first = grid_ok and self.in_ms <= self._charge_ms
        due = near and grid_ok and self._since_ms < self._leave_ms and not self._stays
        self.leave = PLANNED if due and not self.over else 0
        self.return_ms = self._return_ms if self._on and not self.over else 0

    def memory(self) -> "list[int]":
        """What must survive a reset."""
        return [self.in_ms, self._left_ms, self._since_ms, (1 if self._on else 0) + (2 if self._stays else 0)]

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        self.in_ms, self._left_ms, self._since_ms = kept[:3]
        self._on = bool(kept[3] & 1)
        self._stays = bool(kept[3] & 2)
