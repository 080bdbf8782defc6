"""Which AC source feeds the rectifier: none, grid or genset.

Rules
- The grid is preferred; the genset serves while it is demanded and ready. A command may prefer otherwise, for
  a time, among sources that are fit.
- The battery may be asked to carry although the grid is fit (an announced outage, a tariff): the grid is left
  then as one that is no longer preferred. It still counts as serving, so that nothing demands a genset.
- Break before make: a contactor closes only when the other one has been proven open for the dead time.
- A source that is no longer fit is left at once; one that is merely no longer preferred after the minimum on
  time.
- A contactor that does not close is tried again a few times, then left alone for ten minutes while the
  alternative serves. One that does not open locks the other source out, as its open position cannot be
  proven.
- A source whose contactor is found closed is adopted without a switch, if it is fit and alone.

Knows no voltage: whether a source is fit is said by `grid` and `genset`. `protection` judges the result
again.
"""

from greenmast_fw.core import contactor
from greenmast_fw.core.contactor import Contactors
from greenmast_fw.core.genset import COOL_DOWN, Genset
from greenmast_fw.core.grid import Grid
from greenmast_protocol import points, reasons

NONE = points.AC_SOURCES.index("none")
GRID = points.AC_SOURCES.index("grid")
GENSET = points.AC_SOURCES.index("genset")  # output number + 1, as for the grid

DEAD_TIME = reasons.code("dead_time")
INTERLOCK = reasons.code("interlock")
WELDED = reasons.code("welded")
FEEDBACK_FAULT = reasons.code("feedback_fault")
FAIL_TO_CLOSE = reasons.code("fail_to_close")
NO_SOURCE = reasons.code("no_source")
MANUAL = reasons.code("manual")
DEFAULT_STATE = reasons.code("default_state")

# (from, event, to): what can happen; drawn in the documents, checked by the tests.
TRANSITIONS = (
    (NONE, "grid fit, dead time over", GRID),
    (NONE, "genset ready, dead time over", GENSET),
    (NONE, "found closed after a reset", GRID),
    (GRID, "no longer fit", NONE),
    (GRID, "not preferred, minimum on time over", NONE),
    (GRID, "did not close", NONE),
    (GRID, "opened by protection", NONE),
    (GENSET, "no longer fit", NONE),
    (GENSET, "not preferred, minimum on time over", NONE),
    (GENSET, "did not close", NONE),
    (GENSET, "opened by protection", NONE),
)

_WHY = (NO_SOURCE, reasons.code("grid_available"), reasons.code("genset_ready"))  # by source
_GIVEN_UP_MS = 600_000  # a contactor that would not close is left alone this long
_PROVEN_MS = 60_000  # closed this long restores its tries


