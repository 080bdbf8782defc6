"""A play: a site, its checker, and all that can happen there, as a table of actions with their choices.

The same table serves hypothesis (`test_invariants`) and the random campaign (`walk`). An action is data, its
name and its arguments, so a play can be told, cut short and repeated.
"""

from __future__ import annotations

from typing import NamedTuple

from checker import Checker
from site_rig import SITES, SiteRig

from greenmast_protocol import alarms, commands, config, points

Arguments = dict[str, object]


class Span(NamedTuple):
    """Any integer from `low` to `high`."""

    low: int
    high: int


class Some(NamedTuple):
    """Any of `options`, as many as `most` of them."""

    options: tuple[object, ...]
    most: int


class Hours(NamedTuple):
    """A list of up to 30 integers from `low` to `high`, or none at all."""

    low: int
    high: int


Choice = tuple[object, ...] | Span | Some | Hours


class Action(NamedTuple):
    """`weight`: how often in a random walk. `calm`: it may happen at a site without faults."""

    name: str
    weight: int
    calm: bool
    choices: dict[str, Choice]


_FOR_S = (1, 20, 60, 200, 600, 3_600, 604_800)
_FEW = (None, None, None)
# What devices tell beside the rig's own truths.
EVIDENCE: dict[str, tuple[object, ...]] = {
    "battery.temperature_dc": (-100, -5, 15, 250, 250, 480, 520, None),
    "battery.charge_limit_ma": (0, 50_000, 200_000, None, None),
    "battery.cell_max_mv": (3_300, 3_540, 3_600, None),
    "battery.cell_min_mv": (2_800, 3_200, None),
    "battery.current_ma": (-60_000, -5_000, 0, 10_000, 100_000, None),
    "battery.soh_permille": (500, 900, 1_000, None),
    "rectifier.output_ma": (0, 20_000, 150_000, None),
    "solar.power_w": (0, 1_000, 6_000, None),
    "load.power_w": (0, 500, 2_000, 12_000, None),
    "load.tier1_w": (0, 800, None, None),
    "load.tier2_w": (0, 900, None, None),
    "load.energy_wh": (0, 5_000, 5_100, 1_000_000, None, None),
    "load.tier1_wh": (0, 5_000, 5_100, None, None),
    "site.temperature_dc": (100, 270, 310, 400, 480, None),
    "genset.power_w": (0, 2_000, 10_000, None),
    "grid.power_w": (0, 2_000, 10_000, None),
    "site.smoke": (0, 1, None),
    "site.door_open": (0, 1, None),
}
# Of these each may be set to any of its values, as far as the set as a whole is valid.
PARAMETERS: dict[str, tuple[int, ...]] = {
    "grid.return_delay_s": (5, 20, 60),
    "grid.loss_delay_s": (0, 3, 30),
    "grid.flap_count": (2, 5),
    "grid.voltage_min_mv": (180_000, 195_500),
    "source.dead_time_ms": (100, 1_000, 5_000),
    "source.feedback_ms": (100, 500, 2_000),
    "source.close_tries": (1, 3),
    "source.min_on_s": (0, 10, 60),
    "genset.soc_start_permille": (0, 300, 500),
    "genset.bus_start_mv": (47_500, 48_000),
    "genset.data_lost": (0, 1, 2),
    "genset.load_start_w": (0, 5_000),
    "genset.hot_start_dc": (0, 450),
    "genset.to_lvd_start_s": (0, 3_600),
    "genset.to_lvd_stop_s": (0, 7_200),
    "genset.grid_absent_s": (0, 60),
    "genset.window_start_min": (0, 700),
    "genset.window_end_min": (0, 760),
    "genset.quiet_start_min": (0, 710),
    "genset.quiet_end_min": (0, 730),
    "genset.exercise_days": (0, 1, 28),
    "genset.glow_s": (0, 10),
    "genset.hold_line": (0, 0, 1),
    "genset.min_run_s": (0, 120),
    "genset.min_off_s": (0, 60),
    "genset.crank_tries": (1, 3),
    "genset.starts_per_hour": (1, 4),
    "genset.fuel_stop_permille": (50, 100),
    "genset.fuel_resume_permille": (150, 200),
    "genset.tank_l": (0, 200),
    "battery.reserve_permille": (0, 400, 900),
    "battery.cold_dc": (0, 100),
    "battery.charge_limit_ma": (0, 30_000),
    "battery.equalise_days": (0, 1),
    "battery.soc_error_max_permille": (20, 150),
    "battery.lost_s": (10, 60),
    "rectifier.limit_ma": (0, 100_000),
    "lvd.delay_s": (0, 10),
    "lvd.before_genset": (0, 1),
    "lvd.compensation_uohm": (0, 5_000),
    "lvd.tier3_permille": (0, 150),
    "lvd.reconnect_permille": (0, 250),
    "lvd.tier3_after_s": (0, 120),
    "lvd.tier1_after_s": (0, 600),
    "lvd.reconnect_s": (0, 20),
    "lvd.stagger_s": (0, 5, 30),
    "cooling.min_off_s": (0, 30),
    "policy.name": (0, 1, 2, 3),
    "alarms.flood_count": (3, 10),
    "scan.hold_s": (0, 30),
}
_READINGS = (
    "battery.soc_permille",
    "dc.bus_mv",
    "battery.voltage_mv",
    "grid.voltage_mv",
    "genset.fuel_permille",
    "genset.voltage_mv",
    "rectifier.ac_present",
    "feedback.grid",
)


