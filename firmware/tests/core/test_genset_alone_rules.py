"""The genset's sequence alone, to the millisecond: what it does, what it says why, what it remembers."""

from greenmast_fw.core.genset import Genset
from greenmast_protocol import params, points, reasons

SHORT = {
    "genset.warm_up_s": 12,
    "genset.cool_down_s": 5,
    "genset.crank_s": 6,
    "genset.crank_rest_s": 4,
    "genset.crank_tries": 2,
    "genset.stop_s": 20,
    "genset.min_run_s": 60,
    "genset.min_off_s": 100,
    "genset.starts_per_hour": 10,
}


class Bench:
    """A genset's sequence with an engine that does what the test says."""

    def __init__(self, **settings):
        self.params = params.defaults()
        self.params.update(SHORT)
        for name in settings:
            self.params["genset." + name] = settings[name]
        self.genset = Genset(self.params, 1)
        self.fault = 0
        self.fuel = 600
        self.chz = 5_000
        self.engine(False)

    def engine(self, runs):
        """It turns, or stands still; None: nobody knows."""
        self.runs = runs

    def step(self, dt_ms=1_000, want=1, loaded=0, blind=0, carries=None):
        """One scan; returns state and reason."""
        v = [None] * points.COUNT
        if self.runs is not None:
            v[points.index("genset.rpm")] = 1_500 if self.runs else 0
            v[points.index("genset.running")] = 1 if self.runs else 0
            v[points.index("genset.voltage_mv")] = 230_000 if self.runs else 0
            v[points.index("genset.frequency_chz")] = self.chz if self.runs else 0
        v[points.index("genset.fault")] = self.fault
        v[points.index("genset.fuel_permille")] = self.fuel
        self.genset.step(tuple(v), dt_ms, want, loaded, carries, blind)
        return self.now()

    def now(self):
        return points.GENSET_STATES[self.genset.state], reasons.NAMES[self.genset.reason]

    def warming(self):
        """Just seen to run for the first time."""
        self.step()
        self.engine(True)
        assert self.step() == ("warm_up", "warm_up")
        return self

    def serving(self, loaded=1):
        """Warm, in band and, if so wished, on load, all just now."""
        self.warming()
        assert self.step(12_000) == ("ready", "genset_ready")
        if loaded:
            assert self.step(loaded=1) == ("on_load", "genset_ready")
        return self

    def stopping(self):
        """Its run is over; the engine still turns."""
        self.serving()
        self.step(60_000, loaded=1)
        assert self.step(1, want=0, loaded=0) == ("cool_down", "cool_down")
        assert self.step(5_000, want=0) == ("stopping", "no_demand")
        return self

    def locked_out(self):
        """By two cranks in vain."""
        for state in ("crank", "rest", "crank", "stopping", "locked_out"):
            assert self.step(10_000)[0] == state
        return self

    def reset(self):
        """The controller starts anew with what it remembers."""
        kept = self.genset.memory()
        assert min(kept) >= 0
        self.genset = Genset(self.params, 1)
        self.genset.restore(kept)
        assert self.genset.memory() == kept
        return self


# ---- the sequence ----------------------------------------------------------------------------------


def test_before_its_first_step_it_is_off_and_asks_for_nothing():
    genset = Genset(params.defaults(), 1)
    assert genset.exists == 1
    assert (genset.line, genset.tries, genset.ms, genset.run_ms, genset.max_run_ms) == (
        0,
        0,
        0,
        0,
        43_200_000,
    )
    for flag in (genset.ready, genset.ok, genset.overdue, genset.stalled, genset.held):
        assert flag is False
    assert (points.GENSET_STATES[genset.state], reasons.NAMES[genset.reason]) == ("off", "no_demand")


def test_a_crank_and_a_rest_last_exactly_as_set_and_the_tries_end_in_a_lock_out():
    bench = Bench()
    assert bench.step() == ("crank", "cranking")
    assert bench.step(5_999) == ("crank", "cranking")
    assert bench.step(1) == ("rest", "cranking")
    assert bench.genset.line == 0
    assert bench.step(3_999) == ("rest", "cranking")
    assert bench.step(1) == ("crank", "cranking")
    assert bench.step(6_000) == ("stopping", "start_failed")
    assert bench.step() == ("locked_out", "start_failed")


