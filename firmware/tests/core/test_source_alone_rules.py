"""The choice of the AC source alone: what it asks for and why, given what is fit and what is proven."""

from greenmast_fw.core import contactor
from greenmast_fw.core.genset import COOL_DOWN, ON_LOAD
from greenmast_fw.core.source import GENSET, GRID, NONE, Source
from greenmast_protocol import params, reasons


class Fit:
    """What the source's parts would say: a grid, a genset, or both contactors, as the test sets it."""

    def __init__(self, **said):
        for name in said:
            setattr(self, name, said[name])


class Choice:
    """Both sources fit, both contactors proven open for long."""

    def __init__(self, **settings):
        p = params.defaults()
        p.update({"source.dead_time_ms": 1_000, "source.min_on_s": 30, "source.close_tries": 2})
        for name in settings:
            p["source." + name] = settings[name]
        self.source = Source(p)
        self.grid = Fit(
            exists=1, ok=True, qualified=True, proven=True, reason=reasons.code("grid_return_delay")
        )
        self.genset = Fit(ok=True, ready=True, state=ON_LOAD, reason=reasons.code("min_run"))
        self.contacts = Fit(closed=[0, 0], open_ms=[60_000, 60_000], since_ms=[60_000, 60_000], fault=[0, 0])

    def step(self, dt_ms=1_000, default=-1, leave=0):
        """One step; the source that is asked for, and why."""
        self.source.pass_time(dt_ms)
        self.source.judge(self.grid, self.contacts)
        self.source.step(self.grid, self.genset, self.contacts, default, reasons.code(leave) if leave else 0)
        return self.source.ac, reasons.NAMES[self.source.reason]

    def grid_gone(self):
        self.grid.ok = self.grid.qualified = self.grid.proven = False
        return self

    def genset_gone(self):
        self.genset.ok = self.genset.ready = False
        return self

    def closed(self, ac, since_ms=60_000):
        """The contactor has followed."""
        self.contacts.closed[ac - 1] = 1
        self.contacts.open_ms[ac - 1] = 0
        self.contacts.since_ms[ac - 1] = since_ms
        return self

    def on(self, ac):
        """Serving from `ac` for long."""
        if ac == GRID:
            assert self.step()[0] == GRID
        else:
            was = self.grid.ok, self.grid.qualified, self.grid.proven
            self.grid_gone()
            assert self.step()[0] == GENSET
            self.grid.ok, self.grid.qualified, self.grid.proven = was
        return self.closed(ac)


def test_before_the_first_judgement_nothing_serves_and_no_command_runs():
    source = Choice().source
    assert (source.ac, source.actual, source.select_ms) == (NONE, NONE, 0)
    assert reasons.NAMES[source.reason] == "no_source"
    assert (source.grid_usable, source.grid_serves) == (False, False)
    assert source.tries == [0, 0]
    assert source.memory() == [NONE, 0, 0, 0]


def test_the_grid_is_preferred_and_the_genset_serves_without_it():
    assert Choice().step() == (GRID, "grid_available")
    assert Choice().grid_gone().step() == (GENSET, "genset_ready")
    assert Choice().grid_gone().genset_gone().step() == (NONE, "grid_return_delay")
    choice = Choice().grid_gone().genset_gone()
    choice.grid.exists = 0
    assert choice.step() == (NONE, "no_source")


def test_to_be_connected_the_grid_must_be_qualified_to_stay_it_must_be_fit():
    choice = Choice().genset_gone()
    choice.grid.qualified = False
    assert choice.step() == (NONE, "grid_return_delay")
    assert not choice.source.grid_usable
    choice = Choice().on(GRID)
    choice.grid.qualified = False
    assert choice.step()[0] == GRID
    assert choice.source.grid_usable


def test_the_grid_serves_only_while_it_is_proven_to_be_there():
    choice = Choice()
    choice.step()
    assert choice.source.grid_serves is True
    choice.grid.proven = False
    choice.step()
    assert choice.source.grid_serves is False
    assert choice.source.grid_usable


def test_to_be_connected_the_genset_must_be_ready_to_stay_it_must_be_fit_and_not_cool_down():
    choice = Choice().grid_gone()
    choice.genset.ready = False
    assert choice.step()[0] == NONE
    choice = Choice().grid_gone().on(GENSET)
    choice.genset.ready = False
    assert choice.step()[0] == GENSET
    choice.genset.state = COOL_DOWN
    assert choice.step() == (NONE, "min_run")


def test_what_is_no_longer_fit_is_left_at_once_and_says_its_own_reason():
    choice = Choice().on(GRID).closed(GRID, since_ms=0).grid_gone()
    assert choice.step() == (NONE, "grid_return_delay")
    choice = Choice().on(GENSET).closed(GENSET, since_ms=0).grid_gone().genset_gone()
    assert choice.step() == (NONE, "min_run")


