"""Where incumbents fail: what their users complained of must not happen here."""

from core_rig import Rig, on_genset

EVERYTHING = {"grid", "genset", "rectifier", "battery", "solar", "load"}


def test_charge_lost_with_a_healthy_voltage_follows_the_policy():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.silent = {"battery"}
    rig.bus = 50_000
    rig.run(600)
    assert rig.controller.demand.active == 4
    assert rig.is_now("source.ac") == "genset"


def test_an_unusable_charge_value_for_a_quarter_of_an_hour_counts_as_lost():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.bus = 50_000
    values = rig.values

    def without():
        v = values()
        del v["battery.soc_permille"]
        return v

    rig.values = without
    rig.run(900)
    assert rig.controller.demand.active == 4


def test_time_comes_only_from_steps_so_no_clock_can_satisfy_a_timer():
    rig = Rig(genset__soc_delay_s=600).run(5)
    rig.grid_mv = 0
    rig.soc = 250
    rig.run(500)
    assert rig.controller.demand.active == 0


def test_a_stop_voltage_that_is_never_reached_does_not_run_the_genset_for_ever_without_charge_data():
    rig = on_genset(genset__bus_stop_mv=51_300)
    rig.silent = {"battery"}
    rig.run(3_600)
    assert rig.is_now("genset_start") == 0


def test_a_stale_latch_does_not_start_the_genset_after_the_grid_has_returned():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.soc = 290
    rig.run(62)
    rig.grid_mv = 230_000
    rig.run(20_000, dt_ms=10_000)
    assert rig.controller.demand.active == 0
    rig.grid_mv = 0
    rig.soc = 600
    rig.run(1_000)
    assert rig.controller.demand.active == 0


def test_grid_back_for_two_minutes_and_out_again_gives_no_crank_against_a_running_engine():
    rig = on_genset(genset__min_run_s=60, genset__cool_down_s=30)
    rig.stop_ms = 30_000
    rig.grid_mv = 230_000
    rig.run(120)
    rig.grid_mv = 0
    cranks = 0
    for _ in range(900):
        before = rig.is_now("genset_start")
        rig.scan()
        if rig.is_now("genset_start") > before:
            cranks += 1
            assert rig.rpm == 0
    assert cranks <= 1
    assert "genset_start_failed" not in rig.alarms()
    assert rig.is_now("source.ac") == "genset"


def test_critical_load_returns_within_reach_of_a_source():
    rig = Rig(genset__soc_start_permille=0, genset__bus_start_mv=20_000).run(40)
    rig.grid_mv = 0
    rig.bus = 43_000
    rig.run(400)
    assert rig.is_now("load1") == 0
    rig.bus = None
    rig.grid_mv = 230_000
    # return delay 60 s, dead time, battery 30 s, hold 300 s, stagger 30 s
    assert rig.until("load1", 1, 450) <= 450
