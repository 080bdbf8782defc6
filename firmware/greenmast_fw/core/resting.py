"""Holding the battery's own voltage: the loads are carried, the battery is neither charged nor discharged.

Rules
- The hold begins where such a battery rests half full, or lower if it is lower, and follows its current:
  quickly down while it charges, slowly up while it discharges.
- It does not go down while the rectifier delivers nothing: then it is the sun that charges.
- It stays between just above the battery's disconnection and float, and where it is while there is no AC.
"""

from greenmast_fw.core.limits import IDLE_MA
from greenmast_protocol import points

_OUTPUT_MA = points.index("rectifier.output_ma")

_DOWN_MS = 5_000
_DOWN_MV = 100
_UP_MS = 10_000
_UP_MV = 50
_ABOVE_MV = 500  # the battery's disconnection


class Resting:
    """`mv`: the voltage held, 0 while not holding."""

    def __init__(self, params: "dict[str, int]", rest_mv: int, capacity_mah: int) -> None:
        self.mv = 0
        self._rest_mv = rest_mv
        # Of a battery that counts as at rest: wider than what a step up changes.
        self._high_ma = max(capacity_mah // 200, 500)
        self._low_ma = -max(capacity_mah // 100, 1_500)
        self._ms = 0  # charging or discharging
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; a hold goes on."""
        self.min_mv = params["lvd.battery_mv"] + _ABOVE_MV
        self._max_mv = params["battery.float_mv"]

    def step(
        self, v: "tuple[int | None, ...]", dt_ms: int, at_mv: "int | None", current_ma: "int | None", ac: int
    ) -> int:
        """Hold, beginning at the battery's voltage `at_mv`. Returns `mv`."""
        mv = self.mv
        if not mv:
            mv = self._rest_mv if at_mv is None else max(min(self._rest_mv, at_mv), self.min_mv)
            self._ms = 0
        if not ac or current_ma is None or self._low_ma <= current_ma <= self._high_ma:
            self._ms = 0
        else:
            self._ms += dt_ms
            if current_ma < 0:
                if self._ms >= _UP_MS:
                    mv = min(mv + _UP_MV, self._max_mv)
                    self._ms = 0
            elif self._ms >= _DOWN_MS:
                output = v[_OUTPUT_MA]
                if output is None or output >= IDLE_MA:
                    mv = max(mv - _DOWN_MV, self.min_mv)
                self._ms = 0
        self.mv = mv
        return mv
