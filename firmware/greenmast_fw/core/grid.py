"""Whether the grid may be used.

Rules
- It qualifies when voltage and frequency have been measured inside their limits for the whole return delay.
- It is lost when it has been outside for the loss delay, and at once when the mains-fail input says so. No
  timer that serves recovery delays a loss.
- Flapping: so many losses within the window double the return delay, up to its limit, and every further loss
  again; a window without a loss restores it.
- The first return after an announced outage has a delay of its own (`expect`).
- A silent meter never counts as good. Where K_GRID alone is proven closed, the rectifier's word that it has
  AC keeps a grid in use (`ok`), but cannot qualify one (`qualified`). With no data at all, the last state is
  held.
- A grid found connected after a reset is adopted and must then disqualify itself; its meter gets time to
  answer.
"""

from greenmast_protocol import points, reasons

_MV = points.index("grid.voltage_mv")
_CHZ = points.index("grid.frequency_chz")
_MAINS_OK = points.index("grid.mains_ok")

AVAILABLE = reasons.code("grid_available")
RETURN_DELAY = reasons.code("grid_return_delay")
_LOST = reasons.code("grid_lost")
_FREQUENCY = reasons.code("grid_frequency")
_SILENT = reasons.code("grid_silent")
_MAINS_FAIL = reasons.code("mains_fail")
_NO_SOURCE = reasons.code("no_source")

_SETTLE_MS = 10_000  # devices on a slow bus may take this long to answer after a reset

# The grid as others see it, see `Grid.state`.
STATES = ("lost", "qualifying", "qualified", "held")
LOST, QUALIFYING, QUALIFIED, HELD = range(4)

# (from, event, to): what can happen to it; drawn in the documents, checked by the tests.
TRANSITIONS = (
    (LOST, "inside its limits", QUALIFYING),
    (LOST, "K_GRID found closed", HELD),
    (QUALIFYING, "outside or silent", LOST),
    (QUALIFYING, "return delay over", QUALIFIED),
    (QUALIFIED, "outside or silent", HELD),
    (QUALIFIED, "mains-fail input, or no loss delay", LOST),
    (HELD, "inside its limits", QUALIFIED),
    (HELD, "loss delay over, or mains-fail input", LOST),
)


