"""The last word on every decision: it can only open, knows no policy, and shares no state with those who do.

Rules
- Never both AC contactors. One closes only while the other has been proven open for the dead time, and opens
  when that is proven closed, whatever it was told.
- A position that is read may be wrong: while the rectifier draws AC though both are read open, none closes
  unless the other one's source is measured dead. The rectifier's flag alone, which may stick, is no evidence.
- One closes only onto a source measured in its band in this very scan, and stays closed only while that
  holds: the grid may be outside for its loss delay, the genset not at all; an unmeasured source for its loss
  delay, longer only on the rectifier's word that AC comes through, or while no device at all answers.
- The mains-fail input and a genset fault open at once.
- A contactor whose position has never been read is left as the hardware left it, but for the interlock.
- A battery below its disconnection voltage for five countdowns, with nothing charging it, is disconnected,
  whoever forgot it.
- Excepted is the site's default state after a long time without any data: the grid's contactor may then close
  unseen, as it would without a controller. The interlock has no exceptions.
"""

from greenmast_fw.core.site import BATTERY, GENSET, GRID, Site
from greenmast_protocol import points, reasons

_FEEDBACK = (points.index("feedback.grid"), points.index("feedback.genset"))
_MV = (points.index("grid.voltage_mv"), points.index("genset.voltage_mv"))
_CHZ = (points.index("grid.frequency_chz"), points.index("genset.frequency_chz"))
_MAINS_OK = points.index("grid.mains_ok")
_FAULT = points.index("genset.fault")
_AC_PRESENT = points.index("rectifier.ac_present")
_RECTIFIER_MA = points.index("rectifier.output_ma")
_BATTERY_FEEDBACK = points.index("feedback.battery")
_BATTERY_MA = points.index("battery.current_ma")
_BATTERY_MV = points.index("battery.voltage_mv")

INTERLOCK = reasons.code("interlock")
NOT_QUALIFIED = reasons.code("not_qualified")
ENGINE_FAULT = reasons.code("engine_fault")
MAINS_FAIL = reasons.code("mains_fail")
BATTERY_PROTECT = reasons.code("battery_protect")

_LIMITS = (".voltage_min_mv", ".voltage_max_mv", ".frequency_min_chz", ".frequency_max_chz")

_INSIDE = 0
_OUTSIDE = 1
_UNMEASURED = 2

_SOME_MA = 1_000  # the rectifier gives current: it draws AC
_DEAD_MV = 60_000  # no rectifier works from less
_SETTLE_MS = 10_000  # devices on a slow bus may take this long to answer after a reset
_GENSET_UNMEASURED_MS = 3_000
_COUNTDOWNS = 5
_SATURATED_MS = 0x3FFFFFFF