class Source:
    """`ac`: the source that is commanded. `actual`: the one whose contactor is proven closed.

    `reason`: why.
    """

    def __init__(self, params: "dict[str, int]") -> None:
        self.ac = NONE
        self.actual = NONE
        self.reason = NO_SOURCE
        self.grid_usable = False  # may be chosen
        self.grid_serves = False  # and is known to be there: no genset is needed
        self.select = NONE
        self.select_ms = 0  # time left of a command
        self.tries = [0, 0]  # closing attempts that failed, by output
        self.given_up_ms = [0, 0]
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the state stays."""
        self._dead_ms = params["source.dead_time_ms"]
        self._min_on_ms = params["source.min_on_s"] * 1000
        self._tries_max = params["source.close_tries"]

    def pass_time(self, dt_ms: int) -> None:
        """Every scan: what ends by itself."""
        given_up = self.given_up_ms
        if given_up[0]:
            given_up[0] = given_up[0] - dt_ms if given_up[0] > dt_ms else 0
        if given_up[1]:
            given_up[1] = given_up[1] - dt_ms if given_up[1] > dt_ms else 0
        if self.select_ms:
            self.select_ms = self.select_ms - dt_ms if self.select_ms > dt_ms else 0

    def judge(self, grid: Grid, contacts: Contactors) -> None:
        """First half of a step: what is proven, and whether the grid could serve: demand depends on it."""
        closed = contacts.closed
        self.actual = GRID if closed[0] == 1 else GENSET if closed[1] == 1 else NONE
        fault = contacts.fault[1]
        self.grid_usable = not self.given_up_ms[0] and (
            grid.ok
            if self.ac == GRID
            else grid.qualified and fault != contactor.WELDED and fault != contactor.CHATTER
        )
        self.grid_serves = self.grid_usable and grid.proven

    def genset_blocked(self, contacts: Contactors) -> int:
        """Reason code for which the genset could not take load if it ran, or 0."""
        fault = contacts.fault[0]
        if fault == contactor.WELDED:
            return WELDED
        if fault == contactor.CHATTER or self.given_up_ms[1]:
            return FEEDBACK_FAULT
        return 0

    def fit(self, ac: int, grid: Grid, genset: Genset) -> bool:
        """Whether `ac` may serve: to stay less is asked than to be connected."""
        if self.given_up_ms[ac - 1]:
            return False
        if ac == GRID:
            return grid.qualified or (grid.ok and self.ac == GRID)
        return genset.ready or (genset.ok and self.ac == GENSET and genset.state != COOL_DOWN)

    def step(self, grid: Grid, genset: Genset, contacts: Contactors, default: int, leave: int) -> None:
        """Second half. `default`: the source of the site's default state while that applies, else -1.

        `leave`: reason code for which the battery, which can, shall carry instead of the grid, or 0.
        """
        target = default if default >= 0 else self._target(grid, genset, leave)
        ac = self.ac
        if ac == NONE:
            if target != NONE:
                self._close(target, contacts, default)
            elif grid.exists:
                self.reason = leave if leave and self.grid_usable else grid.reason
                if self.select_ms and self.select == NONE:
                    self.reason = MANUAL
            else:
                self.reason = NO_SOURCE
            return
        i = ac - 1
        if contacts.fault[i] == contactor.FAIL_TO_CLOSE and default < 0:
            self._failed(i)
        elif default < 0 and not (grid.ok if ac == GRID else genset.ok):
            self.ac = NONE
            self.reason = grid.reason if ac == GRID else genset.reason
        elif target != ac:
            if contacts.since_ms[i] >= self._min_on_ms or default >= 0:
                self.ac = NONE
                if self.select_ms:
                    self.reason = MANUAL
                elif leave and ac == GRID:
                    self.reason = leave
                else:
                    self.reason = _WHY[target] if target else genset.reason
        elif self.tries[i] and contacts.since_ms[i] >= _PROVEN_MS:
            self.tries[i] = 0

    def _target(self, grid: Grid, genset: Genset, leave: int) -> int:
        if self.select_ms:
            if self.select == NONE:
                return NONE
            if self.fit(self.select, grid, genset):
                return self.select
        if self.grid_usable and not leave:
            return GRID
        if self.fit(GENSET, grid, genset):
            return GENSET
        return NONE

    def _close(self, target: int, contacts: Contactors, default: int) -> None:
        other = 2 - target  # output number of the other source
        if contacts.closed[other] == 0:
            if contacts.open_ms[other] >= self._dead_ms:
                self.ac = target
                self.reason = DEFAULT_STATE if default >= 0 else MANUAL if self.select_ms else _WHY[target]
            else:
                self.reason = DEAD_TIME
        elif contacts.fault[other] == contactor.WELDED:
            self.reason = WELDED
        elif contacts.fault[other] == contactor.CHATTER:
            self.reason = FEEDBACK_FAULT
        else:
            self.reason = INTERLOCK

    def _failed(self, i: int) -> None:
        """Contactor `i` did not close, or fell open: open its command, and count."""
        self.ac = NONE
        self.reason = FAIL_TO_CLOSE
        self.tries[i] += 1
        if self.tries[i] >= self._tries_max:
            self.tries[i] = 0
            self.given_up_ms[i] = _GIVEN_UP_MS

    def adopt_grid(self) -> None:
        """K_GRID was found closed after a reset."""
        self.ac = GRID
        self.reason = _WHY[GRID]

    def forced_open(self, reason: int) -> None:
        """Protection has overruled this module."""
        self.ac = NONE
        self.reason = reason

    def dead_left_ms(self, contacts: Contactors) -> int:
        """Dead time left before the source that waits may be connected."""
        open_ms = min(contacts.open_ms[0], contacts.open_ms[1])
        return self._dead_ms - open_ms if open_ms < self._dead_ms else 0

    def memory(self) -> "list[int]":
        """What must survive a reset: the command in force and contactors given up."""
        return [self.select, self.select_ms] + self.given_up_ms

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        self.select, self.select_ms = kept[:2]
        self.given_up_ms = kept[2:4]
