"""Load tiers, the battery's and the solar contactor.

Rules
- Stages are disconnected one after another, the least critical first, the critical load last and the battery
  after everything else. Each has its own voltage and an announced countdown. Time above the voltage takes
  half as much off the countdown's progress, so that noise around it neither sheds nor saves for ever; one
  reading alone sheds nothing.
- The battery is not disconnected while something charges it.
- They come back in the opposite order, when the bus has been above the reconnect voltage for the hold time
  with a source present, and never closer together than the stagger.
- Each episode of shedding within a day raises the reconnect voltage a little, as far as charging still
  reaches it.
- Without a bus voltage nothing is shed and nothing reconnected.
- A tier can be shed by command for a time.
- The solar contactor stays closed.
"""

from greenmast_fw.core.site import BATTERY, LOAD1, LOAD2, LOAD3, PV, Site
from greenmast_protocol import reasons

CONNECTED = reasons.code("ok")
COUNTDOWN = reasons.code("shed_countdown")
BUS_LOW = reasons.code("bus_low")
RECOVERING = reasons.code("bus_recovering")
STAGGER = reasons.code("stagger")
MANUAL = reasons.code("manual")
DEFAULT_STATE = reasons.code("default_state")
BATTERY_PROTECT = reasons.code("battery_protect")

_STAGES = (
    (LOAD3, "lvd.tier3_mv"),
    (LOAD2, "lvd.tier2_mv"),
    (LOAD1, "lvd.tier1_mv"),
    (BATTERY, "lvd.battery_mv"),
)
_TIERS = (LOAD1, LOAD2, LOAD3)
_RAISE_MV = 200  # per episode within a day
_HEADROOM_MV = 300  # the reconnect voltage stays this far below the charging voltage
_DAY_MS = 86_400_000
_SATURATED_MS = 0x3FFFFFFF


