"""The cooling of the cabinet: a fan or an air conditioner as a load with a duty.

Rules
- It cools while the cabinet or the battery is warmer than its start temperature, until both are below their
  stop temperatures. With neither known for a minute it cools: heat is the greater danger.
- A compressor that has stopped rests for its minimum off time, over resets too.
- On solar surplus with a battery above its reserve it cools ahead, down to the pre-cooling temperature.
- Never at the reserve's expense: without AC and without solar surplus it runs only while the state of charge
  is known to be above the reserve, or while the cabinet is beyond its alarm temperature and no tier has gone,
  or is about to go.
- It has failed when it runs, the cabinet is above the stop temperature, and gets no cooler.
- Without data from any device it stays as it is, then takes the site's default state.

Knows nothing of alarms and their delays.
"""

from greenmast_fw.core.site import COOLING, Site
from greenmast_protocol import reasons

TOO_HOT = reasons.code("too_hot")
PRECOOL = reasons.code("precool")
COOL_ENOUGH = reasons.code("cool_enough")
RESTS = reasons.code("compressor_rest")
RESERVE_FIRST = reasons.code("reserve_first")
UNMEASURED = reasons.code("temperature_silent")
DEFAULT_STATE = reasons.code("default_state")

_BAND_DC = 20  # between the ends of pre-cooling, for which one temperature is set
BAND_PERMILLE = 20  # above the reserve before it counts as kept again
_SURPLUS_W = 1_000  # more sun than load before a compressor is added to the load
_SUN_MS = 60_000  # a cloud, or a gap between clouds, is shorter
_SILENT_MS = 60_000
_FALL_DC = 5  # so much cooler is progress
_FALL_MS = 300_000  # and counts for so long
_SATURATED_MS = 0x3FFFFFFF


