"""Disaster mode: the critical load shall last through a long outage.

Rules
- Before AC is lost nothing is given up: `policy` raises the reserve and has the battery charged fully.
- From the loss on the load must last the target. While the *pessimistic* time to disconnection is shorter
  than what is left of it, tiers are shed, one at a time, never the critical one. One comes back when there is
  twice as much, since a tier may be half of the load. Half an hour lies between two changes.
- When the target has been reached, what is left must still last a tenth of it: nobody knows when AC returns.
- Fuel that is scarce, or that nobody can measure, is rationed; a genset with enough of it carries the load,
  so that nothing needs to be shed.
- AC that has been back for an hour ends the case: all tiers return, and the next loss counts from its own
  beginning.
- With the time to disconnection unknown, nothing changes.

Knows neither tiers nor genset: says how many tiers and whether to ration.
"""

_HOUR_MS = 3_600_000
_DWELL_MS = 1_800_000
_FIRST_S = 300  # an outage this short sheds nothing
_TIERS_MAX = 2
_FUEL_HYSTERESIS = 50
_SATURATED = 0x3FFFFFFF


class Disaster:
    """`shed`: tiers to be shed. `scarce`: fuel is rationed. `absent_s`: since AC was lost, 0 while there."""

    def __init__(self, target_s: int, fuel_permille: int) -> None:
        self.shed = 0
        self.scarce = False
        self.absent_s = 0
        self.back_ms = 0  # since AC came back, while the case lasts
        self._since_ms = _DWELL_MS  # the last change of `shed`
        self._ms = 0  # less than a second, not yet in `absent_s`
        self.configure(target_s, fuel_permille)

    def configure(self, target_s: int, fuel_permille: int) -> None:
        """Take over new parameters; the case goes on."""
        self._target_s = target_s
        self.fuel_permille = fuel_permille

    def needed_s(self) -> int:
        """How long the load must last from now."""
        return max(self._target_s - self.absent_s, self._target_s // 10)

    def step(self, dt_ms: int, here: bool, served: bool, fuel: "int | None", to_lvd_s: "int | None") -> None:
        """`here`: AC that lasts is there. `served`: some AC carries the load now.

        `fuel`: permille for a genset that could start, else None. `to_lvd_s`: pessimistic.
        """
        limit = self.fuel_permille + (_FUEL_HYSTERESIS if self.scarce else 0)
        self.scarce = fuel is None or fuel < limit
        if self._since_ms < _DWELL_MS:
            self._since_ms += dt_ms
        if here:
            if not self.absent_s:
                return
            self.back_ms += dt_ms
            if self.back_ms >= _HOUR_MS:
                self.shed = self.absent_s = self.back_ms = 0
                self._since_ms = _DWELL_MS
                return
        else:
            self.back_ms = 0
        self._ms += dt_ms
        if self.absent_s < _SATURATED:
            self.absent_s += self._ms // 1000
        self._ms %= 1000
        if not here and not served and to_lvd_s is not None and self._since_ms >= _DWELL_MS:
            self._weigh(to_lvd_s)

    def _weigh(self, to_lvd_s: int) -> None:
        change = 0
        if self.scarce and to_lvd_s < self.needed_s():
            if self.shed < _TIERS_MAX and self.absent_s >= _FIRST_S:
                change = 1
        elif self.shed and (not self.scarce or to_lvd_s >= 2 * self.needed_s()):
            change = -1
        if change:
            self.shed += change
            self._since_ms = 0

    def memory(self) -> "list[int]":
        """What must survive a reset: the case."""
        return [self.shed, 1 if self.scarce else 0, self.absent_s, self.back_ms, self._since_ms]

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        self.shed = min(kept[0], _TIERS_MAX)
        self.scarce = bool(kept[1])
        self.absent_s, self.back_ms, self._since_ms = kept[2:5]
