"""The invariants, on every step, under random evidence, loss, resets, contactor faults and commands.

The checker reads the site's truth and what the controller was shown; it shares no code with the controller.
"""

from __future__ import annotations

from core_rig import CONTACTORS, GENSET, GRID, START, Rig
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from greenmast_protocol import points

SETTINGS = {
    "grid__return_delay_s": 20,
    "grid__loss_delay_s": 3,
    "source__min_on_s": 10,
    "genset__min_run_s": 120,
    "genset__min_off_s": 60,
    "genset__warm_up_s": 5,
    "genset__cool_down_s": 10,
    "genset__soc_delay_s": 5,
    "genset__starts_per_hour": 4,
    "genset__data_lost_delay_s": 30,
    "lvd__delay_s": 10,
    "lvd__reconnect_s": 20,
    "lvd__stagger_s": 5,
    "scan__hold_s": 30,
}
DEAD_MS = 1_000
ROLES = ("grid", "genset", "battery", "rectifier", "load")
GRID_BAND = ((195_500, 253_000), (4_750, 5_250))
GENSET_BAND = ((195_500, 253_000), (4_700, 5_300))
IN_BAND = {"grid": GRID_BAND, "genset": GENSET_BAND}
STATE_OF = points.GENSET_STATES


class Checker:
    """Judges one step after another from what went in and what came out."""

    def __init__(self, rig: Rig, strict: bool) -> None:
        self.rig = rig
        self.strict = strict  # nothing happens to sources by force, so minimum times have no excuse
        self.retrying = False
        self.last = list(rig.out)
        self.read_since_reset: set[str] = set()
        self.on_ms = [3_600_000, 3_600_000]
        self.open_seen_ms = [-1, -1]
        self.bad_ms = {"grid": -1, "fuel": -1}
        self.blind_ms = 0
        self.soc_error = 0
        self.run_ms = 0
        self.off_ms = 10_000_000
        self.starts: list[int] = []

    def reset(self) -> None:
        self.last = list(self.rig.site.idle)
        self.read_since_reset = set()
        self.open_seen_ms = [-1, -1]
        self.bad_ms = {"grid": -1, "fuel": -1}
        self.on_ms = [3_600_000, 3_600_000]
        self.soc_error = 0

    def inside(self, v: dict[str, int | None], role: str) -> bool:
        (mv_low, mv_high), (chz_low, chz_high) = IN_BAND[role]
        mv, chz = v.get(f"{role}.voltage_mv"), v.get(f"{role}.frequency_chz")
        return mv is not None and chz is not None and mv_low <= mv <= mv_high and chz_low <= chz <= chz_high

    def outside(self, v: dict[str, int | None], role: str) -> bool:
        (mv_low, mv_high), (chz_low, chz_high) = IN_BAND[role]
        mv, chz = v.get(f"{role}.voltage_mv"), v.get(f"{role}.frequency_chz")
        return (mv is not None and not mv_low <= mv <= mv_high) or (
            chz is not None and not chz_low <= chz <= chz_high
        )

    def step(self, v: dict[str, int | None], dt_ms: int) -> None:
        """`v`: what the controller was shown in the step that has just been made."""
        rig = self.rig
        out = rig.out
        for name in CONTACTORS:
            if v.get("feedback." + name) is not None or not rig.site.has_feedback[CONTACTORS.index(name)]:
                self.read_since_reset.add(name)
        blind = not any(
            v.get(n) is not None
            for n in (
                "dc.bus_mv",
                "grid.voltage_mv",
                "battery.voltage_mv",
                "rectifier.ac_present",
                "genset.voltage_mv",
            )
        )
        self.blind_ms = self.blind_ms + dt_ms if blind else 0
        for i in (GRID, GENSET):
            seen = v.get("feedback." + CONTACTORS[i])
            if seen != 0:
                self.open_seen_ms[i] = -1
            elif self.open_seen_ms[i] < 0:
                self.open_seen_ms[i] = 0
            else:
                self.open_seen_ms[i] += dt_ms
        self.i1_never_both(v)
        self.i2_never_onto_a_bad_source(v)
        self.i4_idle_until_read()
        self.i10_protective_edges_wait_for_nothing(v, dt_ms)
        if self.strict:
            self.i3_minimum_times(v, dt_ms)
        self.i8_stale_is_never_fresh(v)
        self.last = list(out)

    def i1_never_both(self, v: dict[str, int | None]) -> None:
        out = self.rig.out
        assert not (out[GRID] and out[GENSET])
        for i in (GRID, GENSET):
            if out[i] and not self.last[i]:
                assert self.open_seen_ms[1 - i] >= DEAD_MS, (i, self.open_seen_ms)
            if out[i] and v.get("feedback." + CONTACTORS[1 - i]) == 1:
                raise AssertionError(f"{CONTACTORS[i]} commanded while the other is proven closed")

    def i2_never_onto_a_bad_source(self, v: dict[str, int | None]) -> None:
        out = self.rig.out
        for i, role in ((GRID, "grid"), (GENSET, "genset")):
            if out[i] and not self.last[i] and not self.inside(v, role):
                default = (
                    i == GRID
                    and self.blind_ms > SETTINGS["scan__hold_s"] * 1_000
                    and not self.outside(v, role)
                )
                assert default, (role, v.get(role + ".voltage_mv"))

    def i4_idle_until_read(self) -> None:
        for i, name in enumerate(CONTACTORS):
            if name not in self.read_since_reset:
                other = CONTACTORS[1 - i] if i < 2 else None
                if other and self.rig.out[i] == 0:
                    continue  # opened for the interlock
                assert self.rig.out[i] == self.rig.site.idle[i], name
        if not {"grid", "genset"} <= self.read_since_reset:
            assert self.rig.out[START] == 0

    def i10_protective_edges_wait_for_nothing(self, v: dict[str, int | None], dt_ms: int) -> None:
        out = self.rig.out
        read = {"grid", "genset"} <= self.read_since_reset
        if v.get("genset.fault"):
            assert not (out[GENSET] and read)
            assert not (out[START] and read)
        if self.outside(v, "genset"):
            assert not (out[GENSET] and read)
        if v.get("grid.mains_ok") == 0:
            assert not (out[GRID] and read)
        self.count("grid", read and self.outside(v, "grid"), dt_ms)
        assert not out[GRID] or self.bad_ms["grid"] <= SETTINGS["grid__loss_delay_s"] * 1_000
        fuel = v.get("genset.fuel_permille")
        self.count("fuel", read and fuel is not None and fuel < 100, dt_ms)
        assert not out[START] or self.bad_ms["fuel"] <= 3_000

    def count(self, what: str, bad: bool, dt_ms: int) -> None:
        """How long `what` has been seen bad, from the first time it was."""
        self.bad_ms[what] = (0 if self.bad_ms[what] < 0 else self.bad_ms[what] + dt_ms) if bad else -1

    def i3_minimum_times(self, v: dict[str, int | None], dt_ms: int) -> None:
        rig = self.rig
        out = rig.out
        for i, role in ((GRID, "grid"), (GENSET, "genset")):
            self.on_ms[i] += dt_ms
            if out[i] != self.last[i]:
                if not out[i] and self.inside(v, role):
                    assert self.on_ms[i] >= 10_000, (role, self.on_ms[i])
                self.on_ms[i] = 0
        state = STATE_OF[rig.controller.genset.state]
        if state in ("warm_up", "ready", "on_load", "cool_down"):
            if self.run_ms == 0:
                assert self.off_ms >= 60_000 or self.retrying, self.off_ms
                self.starts = [t for t in self.starts if rig.time_ms - t < 3_600_000]
                self.starts.append(rig.time_ms)
                assert len(self.starts) <= 4
            self.run_ms += dt_ms
        else:
            assert not self.run_ms or self.run_ms >= 120_000
            if state != "crank":
                self.retrying = state == "rest"
            self.run_ms = 0
        self.off_ms = 0 if state == "stopping" else self.off_ms + dt_ms

    def i8_stale_is_never_fresh(self, v: dict[str, int | None]) -> None:
        decided = self.rig.controller.decision.points
        if v.get("grid.voltage_mv") is None:
            assert decided[points.index("grid.qualified")] == 0
        soc = decided[points.index("battery.soc_permille")]
        error = decided[points.index("battery.soc_error_permille")]
        if soc is not None and v.get("battery.soc_permille") is None:
            # Counted, so less certain with every scan, unless the bus is at the battery's knee.
            assert error is not None
            assert error >= self.soc_error or (v.get("dc.bus_mv") or 0) < 48_000
        self.soc_error = error or 0


