"""The genset's sequence: one state machine between a wish for AC and an engine.

    OFF -> GLOW -> CRANK -> WARM_UP -> READY <-> ON_LOAD -> COOL_DOWN -> STOPPING -> OFF
            ^        |        stall: REST, within the budget of tries
            |        v
            +----- REST       tries used up, or an engine fault: LOCKED_OUT until reset by command

Rules
- The start line is one wire pair: it is held from glowing on, since a genset with a controller of its own
  glows and cranks by itself then. A glow time of 0 leaves that state out; every retry glows again.
- WARM_UP counts from evidence of running. A crank ends at its limit, evidence or not: the start line is never
  held for an engine that nobody sees. Evidence that comes early, during GLOW, or late, during REST, is taken.
- Low fuel and engine faults stop at once, from any state, whatever minimum run or commands say; without
  cool-down.
- Where the parameters say so, a genset that reports a fault keeps its start line while it does (off load), as
  releasing it would clear the evidence; until the reset command, and not for an engine that runs on.
- A demand that ends lets a crank finish (a glow not), and the engine completes minimum run and cool-down; a
  demand that returns during cool-down is served.
- A stall, and an output that stays out of band, cost one try of the budget; ten minutes on load restore it.
- Minimum off time and starts per hour hold for every start that is not a retry; retries count as starts too.
- STOPPING ends when AC and rpm are gone; if they stay, the alarm stands and nothing else happens.

Knows no reason to start (`demand`) and no contactor (`source`).
"""

from greenmast_fw.core.engine import RUNS, STOPPED, UNKNOWN, Engine
from greenmast_fw.core.starts import Starts
from greenmast_protocol import points, reasons

OFF = points.GENSET_STATES.index("off")
GLOW = points.GENSET_STATES.index("glow")
CRANK = points.GENSET_STATES.index("crank")
REST = points.GENSET_STATES.index("rest")
WARM_UP = points.GENSET_STATES.index("warm_up")
READY = points.GENSET_STATES.index("ready")
ON_LOAD = points.GENSET_STATES.index("on_load")
COOL_DOWN = points.GENSET_STATES.index("cool_down")
STOPPING = points.GENSET_STATES.index("stopping")
LOCKED_OUT = points.GENSET_STATES.index("locked_out")

NO_DEMAND = reasons.code("no_demand")
GLOWING = reasons.code("glow")
CRANKING = reasons.code("cranking")
WARMING = reasons.code("warm_up")
IS_READY = reasons.code("genset_ready")
MIN_RUN = reasons.code("min_run")
COOLING = reasons.code("cool_down")
MIN_OFF = reasons.code("min_off")
PER_HOUR = reasons.code("starts_per_hour")
FUEL_LOW = reasons.code("fuel_low")
ENGINE_FAULT = reasons.code("engine_fault")
START_FAILED = reasons.code("start_failed")
STALLED = reasons.code("genset_stalled")
BAND = reasons.code("genset_band")
FAIL_TO_STOP = reasons.code("fail_to_stop")
IS_STOPPING = reasons.code("stopping")
LOCKED = reasons.code("locked_out")
DEFAULT_STATE = reasons.code("default_state")

_LINE = (GLOW, CRANK, WARM_UP, READY, ON_LOAD, COOL_DOWN)  # states that hold the start line
_RUNNING = (WARM_UP, READY, ON_LOAD, COOL_DOWN)

# (from, reason, to): everything that can happen; drawn in the documents, checked by the tests.
TRANSITIONS = tuple(
    [(state, reason, STOPPING) for state in _LINE for reason in (FUEL_LOW, ENGINE_FAULT, DEFAULT_STATE)]
) + (
    (OFF, GLOWING, GLOW),
    (OFF, CRANKING, CRANK),
    (OFF, START_FAILED, STOPPING),
    (GLOW, WARMING, WARM_UP),
    (GLOW, CRANKING, CRANK),
    (GLOW, NO_DEMAND, STOPPING),
    (CRANK, WARMING, WARM_UP),
    (CRANK, CRANKING, REST),
    (CRANK, NO_DEMAND, STOPPING),
    (CRANK, START_FAILED, STOPPING),
    (REST, WARMING, WARM_UP),
    (REST, GLOWING, GLOW),
    (REST, CRANKING, CRANK),
    (REST, NO_DEMAND, STOPPING),
    (REST, START_FAILED, STOPPING),
    (WARM_UP, IS_READY, READY),
    (WARM_UP, STALLED, REST),
    (WARM_UP, START_FAILED, STOPPING),
    (READY, IS_READY, ON_LOAD),
    (READY, COOLING, COOL_DOWN),
    (READY, STALLED, REST),
    (READY, START_FAILED, STOPPING),
    (READY, BAND, STOPPING),
    (ON_LOAD, IS_READY, READY),
    (ON_LOAD, COOLING, COOL_DOWN),
    (ON_LOAD, STALLED, REST),
    (ON_LOAD, START_FAILED, STOPPING),
    (COOL_DOWN, IS_READY, READY),
    (COOL_DOWN, NO_DEMAND, STOPPING),
    (STOPPING, NO_DEMAND, OFF),
    (STOPPING, START_FAILED, LOCKED_OUT),
    (STOPPING, ENGINE_FAULT, LOCKED_OUT),
    (STOPPING, BAND, LOCKED_OUT),
    (LOCKED_OUT, NO_DEMAND, OFF),
)

