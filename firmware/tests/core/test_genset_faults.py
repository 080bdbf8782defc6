"""The genset when something is wrong: fuel, engine, stalls, silence, resets."""

from core_rig import Rig, demanded, on_genset


def test_low_fuel_stops_at_once_whatever_minimum_run_says():
    rig = on_genset()
    rig.fuel = 90
    rig.run(5)
    assert rig.is_now("genset_start") == 0
    assert rig.is_now("genset") == 0
    assert rig.reason("genset") == "fuel_low"
    assert "fuel_low" not in rig.alarms()
    rig.run(70)
    assert "fuel_low" in rig.alarms()


def test_low_fuel_overrides_a_command():
    rig = Rig().run(5)
    rig.fuel = 90
    rig.run(5)
    assert rig.command("genset.start", for_s=600) == "fuel_low"


def test_after_a_fuel_stop_only_the_resume_level_allows_a_start():
    rig = on_genset(genset__min_off_s=0)
    rig.fuel = 50
    rig.until("genset.state", "off", 60)
    for level in (150, None, 200):
        rig.fuel = level
        rig.run(300)
        assert rig.is_now("genset.state") == "off", level
    rig.fuel = 210
    rig.until("genset.state", "crank", 10)


def test_a_lost_fuel_sensor_neither_stops_nor_forbids():
    rig = on_genset()
    rig.fuel = None
    rig.run(600)
    assert rig.is_now("genset.state") == "on_load"


def test_one_false_fuel_reading_does_not_stop():
    rig = on_genset()
    rig.fuel = 0
    rig.scan()
    rig.fuel = 600
    rig.run(60)
    assert rig.is_now("genset.state") == "on_load"


def test_an_engine_fault_takes_the_load_off_at_once_and_locks_out():
    rig = on_genset()
    rig.genset_fault = 4
    rig.scan()
    assert rig.is_now("genset") == 0
    assert rig.is_now("genset_start") == 0
    rig.until("genset.state", "locked_out", 20)
    rig.genset_fault = 0
    rig.run(1_000)
    assert rig.is_now("genset.state") == "locked_out"
    assert rig.reason("genset") == "engine_fault"


def test_an_engine_fault_at_standstill_forbids_the_start_while_it_lasts():
    rig = Rig().run(5)
    rig.genset_fault = 4
    rig.run(5)
    assert rig.command("genset.start", for_s=600) == "engine_fault"
    rig.genset_fault = 0
    rig.run(5)
    assert rig.command("genset.start", for_s=600) == "ok"


def test_an_output_out_of_band_is_never_put_on_load_and_stops_after_a_minute():
    rig = demanded()
    rig.genset_chz = 5_500
    rig.until("genset.state", "ready", 300)
    rig.run(55)
    assert rig.is_now("genset") == 0
    assert "genset_out_of_band" in rig.alarms()
    rig.until("genset.state", "stopping", 10)
    assert rig.reason("genset") == "genset_band"


def test_output_that_stays_out_of_band_uses_up_the_tries():
    rig = demanded(genset__min_off_s=10, genset__starts_per_hour=20)
    rig.genset_mv = 150_000
    rig.until("genset.state", "locked_out", 2_000)
    assert len([e for e in rig.events if e[1:4] == (0, 7, 1)]) == 3


def test_load_goes_on_only_after_a_stable_output():
    rig = demanded(genset__warm_up_s=0)
    rig.until("genset.state", "ready", 200)
    rig.genset_chz = 5_400
    rig.run(10)
    rig.genset_chz = 5_000
    assert rig.until("genset", 1, 20) >= 5


def test_out_of_band_on_load_opens_in_the_same_scan_and_recovers_slowly():
    rig = on_genset()
    rig.genset_mv = 180_000
    rig.scan()
    assert rig.is_now("genset") == 0
    rig.scan()
    rig.genset_mv = 230_000
    assert rig.until("source.ac", "genset", 30) >= 5
    assert rig.is_now("genset.state") in ("ready", "on_load")


def test_a_stall_on_load_opens_at_once_and_is_retried_within_the_budget():
    rig = on_genset()
    for n in range(2):
        rig.rpm = 0
        rig._line_ms = -10_000_000
        rig.scan()
        assert rig.is_now("genset") == 0
        rig.until("genset.state", "rest", 5)
        assert "genset_stalled" in rig.alarms()
        rig._line_ms = 0
        rig.until("genset.state", "on_load", 200)
        assert rig.controller.genset.tries == n + 2
    rig.rpm = 0
    rig._line_ms = -10_000_000
    rig.until("genset.state", "locked_out", 20)