def _commands() -> tuple[Action, ...]:
    """Every command with arguments that are well formed, if seldom wise."""
    found = []
    for name, arguments in commands.COMMANDS:
        choices: dict[str, Choice] = {}
        for row in arguments:
            if row[0] == "for_s":
                choices["for_s"] = _FOR_S
            elif isinstance(row[1], tuple):
                choices[row[0]] = row[1]
            elif len(row) > 4:
                choices[row[0]] = Hours(row[1], row[2])
            elif row[0] == "id":
                choices["id"] = (*range(len(alarms.ALARMS) + 1), row[2])
            elif row[0] in ("in_s", "start_in_s", "expires_s"):
                choices[row[0]] = tuple(x for x in (0, 20, 60, 300, 4_000, 90_000) if x >= row[1])
            else:
                choices[row[0]] = Span(row[1], row[2])
        found.append(Action(name, 2, True, choices))
    return tuple(found)


ACTIONS = (
    Action("run", 12, True, {"scans": Span(1, 40), "dt_ms": (100, 500, 1_000, 1_000, 1_000, 5_000)}),
    Action("run_long", 3, True, {"scans": Span(30, 200), "dt_ms": (2_000, 10_000, 60_000)}),
    Action("charge_comes_and_goes", 1, True, {"times": Span(1, 4), "scans": Span(15, 60)}),
    Action("plan_lets_the_battery_carry", 1, True, {"soc": (190, 300, 700)}),
    Action("grid_mv", 8, True, {"mv": (0, 0, 100_000, 190_000, 230_000, 230_000, 230_000, 260_000)}),
    Action("soc", 4, True, {"permille": Span(0, 1_000)}),
    Action("drift", 2, True, {"permille_ks": (-100, -10, 0, 0, 20)}),
    Action("clock", 2, True, {"minute": (None, 0, 120, 700, 720, 1_385, 10_080, 13_000_000)}),
    Action("all_is_mended", 1, True, {"soc": (60, 400, 700)}),
    Action("grid_chz", 2, False, {"chz": (4_600, 5_000, 5_000, 5_000, 5_400)}),
    Action("mains_ok", 3, False, {"ok": (None, None, 1, 0)}),
    Action("bus", 5, False, {"mv": (None, *_FEW, 0, 40_000, 43_000, 44_000, 46_000, 47_200, 50_000, 51_300)}),
    Action("fuel", 3, False, {"permille": (0, 50, 90, 150, 250, 600, 600, 600, None)}),
    Action("genset_mv", 2, False, {"mv": (230_000, 230_000, 180_000, 270_000, 320_000)}),
    Action("genset_chz", 2, False, {"chz": (5_000, 5_000, 4_500, 5_500)}),
    Action("starter", 2, False, {"start_ms": (3_000, 3_000, 8_000, 15_000, None)}),
    Action("stopper", 2, False, {"stop_ms": (5_000, 5_000, 30_000, 90_000, None)}),
    Action("by_hand", 1, False, {"on": (False, False, True)}),
    Action("stall", 2, False, {}),
    Action("genset_fault", 2, False, {"fault": (0, 0, 0, 3)}),
    Action("silence", 4, False, {"roles": Some(("grid", "genset", "battery", "rectifier", "load"), 5)}),
    Action("string_lost", 1, False, {"devices": Some((("battery", 0), ("battery", 2), ("rectifier", 1)), 2)}),
    Action("phase", 1, False, {"mv": (None, None, 0, 190_000, 226_000)}),
    Action("nan", 3, False, {"names": Some((*_READINGS, "load.power_w", "genset.rpm"), 4)}),
    Action("spike", 4, False, {"name": _READINGS[:6], "value": Span(0, 1_000), "scans": Span(1, 30)}),
    Action("freeze", 2, False, {"names": Some(_READINGS, 3)}),
    Action("all_speak", 4, False, {}),
    Action("unread", 2, False, {"names": Some(points.FEEDBACKS, 2)}),
    Action(
        "contactor_fault",
        3,
        False,
        {
            "name": ("grid", "genset", "load1", "load2", "battery"),
            "kind": ("welded", "wont_close", "stuck 0", "stuck 1"),
        },
    ),
    Action("contactors_mended", 3, False, {}),
    Action("reset", 3, False, {"record": ("new", "new", "new", "old", "none"), "times": (1, 1, 1, 3)}),
    Action("parameter", 3, False, {"name": tuple(PARAMETERS), "choice": Span(0, 3)}),
    *(Action("tell " + name, 1, False, {"value": values}) for name, values in EVIDENCE.items()),
    *_commands(),
)
BY_NAME = {action.name: action for action in ACTIONS}
CALM = tuple(action for action in ACTIONS if action.calm)
KINDS = tuple(SITES)
POLICIES = tuple(range(len(points.POLICIES)))
_RECORDS = 6
# Longest wait for the critical load after all is mended: an hour's starts, a contactor given up, the longest
# patience after resets, the longest return delay, and then the holds.
RETURN_S = 3_600 + 600 + 600 + 1_800 + 1_200