def test_what_is_no_longer_preferred_is_left_after_exactly_the_minimum_on_time():
    choice = Choice().on(GENSET).closed(GENSET, since_ms=29_999)
    assert choice.step() == (GENSET, "genset_ready")
    choice.closed(GENSET, since_ms=30_000)
    assert choice.step() == (NONE, "grid_available")


def test_the_battery_may_be_asked_to_carry_but_not_at_the_gensets_expense():
    choice = Choice().genset_gone().on(GRID)
    assert choice.step(leave="outage_planned") == (NONE, "outage_planned")
    choice.contacts.closed[0] = 0
    assert choice.step(leave="outage_planned") == (NONE, "outage_planned")
    assert choice.source.grid_serves
    choice.grid_gone()
    assert choice.step(leave="outage_planned") == (NONE, "grid_return_delay")
    choice = Choice().on(GRID)
    choice.contacts.since_ms[0] = 29_999
    assert choice.step(leave="outage_planned")[0] == GRID
    choice = Choice().on(GENSET)
    assert choice.step(leave="outage_planned")[0] == GENSET
    choice.genset.ready = False
    choice.genset.state = COOL_DOWN
    assert choice.step(leave="outage_planned") == (NONE, "min_run")


# ---- break before make -----------------------------------------------------------------------------


def test_a_contactor_waits_exactly_the_dead_time_of_the_other_one():
    for ac, other in ((GRID, 1), (GENSET, 0)):
        choice = Choice()
        if ac == GENSET:
            choice.grid_gone()
        choice.contacts.open_ms[other] = 999
        assert choice.step() == (NONE, "dead_time")
        assert choice.source.dead_left_ms(choice.contacts) == 1
        choice.contacts.open_ms[other] = 1_000
        assert choice.source.dead_left_ms(choice.contacts) == 0
        assert choice.step()[0] == ac


def test_the_dead_time_left_is_that_of_the_contactor_that_opened_last():
    choice = Choice()
    for open_ms, left_ms in (([0, 5_000], 1_000), ([5_000, 400], 600), ([5_000, 5_000], 0)):
        choice.contacts.open_ms = open_ms
        assert choice.source.dead_left_ms(choice.contacts) == left_ms


def test_while_the_other_one_is_not_proven_open_nothing_closes_and_the_reason_is_told():
    for fault, reason in (
        (contactor.OK, "interlock"),
        (contactor.WELDED, "welded"),
        (contactor.CHATTER, "feedback_fault"),
    ):
        choice = Choice().grid_gone()
        choice.contacts.closed[0] = None
        choice.contacts.fault[0] = fault
        assert choice.step() == (NONE, reason)


def test_a_genset_contactor_that_is_stuck_or_chatters_keeps_the_grid_from_being_usable():
    for fault, usable in ((contactor.OK, True), (contactor.WELDED, False), (contactor.CHATTER, False)):
        choice = Choice()
        choice.contacts.fault[1] = fault
        choice.step()
        assert choice.source.grid_usable is usable
    choice = Choice().on(GRID)
    choice.contacts.fault[1] = contactor.WELDED
    choice.step()
    assert choice.source.grid_usable, "it serves already"


def test_the_proven_contactor_names_the_source_that_serves():
    for closed, ac in (([0, 0], NONE), ([1, 0], GRID), ([0, 1], GENSET), ([None, None], NONE)):
        choice = Choice()
        choice.contacts.closed = closed
        choice.step()
        assert choice.source.actual == ac


# ---- contactors that do not close ------------------------------------------------------------------


def _fail(choice, ac):
    """The contactor of `ac` does not follow; then it is open and sound again."""
    choice.contacts.fault[ac - 1] = contactor.FAIL_TO_CLOSE
    assert choice.step() == (NONE, "fail_to_close")
    choice.contacts.fault[ac - 1] = contactor.OK


def test_a_contactor_that_fails_is_given_up_for_exactly_ten_minutes_while_the_alternative_serves():
    for ac, alternative in ((GRID, GENSET), (GENSET, NONE)):
        choice = Choice()
        if ac == GENSET:
            choice.grid_gone()
        for _ in range(2):
            assert choice.step()[0] == ac
            assert not choice.source.given_up_ms[ac - 1]
            _fail(choice, ac)
        assert choice.source.tries == [0, 0]
        assert choice.step(0)[0] == alternative
        choice.source.forced_open(0)
        assert choice.step(599_999)[0] == alternative
        assert choice.source.given_up_ms[ac - 1] == 1
        choice.source.forced_open(0)
        assert choice.step(1)[0] == ac
        assert choice.source.given_up_ms == [0, 0]


