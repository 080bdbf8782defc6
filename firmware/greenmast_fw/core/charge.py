"""What the rectifier shall hold: the chemistry's stage, within every limit, as policy and genset want it.

Rules, the first that applies
- Until the battery has been heard or missed, nothing is written: the rectifier keeps what it has.
- Battery data lost: the safe voltage (`silence`), or float if that is lower and the battery full.
- A battery test lowers the voltage (`battery_test`).
- Charging blocked (`limits`), or on the grid charged as far as policy lets AC charge: just the battery's own
  voltage (`resting`). What policy allows is not asked on a genset, nor when the battery must be full soon.
- Else the voltage of the stage, less what a cell or the current takes off. A genset whose load is below its
  least brings absorption back once for each of its runs. If charging does not load it for long enough, it has
  tapered.
Never above what the bus bears. Written with restraint (`setpoint`); dropped for a moment to restart a
rectifier that stands still (`rectifier`).
"""

from greenmast_fw.core.limits import COLD, HOT, NOT_ALLOWED, Limits
from greenmast_fw.core.rectifier import Rectifier
from greenmast_fw.core.resting import Resting
from greenmast_fw.core.setpoint import Setpoint
from greenmast_fw.core.silence import Silence
from greenmast_fw.core.site import Site
from greenmast_fw.core.stages import ABSORPTION, CODES, FLOAT, Stages
from greenmast_protocol import points, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.battery import Battery
    from greenmast_fw.core.battery_test import BatteryTest

_GENSET_W = points.index("genset.power_w")

WAITING = reasons.code("boot")
SAFE = reasons.code("safe_voltage")
TEST = reasons.code("battery_test")
RESERVE = reasons.code("reserve_kept")
MIN_LOAD = reasons.code("min_load")
CELL = reasons.code("cell_limit")
RESTART = reasons.code("rectifier_restart")
_PROTECTS = (COLD, HOT, NOT_ALLOWED, CELL, SAFE, RESTART)

_GRID = points.AC_SOURCES.index("grid")
_GENSET = points.AC_SOURCES.index("genset")
_BUS_MAX_MV = 57_000
_TEST_ABOVE_MV = 500  # the first disconnection
_DROP_MV = 500  # to restart a rectifier
_RESERVE_PERMILLE = 20  # hysteresis
_FULL = 1_000
_SATURATED_S = 0x3FFFFFFF