def test_glowing_lasts_exactly_as_set_and_its_line_is_held():
    bench = Bench(glow_s=3)
    assert bench.step() == ("glow", "glow")
    assert bench.step(2_999) == ("glow", "glow")
    assert bench.genset.line == 1
    assert bench.step(1) == ("crank", "cranking")


def test_a_demand_that_ends_stops_a_glow_at_once_and_a_crank_at_its_end():
    bench = Bench(glow_s=3)
    bench.step()
    assert bench.step(want=0) == ("stopping", "no_demand")
    bench = Bench()
    bench.step()
    assert bench.step(5_999, want=0) == ("crank", "cranking")
    assert bench.step(1, want=0) == ("stopping", "no_demand")
    assert bench.step(3_999, want=0) == ("stopping", "no_demand"), "a starter that has turned in vain rests"
    assert bench.step(1, want=0) == ("off", "no_demand")


def test_a_rest_ends_in_no_crank_that_is_not_wanted_not_allowed_or_one_too_many():
    for case in ("want", "fault", "starts"):
        bench = Bench(starts_per_hour=1 if case == "starts" else 10, crank_tries=3)
        if case == "starts":
            bench.warming()
            bench.engine(False)
            bench.step()
            assert bench.step() == ("rest", "genset_stalled")
        else:
            bench.step()
            assert bench.step(6_000)[0] == "rest"
        bench.fault = 3 if case == "fault" else 0
        assert bench.step(4_000, want=0 if case == "want" else 1) == ("stopping", "no_demand"), case
        assert bench.step(4_000)[0] == "off", case


def test_an_engine_that_runs_late_is_taken_unless_it_is_forbidden():
    bench = Bench()
    bench.step()
    bench.step(6_000)
    bench.engine(True)
    bench.fault = 3
    assert bench.step()[0] == "rest"
    bench.fault = 0
    assert bench.step() == ("warm_up", "warm_up")
    assert bench.genset.starts.count() == 1


def test_warm_up_lasts_exactly_as_set():
    bench = Bench().warming()
    assert bench.genset.run_ms == 0
    assert bench.step(11_999) == ("warm_up", "warm_up")
    assert bench.step(1) == ("ready", "genset_ready")


def test_load_is_put_on_after_five_seconds_in_band_and_only_while_measured():
    bench = Bench(warm_up_s=0).warming()
    bench.step(1)
    assert bench.step(4_998) == ("ready", "genset_ready")
    assert (bench.genset.ok, bench.genset.ready) == (True, False)
    bench.step(1)
    assert bench.genset.ready
    bench.engine(None)
    bench.step()
    assert (bench.genset.ok, bench.genset.ready) == (True, False)


def test_one_scan_without_signs_of_running_is_no_stall_two_in_a_row_are():
    for bench in (Bench().warming(), Bench().serving(), Bench().serving(loaded=0)):
        loaded = 1 if bench.now()[0] == "on_load" else 0
        before = bench.now()
        for _ in range(2):
            bench.engine(False)
            assert bench.step(loaded=loaded) == before
            bench.engine(True)
            assert bench.step(loaded=loaded) == before
        assert not bench.genset.stalled
        bench.engine(False)
        bench.step(loaded=loaded)
        assert bench.step() == ("rest", "genset_stalled")
        assert bench.genset.stalled is True


def test_minimum_run_holds_to_the_millisecond_and_then_it_cools_down():
    bench = Bench().serving()
    left_ms = 60_000 - bench.genset.run_ms
    assert bench.step(left_ms - 1, want=0, loaded=1) == ("on_load", "min_run")
    assert bench.step(1, want=0, loaded=1) == ("cool_down", "cool_down")
    assert bench.genset.line == 1


def test_a_demand_that_is_there_says_ready_not_minimum_run():
    bench = Bench().serving()
    assert bench.step(want=0, loaded=1) == ("on_load", "min_run")
    assert bench.step(want=1, loaded=1) == ("on_load", "genset_ready")


def test_it_is_on_load_only_while_its_contactor_is():
    bench = Bench().serving()
    assert bench.step(loaded=0) == ("ready", "genset_ready")
    assert bench.step(loaded=0) == ("ready", "genset_ready")
    assert bench.step(loaded=1) == ("on_load", "genset_ready")