_STABLE_MS = 5_000  # in band this long before load is put on
_BAND_MS = 60_000  # out of band this long is an engine fault worth a try
_PROVEN_MS = 600_000  # on load this long restores the budget of tries
_RUN_DOWN_MS = 10_000  # by then the genset's own controller has stopped a faulty engine, or does not mean to
_SATURATED_MS = 0x3FFFFFFF


class Genset:
    """`state`, `line` (start line), `ready` (may be put on load), `ok` (may stay on load), `reason`.

    `tries`: cranks spent. `run_ms`: since evidence of running, 0 when it has stopped. `overdue`: did not
    stop. `stalled`: stopped by itself. `held`: the start line is kept for the evidence of a fault.
    """

    def __init__(self, params: "dict[str, int]", exists: int) -> None:
        self.exists = exists
        self.engine = Engine(params)
        self.starts = Starts(params["genset.starts_per_hour"])
        self.state = OFF
        self.reason = NO_DEMAND
        self.lock = 0  # reason code that STOPPING turns into LOCKED_OUT
        self.line = 0
        self.ready = False
        self.ok = False
        self.overdue = False
        self.stalled = False
        self.held = False
        self.tries = 0
        self.ms = 0  # in this state
        self.run_ms = 0
        self._off_ms = _SATURATED_MS
        self._band_ms = 0
        self._down = 0  # scans in a row that show a standstill
        self._ran = False
        self._resumed = False
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; state and timers stay."""
        self.engine.configure(params)
        self.starts.configure(params["genset.starts_per_hour"])
        self._warm_up_ms = params["genset.warm_up_s"] * 1000
        self._cool_down_ms = params["genset.cool_down_s"] * 1000
        self._glow_ms = params["genset.glow_s"] * 1000
        self._hold_line = params["genset.hold_line"]
        self._crank_ms = params["genset.crank_s"] * 1000
        self._rest_ms = params["genset.crank_rest_s"] * 1000
        self.tries_max = params["genset.crank_tries"]
        self._stop_ms = params["genset.stop_s"] * 1000
        self._min_run_ms = params["genset.min_run_s"] * 1000
        self._min_off_ms = params["genset.min_off_s"] * 1000
        self.max_run_ms = params["genset.max_run_s"] * 1000

    # ---- what others ask ---------------------------------------------------------------------------

    def refusal(self) -> int:
        """Reason code that forbids a start from standstill now, or 0."""
        blocked = self.forbidden()
        if blocked:
            return blocked
        if self._off_ms < self._min_off_ms:
            return MIN_OFF
        if self.starts.count() >= self.starts.limit:
            return PER_HOUR
        return 0

    def forbidden(self) -> int:
        """Reason code that forbids running as such, or 0."""
        if self.state == LOCKED_OUT:
            return LOCKED
        if self.engine.fuel_low:
            return FUEL_LOW
        return ENGINE_FAULT if self.engine.fault else 0

    def left_ms(self, reason: int) -> int:
        """Time left of the limit that `reason` names: min_off, min_run, glow, warm_up, cool_down."""
        if reason == MIN_OFF:
            left = self._min_off_ms - self._off_ms
        elif reason == MIN_RUN:
            left = self._min_run_ms - self.run_ms
        elif reason == GLOWING:
            left = self._glow_ms - self.ms
        elif reason == WARMING:
            left = self._warm_up_ms - self.ms
        else:
            left = self._cool_down_ms - self.ms
        return left if left > 0 else 0

    def wait(self) -> None:
        """The board waits after resets in a row: so does a retry."""
        if self.state == REST:
            self.ms = 0

    def reset(self) -> None:
        """Lift the lock-out, by command: the budget of tries is whole again, and the fuel is vouched for."""
        self.engine.vouch()
        self.held = False
        self.lock = 0
        self.tries = 0
        self.stalled = False
        if self.state == LOCKED_OUT:
            self._enter(OFF, NO_DEMAND)

    # ---- the sequence ------------------------------------------------------------------------------

    def step(
        self,
        v: "tuple[int | None, ...]",
        dt_ms: int,
        want: int,
        loaded: int,
        carries: "int | None",
        blind: int,
    ) -> None:
        """One scan. `want`: nonzero while the genset is demanded.

        `loaded`: K_GEN is proven closed (and not welded).

        `carries`: whether the rectifier has AC, given that K_GEN alone is proven closed, else None. `blind`:
        0, 1 no device answers, 2 for so long that the site's default state applies.
        """
        engine = self.engine
        engine.step(v, dt_ms, carries, blind)
        self.starts.pass_time(dt_ms)
        state = self.state
        if self.ms < _SATURATED_MS - dt_ms:
            self.ms += dt_ms
        if state in _RUNNING:
            if self.run_ms < _SATURATED_MS - dt_ms:
                self.run_ms += dt_ms
            self._down = self._down + 1 if engine.evidence == STOPPED else 0
        elif self._off_ms < self._min_off_ms:
            self._off_ms += dt_ms
        if state in _LINE and self._trips(blind):
            state = self.state
        _STEPS[state](self, want, loaded, dt_ms)
        state = self.state
        if self.held:
            self._hold(blind)
        self.line = 1 if state in _LINE or self.held else 0
        self.ok = state in (READY, ON_LOAD, COOL_DOWN) and engine.in_band != 0
        self.ready = self.ok and state != COOL_DOWN and engine.in_band == 1 and engine.stable_ms >= _STABLE_MS

    def _trips(self, blind: int) -> bool:
        """Stop at once for what overrides everything else."""
        if self.engine.fuel_low:
            self._enter(STOPPING, FUEL_LOW)
        elif self.engine.fault:
            self.lock = ENGINE_FAULT
            self.held = bool(self._hold_line)
            self._enter(STOPPING, ENGINE_FAULT)
        elif blind == 2:
            self._enter(STOPPING, DEFAULT_STATE)
        else:
            return False
        return True

    def _hold(self, blind: int) -> None:
        """Keep the start line of a faulty genset only while that is all it means."""
        running = self.engine.evidence == RUNS and self.ms >= _RUN_DOWN_MS
        if running or not self.engine.fault or blind == 2:
            self.held = False

    def _enter(self, state: int, reason: int) -> None:
        self.state = state
        self.reason = reason
        self.ms = 0
        self._band_ms = 0
        self._down = 0

    def _off(self, want: int, loaded: int, dt_ms: int) -> None:
        if want:
            reason = self.refusal()
            if reason == 0:
                self._start()
            else:
                self.reason = reason
        else:
            self.reason = NO_DEMAND

    def _start(self) -> None:
        if self.tries >= self.tries_max:
            self.lock = START_FAILED
            self._enter(STOPPING, START_FAILED)
        elif self._glow_ms:
            self._enter(GLOW, GLOWING)
        else:
            self._crank()

    def _crank(self) -> None:
        self.tries += 1
        self._enter(CRANK, CRANKING)

    def _glowing(self, want: int, loaded: int, dt_ms: int) -> None:
        if self.engine.evidence == RUNS:
            self._started()
        elif not want:
            self._enter(STOPPING, NO_DEMAND)
        elif self.ms >= self._glow_ms:
            self._crank()

    def _cranking(self, want: int, loaded: int, dt_ms: int) -> None:
        if self.engine.evidence == RUNS:
            self._started()
        elif self.ms >= self._crank_ms:
            if not want:
                self._enter(STOPPING, NO_DEMAND)
            else:
                self._retry(CRANKING)

    def _retry(self, reason: int) -> None:
        """After a failed try: rest, or give up."""
        if self.tries >= self.tries_max:
            self.lock = START_FAILED
            self._enter(STOPPING, START_FAILED)
        else:
            self._enter(REST, reason)

    def _resting(self, want: int, loaded: int, dt_ms: int) -> None:
        if self.engine.evidence == RUNS and not self.forbidden():
            self._started()
        elif self.ms >= self._rest_ms:
            if not want or self.forbidden() or self.starts.count() >= self.starts.limit:
                self._enter(STOPPING, NO_DEMAND)
            else:
                self._start()

    def _started(self) -> None:
        self.starts.record()
        self._ran = True
        self.run_ms = 0
        self._enter(WARM_UP, WARMING)

    def _warming(self, want: int, loaded: int, dt_ms: int) -> None:
        if self._down >= 2:
            self._stall()
        elif self.ms >= self._warm_up_ms:
            self._enter(READY, IS_READY)

    def _serving(self, want: int, loaded: int, dt_ms: int) -> None:
        """READY and ON_LOAD, which differ only in the contactor."""
        if self._down >= 2:
            self._stall()
            return
        if self.engine.in_band == 0:
            self._band_ms += dt_ms
            if self._band_ms >= _BAND_MS:
                self._give_up()
                return
        else:
            self._band_ms = 0
        band_ms = self._band_ms
        if not want and self.run_ms >= self._min_run_ms:
            self._enter(COOL_DOWN, COOLING)
            return
        state = ON_LOAD if loaded else READY
        if state != self.state:
            self._enter(state, IS_READY)
            self._band_ms = band_ms
        elif loaded and self.ms >= _PROVEN_MS:
            self.tries = 0
            self.stalled = False
            self._resumed = False
        self.reason = IS_READY if want else MIN_RUN

    def _give_up(self) -> None:
        """The engine runs but its output is no use."""
        if self.tries >= self.tries_max:
            self.lock = BAND
        self._enter(STOPPING, BAND)

    def _stall(self) -> None:
        """It stopped by itself.

        Right after a reset that is no failure of the engine: the start line had dropped.
        """
        if self._resumed:
            self._resumed = False
            self.tries = max(self.tries - 1, 0)
        else:
            self.stalled = True
        self._retry(STALLED)

    def _cooling(self, want: int, loaded: int, dt_ms: int) -> None:
        if self._down >= 2:
            self._enter(STOPPING, NO_DEMAND)
        elif want:
            self._enter(READY, IS_READY)
        elif loaded:
            self.ms = 0  # counts once the load is off
        elif self.ms >= self._cool_down_ms:
            self.tries = 0
            self.stalled = False
            self._enter(STOPPING, NO_DEMAND)

    def _stopping(self, want: int, loaded: int, dt_ms: int) -> None:
        evidence = self.engine.evidence
        late = self.ms >= self._stop_ms
        if self.tries and not self._ran and not self.lock and evidence != RUNS and self.ms < self._rest_ms:
            return  # a starter that has turned in vain rests
        if evidence == STOPPED or (evidence == UNKNOWN and late):
            self.overdue = False
            self.run_ms = 0
            if self._ran:
                self._ran = False
                self._off_ms = 0
            if self.lock:
                self._enter(LOCKED_OUT, self.lock)
            else:
                self._enter(OFF, NO_DEMAND)
        else:
            if evidence == RUNS:
                self._ran = True  # fired at the very end of a crank, say
            if late:
                self.overdue = True
                self.reason = FAIL_TO_STOP

    def _locked_out(self, want: int, loaded: int, dt_ms: int) -> None:
        self.reason = self.lock

    # ---- memory ------------------------------------------------------------------------------------

    def memory(self) -> "list[int]":
        """What must survive a reset: stage, lock-out, tries, run and off time, latches, starts."""
        flags = (1 if self.engine.fuel_low else 0) + (2 if self._ran else 0) + (4 if self.stalled else 0)
        flags += 8 if self.engine.guessed else 0
        kept = [self.state, self.lock, self.tries, self.run_ms, self._off_ms, flags]
        return kept + self.engine.account.memory() + self.starts.memory()

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`. The start line has dropped meanwhile: the engine may have stopped for that.

        A glow or a crank resumes as a rest, so that brown-outs cannot wear the starter. A line that was held
        for evidence is not raised again: the evidence is gone, and it would start the engine.
        """
        state = kept[0]
        if state == CRANK or state == GLOW:
            state = REST
        elif state == ON_LOAD:
            state = READY
        self._enter(state, _RESUME_REASON.get(state, NO_DEMAND))
        self.lock, self.tries, self.run_ms, self._off_ms = kept[1:5]
        flags = kept[5]
        self.engine.fuel_low = bool(flags & 1)
        self.engine.guessed = bool(flags & 8)
        self._ran = bool(flags & 2)
        self.stalled = bool(flags & 4)
        self._resumed = state in _RUNNING
        self.engine.account.restore(kept[6:10])
        self.starts.restore(kept[10:])


_RESUME_REASON = {
    REST: CRANKING,
    WARM_UP: WARMING,
    READY: IS_READY,
    COOL_DOWN: COOLING,
    STOPPING: IS_STOPPING,
}

# By state number.
_STEPS = (
    Genset._off,
    Genset._glowing,
    Genset._cranking,
    Genset._resting,
    Genset._warming,
    Genset._serving,
    Genset._serving,
    Genset._cooling,
    Genset._stopping,
    Genset._locked_out,
)