class Loads:
    """`level`: stages disconnected on voltage. `reason[i]` for output `i`.

    `manual_ms[tier - 1]`: time left of commands.
    """

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self._site = site
        self._outputs = tuple([row[0] for row in _STAGES if site.exists[row[0]]])
        self.level = 0
        self.low_ms = 0
        self.high_ms = -1  # -1: not above the reconnect voltage
        self.raise_mv = 0
        self.since_trip_ms = _DAY_MS
        self.since_connect_ms = _SATURATED_MS
        self.manual_ms = [0, 0, 0]
        self.reason = bytearray(len(site.exists))
        self._below = False
        self._settled = False
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the state stays."""
        self._limits = tuple([params[row[1]] for row in _STAGES if self._site.exists[row[0]]])
        self._first_mv = self._limits[0] if self._limits else 0
        self._delay_ms = params["lvd.delay_s"] * 1000
        self._reconnect_mv = params["lvd.reconnect_mv"]
        self._reconnect_ms = params["lvd.reconnect_s"] * 1000
        self._stagger_ms = params["lvd.stagger_s"] * 1000
        self._raise_max_mv = max(params["battery.charge_mv"] - _HEADROOM_MV - self._reconnect_mv, 0)
        self._settled = False

    @property
    def reconnect_mv(self) -> int:
        """The reconnect voltage in force."""
        return self._reconnect_mv + min(self.raise_mv, self._raise_max_mv)

    def limit_mv(self) -> "int | None":
        """Voltage at which the next stage goes; None when all have gone."""
        return self._limits[self.level] if self.level < len(self._limits) else None

    def countdown_ms(self) -> "int | None":
        """Until the next stage goes; None when no countdown runs."""
        return max(self._delay_ms - self.low_ms, 0) if self.low_ms else None

    def recover_ms(self) -> "int | None":
        """Until the next stage comes back; None while the bus is not above the reconnect voltage."""
        if self.level == 0 or self.high_ms < 0:
            return None
        return max(self._hold_ms() - self.high_ms, self._stagger_ms - self.since_connect_ms, 0)

    def command(self, tier: int, for_ms: int) -> None:
        """Disconnect `tier` by command, for a time; 0 ends an earlier command."""
        self.manual_ms[tier - 1] = for_ms
        self._settled = False

    def shed_on_voltage(self, output: int) -> bool:
        """Whether `output` has been disconnected on voltage."""
        return output in self._outputs[: self.level]

    def all_off(self) -> None:
        """Protection has opened the battery: everything counts as disconnected on voltage."""
        self.level = len(self._outputs)
        self._settled = False

    def hold(self, output: int, reason: int) -> None:
        """The controller has left `output` open for now, for `reason`."""
        self.reason[output] = reason
        self._settled = False

    def step(
        self,
        dt_ms: int,
        bus_mv: "int | None",
        battery_mv: "int | None",
        source: bool,
        out: bytearray,
        blind: int,
    ) -> None:
        """Write the load, battery and solar outputs into `out`.

        `source`: something is there to carry the loads.

        `blind`: 0, 1 no device answers: all stays, 2 for so long that the site's default state applies.
        """
        level = self.level
        if (
            self._settled
            and not level
            and not self.low_ms
            and bus_mv is not None
            and bus_mv >= self._first_mv
            and self.since_trip_ms >= _DAY_MS
        ):
            self._below = False
            return
        self._timers(dt_ms)
        if blind:
            self._settled = False
            if blind == 2:
                self._default(out)
            return
        if bus_mv is not None:
            if level < len(self._limits):
                below = bus_mv < self._limits[level]
                if self._outputs[level] == BATTERY:
                    below = (
                        not source and (bus_mv if battery_mv is None else battery_mv) < self._limits[level]
                    )
                self._count_down(below, dt_ms)
            if level and self.level == level:
                self._recover(bus_mv >= self.reconnect_mv and source, dt_ms)
        else:
            self.high_ms = -1
        self._settled = self._write(out)

    def _timers(self, dt_ms: int) -> None:
        if self.since_connect_ms < _SATURATED_MS - dt_ms:
            self.since_connect_ms += dt_ms
        if self.since_trip_ms < _DAY_MS:
            self.since_trip_ms += dt_ms
            if self.since_trip_ms >= _DAY_MS:
                self.raise_mv = 0
        manual = self.manual_ms
        for i in range(3):
            left = manual[i]
            if left:
                manual[i] = left - dt_ms if left > dt_ms else 0

    def _count_down(self, below: bool, dt_ms: int) -> None:
        if not below:
            self.low_ms = max(self.low_ms - dt_ms // 2, 0)
            self._below = False
            return
        if self._below:
            self.low_ms += dt_ms
        elif not self.low_ms:
            self.low_ms = 1  # announced; counts from the second reading
        if self._below and self.low_ms >= self._delay_ms:
            self._trip()
        else:
            self._below = True

    def _trip(self) -> None:
        if self.level == 0:
            if self.since_trip_ms < _DAY_MS and self.raise_mv < self._raise_max_mv:
                self.raise_mv += _RAISE_MV
            self.since_trip_ms = 0
        self.level += 1
        self.low_ms = 0
        self.high_ms = -1
        self._below = False

    def _hold_ms(self) -> int:
        return self._stagger_ms if self._outputs[self.level - 1] == BATTERY else self._reconnect_ms

    def _recover(self, above: bool, dt_ms: int) -> None:
        if not above:
            self.high_ms = -1
            return
        if self.high_ms < 0:
            self.high_ms = 0
        elif self.high_ms < _SATURATED_MS - dt_ms:
            self.high_ms += dt_ms
        if self.high_ms >= self._hold_ms() and self.since_connect_ms >= self._stagger_ms:
            self.level -= 1
            self.low_ms = 0

    def _write(self, out: bytearray) -> bool:
        """Returns whether all outputs are as they should be, with nothing left to wait for."""
        exists = self._site.exists
        gone = self._outputs[: self.level]
        settled = self.since_connect_ms >= self._stagger_ms
        if exists[PV]:
            out[PV] = 1
        if exists[BATTERY]:
            out[BATTERY] = 0 if BATTERY in gone else 1
            self.reason[BATTERY] = BUS_LOW if BATTERY in gone else CONNECTED
        counting = self._outputs[self.level] if self.low_ms and self.level < len(self._outputs) else -1
        for tier in range(3):
            i = _TIERS[tier]
            if not exists[i]:
                continue
            on = 0
            if i in gone:
                reason = BUS_LOW if self.high_ms < 0 else RECOVERING
                settled = False
            elif self.manual_ms[tier]:
                reason = MANUAL
                settled = False
            elif not out[i] and self.since_connect_ms < self._stagger_ms:
                reason = STAGGER
                settled = False
            else:
                on = 1
                reason = COUNTDOWN if i == counting else CONNECTED
                if not out[i]:
                    self.since_connect_ms = 0
                    settled = False
            out[i] = on
            self.reason[i] = reason
        return settled

    def _default(self, out: bytearray) -> None:
        site = self._site
        for i in (PV, BATTERY) + _TIERS:
            out[i] = site.idle[i]
            self.reason[i] = DEFAULT_STATE

    def memory(self) -> "list[int]":
        """What must survive a reset: stages gone, the raised threshold, commands."""
        return [self.level, self.raise_mv, self.since_trip_ms] + self.manual_ms

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`; the hold times start again."""
        self.level = min(kept[0], len(self._outputs))
        self.raise_mv, self.since_trip_ms = kept[1:3]
        self.manual_ms = kept[3:6]
        self._settled = False