def test_cool_down_counts_from_the_load_coming_off_and_a_demand_ends_it():
    bench = Bench().serving()
    bench.step(60_000, loaded=1)
    bench.step(want=0, loaded=1)
    assert bench.step(60_000, want=0, loaded=1) == ("cool_down", "cool_down")
    assert bench.step(4_999, want=0) == ("cool_down", "cool_down")
    assert bench.step(want=1) == ("ready", "genset_ready")
    bench.step(want=0)
    assert bench.step(60_000, want=0, loaded=1) == ("cool_down", "cool_down")
    assert bench.step(4_999, want=0) == ("cool_down", "cool_down")
    assert bench.step(1, want=0) == ("stopping", "no_demand")
    assert bench.genset.line == 0
    assert not bench.genset.ok


def test_a_standstill_in_cool_down_shows_for_two_scans_before_it_counts():
    bench = Bench().serving()
    bench.step(60_000, loaded=1)
    bench.step(want=0)
    bench.engine(False)
    assert bench.step(want=0) == ("cool_down", "cool_down")
    assert bench.step(want=0) == ("stopping", "no_demand")


def test_stopping_waits_for_the_standstill_and_complains_exactly_when_it_is_late():
    bench = Bench().stopping()
    assert bench.step(19_999, want=0) == ("stopping", "no_demand")
    assert bench.genset.overdue is False
    assert bench.step(1, want=0) == ("stopping", "fail_to_stop")
    assert bench.genset.overdue is True
    bench.engine(False)
    assert bench.step(want=0) == ("off", "no_demand")
    assert bench.genset.overdue is False
    assert bench.genset.run_ms == 0


def test_an_engine_that_nobody_sees_counts_as_stopped_when_its_time_is_up():
    bench = Bench().stopping()
    bench.engine(None)
    assert bench.step(19_999, want=0) == ("stopping", "no_demand")
    assert bench.step(1, want=0) == ("off", "no_demand")


def test_minimum_off_counts_from_the_standstill_to_the_millisecond():
    bench = Bench().stopping()
    bench.engine(False)
    assert bench.step(want=1) == ("off", "no_demand")
    assert bench.step(99_999) == ("off", "min_off")
    assert bench.step(1) == ("crank", "cranking")


def test_a_board_that_waits_after_resets_prolongs_a_rest_and_nothing_else():
    bench = Bench(crank_tries=3)
    bench.step()
    assert bench.step(6_000)[0] == "rest"
    for _ in range(5):
        bench.genset.wait()
        assert bench.step(3_999) == ("rest", "cranking")
    bench.genset.wait()
    assert bench.step(3_999)[0] == "rest"
    assert bench.step(1) == ("crank", "cranking")
    bench.genset.wait()
    assert bench.step(6_000)[0] == "rest", "a crank is not prolonged"


def test_an_engine_that_fires_as_it_is_called_off_has_run_and_one_that_nobody_sees_has_not():
    for seen, then in ((True, "off"), (None, "crank")):
        bench = Bench()
        bench.step()
        assert bench.step(6_000, want=0) == ("stopping", "no_demand")
        bench.engine(seen)
        assert bench.step(4_000, want=0)[0] == "stopping"
        bench.engine(False)
        assert bench.step(want=0)[0] == "off"
        assert bench.step()[0] == then, "minimum off time holds after a run"


def test_minimum_off_does_not_begin_anew_for_an_engine_that_never_ran():
    bench = Bench()
    bench.step()
    bench.step(6_000, want=0)
    assert bench.step(4_000, want=0) == ("off", "no_demand")
    assert bench.step() == ("crank", "cranking")
    bench = Bench().stopping()
    bench.engine(False)
    bench.step(want=0)
    bench.step(100_000, want=0)
    assert bench.step() == ("crank", "cranking")
    bench.step(6_000, want=0)
    bench.step(4_000, want=0)
    assert bench.step() == ("crank", "cranking"), "that crank was in vain: nothing ran"


def test_the_rectifiers_word_counts_as_evidence_of_running():
    bench = Bench().serving()
    bench.engine(None)
    for _ in range(3):
        assert bench.step(loaded=1, carries=1)[0] == "on_load"
    bench.step(loaded=1, carries=0)
    assert bench.step(loaded=1, carries=0)[0] == "rest"


def test_an_output_that_nobody_measures_is_kept_on_load_only_while_the_whole_bus_is_silent():
    for blind in (0, 1):
        bench = Bench().serving()
        bench.engine(None)
        for _ in range(5):
            bench.step(loaded=1, blind=blind)
        assert bench.genset.ok is (blind == 1)


