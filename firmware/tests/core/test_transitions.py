"""The state machines do what their tables say: a random walk meets every listed transition and no other."""

from __future__ import annotations

from charge_bench import Bench
from core_rig import Rig

from greenmast_fw.core import alarms as lives
from greenmast_fw.core import genset as gensets
from greenmast_fw.core import grid as grids
from greenmast_fw.core import source as sources
from greenmast_fw.core import stages
from greenmast_protocol import alarms, params, points, reasons

EVERYTHING = {"grid", "genset", "rectifier", "battery", "solar", "load"}
SETTINGS = {
    "grid__return_delay_s": 5,
    "grid__return_max_s": 5,
    "source__min_on_s": 2,
    "genset__min_run_s": 10,
    "genset__min_off_s": 5,
    "genset__warm_up_s": 12,
    "genset__cool_down_s": 5,
    "genset__crank_s": 6,
    "genset__crank_rest_s": 4,
    "genset__soc_delay_s": 2,
    "genset__starts_per_hour": 60,
    "genset__stop_s": 20,
    "scan__hold_s": 4,
}


class Dice:
    """A generator of its own: the same walk every time, on every runtime."""

    seed = 616

    def pick(self, n):
        self.seed = (self.seed * 1_103 + 12_345) % 1_000_003
        return self.seed // 7 % n


class Walk(Dice):
    """A site where everything happens."""

    def __init__(self):
        self.sequence, self.grid, self.source = set(), set(), set()
        self.rig = Rig(**SETTINGS)
        self.watch()

    def watch(self):
        """Note transitions of the rig's present controller."""
        genset, grid = self.rig.controller.genset, self.rig.controller.grid
        enter, step, adopt = genset._enter, grid.step, grid.adopt

        def note_enter(state, reason):
            row = (genset.state, reason, state)
            assert row in gensets.TRANSITIONS, _names(row)
            self.sequence.add(row)
            enter(state, reason)

        def note_step(*args):
            self.note_grid(grid, step, args)

        def note_adopt():
            self.note_grid(grid, adopt, ())

        genset._enter, grid.step, grid.adopt = note_enter, note_step, note_adopt

    def note_grid(self, grid, act, args):
        before = grid.state()
        act(*args)
        if grid.state() != before:
            self.grid.add((before, grid.state()))

    def scan(self, n):
        for _ in range(n):
            source = self.rig.controller.source
            before = source.ac
            self.rig.scan()
            if source.ac != before:
                self.source.add((before, source.ac))

    def until(self, state):
        """Wait a little for a state of the genset."""
        for _ in range(30):
            if self.rig.controller.genset.state == state:
                return
            self.scan(1)

    def happen(self):
        """Something, then some time; mostly the genset is wanted and sound."""
        what = self.pick(22)
        if what < 10:
            self.site(what)
        elif what < 16:
            self.trouble(what)
        else:
            self.surprise(what)
        if self.pick(4) == 0:
            self.rig.command("genset.reset")
        self.scan(1 + self.pick(12))

    def site(self, what):
        rig = self.rig
        if what < 3:
            rig.grid_mv = (0, 0, 230_000)[what]
        elif what < 7:
            rig.soc = (200, 200, 200, 900)[what - 3]
        else:
            rig.start_ms = (3_000, 3_000, None)[what - 7]

    def trouble(self, what):
        rig = self.rig
        if what == 10:
            self.set(glow_s=3 * self.pick(2), crank_tries=1 + self.pick(3))
            rig.params["grid.loss_delay_s"] = 3 * self.pick(2)
            rig.mains_ok = (None, 1, 0)[self.pick(3)]
        elif what == 11:
            rig.fuel = 50
            self.scan(5)
            rig.fuel = 600
        elif what == 12:
            rig.genset_fault = 3
            self.scan(3)
            rig.genset_fault = 0
        elif what == 13:
            rig.genset_chz = 5_600
            self.scan(30 + 50 * self.pick(2))
            rig.genset_chz = 5_000
        else:
            rig.command("genset.start", for_s=60)
            self.until((gensets.GLOW, gensets.WARM_UP, gensets.READY, gensets.ON_LOAD)[self.pick(4)])
            self.set(crank_tries=1 + self.pick(2))
            rig.rpm = rig._line_ms = 0
            rig.start_ms = (3_000, None)[self.pick(2)]

    def surprise(self, what):
        rig = self.rig
        if what == 16:
            rig.silent = EVERYTHING
            self.scan(self.pick(12))
            rig.silent = set()
        elif what == 17:
            rig.silent = {"grid"}
            self.scan(self.pick(8))
            rig.silent = set()
        elif what == 18:
            rig.by_hand = True
            self.scan(3)
            rig.by_hand = False
        elif what == 19:
            rig.reset()
            self.watch()
        elif what == 20:
            rig.command("genset.start", for_s=60)
            self.until(gensets.READY)
        else:
            rig.command("genset.inhibit", for_s=self.pick(5) + 1)

    def set(self, **values):
        for name in values:
            self.rig.params["genset." + name] = values[name]
        self.rig.controller.configure(self.rig.params)