class Protection:
    """`reason[i]`: why output `i` was opened in the last `check`; 0 where it was not."""

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self._site = site
        self.reason = bytearray(len(site.exists))
        self._out = bytearray(site.idle[:2])  # what went out last
        self._since_ms = [0, 0]  # since that changed
        self._read = [False, False]  # position has been read since the reset
        self._battery_read = False
        self._open_ms = [-1, -1]  # proven open; -1: not
        self._outside_ms = [-1, -1]  # out of band or unmeasured; -1: in band
        self._settle_ms = 0
        self._low_ms = 0
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the timers stay."""
        self._dead_ms = params["source.dead_time_ms"]
        self._feedback_ms = params["source.feedback_ms"]
        self._tolerance_ms = (params["grid.loss_delay_s"] * 1000, _GENSET_UNMEASURED_MS)
        self._band = tuple([tuple([params[role + name] for name in _LIMITS]) for role in ("grid", "genset")])
        self._battery_mv = params["lvd.battery_mv"]
        self._battery_ms = params["lvd.delay_s"] * 1000 * _COUNTDOWNS + 60_000

    def check(self, out: bytearray, v: "tuple[int | None, ...]", dt_ms: int, blind: int) -> bool:
        """Open in `out` what must not be closed. Returns whether anything was opened.

        `blind` as for `Loads.step`.
        """
        if self._settle_ms < _SETTLE_MS:
            self._settle_ms += dt_ms
        grid = self._proven(GRID, v, dt_ms)
        genset = self._proven(GENSET, v, dt_ms)
        reason = self.reason
        reason[GRID] = reason[GENSET] = reason[BATTERY] = 0
        opened = False
        if out[GRID] or out[GENSET]:
            if out[GRID] and out[GENSET]:
                self._open(out, GRID, INTERLOCK)
                opened = self._open(out, GENSET, INTERLOCK)
            elif out[GRID]:
                opened = self._judge(GRID, grid, genset, out, v, dt_ms, blind)
            else:
                opened = self._judge(GENSET, genset, grid, out, v, dt_ms, blind)
        for i in range(2):  # both AC contactors; a tuple here would be built anew in every scan
            if out[i] != self._out[i]:
                self._out[i] = out[i]
                self._since_ms[i] = 0
                self._outside_ms[i] = -1
        return self._battery(out, v, dt_ms) or opened

    def _open(self, out: bytearray, i: int, reason: int) -> bool:
        if not out[i]:
            return False
        out[i] = 0
        self.reason[i] = reason
        return True

    def _proven(self, i: int, v: "tuple[int | None, ...]", dt_ms: int) -> "int | None":
        """Position of AC contactor `i`, from this scan's input alone, and how long it has been open."""
        site = self._site
        if self._since_ms[i] < _SATURATED_MS - dt_ms:
            self._since_ms[i] += dt_ms
        if not site.exists[i]:
            self._open_ms[i] = _SATURATED_MS
            return 0
        if site.has_feedback[i]:
            seen = v[_FEEDBACK[i]]
        else:
            seen = self._out[i] if self._since_ms[i] >= self._feedback_ms else None
        if seen is not None:
            self._read[i] = True
        if seen != 0:
            self._open_ms[i] = -1
        elif self._open_ms[i] < 0:
            self._open_ms[i] = 0
        elif self._open_ms[i] < _SATURATED_MS - dt_ms:
            self._open_ms[i] += dt_ms
        return seen

    def _judge(
        self,
        i: int,
        seen: "int | None",
        other: "int | None",
        out: bytearray,
        v: "tuple[int | None, ...]",
        dt_ms: int,
        blind: int,
    ) -> bool:
        """AC contactor `i` alone is commanded closed; `seen` and `other` are the proven positions."""
        if other == 1:
            return self._open(out, i, INTERLOCK)
        if not self._read[i]:
            return False
        if i == GENSET and v[_FAULT]:
            return self._open(out, i, ENGINE_FAULT)
        if i == GRID and v[_MAINS_OK] == 0:
            return self._open(out, i, MAINS_FAIL)
        closing = not self._out[i]
        if closing and self._open_ms[1 - i] < self._dead_ms:
            return self._open(out, i, INTERLOCK)
        if closing and seen == 0 and self._fed(1 - i, v):
            return self._open(out, i, INTERLOCK)
        fit = self._fit(i, v)
        if fit == _INSIDE:
            self._outside_ms[i] = -1
            return False
        unmeasured = fit == _UNMEASURED
        if unmeasured and blind == 2 and i == GRID:
            return False
        if closing:
            return self._open(out, i, NOT_QUALIFIED)
        if unmeasured and (
            blind or self._settle_ms < _SETTLE_MS or (v[_AC_PRESENT] == 1 and seen == 1 and other == 0)
        ):
            self._outside_ms[i] = -1
            return False
        self._outside_ms[i] = 0 if self._outside_ms[i] < 0 else self._outside_ms[i] + dt_ms
        if self._outside_ms[i] <= self._tolerance_ms[i] and (unmeasured or i == GRID):
            return False
        return self._open(out, i, NOT_QUALIFIED)

    def _fed(self, i: int, v: "tuple[int | None, ...]") -> bool:
        """Whether AC comes through while both are read open, and contactor `i` may be the one that is not."""
        if not self._site.exists[i] or v[_AC_PRESENT] != 1 or (v[_RECTIFIER_MA] or 0) < _SOME_MA:
            return False
        mv = v[_MV[i]]
        return mv is None or mv >= _DEAD_MV

    def _fit(self, i: int, v: "tuple[int | None, ...]") -> int:
        """Whether the source of AC contactor `i` is measured inside or outside its band, or not in full."""
        mv_min, mv_max, chz_min, chz_max = self._band[i]
        mv = v[_MV[i]]
        chz = v[_CHZ[i]]
        if mv is not None and not mv_min <= mv <= mv_max:
            return _OUTSIDE
        if chz is not None and not chz_min <= chz <= chz_max:
            return _OUTSIDE
        return _UNMEASURED if mv is None or chz is None else _INSIDE

    def _battery(self, out: bytearray, v: "tuple[int | None, ...]", dt_ms: int) -> bool:
        mv = v[_BATTERY_MV]
        if not self._site.has_feedback[BATTERY] or v[_BATTERY_FEEDBACK] is not None:
            self._battery_read = True
        if mv is None or not self._battery_read:
            return False
        if mv >= self._battery_mv or (v[_BATTERY_MA] or 0) > 0 or v[_AC_PRESENT]:
            self._low_ms = 0
            return False
        if self._low_ms < self._battery_ms:
            self._low_ms += dt_ms
            return False
        return self._open(out, BATTERY, BATTERY_PROTECT)
