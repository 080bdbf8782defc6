"""The battery test: a controlled discharge that shows what the battery can still give, with AC kept.

Rules
- The setpoint is lowered to just above where the first load would go: the battery carries, and if it gives
  out, the rectifier takes over without a gap.
- It ends at its state of charge, when the bus has come down to that setpoint, after its time, and at once
  when AC goes, an alarm is active, the battery must not be charged or is not heard: a test must not use up
  what is needed.
- What was discharged is a result only if the battery was heard throughout and the test ran to its end.

Who may start it is the business of `commands`.
"""

from greenmast_protocol import reasons

REACHED = reasons.code("soc_reached")
BUS_LOW = reasons.code("bus_low")
EXPIRED = reasons.code("expired")

_NEAR_MV = 100
_SETTLE_MS = 60_000  # until the battery has taken over


class BatteryTest:
    """`setpoint_mv` while it runs. `mah`: discharged so far. `soc_start`: permille at its start.

    `ms`: its age. `stop`: permille at which it ends. `ended`: reason code of its end; 0 while it runs and
    when it was broken off.
    """

    def __init__(self, soc_start: int, stop: int, setpoint_mv: int, max_ms: int) -> None:
        self.soc_start = soc_start
        self.stop = stop
        self.setpoint_mv = setpoint_mv
        self.ms = 0
        self.mah = 0
        self.ended = 0
        self._max_ms = max_ms
        self._uah = 0

    def left_ms(self) -> int:
        """Until it ends for time."""
        return max(self._max_ms - self.ms, 0)

    def step(
        self, dt_ms: int, soc: "int | None", bus_mv: "int | None", current_ma: "int | None", allowed: bool
    ) -> bool:
        """Returns whether it is over. `allowed`: AC is there, nothing is wrong."""
        self.ms += dt_ms
        if not allowed or soc is None or bus_mv is None or current_ma is None:
            return True
        self._uah -= current_ma * dt_ms // 3_600
        if not -1_000 < self._uah < 1_000:
            whole = self._uah // 1_000
            self.mah += whole
            self._uah -= whole * 1_000
        if soc <= self.stop:
            self.ended = REACHED
        elif self.ms >= _SETTLE_MS and bus_mv <= self.setpoint_mv + _NEAR_MV:
            self.ended = BUS_LOW
        elif self.ms >= self._max_ms:
            self.ended = EXPIRED
        return self.ended > 0