def test_its_times_stop_counting_before_they_overflow():
    bench = Bench().serving()
    for _ in range(300):
        bench.step(3_600_000, loaded=1)
    assert bench.now()[0] == "on_load"
    assert 1_000_000_000 < bench.genset.run_ms < 1 << 30
    assert 1_000_000_000 < bench.genset.ms < 1 << 30


# ---- the budget of tries ---------------------------------------------------------------------------


def test_exactly_ten_minutes_on_load_restore_the_budget_and_forgive_a_stall():
    bench = Bench().serving()
    bench.engine(False)
    bench.step(loaded=1)
    bench.step()
    bench.step(4_000)
    bench.engine(True)
    bench.step()
    bench.step(12_000)
    bench.step(loaded=1)
    bench.step(599_999, loaded=1)
    assert (bench.genset.tries, bench.genset.stalled) == (2, True)
    bench.step(1, loaded=1)
    assert (bench.genset.tries, bench.genset.stalled) == (0, False)


def test_a_whole_cool_down_restores_the_budget_and_forgives_a_stall():
    bench = Bench(min_run_s=0, crank_tries=3).serving()
    bench.engine(False)
    bench.step(loaded=1)
    bench.step()
    bench.step(4_000)
    bench.engine(True)
    bench.step()
    bench.step(12_000)
    bench.step(want=0)
    assert (bench.genset.tries, bench.genset.stalled) == (2, True)
    bench.step(5_000, want=0)
    assert (bench.genset.tries, bench.genset.stalled) == (0, False)


def test_an_output_out_of_band_for_exactly_a_minute_costs_a_try_and_the_last_one_locks_out():
    bench = Bench(min_off_s=0).serving(loaded=0)
    for state in ("off", "locked_out"):
        bench.chz = 5_500
        assert bench.step(59_999) == ("ready", "genset_ready")
        assert not bench.genset.ok
        bench.chz = 5_000
        bench.step()
        bench.chz = 5_500
        assert bench.step(59_999) == ("ready", "genset_ready"), "in band in between: it counts anew"
        assert bench.step(1) == ("stopping", "genset_band")
        bench.engine(False)
        bench.chz = 5_000
        assert bench.step()[0] == state
        if state == "off":
            bench.serving(loaded=0)
    assert bench.now() == ("locked_out", "genset_band")


def test_time_out_of_band_is_counted_through_a_change_of_the_contactor():
    bench = Bench().serving()
    bench.chz = 5_500
    bench.step(30_000, loaded=1)
    assert bench.step(29_999, loaded=0) == ("ready", "genset_ready")
    assert bench.step(1, loaded=0) == ("stopping", "genset_band")


def test_a_lowered_budget_that_is_spent_locks_out_from_standstill():
    bench = Bench(crank_tries=3)
    bench.step()
    bench.step(6_000)
    bench.step(4_000)
    assert bench.step(6_000) == ("rest", "cranking")
    bench.params["genset.crank_tries"] = 2
    bench.genset.configure(bench.params)
    assert bench.step(4_000) == ("stopping", "start_failed")
    assert bench.step() == ("locked_out", "start_failed")


# ---- what overrides everything ---------------------------------------------------------------------


def test_fuel_fault_and_default_state_stop_from_every_state_that_holds_the_line():
    for cause, reason in (("fuel", "fuel_low"), ("fault", "engine_fault"), ("blind", "default_state")):
        for make in (
            lambda: Bench(glow_s=60),
            lambda: Bench(),
            lambda: Bench().warming(),
            lambda: Bench().serving(loaded=0),
            lambda: Bench().serving(),
        ):
            bench = make()
            if not bench.runs:
                bench.engine(None)  # what stands still has stopped already
            bench.step(1)
            assert bench.genset.line == 1
            bench.fuel = 50 if cause == "fuel" else 600
            bench.fault = 4 if cause == "fault" else 0
            if cause == "fuel":
                bench.step(1)
                bench.step(2_999)
                assert bench.genset.line == 1, "the tank may slosh for three seconds"
            bench.step(1, blind=1)
            if cause == "blind":
                assert bench.genset.line == 1, "silence alone is no reason yet"
                bench.step(1, blind=2)
            assert bench.now() == ("stopping", reason)
            assert bench.genset.line == 0
            assert not bench.genset.ok


