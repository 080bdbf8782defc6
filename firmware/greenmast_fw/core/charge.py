"""The rectifier's voltage setpoint.

Rules
- With battery data: the charging voltage. Without them for a minute: the safe voltage, which neither
  overcharges a battery that nobody watches nor leaves it to sleep.
- Data that come back must stay for ten seconds before charging resumes.
- Until the battery has been heard or missed, nothing is written: the rectifier keeps what it has.
"""

_LOST_MS = 60_000
_BACK_MS = 10_000


class Charge:
    """`setpoint_mv`: what the rectifier should hold, None while undecided."""

    def __init__(self, params: "dict[str, int]") -> None:
        self.setpoint_mv: "int | None" = None
        self._safe = False
        self._back_ms = 0
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters."""
        self._charge_mv = params["battery.charge_mv"]
        self._safe_mv = params["battery.safe_mv"]
        if self.setpoint_mv is not None:
            self.setpoint_mv = self._safe_mv if self._safe else self._charge_mv

    def step(self, dt_ms: int, lost_ms: int) -> None:
        """`lost_ms`: since the battery's data were last good."""
        if lost_ms >= _LOST_MS:
            self._safe = True
            self._back_ms = 0
            self.setpoint_mv = self._safe_mv
        elif lost_ms == 0:
            if self._safe:
                self._back_ms += dt_ms
                if self._back_ms < _BACK_MS:
                    return
                self._safe = False
            self.setpoint_mv = self._charge_mv