def _names(row):
    return (points.GENSET_STATES[row[0]], reasons.NAMES[row[1]], points.GENSET_STATES[row[2]])


def _pairs(table):
    return {(row[0], row[2]) for row in table}


def test_a_random_walk_meets_every_listed_transition_and_no_other():
    walk = Walk()
    sequence = set(gensets.TRANSITIONS)
    grid, source = _pairs(grids.TRANSITIONS), _pairs(sources.TRANSITIONS)
    for _ in range(30_000):
        walk.happen()
        assert walk.grid <= grid, walk.grid - grid
        assert walk.source <= source, walk.source - source
        if len(walk.sequence) == len(sequence) and walk.grid == grid and walk.source == source:
            break
    assert sorted([_names(row) for row in sequence - walk.sequence]) == []
    assert grid - walk.grid == set()
    assert source - walk.source == set()


def test_no_source_follows_another_without_none_between():
    assert {(a, b) for a, b in _pairs(sources.TRANSITIONS) if a and b} == set()


def _stage_walk(chemistry, turns):
    """Transitions of charging that a random walk meets."""
    dice = Dice()
    bench = Bench(chemistry, battery__equalise_days=1, battery__bulk_again_s=600, battery__absorption_s=600)
    part = bench.charge.stages
    part._due_s = 3_600  # a day would be a long walk
    enter = part._enter
    met = set()

    def note(stage, soc):
        met.add((part.stage, stage))
        enter(stage, soc)

    part._enter = note
    for _ in range(turns):
        what = dice.pick(6)
        if what == 0:
            bench.soc = (300, 700, 980)[dice.pick(3)]
        elif what == 1:
            bench.emf_mv = part.mv - (2, 150, 1_000, 6_000)[dice.pick(4)]
        elif what == 2:
            bench.ac = (0, 1, 1, 2)[dice.pick(4)]
            bench.more["genset.power_w"] = (1_000, 8_000)[dice.pick(2)]
        bench.run((5, 25, 150)[dice.pick(3)])
    return met


def test_charging_meets_every_listed_transition_and_no_other():
    listed = _pairs(stages.TRANSITIONS)
    assert _stage_walk("vrla", 2_000) == listed
    assert _stage_walk("lfp", 1_000) == {pair for pair in listed if stages.EQUALISE not in pair}


def test_an_alarm_meets_every_listed_transition_and_no_other():
    dice = Dice()
    part = lives.Alarms(params.defaults())
    # A consequence before its cause in the table, one after it, and one without.
    names = ("genset_stalled", "fuel_low", "energy_balance", "battery_data_lost", "door_open")
    watched = [alarms.index(name) for name in names]
    met = set()
    for _ in range(20_000):
        i = watched[dice.pick(len(watched))]
        what = dice.pick(8)
        if what < 5:
            part.condition[i] ^= 1
        elif what < 7:
            part.acknowledge(i)
        else:
            part.shelve(i, 61_000 + 1_000 * dice.pick(200))  # longer than a scan
        for _ in range(1 + dice.pick(4)):
            before = bytes(part.state)
            for k in part.step((1_000, 10_000, 60_000)[dice.pick(3)]):
                met.add((before[k], part.state[k]))
    assert met == _pairs(lives.TRANSITIONS), met ^ _pairs(lives.TRANSITIONS)