def test_only_a_fault_of_the_engine_locks_out():
    for cause, state in (("fuel", "off"), ("fault", "locked_out")):
        bench = Bench().serving()
        bench.fuel = 50 if cause == "fuel" else 600
        bench.fault = 4 if cause == "fault" else 0
        bench.step(5_000)
        bench.step(5_000)
        bench.engine(False)
        assert bench.step()[0] == state


def test_a_held_line_is_given_ten_seconds_to_the_millisecond_to_stop_the_engine():
    bench = Bench(hold_line=1).serving()
    bench.fault = 4
    bench.step()
    assert bench.genset.held is True
    bench.step(9_999)
    assert bench.genset.line == 1
    bench.step(1)
    assert bench.genset.line == 0
    assert bench.genset.held is False
    bench.engine(False)
    bench.step()
    assert bench.genset.line == 0


def test_a_held_line_falls_with_the_fault_or_in_the_default_state():
    for fault, blind, line in ((4, 0, 1), (4, 1, 1), (4, 2, 0), (0, 0, 0)):
        bench = Bench(hold_line=1).serving()
        bench.fault = 4
        bench.step()
        bench.engine(False)
        bench.step()
        assert (bench.now()[0], bench.genset.line) == ("locked_out", 1)
        bench.fault = fault
        bench.step(blind=blind)
        assert bench.genset.line == line, (fault, blind)


def test_a_reset_by_command_makes_everything_whole():
    bench = Bench(hold_line=1, min_off_s=0).serving()
    bench.engine(False)
    bench.step(loaded=1)
    bench.step()
    bench.step(4_000)
    bench.engine(True)
    bench.step()
    bench.fault = 4
    bench.step()
    bench.engine(False)
    assert bench.step() == ("locked_out", "engine_fault")
    assert bench.step() == ("locked_out", "engine_fault")
    genset = bench.genset
    assert (genset.held, genset.stalled, genset.tries) == (True, True, 2)
    genset.reset()
    assert bench.now() == ("off", "no_demand")
    assert (genset.held, genset.stalled, genset.tries, genset.lock) == (False, False, 0, 0)
    bench.fault = 0
    assert bench.step()[0] == "crank"
    bench.step(want=0)
    bench.step(6_000, want=0)
    assert bench.step(4_000, want=0) == ("off", "no_demand"), "the old lock-out does not come back"


def test_a_reset_by_command_disturbs_nothing_that_runs():
    bench = Bench().serving()
    bench.genset.reset()
    assert bench.now() == ("on_load", "genset_ready")
    assert bench.step(loaded=1) == ("on_load", "genset_ready")
    assert bench.genset.line == 1


# ---- what it tells and remembers -------------------------------------------------------------------


def test_refusals_are_named_in_the_order_of_their_weight():
    bench = Bench(starts_per_hour=1).stopping()
    bench.engine(False)
    bench.step(want=0)
    genset = bench.genset
    assert reasons.NAMES[genset.refusal()] == "min_off"
    bench.step(100_000, want=0)
    assert reasons.NAMES[genset.refusal()] == "starts_per_hour"
    assert genset.forbidden() == 0
    bench.fault = 4
    bench.step(want=0)
    assert reasons.NAMES[genset.refusal()] == "engine_fault"
    bench.fuel = 50
    bench.step(want=0)
    bench.step(3_000, want=0)
    assert reasons.NAMES[genset.refusal()] == "fuel_low"
    bench = Bench().locked_out()
    bench.fuel = 50
    bench.step(3_000)
    bench.step(3_000)
    assert reasons.NAMES[bench.genset.refusal()] == "locked_out"
    bench = Bench()
    bench.step(0, want=0)
    assert bench.genset.refusal() == 0


def test_the_time_left_of_a_limit_is_told_and_never_less_than_none():
    bench = Bench(glow_s=3)
    genset = bench.genset

    def left(name):
        return genset.left_ms(reasons.code(name))

    assert left("min_off") == 0
    bench.step()
    bench.step(1_000)
    assert left("glow") == 2_000
    bench.engine(True)
    bench.step()
    bench.step(2_000)
    assert (left("warm_up"), left("min_run")) == (10_000, 58_000)
    bench.step(9_999)
    assert left("warm_up") == 1
    bench.step(1)
    bench.step(60_000)
    assert left("min_run") == 0
    bench.step(want=0)
    bench.step(2_000, want=0)
    assert left("cool_down") == 3_000
    bench.step(3_000, want=0)
    bench.engine(False)
    bench.step(want=0)
    bench.step(30_000, want=0)
    assert left("min_off") == 70_000
    bench.step(70_000, want=0)
    assert left("min_off") == left("cool_down") == 0