class CalmSite(RuleBasedStateMachine):
    """A site without faults: grid and charge vary, operators command, and minimum times hold strictly."""

    FAULTS = False

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig(**SETTINGS)
        self.checker = Checker(self.rig, strict=not self.FAULTS)

    @initialize(soc=st.integers(0, 1_000), grid=st.booleans())
    def start(self, soc: int, grid: bool) -> None:
        self.rig.soc = soc
        self.rig.grid_mv = 230_000 if grid else 0

    def scan(self, dt_ms: int) -> None:
        rig = self.rig
        shown = rig.values()
        rig.scan(dt_ms)
        self.checker.step(shown, dt_ms)

    @rule(n=st.integers(1, 40), dt_ms=st.sampled_from((100, 500, 1_000, 1_000, 1_000, 5_000)))
    def run(self, n: int, dt_ms: int) -> None:
        for _ in range(n):
            self.scan(dt_ms)

    @rule(n=st.integers(60, 300))
    def run_long(self, n: int) -> None:
        for _ in range(n):
            self.scan(2_000)

    @rule(n=st.integers(1, 6), scans=st.integers(15, 60))
    def charge_comes_and_goes(self, n: int, scans: int) -> None:
        """The quickest cycles that a restless battery could ask of the genset."""
        self.rig.grid_mv = 0
        for _ in range(n):
            for soc in (250, 850):
                self.rig.soc = soc
                for _ in range(scans):
                    self.scan(2_000)

    @rule(mv=st.sampled_from((0, 0, 100_000, 190_000, 230_000, 230_000, 230_000, 260_000)))
    def grid_voltage(self, mv: int) -> None:
        self.rig.grid_mv = mv

    @rule(soc=st.integers(0, 1_000))
    def charge(self, soc: int) -> None:
        self.rig.soc = soc

    @rule(
        command=st.sampled_from(
            (
                ("genset.start", {"for_s": 200}),
                ("genset.stop", {}),
                ("genset.inhibit", {"for_s": 100}),
                ("genset.reset", {}),
                ("source.select", {"ac": "none", "for_s": 60}),
                ("source.select", {"ac": "grid", "for_s": 60}),
                ("source.select", {"ac": "genset", "for_s": 60}),
                ("load.shed", {"tier": 1, "for_s": 60}),
                ("load.restore", {"tier": 1}),
                ("mode.set", {"mode": "manual", "for_s": 60}),
            )
        )
    )
    def operator(self, command: tuple[str, dict[str, object]]) -> None:
        self.rig.controller.command(*command)

    @rule()
    def i7_critical_load_returns(self) -> None:
        """With everything mended and a good grid, the critical load is powered within its time."""
        rig = self.rig
        rig.welded, rig.wont_close, rig.stuck = set(), set(), {}
        rig.silent, rig.unread = set(), set()
        rig.grid_mv, rig.grid_chz, rig.mains_ok, rig.bus = 230_000, 5_000, None, None
        rig.controller.source.select_ms = 0
        rig.controller.loads.manual_ms = [0, 0, 0]
        # Given-up contactor 600 s, flapping at most 20 s x 90, then dead time, battery, hold and stagger.
        for _ in range(2_600):
            if rig.out[CONTACTORS.index("load1")] and rig.ac():
                return
            self.scan(1_000)
        raise AssertionError("critical load is still without a source")

    @invariant()
    def explains_itself(self) -> None:
        for row in self.rig.controller.explain():
            assert len(row) == 6