class Charge:
    """`setpoint_mv`, `limit_ma`: for the rectifier, None: leave it. `code`: reason of the voltage.

    `tapered`: the genset runs, but charging no longer loads it. `restarting`: a rectifier that stands still
    is being restarted. `test`: the battery test under way.
    `test_result`: (mAh discharged, permille at its start, at its end, reason of its end) of the last one that
    ran to its end. `since_loss_s`: since the grid was last lost. `lockout_s`, `test_stop`: parameters of the
    test. `full_mv`: the charging voltage. `stages`, `limits`, `rectifier`, `silence`: the
    parts.
    """

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self.setpoint_mv: "int | None" = None
        self.limit_ma: "int | None" = None
        self.code = WAITING
        self.stages = stages = _stages(params, site)
        self.limits = Limits(params, stages.freezes)
        self.rectifier = Rectifier(params, site.capacity_mah)
        self.silence = Silence(params)
        self.resting = Resting(params, stages.rest_mv, site.capacity_mah)
        self.tapered = False
        self.restarting = False
        self.test: "BatteryTest | None" = None
        self.test_result: "tuple[int, int, int, int] | None" = None
        self.since_loss_s = _SATURATED_S
        self._written = Setpoint()
        self._grid_ok = False
        self._part_ms = 0
        self._kept = False
        self._taper_ms = 0
        self._pushed = False
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; state and timers stay."""
        for part in (self.stages, self.limits, self.rectifier, self.silence, self.resting):
            part.configure(params)
        self._written.exact = True
        self.full_mv = params["battery.charge_mv"]
        self._safe_mv = params["battery.safe_mv"]
        self._least_w = params["genset.rating_w"] * params["genset.load_min_permille"] // 1000
        self._taper_limit_ms = params["genset.taper_s"] * 1000
        self.lockout_s = params["battery.test_lockout_s"]
        self.test_stop = params["battery.test_stop_permille"]
        self._test_mv = params["lvd.tier3_mv"] + _TEST_ABOVE_MV
        self._test_max_ms = params["battery.test_max_s"] * 1000

    def start_test(self, soc: int) -> None:
        """Begin a battery test at this state of charge; whether it is allowed has been judged."""
        from greenmast_fw.core.battery_test import BatteryTest  # rare: loaded when needed, heap is scarce

        self.test = BatteryTest(soc, self.test_stop, self._test_mv, self._test_max_ms)

    def step(
        self,
        v: "tuple[int | None, ...]",
        dt_ms: int,
        battery: "Battery",
        ac: int,
        grid_ok: bool,
        charge_to: int,
        charge_first: bool,
        alarm: int,
    ) -> None:
        """One scan. `ac`: the good source at the rectifier's input, as in points.AC_SOURCES.

        `charge_to`: permille up to which AC may charge, unless `charge_first`. `alarm`: a major one is
        active.
        """
        soc = battery.soc
        current_ma = battery.current_ma
        bus_mv = battery.bus_mv
        at_mv = bus_mv if battery.voltage_mv is None else battery.voltage_mv
        limits = self.limits
        rectifier = self.rectifier
        limits.step(v, dt_ms, battery.temperature_dc, current_ma, bus_mv)
        self.stages.step(dt_ms, at_mv, limits.trim_mv, current_ma, soc, battery.temperature_dc, ac)
        rectifier.step(v, dt_ms, ac, bus_mv, current_ma, self.setpoint_mv)
        self.restarting = rectifier.restarting
        self.silence.step(v, dt_ms, battery.lost_ms, bus_mv, limits)
        self._since_loss(dt_ms, grid_ok)
        self._genset(v, dt_ms, ac)
        safe = self.silence.safe
        if self.test:
            self._test(self.test, dt_ms, battery, ac == _GRID and not (alarm or safe or limits.blocked))
        if not safe and not self.silence.heard:
            return
        if not safe and not self.test and (limits.blocked or self._keep(soc, ac, charge_to, charge_first)):
            self.code = limits.blocked or RESERVE
            mv = self.resting.step(v, dt_ms, at_mv, current_ma, ac)
        else:
            self.resting.mv = 0
            mv = self._stage() if not safe else self._safe()
        if rectifier.dropped:
            self.code = RESTART
            mv = min(mv, self._safe_mv) - _DROP_MV
        written = self._written
        written.hold(min(mv, _BUS_MAX_MV), self.code, self.code in _PROTECTS, dt_ms)
        self.setpoint_mv = written.mv
        written.limit(limits.limit_ma, limits.battery_ma(), dt_ms)
        self.limit_ma = written.ma

    def _safe(self) -> int:
        """A full battery that falls silent is not charged higher than before."""
        self.code = SAFE
        return min(self._safe_mv, self.stages.mv)

    def _stage(self) -> int:
        """The voltage of a test, else that of the stage."""
        if self.test:
            self.code = TEST
            return self.test.setpoint_mv
        stages = self.stages
        stage = stages.stage
        trim_mv = self.limits.trim_mv
        if trim_mv:
            self.code = CELL
            return max(stages.mv - trim_mv, self.resting.min_mv)
        self.code = MIN_LOAD if self._pushed and stage == ABSORPTION else CODES[stage]
        return stages.mv

    def _keep(self, soc: "int | None", ac: int, charge_to: int, charge_first: bool) -> bool:
        """Whether the grid has charged as far as it may.

        With an unknown charge it goes on: energy for outages is worth more than room for sun, and the stage
        ends it.
        """
        if ac != _GRID:
            self._kept = self._kept and not ac  # an outage changes nothing yet
        elif charge_first or soc is None or charge_to >= _FULL:
            self._kept = False
        else:
            self._kept = soc >= (charge_to - _RESERVE_PERMILLE if self._kept else charge_to)
        return self._kept

    def _genset(self, v: "tuple[int | None, ...]", dt_ms: int, ac: int) -> None:
        """Load the genset, and notice when that is no longer possible."""
        load_w = v[_GENSET_W]
        if ac != _GENSET:
            self._pushed = False
        if ac != _GENSET or load_w is None or load_w >= self._least_w:
            self._taper_ms = 0
        else:
            if not self._pushed and self.stages.stage == FLOAT:
                self._pushed = True
                self.stages.absorb()
            if self._taper_ms < self._taper_limit_ms:
                self._taper_ms += dt_ms
        self.tapered = self._taper_ms >= self._taper_limit_ms

    def _since_loss(self, dt_ms: int, grid_ok: bool) -> None:
        self._part_ms += dt_ms
        if self._part_ms >= 1000:
            seconds = self._part_ms // 1000
            self._part_ms -= seconds * 1000
            if self.since_loss_s < _SATURATED_S - seconds:
                self.since_loss_s += seconds
        if self._grid_ok and not grid_ok:
            self.since_loss_s = 0
        self._grid_ok = grid_ok

    def _test(self, test: "BatteryTest", dt_ms: int, battery: "Battery", allowed: bool) -> None:
        if test.step(dt_ms, battery.soc, battery.bus_mv, battery.current_ma, allowed):
            if test.ended and battery.soc is not None:
                self.test_result = (test.mah, test.soc_start, battery.soc, test.ended)
            self.test = None

    def memory(self) -> "list[int]":
        """What must survive a reset: stage, lost data, time since grid loss and restart, the test."""
        kept = self.stages.memory() + self.silence.memory() + [self.since_loss_s, self.rectifier.since_ms]
        test = self.test
        return kept + ([test.soc_start, test.ms, max(test.mah, 0)] if test else [])

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`; nothing is written before the battery has been heard or missed again."""
        self.stages.restore(kept[:5])
        self.silence.restore(kept[5:7])
        self.since_loss_s, self.rectifier.since_ms = kept[7:9]
        if len(kept) >= 12:
            self.start_test(kept[9])
            if self.test:
                self.test.ms, self.test.mah = kept[10:12]


def _stages(params: "dict[str, int]", site: Site) -> Stages:
    """Only the chemistry that the site has is loaded: heap is scarce."""
    if site.chemistry == "vrla":
        from greenmast_fw.core.vrla import Vrla

        return Vrla(params, site)
    from greenmast_fw.core.lfp import Lfp

    return Lfp(params, site)
