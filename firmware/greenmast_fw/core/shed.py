"""Which stages the rules have disconnected, and when they return.

Rules
- Stages go one after another, the least critical tier first, the critical one last and the battery after
  everything else, each after an announced countdown: for its voltage, for its state of charge, for the time
  without AC, or for the policy, whichever comes first.
- Time without cause takes half as much off the countdown's progress, so that noise around a threshold neither
  sheds nor saves for ever. One reading alone sheds nothing. At its end the countdown waits while a rectifier
  is being restarted.
- A stage returns, in the opposite order, when all that took it has been over for the hold time: voltage and
  state of charge above their reconnect thresholds with a source present (voltage alone where the state of
  charge is unknown or has no threshold), AC back, the policy content.
- Each episode of shedding for voltage or charge within a day raises the thresholds and lengthens the hold of
  all but the critical tier and the battery.
- The time without AC ends when AC has been back for the hold time.
- What is unknown sheds nothing and brings nothing back; what else is known goes on ruling.

The thresholds are those of `lvd`. Knows no output and no command: `loads` carries out.
"""

from greenmast_fw.core.lvd import POLICY, SOC, TIME, VOLTAGE, Thresholds
from greenmast_fw.core.site import BATTERY, LOAD1, Site
from greenmast_protocol import reasons

BUS_LOW = reasons.code("bus_low")
SOC_SHED = reasons.code("soc_shed")
TIME_SHED = reasons.code("time_shed")

# (mask, reason), the weightiest first; a cause's row is its place in `Shedding.by`.
DISASTER_SHED = reasons.code("disaster_shed")
_CAUSES = (
    (VOLTAGE, BUS_LOW),
    (SOC, SOC_SHED),
    (TIME, TIME_SHED),
    (POLICY, DISASTER_SHED),
)
_TIME_ROW = 2

_EPISODES_MAX = 20
_DAY_MS = 86_400_000
_SATURATED_MS = 0x3FFFFFFE