def test_a_step_longer_than_what_is_left_ends_the_time_and_the_command():
    choice = Choice().genset_gone()
    choice.source.given_up_ms = [500, 500]
    choice.source.select_ms = 500
    choice.step(1_000)
    assert choice.source.given_up_ms == [0, 0]
    assert choice.source.select_ms == 0


def test_a_genset_contactor_that_is_given_up_blocks_the_genset_as_do_faults_of_the_other_one():
    choice = Choice()
    assert choice.source.genset_blocked(choice.contacts) == 0
    choice.source.given_up_ms[1] = 1
    assert reasons.NAMES[choice.source.genset_blocked(choice.contacts)] == "feedback_fault"
    for fault, reason in ((contactor.WELDED, "welded"), (contactor.CHATTER, "feedback_fault")):
        choice = Choice()
        choice.contacts.fault[0] = fault
        assert reasons.NAMES[choice.source.genset_blocked(choice.contacts)] == reason


def test_exactly_a_minute_closed_forgives_a_failed_try():
    choice = Choice()
    choice.step()
    _fail(choice, GRID)
    choice.step()
    choice.closed(GRID, since_ms=59_999)
    choice.step()
    assert choice.source.tries == [1, 0]
    choice.closed(GRID, since_ms=60_000)
    choice.step()
    assert choice.source.tries == [0, 0]


# ---- commands and the default state ----------------------------------------------------------------


def test_a_command_prefers_a_fit_source_for_its_time_only():
    choice = Choice()
    choice.source.select = GENSET
    choice.source.select_ms = 2_000
    assert choice.step() == (GENSET, "manual")
    choice.closed(GENSET)
    assert choice.step(999) == (GENSET, "manual")
    assert choice.step(1) == (NONE, "grid_available")
    choice = Choice().genset_gone()
    choice.source.select = GENSET
    choice.source.select_ms = 2_000
    assert choice.step() == (GRID, "manual"), "what is not fit cannot be preferred"


def test_a_command_for_the_grid_outweighs_a_wish_for_the_battery_but_not_the_grids_fitness():
    choice = Choice().genset_gone()
    choice.source.select = GRID
    choice.source.select_ms = 60_000
    choice.grid.qualified = False
    assert choice.step(leave="outage_planned") == (NONE, "grid_return_delay")
    choice.grid.qualified = True
    assert choice.step(leave="outage_planned") == (GRID, "manual")
    choice.closed(GRID)
    choice.grid.qualified = False
    assert choice.step(leave="outage_planned")[0] == GRID
    choice.grid_gone()
    assert choice.step(leave="outage_planned")[0] == NONE


def test_a_command_for_no_source_leaves_what_serves_and_says_so():
    choice = Choice().on(GRID)
    choice.source.select = NONE
    choice.source.select_ms = 5_000
    assert choice.step() == (NONE, "manual")
    choice.contacts.closed[0] = 0
    assert choice.step() == (NONE, "manual")
    choice.source.select = GENSET
    choice.genset_gone().grid_gone()
    assert choice.step() == (NONE, "grid_return_delay"), "that command is not why"


def test_the_default_state_asks_for_its_source_whatever_is_known_of_it():
    choice = Choice().grid_gone()
    assert choice.step(default=GRID) == (GRID, "default_state")
    choice.contacts.fault[0] = contactor.FAIL_TO_CLOSE
    assert choice.step(default=GRID)[0] == GRID
    choice = Choice().on(GENSET).closed(GENSET, since_ms=0)
    choice.source.select_ms = 0
    assert choice.step(default=GRID)[0] == NONE, "no minimum on time"


def test_a_default_state_of_none_leaves_at_once_but_blames_nothing():
    choice = Choice().on(GRID).closed(GRID, since_ms=0)
    choice.contacts.fault[0] = contactor.FAIL_TO_CLOSE
    assert choice.step(default=NONE) == (NONE, "min_run")
    assert choice.source.tries == [0, 0]
    choice = Choice().on(GRID).closed(GRID, since_ms=0).grid_gone()
    assert choice.step(default=NONE) == (NONE, "min_run")


# ---- found, overruled, remembered ------------------------------------------------------------------


def test_what_is_adopted_and_what_is_overruled_take_their_reasons():
    source = Choice().source
    source.adopt_grid()
    assert (source.ac, reasons.NAMES[source.reason]) == (GRID, "grid_available")
    source.forced_open(reasons.code("interlock"))
    assert (source.ac, reasons.NAMES[source.reason]) == (NONE, "interlock")


def test_the_command_and_what_was_given_up_survive_a_reset():
    source = Choice().source
    source.select = GENSET
    source.select_ms = 7_000
    source.given_up_ms = [3_000, 5_000]
    anew = Choice().source
    anew.restore(source.memory())
    assert (anew.select, anew.select_ms, anew.given_up_ms) == (GENSET, 7_000, [3_000, 5_000])
