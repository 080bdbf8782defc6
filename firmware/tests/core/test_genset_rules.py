"""The genset: its sequence, and what overrides it."""

from core_rig import Rig, demanded, on_genset


def test_start_sequence_runs_from_crank_to_load():
    rig = demanded()
    rig.run(400)
    states = [e[3] for e in rig.events if e[1] == 3]
    assert states == [0, 2, 4, 5, 6] or states == [2, 4, 5, 6]


def test_warm_up_counts_from_evidence_of_running():
    rig = demanded(genset__warm_up_s=90, genset__crank_s=60)
    rig.start_ms = 30_000
    rig.until("genset.state", "warm_up", 200)
    assert rig.until("genset.state", "ready", 100) == 90


def test_any_one_of_rpm_voltage_and_flag_missing_does_not_hide_a_running_genset():
    for missing in ("genset.rpm", "genset.voltage_mv", "genset.running"):
        rig = demanded()
        values = rig.values

        def without(values=values, missing=missing):
            v = values()
            v.pop(missing, None)
            return v

        rig.values = without
        rig.until("genset.state", "warm_up", 200)


def test_cranking_speed_is_no_evidence_of_running():
    rig = demanded()
    rig.start_ms = None
    rig.rpm = 250
    rig.until("genset.state", "crank", 100)
    rig.until("genset.state", "rest", 12)


def test_three_failed_cranks_lock_out_and_release_the_start_line():
    rig = demanded()
    rig.start_ms = None
    rig.until("genset.state", "locked_out", 300)
    cranks = [e for e in rig.events if e[1:4] == (0, 7, 1)]
    assert len(cranks) == 3
    assert rig.is_now("genset_start") == 0
    rig.run(3_600)
    assert rig.is_now("genset.state") == "locked_out"
    assert "genset_start_failed" in rig.alarms()
    assert rig.reason("genset") == "start_failed"


def test_cranks_last_and_rest_as_set():
    rig = demanded(genset__crank_s=7, genset__crank_rest_s=20)
    rig.start_ms = None
    rig.until("genset_start", 1, 100)
    assert rig.until("genset_start", 0, 20) == 7
    assert rig.until("genset_start", 1, 40) == 20


def test_a_genset_that_nobody_sees_running_has_its_start_line_released():
    rig = demanded()
    rig.silent = {"genset"}
    rig.run(400)
    assert rig.is_now("genset_start") == 0
    assert rig.is_now("genset.state") == "locked_out"


def test_reset_by_command_lifts_the_lock_out():
    rig = demanded()
    rig.start_ms = None
    rig.until("genset.state", "locked_out", 300)
    assert rig.command("genset.start", for_s=600) == "locked_out"
    assert rig.command("genset.reset") == "ok"
    rig.start_ms = 3_000
    rig.until("genset.state", "on_load", 200)
    assert "genset_start_failed" not in rig.alarms()


def test_a_late_start_during_rest_is_taken():
    rig = demanded()
    rig.start_ms = 11_000
    rig.stop_ms = 60_000
    rig.until("genset.state", "rest", 100)
    rig.rpm = 1_500
    rig.until("genset.state", "warm_up", 5)
    assert rig.is_now("genset_start") == 1


def test_grid_returning_while_cranking_lets_the_crank_finish_and_cool_down():
    rig = demanded(genset__min_run_s=0, genset__crank_s=120, grid__return_delay_s=1)
    rig.start_ms = 60_000
    rig.until("genset.state", "crank", 100)
    rig.grid_mv = 230_000
    rig.until("source.ac", "grid", 30)
    assert rig.is_now("genset.state") == "crank"
    rig.until("genset.state", "cool_down", 200)
    rig.until("genset.state", "off", 100)
    assert rig.controller.genset.tries == 0


def test_a_crank_without_demand_ends_without_another():
    rig = demanded(grid__return_delay_s=1)
    rig.start_ms = None
    rig.until("genset.state", "crank", 100)
    rig.grid_mv = 230_000
    rig.until("genset.state", "off", 60)
    rig.run(100)
    assert len([e for e in rig.events if e[1:4] == (0, 7, 1)]) == 1


def test_a_rest_without_demand_ends_without_another_crank():
    rig = demanded(grid__return_delay_s=1, genset__crank_rest_s=30)
    rig.start_ms = None
    rig.until("genset.state", "rest", 100)
    rig.grid_mv = 230_000
    rig.until("genset.state", "off", 60)
    assert len([e for e in rig.events if e[1:4] == (0, 7, 1)]) == 1


def test_minimum_run_and_cool_down_complete_after_the_grid_is_back():
    rig = on_genset()
    started = rig.controller.genset.run_ms
    rig.grid_mv = 230_000
    rig.until("source.ac", "grid", 100)
    assert rig.reason("genset") == "min_run"
    seconds = rig.until("genset.state", "cool_down", 2_000)
    assert started // 1_000 + seconds + 60 >= 1_800 - 10
    assert rig.until("genset.state", "stopping", 100) == 60
    rig.until("genset.state", "off", 20)