class Grid:
    """`ok`: may stay connected. `qualified`: may be connected. `proven`: is there, not just found connected.

    `reason`, `value`, `limit`: why not, or why. `factor`: of the return delay; more than 1 is flapping.
    `mv_min`, `mv_max`: its limits.
    """

    def __init__(self, params: "dict[str, int]", exists: int) -> None:
        self.exists = exists
        self.ok = False
        self.qualified = False
        self.proven = False
        self.measured = False
        self.factor = 1
        self.reason = _SILENT if exists else _NO_SOURCE
        self.value = 0
        self.limit = 0
        self._good_ms = -1  # -1: not good
        self._bad_ms = -1  # -1: not bad
        self._settle_ms = 0
        self._since_loss_ms = 0x3FFFFFFF
        self._gaps_ms: "list[int]" = []
        self._planned_ms = 0
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the state stays."""
        self.mv_min = params["grid.voltage_min_mv"]
        self.mv_max = params["grid.voltage_max_mv"]
        self._chz_min = params["grid.frequency_min_chz"]
        self._chz_max = params["grid.frequency_max_chz"]
        self._loss_ms = params["grid.loss_delay_s"] * 1000
        self._return_ms = params["grid.return_delay_s"] * 1000
        self._return_max_ms = params["grid.return_max_s"] * 1000
        self._window_ms = params["grid.flap_window_s"] * 1000
        self._flaps = params["grid.flap_count"]
        self._fit_gaps()
        self._set_delay()

    def _fit_gaps(self) -> None:
        """One gap fewer than the losses that make flapping, within the window of now; the newest stay."""
        window = self._window_ms
        gaps = [min(gap, window) for gap in self._gaps_ms] + [window] * self._flaps
        self._gaps_ms = gaps[: self._flaps - 1]
        self._since_loss_ms = min(self._since_loss_ms, window)

    def state(self) -> int:
        """Number in `STATES`."""
        if self.ok:
            return QUALIFIED if self.qualified else HELD
        return LOST if self._good_ms < 0 else QUALIFYING

    def expect(self, return_ms: int) -> None:
        """An announced outage is on: this return delay instead; 0: no longer."""
        if return_ms != self._planned_ms:
            self._planned_ms = return_ms
            self._set_delay()

    def adopt(self) -> None:
        """K_GRID was found closed: the grid is in use until it disqualifies itself."""
        self.ok = True
        self.proven = False
        self._bad_ms = -1

    def left_ms(self) -> "int | None":
        """Until the grid qualifies; None while it is not good or already qualified."""
        if self.ok or self._good_ms < 0:
            return None
        return max(self.delay_ms - self._good_ms, 0)

    def step(self, v: "tuple[int | None, ...]", dt_ms: int, carries: "int | None", blind: int) -> None:
        """`carries`: whether the rectifier has AC, given that K_GRID alone is proven closed, else None.

        `blind`: nonzero when no device answers at all.
        """
        if self._since_loss_ms < self._window_ms:
            self._age(dt_ms)
        if self._settle_ms < _SETTLE_MS:
            self._settle_ms += dt_ms
        mv = v[_MV]
        chz = v[_CHZ]
        self.measured = mv is not None and chz is not None
        if v[_MAINS_OK] == 0:
            self._lose(_MAINS_FAIL, 0, 1)
        elif mv is not None and mv < self.mv_min:
            self._bad(_LOST, mv, self.mv_min, dt_ms)
        elif mv is not None and mv > self.mv_max:
            self._bad(_LOST, mv, self.mv_max, dt_ms)
        elif chz is not None and chz < self._chz_min:
            self._bad(_FREQUENCY, chz, self._chz_min, dt_ms)
        elif chz is not None and chz > self._chz_max:
            self._bad(_FREQUENCY, chz, self._chz_max, dt_ms)
        elif self.measured:
            self._good(dt_ms)
        elif carries == 1 or blind or (carries is None and self.ok and self._settle_ms < _SETTLE_MS):
            self._good_ms = -1
            self._bad_ms = -1
            self.qualified = False
            self.reason = _SILENT
            if carries == 1:
                self.proven = True
        else:
            self._bad(_SILENT, 0, 0, dt_ms)

    def _good(self, dt_ms: int) -> None:
        self._bad_ms = -1
        if self.ok:
            if not self.qualified:
                self.qualified = self.proven = True
                self.reason = AVAILABLE
            return
        if self._good_ms < 0:
            self._good_ms = 0
        else:
            self._good_ms += dt_ms
        if self._good_ms >= self.delay_ms:
            self.ok = self.qualified = self.proven = True
            self.reason = AVAILABLE
        else:
            self.reason = RETURN_DELAY

    def _bad(self, reason: int, value: int, limit: int, dt_ms: int) -> None:
        self._good_ms = -1
        self.qualified = False
        if self.ok:
            self._bad_ms = 0 if self._bad_ms < 0 else self._bad_ms + dt_ms
            if self._bad_ms < self._loss_ms:
                return
        self._lose(reason, value, limit)

    def _lose(self, reason: int, value: int, limit: int) -> None:
        self.reason = reason
        self.value = value
        self.limit = limit
        self._good_ms = -1
        self.qualified = False
        if not self.ok:
            return
        was_there = self.proven
        self.ok = self.proven = False
        self._bad_ms = -1
        if not was_there:
            return  # adopted after a reset, and never seen: that is no loss
        gaps = self._gaps_ms
        gaps.insert(0, self._since_loss_ms)
        gaps.pop()
        self._since_loss_ms = 0
        if sum(gaps) < self._window_ms:
            self.factor *= 2
            self._set_delay()

    def _age(self, dt_ms: int) -> None:
        self._since_loss_ms += dt_ms
        if self._since_loss_ms >= self._window_ms:
            self._since_loss_ms = self._window_ms
            self.factor = 1
            self._set_delay()

    def _set_delay(self) -> None:
        """The return delay in force; the factor stops growing where it has no more effect."""
        delay = self._return_ms
        longest = self._return_max_ms
        while self.factor > 2 and delay * (self.factor // 2) >= longest:
            self.factor //= 2
        delay = max(delay, min(delay * self.factor, longest))
        self.delay_ms = self._planned_ms or delay

    def memory(self) -> "list[int]":
        """What must survive a reset: flapping."""
        return [self.factor, self._since_loss_ms] + self._gaps_ms

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        self.factor, self._since_loss_ms = kept[:2]
        self._gaps_ms = kept[2:]
        self._fit_gaps()
        self._set_delay()