class Play:
    """`told`: what has happened so far. `steps`: how many the controller has made."""

    def __init__(self, kind: str, policy: int, calm: bool) -> None:
        self.calm = calm
        self.rig = SiteRig(kind, policy)
        self.base = dict(self.rig.params)
        self.checker = Checker(self.rig, calm)
        self.told: list[tuple[str, Arguments]] = []
        self.steps = 0
        self.records: list[tuple[int, dict[str, object], dict[str, int]]] = []

    def do(self, name: str, args: Arguments) -> None:
        """One action, and what must hold at any time. Raises AssertionError when it does not."""
        self.told.append((name, args))
        if name in commands.NAMES:
            self._command(name, args)
        elif name.startswith("tell "):
            self._tell(name[5:], args["value"])
        else:
            getattr(self, "_" + name)(**args)
        self.checker.explains()
        self.records.append((self.rig.time_ms, self.checker.remembers(), dict(self.checker.until)))
        del self.records[:-_RECORDS]

    def scan(self, dt_ms: int) -> None:
        self.rig.scan(dt_ms)
        self.steps += 1
        self.checker.step(dt_ms)
        if not self.steps % 16:
            self.checker.explains()

    # ---- what can happen ---------------------------------------------------------------------------

    def _command(self, name: str, args: Arguments) -> None:
        args = {key: value for key, value in args.items() if value is not None}
        if commands.problem(name, args) == ("", ""):
            self.checker.command(name, args)

    def _tell(self, name: str, value: object) -> None:
        if value is None:
            self.rig.more.pop(name, None)
        else:
            self.rig.more[name] = value

    def _run(self, scans: int, dt_ms: int) -> None:
        for _ in range(scans):
            self.scan(dt_ms)

    _run_long = _run

    def _charge_comes_and_goes(self, times: int, scans: int) -> None:
        """The quickest cycles that a restless battery could ask of the genset."""
        self.rig.grid_mv = 0
        for _ in range(times):
            for soc in (250, 850):
                self.rig.soc = soc
                self._run(scans, 2_000)

    def _plan_lets_the_battery_carry(self, soc: int) -> None:
        """Long enough for it to begin, with a good grid at hand."""
        self.rig.grid_mv = 230_000
        self.rig.soc = soc
        self._command("plan.set", {"expires_s": 1_500, "reserve": [200], "charge": [2]})
        self._run(125, 10_000)

    def _grid_mv(self, mv: int) -> None:
        self.rig.grid_mv = mv

    def _soc(self, permille: int) -> None:
        self.rig.soc = permille

    def _drift(self, permille_ks: int) -> None:
        self.rig.soc_per_ks = permille_ks

    def _clock(self, minute: int | None) -> None:
        self.rig.minute = minute

    def _grid_chz(self, chz: int) -> None:
        self.rig.grid_chz = chz

    def _mains_ok(self, ok: int | None) -> None:
        self.rig.mains_ok = ok

    def _bus(self, mv: int | None) -> None:
        self.rig.bus = mv

    def _fuel(self, permille: int | None) -> None:
        self.rig.fuel = permille

    def _genset_mv(self, mv: int) -> None:
        self.rig.genset_mv = mv

    def _genset_chz(self, chz: int) -> None:
        self.rig.genset_chz = chz

    def _starter(self, start_ms: int | None) -> None:
        self.rig.start_ms = start_ms

    def _stopper(self, stop_ms: int | None) -> None:
        self.rig.stop_ms = stop_ms

    def _by_hand(self, on: bool) -> None:
        self.rig.by_hand = on

    def _stall(self) -> None:
        self.rig.rpm = 0
        self.rig._line_ms = 0

    def _genset_fault(self, fault: int) -> None:
        self.rig.genset_fault = fault

    def _silence(self, roles: list[str]) -> None:
        self.rig.silent = set(roles)

    def _string_lost(self, devices: list[tuple[str, int]]) -> None:
        self.rig.lost = {tuple(device) for device in devices}

    def _phase(self, mv: int | None) -> None:
        self.rig.phase_mv = mv

    def _nan(self, names: list[str]) -> None:
        self.rig.nan = set(names)

    def _spike(self, name: str, value: int, scans: int) -> None:
        self.rig.measured = {name: value}
        self._run(scans, 1_000)
        self.rig.measured = {}

    def _freeze(self, names: list[str]) -> None:
        now = self.rig.values()
        self.rig.measured = {name: now[name] for name in names if now.get(name) is not None}

    def _all_speak(self) -> None:
        rig = self.rig
        rig.silent, rig.unread, rig.nan, rig.lost = set(), set(), set(), set()
        rig.measured, rig.phase_mv = {}, None

    def _unread(self, names: list[str]) -> None:
        self.rig.unread = set(names)

    def _contactor_fault(self, name: str, kind: str) -> None:
        """One at a time: two can defeat any interlock. A fault needs feedback to be seen."""
        rig = self.rig
        lies = rig.welded or rig.stuck or rig.wont_close or "feedback.grid" in rig.measured
        if lies or not rig.site.has_feedback[points.OUTPUTS.index(name)]:
            return
        if kind == "welded":
            rig.welded = {name}
        elif kind == "wont_close":
            rig.wont_close = {name}
        else:
            rig.stuck = {name: int(kind[-1])}

    def _contactors_mended(self) -> None:
        self.rig.welded, self.rig.wont_close, self.rig.stuck = set(), set(), {}

    def _reset(self, record: str, times: int) -> None:
        rig = self.rig
        for _ in range(times):
            since, memory, until = rig.time_ms, None, self.checker.until
            if record == "old" and self.records:
                since, memory, until = self.records[0]
            rig.reset(memory, lost=record == "none")
            later = {} if record == "none" else {n: ms + rig.time_ms - since for n, ms in until.items()}
            self.checker.reset(later, record == "new")

    def _parameter(self, name: str, choice: int) -> None:
        values = PARAMETERS[name]
        self._configure({**self.rig.params, name: values[choice % len(values)]})

    def _configure(self, values: dict[str, int]) -> None:
        """Take the parameters over if a board would accept them."""
        if not self.problems(values):
            self.rig.params = values
            self.rig.controller.configure(values)
            self.checker.configured()

    def problems(self, values: dict[str, int]) -> list[tuple[str, str]]:
        """Why the configuration would be refused with these parameters."""
        exists = self.rig.site.exists
        outputs = {name: {} for name, there in zip(points.OUTPUTS, exists, strict=True) if there}
        found: list[tuple[str, str]] = []
        config._params({"params": values, "outputs": outputs}, found)
        return found

    def _all_is_mended(self, soc: int) -> None:
        """I7: with everything mended and a good source, the critical load is powered within its time."""
        rig = self.rig
        self._contactors_mended()
        self._all_speak()
        rig.more.clear()
        rig.grid_mv, rig.grid_chz, rig.mains_ok, rig.bus = 230_000, 5_000, None, None
        rig.genset_mv, rig.genset_chz, rig.genset_fault, rig.fuel = 230_000, 5_000, 0, 600
        rig.start_ms, rig.stop_ms, rig.by_hand = 4_000, 5_000, False
        rig.minute, rig.soc, rig.soc_per_ks = None, soc, 0
        self._configure({**self.base, "policy.name": rig.params["policy.name"]})
        for name, args in (
            ("plan.set", {"expires_s": 60}),
            ("mode.set", {"mode": "auto", "for_s": 1}),
            ("source.select", {"ac": "none", "for_s": 1}),
            ("load.shed", {"tier": 1, "for_s": 1}),
            ("genset.inhibit", {"for_s": 1}),
            ("outage.announce", {"in_s": 0, "for_s": 1}),
            ("battery.test", {"on": 0}),
        ):
            self._command(name, args)
        self.scan(1_000)
        self._command("genset.reset", {})
        for _ in range(RETURN_S // 2):
            if self._powered():
                return
            self.scan(2_000)
        raise AssertionError("I7: critical load is still without a source")

    def _powered(self) -> bool:
        rig = self.rig
        load, battery = points.OUTPUTS.index("load1"), points.OUTPUTS.index("battery")
        if rig.site.exists[load] and not rig.contacts[load]:
            return False
        carried = rig.contacts[battery] and rig.bus_mv() >= rig.params["genset.bus_start_mv"]
        return bool(rig.ac() or carried)