class FaultySite(CalmSite):
    """The same with everything that can go wrong, one contactor fault at a time."""

    FAULTS = True

    @rule(chz=st.sampled_from((4_600, 5_000, 5_000, 5_000, 5_400)))
    def grid_frequency(self, chz: int) -> None:
        self.rig.grid_chz = chz

    @rule(ok=st.sampled_from((None, None, 1, 0)))
    def mains_fail_input(self, ok: int | None) -> None:
        self.rig.mains_ok = ok

    @rule(bus=st.sampled_from((None, None, None, 40_000, 44_000, 46_000, 47_200, 50_000, 51_300)))
    def bus(self, bus: int | None) -> None:
        self.rig.bus = bus

    @rule(
        readings=st.dictionaries(
            st.sampled_from(("battery.soc_permille", "dc.bus_mv", "battery.voltage_mv")),
            st.integers(0, 1_000),
        ),
        n=st.integers(1, 40),
    )
    def readings_jump(self, readings: dict[str, int], n: int) -> None:
        self.rig.measured = readings
        for _ in range(n):
            self.scan(1_000)
        self.rig.measured = {}

    @rule(fuel=st.sampled_from((0, 90, 150, 250, 600, 600, 600)))
    def fuel(self, fuel: int) -> None:
        self.rig.fuel = fuel

    @rule(
        mv=st.sampled_from((230_000, 230_000, 180_000, 270_000)),
        chz=st.sampled_from((5_000, 5_000, 4_500, 5_500)),
    )
    def genset_output(self, mv: int, chz: int) -> None:
        self.rig.genset_mv = mv
        self.rig.genset_chz = chz

    @rule(
        start=st.sampled_from((3_000, 3_000, 8_000, None)), stop=st.sampled_from((5_000, 5_000, 30_000, None))
    )
    def genset_temper(self, start: int | None, stop: int | None) -> None:
        self.rig.start_ms = start
        self.rig.stop_ms = stop

    @rule()
    def genset_stalls(self) -> None:
        self.rig.rpm = 0
        self.rig._line_ms = 0

    @rule(fault=st.sampled_from((0, 0, 0, 3)))
    def genset_fault(self, fault: int) -> None:
        self.rig.genset_fault = fault

    @rule(silent=st.sets(st.sampled_from(ROLES)))
    def silence(self, silent: set[str]) -> None:
        self.rig.silent = silent

    @rule()
    def all_speak(self) -> None:
        self.rig.silent = set()
        self.rig.unread = set()

    @rule(unread=st.sets(st.sampled_from(CONTACTORS), max_size=2))
    def feedback_lost(self, unread: set[str]) -> None:
        self.rig.unread = unread

    @rule(
        name=st.sampled_from(("grid", "genset", "load1")),
        kind=st.sampled_from(("welded", "wont_close", "stuck 0", "stuck 1")),
    )
    def contactor_fault(self, name: str, kind: str) -> None:
        rig = self.rig
        if rig.welded or rig.stuck or rig.wont_close:
            return  # one contactor fault at a time: two can defeat any interlock
        if kind == "welded":
            rig.welded = {name}
        elif kind == "wont_close":
            rig.wont_close = {name}
        else:
            rig.stuck = {name: int(kind[-1])}

    @rule()
    def contactors_mended(self) -> None:
        self.rig.welded, self.rig.wont_close, self.rig.stuck = set(), set(), {}

    @rule()
    def board_resets(self) -> None:
        self.rig.reset()
        self.checker.reset()


SETTING = settings(
    max_examples=60,
    stateful_step_count=50,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
CalmSite.TestCase.settings = SETTING
FaultySite.TestCase.settings = SETTING
TestCalmSite = CalmSite.TestCase
TestFaultySite = FaultySite.TestCase