def test_every_state_resumes_after_a_reset_as_it_may_and_says_why():
    for make, state, reason in (
        (lambda: Bench(), "off", "no_demand"),
        (lambda: Bench().warming(), "warm_up", "warm_up"),
        (lambda: Bench().serving(loaded=0), "ready", "genset_ready"),
        (lambda: Bench().serving(), "ready", "genset_ready"),
        (lambda: Bench().stopping(), "stopping", "stopping"),
    ):
        assert Bench.now(_anew(make())) == (state, reason)
    for glow_s in (0, 3):
        bench = Bench(glow_s=glow_s)
        bench.step()
        assert _anew(bench).now() == ("rest", "cranking")
    bench = Bench().serving()
    bench.step(60_000, want=0, loaded=1)
    assert _anew(bench).now() == ("cool_down", "cool_down")
    bench = _anew(Bench().locked_out())
    assert bench.step() == ("locked_out", "start_failed")


def _anew(bench):
    """After a reset, in which a state may change to one that is safe to resume in."""
    kept = bench.genset.memory()
    bench.genset = Genset(bench.params, 1)
    bench.genset.restore(kept)
    assert bench.genset.memory()[1:] == kept[1:]
    return bench


def test_latches_and_times_survive_a_reset_each_by_itself():
    bench = Bench()
    bench.fuel = 50
    bench.step(want=0)
    bench.step(3_000, want=0)
    assert (bench.genset.engine.fuel_low, bench.genset.engine.guessed) == (True, False)
    bench.reset()
    assert (bench.genset.engine.fuel_low, bench.genset.engine.guessed) == (True, False)
    assert bench.genset.stalled is False
    bench = Bench().serving(loaded=0)
    bench.engine(False)
    bench.step()
    bench.step()
    bench.reset()
    assert bench.genset.stalled is True
    assert (bench.genset.engine.fuel_low, bench.genset.tries) == (False, 1)
    for guessed in (True, False):
        bench = Bench()
        bench.genset.engine.fuel_low = True
        bench.genset.engine.guessed = guessed
        bench.reset()
        assert bench.genset.engine.guessed is guessed


def test_minimum_off_follows_a_run_that_a_reset_interrupted_but_not_a_reset_alone():
    bench = Bench().stopping().reset()
    bench.engine(False)
    bench.step(want=0)
    assert bench.step() == ("off", "min_off")
    bench = Bench()
    bench.step()
    bench.step(6_000, want=0)
    bench.reset()
    bench.step(4_000, want=0)
    assert bench.step() == ("crank", "cranking")


def test_a_standstill_right_after_a_reset_is_not_blamed_on_the_engine_but_the_next_one_is():
    bench = Bench(crank_tries=3).serving()
    _anew(bench)
    bench.engine(False)
    bench.step()
    assert bench.step() == ("rest", "genset_stalled")
    assert (bench.genset.stalled, bench.genset.tries) == (False, 0)
    bench.step(4_000)
    bench.engine(True)
    bench.step()
    bench.engine(False)
    bench.step()
    bench.step()
    assert (bench.genset.stalled, bench.genset.tries) == (True, 1)


def test_a_standstill_right_after_a_reset_costs_one_try_less_not_all_of_them():
    bench = Bench(crank_tries=3)
    bench.step()
    bench.step(6_000)
    bench.step(4_000)
    bench.engine(True)
    bench.step()
    bench.step(12_000)
    _anew(bench)
    bench.engine(False)
    bench.step()
    assert bench.step()[0] == "rest"
    assert bench.genset.tries == 1


def test_ten_minutes_on_load_after_a_reset_make_a_later_stall_the_engines_own():
    bench = _anew(Bench(crank_tries=3).serving())
    bench.step(loaded=1)
    bench.step(600_000, loaded=1)
    bench.engine(False)
    bench.step(loaded=1)
    bench.step()
    assert bench.genset.stalled is True