def test_ten_minutes_on_load_restore_the_tries():
    rig = on_genset()
    assert rig.controller.genset.tries == 1
    rig.run(600)
    assert rig.controller.genset.tries == 0


def test_a_stall_while_cooling_down_just_ends_it():
    rig = on_genset(genset__min_run_s=0)
    rig.soc = 900
    rig.until("genset.state", "cool_down", 10)
    rig.run(5)
    rig.rpm = 0
    rig._line_ms = -10_000_000
    rig.until("genset.state", "off", 10)
    assert "genset_stalled" not in rig.alarms()


def test_a_stall_while_warming_up_is_retried():
    rig = demanded()
    rig.until("genset.state", "warm_up", 100)
    rig.rpm = 0
    rig._line_ms = -10_000_000
    rig.until("genset.state", "rest", 5)


def test_a_genset_that_does_not_stop_raises_an_alarm_and_nothing_else():
    rig = on_genset(genset__min_run_s=0)
    rig.stop_ms = None
    rig.soc = 900
    rig.run(300)
    assert rig.is_now("genset.state") == "stopping"
    assert "genset_fail_to_stop" in rig.alarms()
    rig.grid_mv = 230_000
    rig.until("source.ac", "grid", 100)
    rig.stop_ms = 0
    rig.run(20)
    assert rig.is_now("genset.state") == "off"
    assert "genset_fail_to_stop" not in rig.alarms()


def test_a_genset_that_runs_unasked_raises_an_alarm_and_is_not_used():
    rig = Rig().run(5)
    rig.by_hand = True
    rig.run(60)
    assert "genset_unexpected_run" in rig.alarms()
    assert rig.is_now("genset.state") == "off"


def test_without_data_stopping_ends_after_its_limit():
    rig = on_genset(genset__min_run_s=0)
    rig.soc = 900
    rig.until("genset.state", "stopping", 100)
    rig.silent = {"genset"}
    rig.until("genset.state", "off", 70)


def test_a_silent_genset_on_load_is_held_on_the_rectifiers_word():
    rig = on_genset()
    rig.silent = {"genset"}
    rig.run(120)
    assert rig.is_now("source.ac") == "genset"


def test_a_silent_genset_without_the_rectifiers_word_is_left():
    rig = on_genset()
    rig.silent = {"genset", "rectifier"}
    rig.run(8)
    assert rig.is_now("genset") == 0


def test_a_very_long_run_raises_an_alarm():
    rig = on_genset(genset__max_run_s=600)
    rig.run(700)
    assert "genset_max_run" in rig.alarms()


def test_running_between_thresholds_a_reset_keeps_the_latch_and_the_run():
    rig = on_genset()
    rig.stop_ms = 20_000  # a controller of its own, which waits before stopping
    rig.soc = 500
    rig.run(10)
    rig.reset()
    rig.run(10)
    assert rig.is_now("genset_start") == 1
    assert rig.controller.demand.active == 1
    rig.until("source.ac", "genset", 30)
    assert "genset_stalled" not in rig.alarms()


def test_a_genset_that_stopped_for_a_reset_is_started_again_without_blame():
    rig = on_genset()
    rig.stop_ms = 1_000
    rig.reset()
    rig.stop_ms = 5_000
    rig.until("source.ac", "genset", 120)
    assert rig.controller.genset.tries == 1
    assert "genset_stalled" not in rig.alarms()


def test_a_lock_out_survives_a_reset():
    rig = demanded()
    rig.start_ms = None
    rig.until("genset.state", "locked_out", 300)
    rig.reset()
    rig.run(60)
    assert rig.is_now("genset.state") == "locked_out"
    assert "genset_start_failed" in rig.alarms()


def test_resets_while_cranking_cannot_wear_the_starter():
    rig = demanded()
    rig.start_ms = None
    rig.until("genset.state", "crank", 100)
    cranks = 1
    for _ in range(10):
        rig.run(3)
        rig.reset()
        before = 0
        for _ in range(12):
            rig.scan()
            cranks += rig.is_now("genset_start") > before
            before = rig.is_now("genset_start")
    for _ in range(700):  # resets in a row are waited for, then what is left of the tries is spent
        rig.scan()
        cranks += rig.is_now("genset_start") > before
        before = rig.is_now("genset_start")
    assert cranks <= 3
    assert rig.is_now("genset.state") == "locked_out"


