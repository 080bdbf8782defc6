"""Lead-acid with valves: temperature compensation, and equalising from time to time.

Rules
- Every voltage falls with temperature, by so much per degree and *cell*; without a temperature those of
  25 degC hold.
- Recharged below 90 %, or when its voltage has come down to that of rest under load.
- Equalised after absorption, or from float, when that is due: by days since the last time, counted by the
  board itself, or after three deep cycles. It ends below a hundredth of the capacity's current for a minute,
  or after its time. Off unless days are set: not every battery may be equalised.
"""

from greenmast_fw.core.site import Site
from greenmast_fw.core.stages import ABSORPTION, EQUALISE, FLOAT, Stages

_STANDARD_DC = 250
_DEEP_PERMILLE = 400
_CHARGED_PERMILLE = 600  # a cycle counts once until this has been passed again
_DEEP_CYCLES = 3
_DAY_S = 86_400


class Vrla(Stages):
    """As `Stages`. `since_s`: since the last equalising. `deep`: deep cycles since then."""

    _rest_cell_mv = 2_110
    _sag_cell_mv = 2_090
    _recharge_permille = 900

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self.since_s = 0
        self.deep = 0
        self._low = 0
        self._part_ms = 0
        self._standard_mv = (0, 0, 0)
        self._equalise_mv = 0
        self._temperature_dc: "int | None" = None
        Stages.__init__(self, params, site)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; stage and timers stay."""
        self._standard_mv = (
            params["battery.charge_mv"],
            params["battery.float_mv"],
            params["battery.equalise_mv"],
        )
        self._uv = params["battery.compensation_uv"] * self._cells
        self._due_s = params["battery.equalise_days"] * _DAY_S
        self._equalise_ms = params["battery.equalise_max_s"] * 1000
        Stages.configure(self, params)
        self._warm(self._temperature_dc)

    def _warm(self, temperature_dc: "int | None") -> None:
        """Shift the voltages for this temperature; None: those of 25 degC."""
        self._temperature_dc = temperature_dc
        shift = 0 if temperature_dc is None else (temperature_dc - _STANDARD_DC) * self._uv // 10_000
        charge_mv, float_mv, equalise_mv = self._standard_mv
        self.charge_mv = charge_mv - shift
        self._float_mv = float_mv - shift
        self._equalise_mv = equalise_mv - shift
        self._set()

    def _set(self) -> None:
        if self.stage == EQUALISE:
            self.mv = self._equalise_mv
        else:
            Stages._set(self)

    def left_ms(self) -> int:
        """At the voltage of the stage, until it ends for time."""
        if self.stage == EQUALISE:
            return max(self._equalise_ms - self.ms, 0)
        return Stages.left_ms(self)

    def step(
        self,
        dt_ms: int,
        mv: "int | None",
        trim_mv: int,
        current_ma: "int | None",
        soc: "int | None",
        temperature_dc: "int | None",
        ac: int,
    ) -> None:
        """As `Stages.step`."""
        if temperature_dc != self._temperature_dc:
            self._warm(temperature_dc)
        self._part_ms += dt_ms
        while self._part_ms >= 60_000:
            self._part_ms -= 60_000
            self.since_s += 60
        if soc is not None:
            if soc < _DEEP_PERMILLE and not self._low:
                self._low = 1
                self.deep += 1
            elif soc > _CHARGED_PERMILLE:
                self._low = 0
        Stages.step(self, dt_ms, mv, trim_mv, current_ma, soc, temperature_dc, ac)
        if self.stage == FLOAT and ac and self._due():
            self._enter(EQUALISE, soc)

    def _due(self) -> bool:
        return self._due_s > 0 and (self.since_s >= self._due_s or self.deep >= _DEEP_CYCLES)

    def _hold(self, dt_ms: int, current_ma: "int | None", soc: "int | None") -> None:
        """Absorption or equalising, at its voltage."""
        if self.stage == ABSORPTION:
            Stages._hold(self, dt_ms, current_ma, soc)
        elif self._tapered(dt_ms, current_ma, self._capacity_ma // 100) or self.ms >= self._equalise_ms:
            self.since_s = self.deep = 0
            self._enter(FLOAT, soc)

    def memory(self) -> "list[int]":
        """What must survive a reset: the stage and its time, and what makes equalising due."""
        return [self.stage, self.ms, self.since_s, self.deep, self._low]

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        Stages.restore(self, kept)
        self.since_s, self.deep, self._low = kept[2:5]
