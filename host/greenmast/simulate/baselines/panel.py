"""The genset's own panel: what every engine controller does with a contact that asks it to run.

Owns cranking, warm-up, the least run, cool-down and stopping, with the times of the site's parameters, since
those are the engine maker's. Stops for want of fuel. Must not know why it is asked.

A panel that has failed to start stays locked until somebody comes; here that somebody comes within the hour,
to the baselines' advantage.
"""

from __future__ import annotations

from greenmast_protocol import points

OFF, CRANK, REST, WARM_UP, READY, COOL_DOWN, STOPPING, LOCKED = range(8)

_VOLTAGE = points.index("genset.voltage_mv")
_RPM = points.index("genset.rpm")
_FUEL = points.index("genset.fuel_permille")
_FIRED_RPM = 500  # no starter turns an engine so fast
_RUN_UP_MS = 20_000  # from firing to voltage, at most
_STANDING_MV = 20_000
_UNLOCK_MS = 3_600_000


class Panel:
    """`line`: the engine is told to run. `ready`: it may carry load."""

    def __init__(self, params: dict[str, int]) -> None:
        self.line = False
        self.ready = False
        self.state = OFF
        self._ms = 0  # in the state
        self._run_ms = 0
        self._tries = 0
        self._dry = False
        self._crank_ms = params["genset.crank_s"] * 1_000
        self._rest_ms = params["genset.crank_rest_s"] * 1_000
        self._crank_tries = params["genset.crank_tries"]
        self._warm_up_ms = params["genset.warm_up_s"] * 1_000
        self._cool_down_ms = params["genset.cool_down_s"] * 1_000
        self._min_run_ms = params["genset.min_run_s"] * 1_000
        self._stop_ms = params["genset.stop_s"] * 1_000
        self._min_mv = params["genset.voltage_min_mv"]
        self._fuel_stop = params["genset.fuel_stop_permille"]
        self._fuel_resume = params["genset.fuel_resume_permille"]

    def step(self, v: tuple[int | None, ...], wanted: bool, dt_ms: int) -> None:
        """`wanted`: somebody asks it to run."""
        self._ms += dt_ms
        wanted = wanted and not self._without_fuel(v[_FUEL])
        mv = v[_VOLTAGE]
        live = mv is not None and mv >= self._min_mv
        state = self.state
        if state == OFF:
            self._tries = 0
            if wanted:
                self._enter(CRANK)
        elif state == CRANK:
            if wanted:
                self._crank(v[_RPM], live)
            else:
                self._enter(STOPPING)
        elif state == REST:
            if self._ms >= self._rest_ms:
                self._enter(CRANK if wanted else OFF)
        elif state == STOPPING:
            if self._ms >= self._stop_ms or ((mv or 0) < _STANDING_MV and not v[_RPM]):
                self._enter(OFF)
        elif state == LOCKED:
            if self._ms >= _UNLOCK_MS:
                self._enter(OFF)
        else:
            self._run(wanted, live, dt_ms)
        self.ready = self.state == READY
        self.line = self.state == CRANK or WARM_UP <= self.state <= COOL_DOWN

    def _crank(self, rpm: int | None, live: bool) -> None:
        if live:
            self._run_ms = 0
            self._enter(WARM_UP)
        elif self._ms >= self._crank_ms and ((rpm or 0) < _FIRED_RPM or self._ms >= _RUN_UP_MS):
            self._failed()

    def _run(self, wanted: bool, live: bool, dt_ms: int) -> None:
        """The engine runs: warm-up, load or cool-down."""
        self._run_ms += dt_ms
        if not live:
            self._failed()
        elif self.state == WARM_UP:
            if self._ms >= self._warm_up_ms:
                self._tries = 0
                self._enter(READY)
        elif self.state == READY:
            if not wanted and (self._dry or self._run_ms >= self._min_run_ms):
                self._enter(COOL_DOWN)
        elif wanted:
            self._enter(READY)
        elif self._ms >= self._cool_down_ms:
            self._enter(STOPPING)

    def _failed(self) -> None:
        self._tries += 1
        self._enter(LOCKED if self._tries >= self._crank_tries else REST)

    def _without_fuel(self, permille: int | None) -> bool:
        if permille is not None:
            self._dry = permille <= (self._fuel_resume if self._dry else self._fuel_stop)
        return self._dry

    def _enter(self, state: int) -> None:
        self.state = state
        self._ms = 0
