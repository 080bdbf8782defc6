"""The invariants, judged after every step from what the controller was shown and what came out.

Shares no code with the controller and knows none of its timers: it has its own, which start anew with a reset
exactly as far as the rules say. A limit that a change of parameters moves counts at its laxest for two hours.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from greenmast_fw.core.controller import Controller
from greenmast_protocol import alarms, points, reasons, show

if TYPE_CHECKING:
    from site_rig import SiteRig

OUT = {name: i for i, name in enumerate(points.OUTPUTS)}
GRID, GENSET, START, COOLING = OUT["grid"], OUT["genset"], OUT["genset_start"], OUT["cooling"]
TIERS = (OUT["load1"], OUT["load2"], OUT["load3"])
AT = {name: i for i, name in enumerate(points.NAMES)}
SOURCES = ("grid", "genset")
MV = (AT["grid.voltage_mv"], AT["genset.voltage_mv"])
CHZ = (AT["grid.frequency_chz"], AT["genset.frequency_chz"])
FEEDBACK = tuple(AT["feedback." + name] for name in points.FEEDBACKS)
EYES = tuple(
    AT[name]
    for name in (
        *("dc.bus_mv", "grid.voltage_mv", "battery.voltage_mv", "battery.soc_permille", "genset.rpm"),
        *("rectifier.ac_present", "rectifier.output_mv", "genset.voltage_mv"),
    )
)
MAINS_OK, FAULT, FUEL = AT["grid.mains_ok"], AT["genset.fault"], AT["genset.fuel_permille"]
SOC, SOC_ERROR, BUS = AT["battery.soc_permille"], AT["battery.soc_error_permille"], AT["dc.bus_mv"]
BATTERY_MV, COLD, BMS_MA = (
    AT["battery.voltage_mv"],
    AT["battery.temperature_dc"],
    AT["battery.charge_limit_ma"],
)
CHARGE, STATE, QUALIFIED = AT["reason.charge"], AT["genset.state"], AT["grid.qualified"]
SOH = AT["battery.soh_permille"]
LOAD_W, MODE = AT["load.power_w"], AT["controller.mode"]
ENERGY = tuple(AT[name] for name in ("load.energy_wh", "load.tier1_wh", "load.tier2_wh", "load.tier3_wh"))
TIER_REASON = tuple(AT[f"reason.load{tier}"] for tier in (1, 2, 3))
MANUAL, INHIBITED = reasons.code("manual"), reasons.code("inhibited")
SHED = tuple(reasons.code(name) for name in ("bus_low", "soc_shed", "time_shed", "disaster_shed"))
# What may be said of charging while it is blocked: the block, and what protects more.
BLOCKED = tuple(
    reasons.code(name)
    for name in ("charge_cold", "charge_hot", "charge_refused", "safe_voltage", "rectifier_restart", "boot")
)
RUNNING = tuple(points.GENSET_STATES.index(name) for name in ("warm_up", "ready", "on_load", "cool_down"))
OFF, GLOW, CRANK, REST = (points.GENSET_STATES.index(name) for name in ("off", "glow", "crank", "rest"))
STOPPING, LOCKED_OUT = (points.GENSET_STATES.index(name) for name in ("stopping", "locked_out"))
LONG_MS = 10_000_000
LAX_MS = 7_200_000
FUEL_FILTER_MS = 3_000


class Checker:
    """`calm`: nothing happens by force to sources and readings, so minimum times have no excuse."""

    def __init__(self, rig: SiteRig, calm: bool) -> None:
        self.rig = rig
        self.calm = calm
        self.params: list[tuple[int, dict[str, int]]] = []  # in force until then
        self.configured()
        self.phases = self._phases()
        self.until: dict[str, int] = {}  # a time-limited command acts until then
        self.starts: list[int] = []
        self.wh: list[int | None] = [None] * len(ENERGY)
        self.cooling_off_ms = 0
        self.off_ms = LONG_MS
        self._forget()
        self.last = list(rig.out)

    def _phases(self) -> list[tuple[int, int]]:
        """Places of voltage and frequency of every phase of the grid, where there are several."""
        several = self.rig.site.instances
        return [
            (at + k * size + MV[GRID] - first, at + k * size + CHZ[GRID] - first)
            for role, first, size, devices, at in (several.blocks if several else ())
            if role == "grid"
            for k in range(devices)
        ]

    def _forget(self) -> None:
        """A reset: nothing has been read, and no time has passed since anything."""
        self.last = list(self.rig.site.idle)
        self.read: set[int] = set()
        self.adopted = False
        self.open_ms = [-1, -1]
        self.bad_ms = {"grid": -1, "fuel": -1, "unfit": -1}
        self.good_ms = -1
        self.lost = not self.rig.site.idle[GRID]
        self.on_ms = [LONG_MS, LONG_MS]
        self.soc_error = 0
        self.soh: int | None = None
        self.soh_ms = 0  # that is the share of the capacity by which errors are told
        self.blind_ms = 0
        self.since_tier_ms = LONG_MS
        self.shed_ms: dict[int, int] = {}  # tier that a rule has opened: since when
        self.state = -1
        self.run_ms = 0
        self.ran = self.retrying = False
        self.since_crank_ms = LONG_MS
        self.excused = True  # the run under way began before
        self.refused_bms = False

    def reset(self, until: dict[str, int], whole: bool) -> None:
        """The board has been reset. `until`: when commands that it remembers end.

        `whole`: its memory is the newest, else old or none.
        """
        if self.last[COOLING]:
            self.cooling_off_ms = 0  # the reset has stopped it
        self._forget()
        self.until = until
        if not whole:
            self.cooling_off_ms = LONG_MS
            self.wh = [None] * len(ENERGY)
            self.starts = []
            self.off_ms = LONG_MS

    def configured(self) -> None:
        """The rig's parameters have changed."""
        now = self.rig.time_ms
        self.params = [(until, old) for until, old in self.params if until > now]
        if self.params:
            self.params[-1] = (now + LAX_MS, self.params[-1][1])
        self.params.append((1 << 62, dict(self.rig.params)))
        self._lax()

    def _lax(self) -> None:
        rows = [row for _, row in self.params]
        self.low = {name: min(row[name] for row in rows) for name in rows[0]}
        self.high = {name: max(row[name] for row in rows) for name in rows[0]}
        self.lax_until = min(until for until, _ in self.params)

    # ---- commands ----------------------------------------------------------------------------------

    def command(self, name: str, args: dict[str, object]) -> None:
        """Gives the command, and judges what it does at once: nothing but a wish."""
        controller = self.rig.controller
        before, decided = controller.memory(), self._decided()
        code, applied = controller.command(name, args)
        assert self._decided() == decided, f"I5: {name} has changed the decision"
        after = controller.memory()
        if code:
            assert applied == {}, f"I5: {name} was refused, yet applied {applied}"
            assert after == before, f"I5: {name} was refused, yet changed {_differs(before, after)}"
        else:
            self._note(name, args)
        controller.command(name, args)
        again = controller.memory()
        assert again == after, f"I5: {name} given twice has changed {_differs(after, again)}"

    def _decided(self) -> tuple[object, ...]:
        d = self.rig.controller.decision
        return bytes(d.outputs), tuple(d.points), d.setpoints.copy(), d.alarms

    def _note(self, name: str, args: dict[str, object]) -> None:
        until = self.rig.time_ms + int(str(args.get("for_s", 0))) * 1_000
        if name == "load.restore":
            until = self.rig.time_ms
        if name == "genset.reset":
            self.since_crank_ms = LONG_MS  # somebody has looked at the starter
        elif name in ("load.shed", "load.restore"):
            name = f"load{args['tier']}"
        elif name == "genset.stop":
            self.until["genset.start"] = 0
        elif name == "source.select" and args["ac"] == "genset":
            self.until["genset.start"] = until
        elif name == "mode.set" and args["mode"] == "auto":
            until = self.rig.time_ms
        self.until[name] = until

    def _expired(self, name: str) -> bool:
        return self.rig.time_ms >= self.until.get(name, 0)

    # ---- every step --------------------------------------------------------------------------------

    def step(self, dt_ms: int) -> None:
        """Judge the step of `dt_ms` that the rig has just made."""
        rig = self.rig
        if rig.time_ms >= self.lax_until:
            self.params = [row for row in self.params if row[0] > rig.time_ms]
            self._lax()
        decision = rig.controller.decision
        a = decision.accepted
        self._see(a, dt_ms)
        self.i8_readings(rig.shown.v, a, decision.codes)
        self.shape()
        self.i1_never_both(a)
        self.i2_never_onto_a_bad_source(a)
        self.i3_grid_return(a, dt_ms)
        self.i3_on_times(a, dt_ms)
        self.i3_tiers(dt_ms)
        self.i3_cooling(dt_ms)
        self.i3_genset(a, dt_ms)
        self.i4_idle_until_read()
        self.i5_commands_expire()
        self.i8_values(a, dt_ms)
        self.i10_sources(a, dt_ms)
        self.i10_fuel(a, dt_ms)
        self.i10_charging(a)
        self.energy()
        self.last = list(rig.out)

    def _see(self, a: tuple[int | None, ...], dt_ms: int) -> None:
        site = self.rig.site
        seen = [a[i] for i in FEEDBACK]
        for i in range(len(FEEDBACK)):
            if seen[i] is not None or not site.has_feedback[i]:
                self.read.add(i)
        if all(seen[i] is not None or not site.has_feedback[i] for i in (GRID, GENSET)):
            self.adopted = True
        for i in (GRID, GENSET):
            if not site.exists[i]:
                self.open_ms[i] = LONG_MS
                continue
            is_open = seen[i] == 0 if site.has_feedback[i] else self.last[i] == 0
            if not is_open:
                self.open_ms[i] = -1
            elif self.open_ms[i] < 0:
                self.open_ms[i] = 0 if site.has_feedback[i] or self.on_ms[i] < LONG_MS else LONG_MS
            else:
                self.open_ms[i] += dt_ms
        self.blind_ms = 0 if any(self._known(i) for i in EYES) else self.blind_ms + dt_ms

    def _known(self, i: int) -> bool:
        """Whether any device was heard about the point `i`."""
        v = self.rig.shown.v
        several = self.rig.site.instances
        if v[i] is not None or not several:
            return v[i] is not None
        return any(
            v[at + k * size + i - first] is not None
            for _, first, size, devices, at in several.blocks
            if first <= i < first + size
            for k in range(devices)
        )

    def _default(self) -> bool:
        """Whether the site's default state may apply."""
        return self.blind_ms > self.low["scan.hold_s"] * 1_000

    def inside(self, i: int, a: tuple[int | None, ...]) -> bool:
        """AC source `i` is measured within its band, on every phase."""
        v = self.rig.shown.v
        pairs = [(a[MV[i]], a[CHZ[i]])]
        if i == GRID:
            pairs += [(v[mv], v[chz]) for mv, chz in self.phases]
        return all(mv is not None and chz is not None and not self._out(i, mv, chz) for mv, chz in pairs)

    def outside(self, i: int, a: tuple[int | None, ...]) -> bool:
        return self._out(i, a[MV[i]], a[CHZ[i]])

    def _out(self, i: int, mv: int | None, chz: int | None) -> bool:
        p = self.rig.params
        role = SOURCES[i]
        return (mv is not None and not p[role + ".voltage_min_mv"] <= mv <= p[role + ".voltage_max_mv"]) or (
            chz is not None and not p[role + ".frequency_min_chz"] <= chz <= p[role + ".frequency_max_chz"]
        )

    def shape(self) -> None:
        """What goes out is well formed, and nothing goes to what is not there."""
        decision = self.rig.controller.decision
        for i, value in enumerate(decision.outputs):
            assert value == 0 or (value == 1 and self.rig.site.exists[i]), points.OUTPUTS[i]
        mv = decision.setpoints.get("rectifier.setpoint_mv", 50_000)
        assert 20_000 <= mv <= 57_000, f"setpoint {mv} mV"
        ma = decision.setpoints.get("rectifier.limit_ma", 0)
        assert 0 <= ma <= 1_000_000, f"current limit {ma} mA"
        assert list(decision.alarms) == sorted(set(decision.alarms)), "alarms out of order"

    # ---- I1, I2, I4 --------------------------------------------------------------------------------

    def i1_never_both(self, a: tuple[int | None, ...]) -> None:
        out = self.rig.out
        assert not (out[GRID] and out[GENSET]), "I1: both"
        for i in (GRID, GENSET):
            if out[i] and not self.last[i]:
                assert self.open_ms[1 - i] >= self.low["source.dead_time_ms"], f"I1: dead {self.open_ms}"
            assert not (out[i] and a[FEEDBACK[1 - i]] == 1), f"I1: the other of {SOURCES[i]} is closed"

    def i2_never_onto_a_bad_source(self, a: tuple[int | None, ...]) -> None:
        out = self.rig.out
        for i in (GRID, GENSET):
            if out[i] and not self.last[i] and not self.inside(i, a):
                default = i == GRID and self._default() and not self.outside(i, a)
                assert default, f"I2: {SOURCES[i]} at {a[MV[i]]} mV"

    def i4_idle_until_read(self) -> None:
        out, idle = self.rig.out, self.rig.site.idle
        for i, name in enumerate(points.FEEDBACKS):
            if i in self.read or (i in (GRID, GENSET) and not out[i]):  # opened for the interlock
                continue
            assert out[i] == idle[i], f"I4: {name} before it was read"
        assert self.adopted or not out[START], "I4: started before the contactors were read"

    # ---- I3 ----------------------------------------------------------------------------------------

    def i3_grid_return(self, a: tuple[int | None, ...], dt_ms: int) -> None:
        """A grid that was lost is connected only after having been good for its return delay."""
        out = self.rig.out
        if self.inside(GRID, a) and a[MAINS_OK] != 0:
            self.good_ms = 0 if self.good_ms < 0 else self.good_ms + dt_ms
        else:
            self.good_ms = -1
        # One that nobody measures is held while it is connected, and while nothing is heard at all.
        connected = self.last[GRID] or a[FEEDBACK[GRID]] == 1
        held = not self.outside(GRID, a) and (connected or self.blind_ms)
        self._count("unfit", self.good_ms < 0 and not held, dt_ms)
        late = self.bad_ms["unfit"] >= self.high["grid.loss_delay_s"] * 1_000
        self.lost = self.lost or late or a[MAINS_OK] == 0
        if out[GRID]:
            if self.lost and not self.last[GRID] and not self._default():
                least = min(self.low["grid.return_delay_s"], self.low["outage.return_s"]) * 1_000
                assert self.good_ms >= least, f"I3: grid good for {self.good_ms} ms only"
            self.lost = False

    def i3_on_times(self, a: tuple[int | None, ...], dt_ms: int) -> None:
        out = self.rig.out
        for i in (GRID, GENSET):
            self.on_ms[i] = min(self.on_ms[i] + dt_ms, LONG_MS)
            if out[i] != self.last[i]:
                if self.calm and not out[i] and self.inside(i, a):
                    least = self.low["source.min_on_s"] * 1_000
                    assert self.on_ms[i] >= least, f"I3: {SOURCES[i]} on for {self.on_ms[i]} ms"
                self.on_ms[i] = 0

    def i3_tiers(self, dt_ms: int) -> None:
        """Tiers come back one at a time, and not before the hold time when a rule has taken them."""
        out = self.rig.out
        said = self.rig.controller.decision.points
        self.since_tier_ms = min(self.since_tier_ms + dt_ms, LONG_MS)
        for i in self.shed_ms:
            self.shed_ms[i] += dt_ms
        for n, i in enumerate(TIERS):
            if out[i] == self.last[i]:
                continue
            if not out[i]:
                if i in self.read and said[TIER_REASON[n]] in SHED:
                    self.shed_ms[i] = 0
            elif self._default():
                self.shed_ms.pop(i, None)
            else:
                held_ms = self.shed_ms.pop(i, LONG_MS)
                assert held_ms >= self.low["lvd.reconnect_s"] * 1_000, f"I3: tier {n + 1} after {held_ms} ms"
                least = self.low["lvd.stagger_s"] * 1_000
                assert self.since_tier_ms >= least, f"I3: tier {n + 1} {self.since_tier_ms} ms after another"
                self.since_tier_ms = 0

    def i3_cooling(self, dt_ms: int) -> None:
        if not self.last[COOLING]:
            self.cooling_off_ms = min(self.cooling_off_ms + dt_ms, LONG_MS)
            if self.rig.out[COOLING]:
                least = self.low["cooling.min_off_s"] * 1_000
                assert self.cooling_off_ms >= least, f"I3: compressor after {self.cooling_off_ms} ms"
        elif not self.rig.out[COOLING]:
            self.cooling_off_ms = 0

    def i3_genset(self, a: tuple[int | None, ...], dt_ms: int) -> None:
        state = self.rig.controller.decision.points[STATE]
        if state is None:
            return
        last = self.state
        self.state = state
        self.since_crank_ms = min(self.since_crank_ms + dt_ms, LONG_MS)
        self.off_ms = min(self.off_ms + dt_ms, LONG_MS)
        if state == CRANK and last != CRANK:
            least = self.low["genset.crank_rest_s"] * 1_000
            assert self.since_crank_ms >= least, f"I3: cranked again after {self.since_crank_ms} ms"
            if last in (OFF, GLOW) and not self.retrying:
                least = self.low["genset.min_off_s"] * 1_000
                assert self.off_ms >= least, f"I3: genset was off for {self.off_ms} ms"
        if state == CRANK:
            self.since_crank_ms = 0
        elif state != GLOW:
            self.retrying = state == REST
        self.excused = self.excused or not self._healthy(a)
        if state in RUNNING:
            self._running(last)
            self.run_ms += dt_ms
        else:
            if last in RUNNING and not self.excused:
                least = self.low["genset.min_run_s"] * 1_000
                assert self.run_ms >= least, f"I3: genset ran for {self.run_ms} ms"
            self.run_ms = 0
            self.excused = self.excused and last in RUNNING
        if state == STOPPING and self.ran:
            self.off_ms = 0
        if state in (OFF, LOCKED_OUT):
            self.ran = False

    def _healthy(self, a: tuple[int | None, ...]) -> bool:
        """Nothing but a demand decides whether the genset runs on."""
        fuel = a[FUEL]
        fuelled = fuel is not None and fuel >= self.high["genset.fuel_stop_permille"]
        turns = self.rig.rpm > 0 and not a[FAULT] and not self._default()
        return fuelled and turns and self.inside(GENSET, a)

    def _running(self, last: int) -> None:
        """Starts that the controller asked for are counted."""
        self.ran = True
        if last in (CRANK, GLOW, REST):
            now = self.rig.time_ms
            self.starts = [t for t in self.starts if now - t < 3_600_000]
            self.starts.append(now)
            if self.calm:
                assert len(self.starts) <= self.high["genset.starts_per_hour"], "I3: starts in an hour"

    # ---- I5 ----------------------------------------------------------------------------------------

    def i5_commands_expire(self) -> None:
        said = self.rig.controller.decision.points
        if self.blind_ms:
            return  # all stays as it was
        for n in range(3):
            if self.rig.site.exists[TIERS[n]] and said[TIER_REASON[n]] == MANUAL:
                assert not self._expired(f"load{n + 1}"), f"I5: tier {n + 1} is still off by command"
        if said[AT["reason.genset"]] == MANUAL:
            assert not self._expired("genset.start"), "I5: genset still runs by command"
        if said[AT["reason.genset"]] == INHIBITED:
            assert not self._expired("genset.inhibit"), "I5: genset is still inhibited"
        if said[AT["reason.ac"]] == MANUAL and not (self.rig.out[GRID] or self.rig.out[GENSET]):
            assert not self._expired("source.select"), "I5: no source by command still"
        if said[MODE]:
            assert not self._expired("mode.set"), "I5: mode is still set"

    # ---- I8 ----------------------------------------------------------------------------------------

    def i8_readings(self, v: tuple[int | None, ...], a: tuple[int | None, ...], codes: bytearray) -> None:
        """What is accepted is what was shown, less what is distrusted."""
        if a is v and not any(codes):
            return
        several = self.rig.site.instances is not None
        for i in range(points.COUNT):
            if codes[i]:
                assert a[i] is None, f"I8: {points.NAMES[i]} is distrusted, yet used"
            elif a[i] is None:
                assert v[i] is None, f"I8: {points.NAMES[i]} is ignored without a reason"
            elif v[i] is None:
                assert several, f"I8: {points.NAMES[i]} accepted from nowhere"
                assert self._known(i), f"I8: {points.NAMES[i]} accepted, but no device was heard"
            else:
                assert a[i] == v[i], f"I8: {points.NAMES[i]} altered"
        for mv, chz in self.phases:
            if v[mv] is None or v[chz] is None:
                assert not self.inside(GRID, a)
                assert v[mv] is not None or a[MV[GRID]] is None, "I8: a phase is not measured"

    def i8_values(self, a: tuple[int | None, ...], dt_ms: int) -> None:
        said = self.rig.controller.decision.points
        if a[MV[GRID]] is None or a[CHZ[GRID]] is None:
            assert not said[QUALIFIED], "I8: grid qualified unmeasured"
        soc, error = said[SOC], said[SOC_ERROR]
        self.soh_ms = self.soh_ms + dt_ms if said[SOH] == self.soh else 0
        self.soh = said[SOH]
        assert soc is None or error is not None, "I8: charge without its error"
        if soc is not None and a[SOC] is None:
            # Counted, so less certain with every scan, unless at an anchor: full, or the battery's knee.
            at = self._bus(a)
            anchor = at < 48_000 or at >= self.low["battery.safe_mv"] - 500
            assert error is not None
            excused = anchor or self.soh_ms < 20_000
            assert error >= self.soc_error or excused, f"I8: error falls from {self.soc_error} to {error}"
        self.soc_error = error or 0
        tiers = [a[LOAD_W + n] for n in (1, 2, 3)]
        if a[LOAD_W] is None and tiers == [None, None, None] and self._may_flow(a):
            assert said[LOAD_W] is None, "I8: load's power from nowhere"

    def _bus(self, a: tuple[int | None, ...]) -> int:
        return a[BUS] or a[BATTERY_MV] or a[AT["rectifier.output_mv"]] or 0

    def _may_flow(self, a: tuple[int | None, ...]) -> bool:
        """Whether the contacts of the critical tier may be closed, as far as is known."""
        site, i = self.rig.site, TIERS[0]
        return not site.exists[i] or (a[FEEDBACK[i]] if site.has_feedback[i] else self.last[i]) != 0

    # ---- I10 ---------------------------------------------------------------------------------------

    def i10_sources(self, a: tuple[int | None, ...], dt_ms: int) -> None:
        out = self.rig.out
        if not self.adopted:
            return
        if a[FAULT]:
            assert not out[GENSET], "I10: on a faulty genset"
            assert not out[START] or self.high["genset.hold_line"], "I10: a faulty engine runs on"
        assert not (self.outside(GENSET, a) and out[GENSET]), "I10: genset out of band"
        assert not (a[MAINS_OK] == 0 and out[GRID]), "I10: mains failed"
        self._count("grid", self.outside(GRID, a), dt_ms)
        late = self.bad_ms["grid"] > self.high["grid.loss_delay_s"] * 1_000
        assert not (out[GRID] and late), f"I10: grid bad for {self.bad_ms['grid']} ms"

    def i10_fuel(self, a: tuple[int | None, ...], dt_ms: int) -> None:
        fuel = a[FUEL]
        # Exactly nothing, all at once, is a broken sensor; every other low level counts.
        low = fuel is not None and 0 < fuel < self.low["genset.fuel_stop_permille"]
        self._count("fuel", self.adopted and low, dt_ms)
        if self.bad_ms["fuel"] > FUEL_FILTER_MS and not self.high["genset.hold_line"]:
            assert not self.rig.out[START], "I10: runs without fuel"

    def _count(self, what: str, bad: bool, dt_ms: int) -> None:
        """How long `what` has been seen bad, from the first time it was."""
        self.bad_ms[what] = (0 if self.bad_ms[what] < 0 else self.bad_ms[what] + dt_ms) if bad else -1

    def i10_charging(self, a: tuple[int | None, ...]) -> None:
        """A battery that must not be charged is not, from this very step on."""
        rig = self.rig
        cold, hot, ma = a[COLD], a[COLD], a[BMS_MA]
        if "rectifier" not in rig.site.roles:
            return
        blocked = (
            (rig.chemistry == "lfp" and cold is not None and cold < rig.params["battery.cold_dc"])
            or (hot is not None and hot > rig.params["battery.hot_dc"])
            or ma == 0
        )
        if blocked:
            code = rig.controller.decision.points[CHARGE]
            assert code in BLOCKED, f"I10: charges a battery that must not: {reasons.NAMES[code or 0]}"

    # ---- the rest ----------------------------------------------------------------------------------

    def energy(self) -> None:
        """Counters never run backwards."""
        said = self.rig.controller.decision.points
        for n, i in enumerate(ENERGY):
            was, now = self.wh[n], said[i]
            assert was is None or (now is not None and now >= was), f"{points.NAMES[i]} from {was} to {now}"
            self.wh[n] = now

    def explains(self) -> None:
        """Rows are well formed, one for each subject, and make sentences."""
        rows = self.rig.controller.explain()
        subjects = [row[0] for row in rows]
        assert len(set(subjects)) == len(subjects), f"explained twice: {sorted(subjects)}"
        for row in rows:
            subject, state, code, values, blocked, upcoming = row
            assert subject
            assert isinstance(state, str)
            for told in ((code, *values), *blocked):
                assert all(type(x) is int for x in told), row
                assert 0 <= told[0] < len(reasons.NAMES), row
            assert upcoming == () or (isinstance(upcoming[0], str) and upcoming[1] >= 0), row
            assert show.explanation(row)

    def remembers(self) -> dict[str, object]:
        """The memory as it comes back from storage; it must fit a new controller, and say the same there."""
        rig = self.rig
        memory = rig.controller.memory()
        stored: dict[str, object] = json.loads(json.dumps(memory))
        assert stored == memory
        assert Controller(rig.params, rig.site).restore(stored), "memory is refused"
        for alarm in rig.controller.decision.alarms:
            assert 0 <= alarm < len(alarms.ALARMS)
        return stored


def _differs(before: dict[str, object], after: dict[str, object]) -> dict[str, object]:
    return {name: (before[name], after[name]) for name in after if before[name] != after[name]}
