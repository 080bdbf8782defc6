"""Whether the rectifier works: one that stands still although AC is there is restarted before loads go.

Rules
- It stands still when its source is good and connected, its own meter says that it delivers nothing, and the
  battery discharges with the bus below the set voltage. A meter that is silent is no such evidence.
- After half a minute of that it is restarted: its setpoint is dropped and written back. The attempt ends when
  it delivers, or after its time.
- No attempt where the rectifier itself says that no AC reaches it. Else one for each time that AC is there,
  another each hour, never two within ten minutes: a dead rectifier must not keep loads on an empty battery.

Switches nothing: who writes setpoints and who sheds loads look here.
"""

from greenmast_fw.core.limits import IDLE_MA
from greenmast_protocol import points

_OUTPUT_MA = points.index("rectifier.output_ma")
_AC_PRESENT = points.index("rectifier.ac_present")

_BELOW_MV = 300  # meters differ; a rectifier that regulates is nearer to its set voltage
_STANDING_MS = 30_000
_AGAIN_MS = 3_600_000
_LEAST_MS = 600_000
_SATURATED_MS = 0x3FFFFFFF


class Rectifier:
    """`standing`: it delivers nothing though it should. `restarting`: an attempt is under way.

    `dropped`: the part of the attempt during which the setpoint is down. `since_ms`: since the last attempt.
    """

    def __init__(self, params: "dict[str, int]", capacity_mah: int) -> None:
        self.standing = False
        self.restarting = False
        self.dropped = False
        self.since_ms = _SATURATED_MS
        self._discharge_ma = -max(capacity_mah // 100, IDLE_MA)
        self._ms = 0  # standing
        self._fresh = True  # AC has come since the last attempt
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the state stays."""
        self._restart_ms = params["rectifier.restart_s"] * 1000

    def left_ms(self) -> int:
        """Of the attempt under way."""
        return max(self._restart_ms - self.since_ms, 0) if self.restarting else 0

    def step(
        self,
        v: "tuple[int | None, ...]",
        dt_ms: int,
        ac: int,
        bus_mv: "int | None",
        current_ma: "int | None",
        setpoint_mv: "int | None",
    ) -> None:
        """`ac`: nonzero while a good source is connected. `setpoint_mv`: what the rectifier should hold."""
        if self.since_ms < _SATURATED_MS - dt_ms:
            self.since_ms += dt_ms
        output = v[_OUTPUT_MA]
        if not ac:
            self._fresh = True
        self.standing = bool(
            ac
            and output is not None
            and output < IDLE_MA
            and current_ma is not None
            and current_ma < self._discharge_ma
            and setpoint_mv is not None
            and bus_mv is not None
            and bus_mv < setpoint_mv - _BELOW_MV
        )
        if self.restarting:
            # With the setpoint down it may well stand: only output or the end of AC ends the attempt early.
            delivers = output is not None and output >= IDLE_MA
            if not ac or delivers or self.since_ms >= self._restart_ms:
                self.restarting = self.dropped = False
                self._ms = 0
            else:
                self.dropped = self.since_ms < self._restart_ms // 2
        elif not self.standing:
            self._ms = 0
        else:
            if self._ms < _STANDING_MS:
                self._ms += dt_ms
            wait_ms = _LEAST_MS if self._fresh else _AGAIN_MS
            if self._ms >= _STANDING_MS and self.since_ms >= wait_ms and v[_AC_PRESENT] != 0:
                self.restarting = self.dropped = True
                self._fresh = False
                self.since_ms = 0