def test_cool_down_counts_once_the_load_is_off():
    rig = on_genset(genset__min_run_s=0)
    rig.soc = 900
    rig.until("genset.state", "cool_down", 10)
    assert rig.until("genset.state", "stopping", 100) == 60
    assert rig.contacts[1] == 0


def test_a_demand_during_cool_down_returns_to_load():
    rig = on_genset(genset__min_run_s=0, genset__cool_down_s=120)
    rig.soc = 900
    rig.until("genset.state", "cool_down", 10)
    rig.run(10)
    rig.soc = 200
    rig.until("genset.state", "on_load", 100)
    assert len([e for e in rig.events if e[1:4] == (0, 7, 1)]) == 1


def test_minimum_off_time_holds_before_the_next_start():
    rig = on_genset(genset__min_run_s=0)
    rig.soc = 900
    rig.until("genset.state", "off", 200)
    rig.soc = 200
    rig.run(300)
    assert rig.reason("genset") == "min_off"
    rig.run(290)
    assert rig.is_now("genset.state") == "off"
    rig.until("genset.state", "crank", 20)


def test_starts_per_hour_are_limited():
    rig = demanded(genset__min_run_s=0, genset__min_off_s=0, genset__soc_delay_s=0, genset__cool_down_s=0)
    starts = 0
    while rig.time_ms < 3_500_000:
        rig.soc = 250 if rig.is_now("genset.state") == "off" else 900
        before = rig.is_now("genset_start")
        rig.scan()
        starts += rig.is_now("genset_start") > before
    assert starts == 4
    assert rig.reason("genset") == "starts_per_hour"
    rig.soc = 250
    rig.until("genset_start", 1, 1_000)


def test_glowing_comes_before_every_crank_and_holds_the_line():
    rig = demanded(genset__glow_s=15)
    rig.start_ms = None
    rig.until("genset.state", "glow", 100)
    assert rig.is_now("genset_start") == 1
    assert rig.reason("genset") == "glow"
    row = next(row for row in rig.controller.explain() if row[0] == "genset")
    assert row[5] == ("cranks", 15)
    assert rig.until("genset.state", "crank", 20) == 15
    rig.until("genset.state", "rest", 20)
    assert rig.until("genset.state", "glow", 20) == 10
    rig.until("genset.state", "locked_out", 200)
    states = [e[3] for e in rig.events if e[1] == 3]
    assert states.count(1) == 3
    assert states.count(2) == 3


def test_an_engine_that_runs_while_glowing_is_taken():
    rig = demanded(genset__glow_s=60)
    rig.until("genset.state", "glow", 100)
    rig.until("genset.state", "warm_up", 10)
    assert rig.controller.genset.starts.count() == 1


def test_a_demand_that_ends_while_glowing_cranks_nothing():
    rig = demanded(genset__glow_s=60, grid__return_delay_s=1)
    rig.start_ms = None
    rig.until("genset.state", "glow", 100)
    rig.grid_mv = 230_000
    rig.until("genset.state", "off", 30)
    rig.run(100)
    assert not [e for e in rig.events if e[1] == 3 and e[3] == 2]


def test_a_reset_while_glowing_rests_first():
    rig = demanded(genset__glow_s=60)
    rig.start_ms = None
    rig.until("genset.state", "glow", 100)
    rig.reset()
    rig.run(3)
    assert rig.is_now("genset.state") == "rest"
    assert rig.is_now("genset_start") == 0


def test_fewer_tries_by_new_parameters_end_in_a_lock_out():
    rig = demanded(genset__crank_tries=5)
    rig.start_ms = None
    rig.run(62 + 45)
    rig.until("genset.state", "rest", 30)
    assert rig.controller.genset.tries >= 2
    rig.params["genset.crank_tries"] = 1
    rig.controller.configure(rig.params)
    rig.until("genset.state", "locked_out", 60)
    assert rig.reason("genset") == "start_failed"


def test_a_voltage_that_merely_builds_up_is_no_evidence_of_running():
    rig = demanded()
    rig.genset_mv = 70_000
    values = rig.values

    def only_voltage():
        v = values()
        del v["genset.rpm"]
        del v["genset.running"]
        return v

    rig.values = only_voltage
    rig.until("genset.state", "crank", 100)
    rig.until("genset.state", "rest", 12)


def test_a_starter_that_has_turned_in_vain_rests_even_when_the_demand_ends_and_returns():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.run(10)
    rig.start_ms = None
    assert rig.command("genset.start", for_s=5) == "ok"
    rig.until("genset.state", "crank", 30)
    rig.until("genset.state", "stopping", 30)
    assert rig.command("genset.start", for_s=60) == "ok"
    assert rig.until("genset.state", "crank", 60) >= 10


def test_an_engine_that_fires_as_the_crank_is_called_off_has_run():
    rig = Rig(genset__min_off_s=60).run(5)
    rig.grid_mv = 0
    rig.soc = 250
    rig.until("genset.state", "crank", 120)
    rig.fuel = 50  # stops the genset in the very scan in which it is first seen to run
    rig.until("genset.state", "stopping", 30)
    assert rig.running()
    rig.fuel = 600
    assert rig.until("genset.state", "crank", 200) >= 60
