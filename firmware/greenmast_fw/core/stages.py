"""The stages of charging that every chemistry shares: bulk, absorption, float.

Rules
- Bulk lasts until the battery has held the charging voltage for ten seconds. Absorption holds it until the
  current has tapered to the tail for a minute, or for its time; only time at that voltage counts. Then float.
- An absorption that does not get to its voltage for a long time, with AC there, begins again as bulk.
- Charging begins anew when the battery has sagged to its resting voltage for a minute, or its state of charge
  has fallen below the chemistry's mark and well below what it was on reaching float: a gauge that never says
  full must not make it start over for ever.

Knows the battery's voltage and current; neither limits, nor who supplies, nor what the rectifier is told.
"""

from greenmast_fw.core.site import Site
from greenmast_protocol import reasons

BULK = 0
ABSORPTION = 1
FLOAT = 2
EQUALISE = 3
STAGES = ("bulk", "absorption", "float", "equalise")
CODES = (
    reasons.code("bulk"),
    reasons.code("absorption"),
    reasons.code("float"),
    reasons.code("equalise"),
)

# (from, event, to): what can happen; drawn in the documents, checked by the tests.
TRANSITIONS = (
    (BULK, "at voltage for 10 s", ABSORPTION),
    (ABSORPTION, "tail current, or time over", FLOAT),
    (ABSORPTION, "discharged, or long below voltage", BULK),
    (FLOAT, "discharged", BULK),
    (FLOAT, "the genset wants load", ABSORPTION),
    (FLOAT, "equalising is due (VRLA)", EQUALISE),
    (EQUALISE, "least current, or time over", FLOAT),
    (EQUALISE, "discharged, or long below voltage", BULK),
)

_NEAR_MV = 200  # meters and cables differ by this much at the charging voltage
_REACHED_MS = 10_000
_MINUTE_MS = 60_000
_FALLEN_PERMILLE = 30
_SATURATED_MS = 0x3FFFFFFF


class Stages:
    """`stage`: one of the numbers above. `mv`: what it wants at the battery. `charge_mv`: while
    charging. `ms`: time at the voltage of absorption or equalising.

    `rest_mv`: about where the battery rests, half full. `freezes`: it must not be charged when cold.
    """

    freezes = False
    _rest_cell_mv = 0
    _sag_cell_mv = 0
    _recharge_permille = 0

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self.stage = BULK
        self.mv = 0
        self.ms = 0
        self.rest_mv = self._rest_cell_mv * site.cells
        self._cells = site.cells
        self._capacity_ma = site.capacity_mah  # the current of one hour
        self._sag_mv = self._sag_cell_mv * site.cells
        self._near_ms = 0
        self._away_ms = 0
        self._tail_ms = 0
        self._sag_ms = 0
        self._float_soc: "int | None" = None
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; stage and timers stay."""
        self.charge_mv = params["battery.charge_mv"]
        self._float_mv = params["battery.float_mv"]
        self._tail_ma = self._capacity_ma // 1000 * params["battery.tail_permille"]
        self._absorption_ms = params["battery.absorption_s"] * 1000
        self._again_ms = params["battery.bulk_again_s"] * 1000
        self._set()

    def _set(self) -> None:
        self.mv = self._float_mv if self.stage == FLOAT else self.charge_mv

    def absorb(self) -> None:
        """Back from float to absorption: something wants to be loaded by charging."""
        self._enter(ABSORPTION, None)

    def left_ms(self) -> int:
        """At the voltage of the stage, until it ends for time."""
        return max(self._absorption_ms - self.ms, 0)

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
        """`mv`: at the battery. `trim_mv`: by how much a limit holds the voltage down. `ac`: nonzero with AC.

        `temperature_dc`: of the battery.
        """
        stage = self.stage
        if stage != BULK and self._discharged(dt_ms, mv, soc):
            self._enter(BULK, soc)
        elif stage == FLOAT:
            pass
        elif mv is None or mv < self.mv - trim_mv - _NEAR_MV:
            self._near_ms = self._tail_ms = 0
            if stage != BULK and ac:
                self._away_ms += dt_ms
                if self._away_ms >= self._again_ms:
                    self._enter(BULK, soc)
        else:
            self._away_ms = 0
            if stage == BULK:
                self._near_ms += dt_ms
                if self._near_ms >= _REACHED_MS:
                    self._enter(ABSORPTION, soc)
            else:
                self.ms += dt_ms
                self._hold(dt_ms, current_ma, soc)

    def _hold(self, dt_ms: int, current_ma: "int | None", soc: "int | None") -> None:
        """Absorption, at its voltage."""
        if self._tapered(dt_ms, current_ma, self._tail_ma) or self.ms >= self._absorption_ms:
            self._enter(FLOAT, soc)

    def _tapered(self, dt_ms: int, current_ma: "int | None", tail_ma: int) -> bool:
        """Whether the current has been below `tail_ma`, and still charging, for a minute."""
        if current_ma is None or not 0 <= current_ma <= tail_ma:
            self._tail_ms = 0
            return False
        self._tail_ms += dt_ms
        return self._tail_ms >= _MINUTE_MS

    def _discharged(self, dt_ms: int, mv: "int | None", soc: "int | None") -> bool:
        if mv is None or mv >= self._sag_mv:
            self._sag_ms = 0
        else:
            self._sag_ms += dt_ms
            if self._sag_ms >= _MINUTE_MS:
                return True
        if soc is None or soc >= self._recharge_permille or self.stage != FLOAT:
            return False
        return self._float_soc is None or soc <= self._float_soc - _FALLEN_PERMILLE

    def _enter(self, stage: int, soc: "int | None") -> None:
        self.stage = stage
        self.ms = self._near_ms = self._away_ms = self._tail_ms = self._sag_ms = 0
        self._float_soc = soc if stage == FLOAT else None
        self._set()

    def memory(self) -> "list[int]":
        """What must survive a reset: the stage and its time; room for what a chemistry adds."""
        return [self.stage, self.ms, 0, 0, 0]

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        self._enter(kept[0], None)
        self.ms = kept[1]
