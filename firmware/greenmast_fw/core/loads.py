"""Load tiers, the battery's and the solar contactor: what is to be connected.

Rules
- A stage that `shed` has disconnected is off, and so is a tier by command, for a time.
- Tiers are never connected closer together than the stagger.
- Without data from any device all stays as it is, then the site's default state applies.
- The solar contactor stays closed.
"""

from greenmast_fw.core.shed import Shedding
from greenmast_fw.core.site import BATTERY, LOAD1, LOAD2, LOAD3, PV, Site
from greenmast_protocol import reasons

CONNECTED = reasons.code("ok")
COUNTDOWN = reasons.code("shed_countdown")
RESTARTING = reasons.code("rectifier_restart")
RECOVERING = reasons.code("bus_recovering")
STAGGER = reasons.code("stagger")
MANUAL = reasons.code("manual")
DEFAULT_STATE = reasons.code("default_state")

_TIERS = (LOAD1, LOAD2, LOAD3)
_SATURATED_MS = 0x3FFFFFFF


class Loads:
    """`shedding`: the stages gone by rule. `reason[i]` for output `i`.

    `manual_ms[tier - 1]`: time left of commands.
    """

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self._site = site
        self.shedding = Shedding(params, site)
        self.since_connect_ms = _SATURATED_MS
        self.manual_ms = [0, 0, 0]
        self.reason = bytearray(len(site.exists))
        self._settled = False
        self._stagger_ms = params["lvd.stagger_s"] * 1000

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the state stays."""
        self.shedding.configure(params)
        self._stagger_ms = params["lvd.stagger_s"] * 1000
        self._settled = False

    def recover_ms(self) -> "int | None":
        """Until the next stage comes back; None while something holds it."""
        shedding = self.shedding
        if shedding.level == 0 or shedding.high_ms < 0:
            return None
        return max(shedding.hold_ms() - shedding.high_ms, self._stagger_ms - self.since_connect_ms, 0)

    def stage(self, output: int) -> int:
        """Place of `output` in the order of shedding."""
        return self.shedding.thresholds.outputs.index(output)

    def expires_ms(self, output: int) -> "int | None":
        """Until `output` goes if AC stays away; None when it has no such time."""
        after_ms = self.shedding.thresholds.after_ms[self.stage(output)]
        return max(after_ms - self.shedding.absent_ms, 0) if after_ms < _SATURATED_MS else None

    def command(self, tier: int, for_ms: int) -> None:
        """Disconnect `tier` by command, for a time; 0 ends an earlier command."""
        self.manual_ms[tier - 1] = for_ms
        self._settled = False

    def shed(self, output: int) -> bool:
        """Whether a rule has disconnected `output`."""
        return output in self.shedding.thresholds.outputs[: self.shedding.level]

    def all_off(self) -> None:
        """Protection has opened the battery: everything counts as disconnected on voltage."""
        self.shedding.all_off()
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
        current_ma: "int | None",
        soc: "int | None",
        source: bool,
        ac: bool,
        shed: int,
        restarting: bool,
        out: bytearray,
        blind: int,
    ) -> None:
        """Write the load, battery and solar outputs into `out`.

        `source`: something is there to carry the loads; `ac`: AC is. `current_ma`: the battery's. `shed`:
        how many tiers the policy gives up. `restarting`: a rectifier is being restarted.

        `blind`: 0, 1 no device answers: all stays, 2 for so long that the site's default state applies.
        """
        shedding = self.shedding
        if self._settled and not blind and shedding.idle(bus_mv, soc, ac, shed):
            return
        if self.since_connect_ms < _SATURATED_MS - dt_ms:
            self.since_connect_ms += dt_ms
        manual = self.manual_ms
        for i in range(3):
            left = manual[i]
            if left:
                manual[i] = left - dt_ms if left > dt_ms else 0
        if blind:
            self._settled = False
            if blind == 2:
                self._default(out)
            return
        calm = self.since_connect_ms >= self._stagger_ms
        whole = self._settled and not shedding.level and not shedding.low_ms
        shedding.step(dt_ms, bus_mv, battery_mv, current_ma, soc, source, ac, shed, restarting, calm)
        if not whole or shedding.level or shedding.low_ms:
            self._settled = self._write(out)

    def _write(self, out: bytearray) -> bool:
        """Returns whether all outputs are as they should be, with nothing left to wait for."""
        exists = self._site.exists
        shedding = self.shedding
        outputs = shedding.thresholds.outputs
        level = shedding.level
        settled = self.since_connect_ms >= self._stagger_ms
        if exists[PV]:
            out[PV] = 1
        counting = outputs[level] if shedding.low_ms and level < len(outputs) else -1
        if exists[BATTERY]:
            on = 0 if level == len(outputs) else 1  # it is the last stage
            out[BATTERY] = on
            self.reason[BATTERY] = self._why_on(counting == BATTERY) if on else shedding.why(level - 1)
        for tier in range(3):
            i = _TIERS[tier]
            if not exists[i]:
                continue
            on = 0
            stage = outputs.index(i)
            if stage < level:
                reason = shedding.why(stage) if shedding.high_ms < 0 else RECOVERING
                settled = False
            elif self.manual_ms[tier]:
                reason = MANUAL
                settled = False
            elif not out[i] and self.since_connect_ms < self._stagger_ms:
                reason = STAGGER
                settled = False
            else:
                on = 1
                reason = self._why_on(i == counting)
                if not out[i]:
                    self.since_connect_ms = 0
                    settled = False
            out[i] = on
            self.reason[i] = reason
        return settled

    def _why_on(self, counting: bool) -> int:
        if not counting:
            return CONNECTED
        return RESTARTING if self.shedding.held else COUNTDOWN

    def _default(self, out: bytearray) -> None:
        site = self._site
        for i in (PV, BATTERY) + _TIERS:
            out[i] = site.idle[i]
            self.reason[i] = DEFAULT_STATE

    def memory(self) -> "list[int]":
        """What must survive a reset: what the rules have shed, and commands."""
        return self.shedding.memory() + self.manual_ms

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`; the hold times start again."""
        self.shedding.restore(kept[:8])
        self.manual_ms = kept[8:11]
        self._settled = False