class Cooling:
    """`on`: the output. `reason`: why. `failing`: it runs without effect."""

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self._idle = site.idle[COOLING]
        self.on = self._idle
        self.reason = DEFAULT_STATE
        self.failing = False
        self._called = self.on > 0  # for by temperature
        self._ahead = False  # pre-cooling
        self._beyond = False  # the alarm temperature
        self._kept = False  # the reserve
        self._sun = False
        self._sun_ms = 0  # it has been otherwise for so long
        self._silent_ms = 0
        self._off_ms = 0  # the reset may have stopped it just now
        self._least_dc: "int | None" = None  # coolest since it runs
        self._least_ms = 0
        self._cabinet_dc: "int | None" = None
        self._battery_dc: "int | None" = None
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; state and timers stay."""
        self._start_dc = params["cooling.start_dc"]
        self._stop_dc = params["cooling.stop_dc"]
        self._battery_start_dc = params["cooling.battery_start_dc"]
        self._battery_stop_dc = params["cooling.battery_stop_dc"]
        self._ahead_dc = params["cooling.precool_dc"]
        self._alarm_dc = params["cooling.alarm_dc"]
        self._rest_ms = params["cooling.min_off_s"] * 1000

    def rest_ms(self) -> int:
        """What is left of the compressor's rest."""
        return 0 if self.on or self._off_ms >= self._rest_ms else self._rest_ms - self._off_ms

    def values(self, code: int) -> "tuple[int, ...]":
        """The temperature that decided, and its limit (deci-degC); none where the reason takes none."""
        cabinet = self._cabinet_dc
        battery = self._battery_dc
        if code == TOO_HOT:
            if cabinet is not None and (cabinet >= self._stop_dc or battery is None):
                return (cabinet, self._stop_dc)
            return () if battery is None else (battery, self._battery_stop_dc)
        if code == COOL_ENOUGH:
            if cabinet is not None:
                return (cabinet, self._start_dc)
            return () if battery is None else (battery, self._battery_start_dc)
        return ((self.rest_ms() + 999) // 1000,) if code == RESTS else ()

    def step(
        self,
        dt_ms: int,
        cabinet_dc: "int | None",
        battery_dc: "int | None",
        soc: "int | None",
        reserve: int,
        ac: bool,
        short: bool,
        solar_w: "int | None",
        load_w: "int | None",
        charging: bool,
        blind: int,
    ) -> None:
        """`reserve`: permille kept. `ac`: AC serves. `short`: tiers are gone, or going, for want of charge.

        `charging`: the battery is, or is full. `blind` as for `Loads.step`.
        """
        if not self.on and self._off_ms < _SATURATED_MS - dt_ms:
            self._off_ms += dt_ms
        if blind:
            if blind == 2:
                self._switch(self._idle, DEFAULT_STATE)
            return
        self._cabinet_dc = cabinet_dc
        self._battery_dc = battery_dc
        self._judge(cabinet_dc, battery_dc, dt_ms)
        self._look_for_sun(solar_w, load_w, charging, dt_ms)
        self._kept = soc is not None and soc > reserve + (0 if self._kept else BAND_PERMILLE)
        self._ahead = (
            self._sun
            and self._kept
            and cabinet_dc is not None
            and self._ahead_dc > 0
            and cabinet_dc > self._ahead_dc + (0 if self._ahead else _BAND_DC)
        )
        if self._called:
            if ac or (not short and (self._sun or self._kept or self._beyond)):
                self._switch(1, UNMEASURED if self._silent_ms >= _SILENT_MS else TOO_HOT)
            else:
                self._switch(0, RESERVE_FIRST)
        elif self._ahead:
            self._switch(1, PRECOOL)
        else:
            self._switch(0, COOL_ENOUGH)
        self._watch(cabinet_dc, dt_ms)

    def _judge(self, cabinet_dc: "int | None", battery_dc: "int | None", dt_ms: int) -> None:
        """By temperature: is cooling called for, is the cabinet beyond its alarm temperature?"""
        hottest = battery_dc if cabinet_dc is None else cabinet_dc
        if hottest is None:
            self._beyond = False
            if self._silent_ms < _SILENT_MS:
                self._silent_ms += dt_ms
            else:
                self._called = True
            return
        self._silent_ms = 0
        if hottest > self._alarm_dc:
            self._beyond = True
        elif hottest < self._start_dc:
            self._beyond = False
        if (cabinet_dc is not None and cabinet_dc > self._start_dc) or (
            battery_dc is not None and battery_dc > self._battery_start_dc
        ):
            self._called = True
        elif (cabinet_dc is None or cabinet_dc < self._stop_dc) and (
            battery_dc is None or battery_dc < self._battery_stop_dc
        ):
            self._called = False

    def _look_for_sun(self, solar_w: "int | None", load_w: "int | None", charging: bool, dt_ms: int) -> None:
        """Once it cools, its own consumption may use the surplus up, but no more."""
        surplus = (
            charging
            and solar_w is not None
            and load_w is not None
            and solar_w >= load_w + (0 if self._sun else _SURPLUS_W)
        )
        if surplus == self._sun:
            self._sun_ms = 0
            return
        self._sun_ms += dt_ms
        if self._sun_ms >= _SUN_MS:
            self._sun = surplus
            self._sun_ms = 0

    def _switch(self, on: int, reason: int) -> None:
        if on and not self.on and self._off_ms < self._rest_ms:
            self.reason = RESTS
            return
        if not on and self.on:
            self._off_ms = 0
        self.on = on
        self.reason = reason

    def _watch(self, cabinet_dc: "int | None", dt_ms: int) -> None:
        """Whether the cabinet gets cooler while it is being cooled."""
        if not self.on or cabinet_dc is None or cabinet_dc < self._stop_dc:
            self._least_dc = None
            self.failing = False
        elif self._least_dc is None:
            self._least_dc = cabinet_dc
            self._least_ms = _FALL_MS
            self.failing = True  # until it has had an effect
        elif cabinet_dc <= self._least_dc - _FALL_DC:
            self._least_dc = cabinet_dc
            self._least_ms = 0
            self.failing = False
        elif self._least_ms < _FALL_MS:
            self._least_ms += dt_ms
            self.failing = self._least_ms >= _FALL_MS

    def memory(self) -> "list[int]":
        """What must survive a reset: whether cooling was called for, and the compressor's rest."""
        return [1 if self._called else 0, 0 if self.on else self._off_ms]

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`: the rest goes on; a compressor that ran has been stopped by the reset."""
        self._called = kept[0] > 0
        self._off_ms = min(kept[1], _SATURATED_MS)
