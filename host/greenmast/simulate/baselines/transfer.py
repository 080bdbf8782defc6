"""The transfer switch of a cabinet: a phase-failure relay and two contactors that exclude each other.

Owns when the grid counts as there and which AC source feeds the rectifier: the grid before the genset, and
where neither is there, the position it has. Break before make: a contactor closes once the other's auxiliary
contact has shown it open for the dead time. Must not know why a genset runs.
"""

from __future__ import annotations

from greenmast_fw.core.site import GENSET, GRID, Site
from greenmast_protocol import points

NONE, ON_GRID, ON_GENSET = 0, 1, 2

_GRID_MV = points.index("grid.voltage_mv")
_GRID_CHZ = points.index("grid.frequency_chz")
_FEEDBACK = (points.index("feedback.grid"), points.index("feedback.genset"))
_SATURATED_MS = 0x3FFFFFFF


class PhaseRelay:
    """`usable`: the grid has been within the site's limits for the return delay, and is not lost since.

    What is there at the first look counts at once. A meter that says nothing leaves it as it is.
    """

    def __init__(self, params: dict[str, int], exists: bool) -> None:
        self.usable = False
        self._exists = exists
        self._first = True
        self._ms = 0  # that the grid has been otherwise than `usable` says
        self._mv = (params["grid.voltage_min_mv"], params["grid.voltage_max_mv"])
        self._chz = (params["grid.frequency_min_chz"], params["grid.frequency_max_chz"])
        self._return_ms = params["grid.return_delay_s"] * 1_000
        self._loss_ms = params["grid.loss_delay_s"] * 1_000

    def step(self, v: tuple[int | None, ...], dt_ms: int) -> None:
        """Look at the grid, `dt_ms` after the look before."""
        mv = v[_GRID_MV]
        if not self._exists or mv is None:
            return
        chz = v[_GRID_CHZ]
        good = self._mv[0] <= mv <= self._mv[1] and (chz is None or self._chz[0] <= chz <= self._chz[1])
        if self._first:
            self._first = False
            self.usable = good
        if good == self.usable:
            self._ms = 0
            return
        self._ms += dt_ms
        if self._ms >= (self._return_ms if good else self._loss_ms):
            self.usable = good
            self._ms = 0


class Transfer:
    """`position`: NONE, ON_GRID or ON_GENSET."""

    def __init__(self, params: dict[str, int], site: Site) -> None:
        self.position = ON_GRID if site.idle[GRID] and site.exists[GRID] else NONE
        self._exists = (bool(site.exists[GRID]), bool(site.exists[GENSET]))
        self._reported = (bool(site.has_feedback[GRID]), bool(site.has_feedback[GENSET]))
        self._dead_ms = params["source.dead_time_ms"]
        self._open_ms = [-1, -1]  # for how long each contactor has been proven open; -1: it is not

    def step(self, v: tuple[int | None, ...], grid: bool, genset: bool, dt_ms: int) -> None:
        """`grid`, `genset`: that source may be connected."""
        for n in (0, 1):
            if not self._is_open(v, n):
                self._open_ms[n] = -1
            elif self._open_ms[n] < 0:
                self._open_ms[n] = 0
            elif self._open_ms[n] < _SATURATED_MS:
                self._open_ms[n] += dt_ms
        now = self.position
        want = now if now == ON_GRID else NONE
        if grid:
            want = ON_GRID
        elif genset:
            want = ON_GENSET
        if now != NONE and (want != now or v[_FEEDBACK[2 - now]] == 1):
            now = NONE
        elif now == NONE and want != NONE:
            other = 2 - want
            if not self._exists[other] or self._open_ms[other] >= self._dead_ms:
                now = want
        self.position = now

    def _is_open(self, v: tuple[int | None, ...], n: int) -> bool:
        """Whether contactor `n` is known to be open: by its auxiliary contact, else by its coil."""
        return v[_FEEDBACK[n]] == 0 if self._reported[n] else self.position != n + 1
