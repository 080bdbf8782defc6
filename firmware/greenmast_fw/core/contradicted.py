"""Measurements that other evidence excludes.

Rules
- An AC source whose meter finds it good, and whose contactor alone is proven closed, must reach the
  rectifier. When the rectifier sees no AC and gives no current for a minute, the source's meter is
  contradicted: the grid's for five minutes beyond, so that another attempt is made in the end, the genset's
  only until its contactor opens, as its coming to rest must be seen. In the opposite case, a source that is
  dead by its meter and AC by the rectifier, the meter is believed: of two that disagree, the bad news counts.
- A battery above half that is below its empty voltage without heavy discharge, and one nearly empty that
  holds a full one's voltage while discharging, contradict their state of charge, after five minutes, until
  charge and voltage agree.

Knows nothing of how the readings came about, and changes none.
"""

from greenmast_fw.core.distrust import distrust, trust
from greenmast_fw.core.site import GENSET, GRID, Site
from greenmast_protocol import points, quality

_MV = (points.index("grid.voltage_mv"), points.index("genset.voltage_mv"))
_DISTRUSTED = (
    (points.index("grid.voltage_mv"), points.index("grid.frequency_chz")),
    tuple([points.index("genset." + name) for name in ("voltage_mv", "frequency_chz", "rpm", "running")]),
)
_AC_PRESENT = points.index("rectifier.ac_present")
_RECTIFIER_MA = points.index("rectifier.output_ma")
_BATTERY_MV = points.index("battery.voltage_mv")
_BATTERY_MA = points.index("battery.current_ma")
_SOC = points.index("battery.soc_permille")
_CHARGE = (_SOC,)

_NO_AC_MS = 60_000
_AFTER_MS = (300_000, 0)
_SOME_MA = 1_000  # the rectifier gives current: there is AC, whatever its flag says
_EXCLUDED_MS = 300_000
_HALF = 500
_LOW = 100
_AGREES_MV = 50  # per cell, beyond the voltage that contradicts
# mV per cell: never so low above half unless discharged heavily, never so high below a tenth when discharged.
_CELL_MV = {"lfp": (3_000, 3_400), "vrla": (1_850, 2_130)}
_HEAVY = 5  # discharge of a fifth of the capacity an hour


class Contradicted:
    """Keeps how long each contradiction has lasted."""

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        low, high = _CELL_MV[site.chemistry]
        self._low_mv = low * site.cells
        self._high_mv = high * site.cells
        self._agrees_mv = _AGREES_MV * site.cells
        self._heavy_ma = site.capacity_mah // _HEAVY
        self._no_ac_ms = [0, 0]
        self._left_ms = [0, 0]
        self._excluded_ms = 0
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the state stays."""
        self._good_mv = (params["grid.voltage_min_mv"], params["genset.voltage_min_mv"])

    def step(
        self, v: "tuple[int | None, ...]", dt_ms: int, closed: "list[int | None]", codes: bytearray
    ) -> None:
        """`dt_ms` since the last step; distrust goes into `codes`."""
        unfed = v[_AC_PRESENT] == 0 and (v[_RECTIFIER_MA] or 0) < _SOME_MA
        for i in (GRID, GENSET):
            self._source(i, v[_MV[i]], unfed and closed[i] == 1 and closed[1 - i] == 0, dt_ms, codes)
        self._charge(v[_SOC], v[_BATTERY_MV], v[_BATTERY_MA], dt_ms, codes)

    def _source(self, i: int, mv: "int | None", unfed: bool, dt_ms: int, codes: bytearray) -> None:
        left = self._left_ms
        if unfed and mv is not None and mv >= self._good_mv[i]:
            if self._no_ac_ms[i] < _NO_AC_MS:
                self._no_ac_ms[i] += dt_ms
                return
            left[i] = _AFTER_MS[i] + dt_ms
            distrust(codes, _DISTRUSTED[i], quality.CONTRADICTED)
        else:
            self._no_ac_ms[i] = 0
            if left[i]:
                left[i] = left[i] - dt_ms if left[i] > dt_ms else 0
                if not left[i]:
                    trust(codes, _DISTRUSTED[i], quality.CONTRADICTED)

    def _charge(
        self, soc: "int | None", mv: "int | None", ma: "int | None", dt_ms: int, codes: bytearray
    ) -> None:
        if soc is None:
            self._excluded_ms = 0
        elif mv is None or ma is None:
            return
        elif (soc > _HALF and mv < self._low_mv and ma > -self._heavy_ma) or (
            soc < _LOW and mv > self._high_mv and ma < 0
        ):
            if self._excluded_ms < _EXCLUDED_MS:
                self._excluded_ms += dt_ms
        elif (soc <= _HALF or mv > self._low_mv + self._agrees_mv) and (
            soc >= _LOW or mv < self._high_mv - self._agrees_mv
        ):
            self._excluded_ms = 0
        if self._excluded_ms >= _EXCLUDED_MS:
            distrust(codes, _CHARGE, quality.CONTRADICTED)
        else:
            trust(codes, _CHARGE, quality.CONTRADICTED)