class Shedding:
    """`level`: how many stages are gone. `by[cause]`: how many of these a cause still holds.

    `low_ms`: progress of the countdown. `held`: it waits for a rectifier. `high_ms`: since the last stage
    gone may return, -1 while it may not. `absent_ms`: without AC. `episodes`: within a day.
    """

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self.thresholds = Thresholds(params, site)
        self.level = 0
        self.by = bytearray(len(_CAUSES))
        self.low_ms = 0
        self.held = False
        self.high_ms = -1
        self.absent_ms = 0
        self.episodes = 0
        self.since_trip_ms = _DAY_MS
        self._back_ms = 0
        self._wanted = False
        self._read(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the state stays."""
        self.thresholds.configure(params)
        self._read(params)

    def _read(self, params: "dict[str, int]") -> None:
        self._delay_ms = params["lvd.delay_s"] * 1000
        self._stagger_ms = params["lvd.stagger_s"] * 1000
        self._reconnect_ms = params["lvd.reconnect_s"] * 1000

    @property
    def low(self) -> bool:
        """Whether any stage is gone for voltage or state of charge."""
        return self.by[0] > 0 or self.by[1] > 0

    @property
    def dark(self) -> bool:
        """Whether the critical tier, or the battery, is gone."""
        level = self.level
        return level > 0 and self.thresholds.outputs[level - 1] in (LOAD1, BATTERY)

    @property
    def reconnect_mv(self) -> int:
        """The reconnect voltage in force."""
        return self.thresholds.reconnect_mv(self.episodes)

    @property
    def reconnect_permille(self) -> int:
        """The reconnect state of charge in force; 0: none."""
        return self.thresholds.reconnect_permille(self.episodes)

    def countdown_ms(self) -> "int | None":
        """Until the next stage goes; None when no countdown runs."""
        return max(self._delay_ms - self.low_ms, 0) if self.low_ms else None

    def hold_ms(self) -> int:
        """How long the last stage gone must have been without cause before it returns."""
        output = self.thresholds.outputs[self.level - 1]
        if output == BATTERY:
            return self._stagger_ms
        if output == LOAD1 or self.episodes < 2:
            return self._reconnect_ms
        return min(self._reconnect_ms * self.episodes, _DAY_MS)

    def why(self, stage: int) -> int:
        """Reason code for which `stage` is gone: the weightiest that still holds it."""
        for row in range(len(_CAUSES)):
            if self.by[row] > stage:
                return _CAUSES[row][1]
        return BUS_LOW  # nothing but a bus that would not carry it

    def all_off(self) -> None:
        """Protection has opened the battery: everything counts as gone on voltage."""
        self.level = self.by[0] = len(self.thresholds.outputs)

    def idle(self, bus_mv: "int | None", soc: "int | None", ac: bool, shed: int) -> bool:
        """Whether a step with these values would change nothing."""
        return (
            not self.level
            and not self.low_ms
            and not shed
            and ((ac and not self.absent_ms) or not self.thresholds.timed)
            and self.thresholds.above_all(bus_mv, soc)
            and self.since_trip_ms >= _DAY_MS
        )

    def step(
        self,
        dt_ms: int,
        bus_mv: "int | None",
        battery_mv: "int | None",
        current_ma: "int | None",
        soc: "int | None",
        source: bool,
        ac: bool,
        shed: int,
        restarting: bool,
        calm: bool,
    ) -> None:
        """`source`: something is there to carry the loads; `ac`: AC is. `shed`: tiers the policy gives up.

        `restarting`: a rectifier is. `calm`: the last connection is long enough ago for another.
        """
        self._timers(dt_ms, ac)
        absent_ms = 0 if ac else self.absent_ms
        level = self.level
        thresholds = self.thresholds
        self.held = False
        if level < len(thresholds.outputs):
            mask = thresholds.causes(level, soc, absent_ms, shed)
            if bus_mv is not None and thresholds.too_low(level, bus_mv, battery_mv, current_ma, source):
                mask |= VOLTAGE
            if mask:
                self._count_down(mask, dt_ms, restarting)
            else:
                self._wanted = False
                if bus_mv is not None:
                    self.low_ms = max(self.low_ms - dt_ms // 2, 0)
        if level and self.level == level:
            self._recover(self._may_return(bus_mv, soc, source, absent_ms, shed), dt_ms, calm)

    def _timers(self, dt_ms: int, ac: bool) -> None:
        if self.since_trip_ms < _DAY_MS:
            self.since_trip_ms += dt_ms
            if self.since_trip_ms >= _DAY_MS:
                self.episodes = 0
        if not ac:
            self._back_ms = 0
            if self.absent_ms < _SATURATED_MS - dt_ms:
                self.absent_ms += dt_ms
        elif self.absent_ms:
            self._back_ms += dt_ms
            if self._back_ms >= self._reconnect_ms:
                self.absent_ms = self.by[_TIME_ROW] = 0

    def _count_down(self, mask: int, dt_ms: int, restarting: bool) -> None:
        if not self._wanted:
            self._wanted = True
            if not self.low_ms:
                self.low_ms = 1  # announced; counts from the second reading
            return
        self.low_ms += dt_ms
        if self.low_ms < self._delay_ms:
            return
        if restarting:
            self.low_ms = max(self._delay_ms, 1)
            self.held = True
            return
        if mask & (VOLTAGE | SOC) and not self.low:
            self.episodes = min(self.episodes + 1, _EPISODES_MAX)
            self.since_trip_ms = 0
        self.level += 1
        for row in range(len(_CAUSES)):
            if mask & _CAUSES[row][0]:
                self.by[row] = self.level
        self.low_ms = 0
        self.high_ms = -1
        self._wanted = False

    def _may_return(
        self, bus_mv: "int | None", soc: "int | None", source: bool, absent_ms: int, shed: int
    ) -> bool:
        """Whether nothing holds the last stage gone; what would have taken it now holds it too."""
        level = self.level
        thresholds = self.thresholds
        mask = thresholds.causes(level - 1, soc, absent_ms, shed)
        if mask:
            for row in range(len(_CAUSES)):
                if mask & _CAUSES[row][0]:
                    self.by[row] = level
            return False
        if not thresholds.carries(level - 1, bus_mv, source):
            return False
        by_voltage = self.by[0] >= level
        if self.by[1] >= level:
            enough = self.reconnect_permille
            if soc is None or not enough:
                by_voltage = True
            elif soc < enough or not source:
                return False
        return not by_voltage or (source and bus_mv is not None and bus_mv >= self.reconnect_mv)

    def _recover(self, may_return: bool, dt_ms: int, calm: bool) -> None:
        if not may_return:
            self.high_ms = -1
            return
        if self.high_ms < 0:
            self.high_ms = 0
        elif self.high_ms < _SATURATED_MS - dt_ms:
            self.high_ms += dt_ms
        if self.high_ms >= self.hold_ms() and calm:
            self.level -= 1
            for row in range(len(_CAUSES)):
                self.by[row] = min(self.by[row], self.level)
            self.low_ms = 0

    def memory(self) -> "list[int]":
        """What must survive a reset: stages gone and why, the time without AC, the episodes."""
        return [self.level, self.episodes, self.since_trip_ms, self.absent_ms] + list(self.by)

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`; the hold times start again."""
        self.level = min(kept[0], len(self.thresholds.outputs))
        self.episodes = min(kept[1], _EPISODES_MAX)
        self.since_trip_ms = min(kept[2], _DAY_MS)
        self.absent_ms = min(kept[3], _SATURATED_MS)
        for row in range(len(_CAUSES)):
            self.by[row] = min(kept[4 + row], self.level)
