"""The exercise run: when it is due, when it is not wanted, how it ends."""

from core_rig import Rig

DAY_MIN = 1_440


def _rig(**settings):
    """A site on its grid with a short exercise every other day."""
    return Rig(genset__exercise_days=2, genset__exercise_run_s=200, genset__min_run_s=0, **settings).run(5)


def _pass(rig, minutes):
    """Let time pass, and the clock go with it."""
    for _ in range(minutes):
        rig.scan(60_000)


def _starts(rig):
    return len([e for e in rig.events if e[1:4] == (0, 7, 1)])


def test_an_exercise_begins_at_its_minute_and_runs_unloaded_while_the_grid_serves():
    rig = _rig()
    rig.minute = 9 * 60
    _pass(rig, 2 * DAY_MIN)
    assert _starts(rig) == 0
    _pass(rig, 119)
    assert _starts(rig) == 0
    _pass(rig, 3)
    assert rig.is_now("genset_start") == 1
    assert rig.reason("genset") in ("cranking", "exercise", "warm_up")
    rig.until("genset.state", "ready", 200)
    rig.run(60)
    assert rig.reason("genset") == "exercise"
    assert rig.is_now("source.ac") == "grid"
    assert rig.controller.genset.run_ms < 200_000
    rig.until("genset.state", "cool_down", 200)
    assert 200_000 <= rig.controller.genset.run_ms <= 202_000
    rig.until("genset.state", "off", 200)
    assert "exercise_failed" not in rig.alarms()
    _pass(rig, 2 * DAY_MIN - 60)
    assert _starts(rig) == 1


def test_without_a_trusted_clock_it_begins_a_day_later_at_any_hour():
    rig = _rig()
    _pass(rig, 3 * DAY_MIN - 2)
    assert _starts(rig) == 0
    _pass(rig, 3)
    assert _starts(rig) == 1


def test_a_run_that_lasted_makes_it_needless_and_a_shorter_one_does_not():
    for run_s, starts in ((250, 1), (60, 2)):
        rig = _rig()
        _pass(rig, DAY_MIN)
        assert rig.command("genset.start", for_s=run_s) == "ok"
        rig.run(run_s + 150)
        _pass(rig, 2 * DAY_MIN - 30)
        rig.minute = 12 * 60
        _pass(rig, 5)
        assert _starts(rig) == starts, run_s


def test_without_a_grid_the_exercise_takes_the_load():
    rig = _rig(genset__soc_start_permille=0)
    rig.grid_mv = 0
    rig.minute = 10 * 60
    _pass(rig, 2 * DAY_MIN + 62)
    rig.until("source.ac", "genset", 300)
    assert rig.reason("genset") == "exercise"


def test_a_grid_that_returns_ends_an_exercise_without_blame_and_it_is_due_a_day_later():
    rig = _rig(genset__soc_start_permille=0)
    rig.grid_mv = 0
    _pass(rig, 2 * DAY_MIN)
    rig.minute = 12 * 60
    rig.until("source.ac", "genset", 300)
    rig.grid_mv = 230_000
    rig.until("genset.state", "off", 400)
    assert "exercise_failed" not in rig.alarms()
    assert rig.controller.exercise.due_s() > 80_000


def test_low_fuel_aborts_it_and_keeps_it_from_beginning():
    rig = _rig()
    _pass(rig, 2 * DAY_MIN)
    rig.minute = 12 * 60
    rig.until("genset.state", "ready", 300)
    rig.fuel = 50
    rig.until("genset.state", "off", 60)
    assert "exercise_failed" not in rig.alarms()
    _pass(rig, 2 * DAY_MIN)
    assert _starts(rig) == 1


def test_a_genset_that_does_not_start_for_it_has_failed_until_a_run_succeeds():
    rig = _rig()
    rig.start_ms = None
    _pass(rig, 2 * DAY_MIN)
    rig.minute = 12 * 60
    rig.until("genset.state", "locked_out", 300)
    rig.run(5)
    assert "genset_start_failed" in rig.alarms()
    assert rig.controller.exercise.failed
    rig.reset()
    rig.run(5)
    assert rig.controller.exercise.failed
    rig.start_ms = 4_000
    rig.controller.genset.reset()
    rig.run(60)
    assert "exercise_failed" in rig.alarms()
    assert rig.command("genset.start", for_s=300) == "ok"
    rig.run(400)
    assert "exercise_failed" not in rig.alarms()


def test_the_reset_command_clears_a_failed_exercise():
    rig = _rig()
    rig.controller.exercise.failed = True
    assert rig.command("genset.reset") == "ok"
    assert not rig.controller.exercise.failed


def test_a_stop_command_ends_it_for_a_day():
    rig = _rig()
    _pass(rig, 2 * DAY_MIN)
    rig.minute = 12 * 60
    rig.until("genset.state", "ready", 300)
    assert rig.command("genset.stop") == "ok"
    rig.until("genset.state", "off", 200)
    _pass(rig, DAY_MIN - 30)
    assert _starts(rig) == 1
    _pass(rig, 60)
    assert _starts(rig) == 2


def test_quiet_hours_and_rationing_keep_it_from_beginning_and_end_it():
    rig = _rig()
    exercise = rig.controller.exercise
    exercise.since_s = 5 * 86_400
    exercise.step(1_000, 12 * 60, True, True, 0, 0)
    assert not exercise.active
    exercise.step(1_000, 12 * 60, False, True, 0, 0)
    assert exercise.active
    exercise.step(1_000, 12 * 60, True, True, 100_000, 0)
    assert not exercise.active
    assert not exercise.failed
    assert exercise.due_s() == 86_400


def test_none_is_due_where_they_are_switched_off_even_in_the_midst_of_one():
    rig = Rig(genset__exercise_days=0).run(5)
    rig.minute = 12 * 60
    _pass(rig, 3 * DAY_MIN)
    assert _starts(rig) == 0
    assert rig.controller.exercise.due_s() is None
    exercise = rig.controller.exercise
    exercise.active = True
    exercise.step(1_000, None, False, True, 0, 0)
    assert not exercise.active
    exercise.stop()
    assert exercise.due_s() is None


def test_days_counted_and_an_exercise_under_way_survive_a_reset():
    rig = _rig()
    _pass(rig, 2 * DAY_MIN)
    rig.minute = 12 * 60
    rig.until("genset.state", "ready", 300)
    rig.reset()
    rig.run(30)
    assert rig.controller.exercise.active
    assert rig.controller.exercise.since_s >= 2 * 86_400
    rig.until("genset.state", "cool_down", 300)


def test_long_idleness_does_not_overflow():
    rig = _rig(genset__soc_start_permille=0)
    rig.controller.exercise.since_s = 0x3FFFFFFF - 10
    rig.run(100)
    assert rig.controller.exercise.since_s < 1 << 30