def test_minimum_off_time_survives_a_reset():
    rig = on_genset(genset__min_run_s=0)
    rig.soc = 900
    rig.until("genset.state", "off", 200)
    rig.soc = 200
    rig.run(300)
    rig.reset()
    rig.run(200)
    assert rig.is_now("genset.state") == "off"
    assert rig.reason("genset") == "min_off"


def test_a_fuel_stop_survives_a_reset():
    rig = on_genset(genset__min_off_s=0)
    rig.fuel = 50
    rig.run(10)
    rig.fuel = None
    rig.reset()
    rig.run(300)
    assert rig.is_now("genset_start") == 0
    assert rig.reason("genset") == "fuel_low"


def test_starts_survive_a_reset_and_a_changed_limit():
    rig = on_genset()
    rig.reset()
    assert rig.controller.genset.starts.count() == 1
    rig.params["genset.starts_per_hour"] = 2
    rig.controller.configure(rig.params)
    assert rig.controller.genset.starts.count() == 1
    assert rig.controller.genset.starts.limit == 2


def test_very_long_times_do_not_overflow():
    rig = on_genset(genset__max_run_s=604_800)
    genset = rig.controller.genset
    v = rig.snapshot().v
    for _ in range(18_500):
        genset.step(v, 60_000, 1, 1, None, 0)
    assert genset.state == 6
    assert max(genset.ms, genset.run_ms, genset.engine.stable_ms) < 1 << 30


def test_a_reset_command_disturbs_nothing_that_runs():
    rig = on_genset()
    assert rig.command("genset.reset") == "ok"
    rig.run(5)
    assert rig.is_now("genset.state") == "on_load"


# ---- the start line as evidence --------------------------------------------------------------------


def _faulty(**settings):
    """A genset with an engine fault on load whose own controller stops it."""
    rig = on_genset(genset__hold_line=1, **settings)
    rig.genset_fault = 4
    rig.by_hand = False
    rig.rpm = 0
    rig.start_ms = None
    rig.scan()
    return rig


def test_a_faulty_genset_keeps_its_start_line_off_load_until_the_reset_command():
    rig = _faulty()
    assert rig.is_now("genset") == 0
    assert rig.is_now("genset_start") == 1
    rig.until("genset.state", "locked_out", 30)
    rig.run(3_600)
    assert rig.is_now("genset_start") == 1
    assert rig.is_now("genset") == 0
    assert "genset_fault" in rig.alarms()
    assert rig.command("genset.reset") == "ok"
    rig.scan()
    assert rig.is_now("genset_start") == 0
    assert rig.reason("genset") == "engine_fault"


def test_a_held_line_is_released_when_the_fault_is_gone_lest_the_engine_start():
    rig = _faulty()
    rig.until("genset.state", "locked_out", 30)
    rig.genset_fault = 0
    rig.scan()
    assert rig.is_now("genset_start") == 0
    assert rig.is_now("genset.state") == "locked_out"


def test_an_engine_that_runs_on_with_its_fault_gets_its_line_released():
    rig = on_genset(genset__hold_line=1)
    rig.genset_fault = 4
    rig.run(9)
    assert rig.is_now("genset_start") == 1
    rig.run(4)
    assert rig.is_now("genset_start") == 0
    rig.until("genset.state", "locked_out", 60)


def test_a_held_line_falls_with_the_default_state_and_is_not_raised_after_a_reset():
    rig = _faulty(scan__hold_s=10)
    rig.until("genset.state", "locked_out", 30)
    rig.silent = {"grid", "genset", "rectifier", "battery", "solar", "load"}
    rig.run(15)
    assert rig.is_now("genset_start") == 0
    rig = _faulty()
    rig.until("genset.state", "locked_out", 30)
    rig.reset()
    rig.run(10)
    assert rig.is_now("genset_start") == 0
    assert rig.is_now("genset.state") == "locked_out"


def test_without_that_choice_the_line_is_released_at_once_and_the_fault_alarms():
    rig = on_genset()
    rig.genset_fault = 4
    rig.scan()
    assert rig.is_now("genset_start") == 0
    rig.run(2)
    assert "genset_fault" in rig.alarms()
