"""Why the genset is demanded, and when no longer."""

from core_rig import Rig, on_genset


def _off_grid(**settings):
    rig = Rig(**settings).run(5)
    rig.grid_mv = 0
    rig.run(5)
    return rig


def _active(rig):
    return rig.controller.demand.active


def test_low_charge_must_last_the_delay():
    rig = _off_grid()
    rig.soc = 299
    rig.run(59)
    assert not _active(rig)
    rig.run(3)
    assert _active(rig) == 1
    assert rig.controller.explain()


def test_charge_that_jitters_around_the_start_threshold_starts_once():
    rig = _off_grid(genset__min_run_s=0)
    starts = 0
    for n in range(1_500):
        rig.soc = 290 if n % 50 < 40 else 310
        before = rig.is_now("genset_start")
        rig.scan()
        starts += rig.is_now("genset_start") > before
    assert starts == 0
    rig.soc = 290
    for n in range(2_000):
        rig.soc = 270 + n % 30
        before = rig.is_now("genset_start")
        rig.scan()
        starts += rig.is_now("genset_start") > before
    assert starts == 1


def test_charge_that_jitters_around_the_stop_threshold_stops_once():
    rig = on_genset(genset__min_run_s=0)
    stops = 0
    for n in range(600):
        rig.soc = 795 + n % 10
        before = rig.is_now("genset_start")
        rig.scan()
        stops += rig.is_now("genset_start") < before
    assert stops == 1


def test_the_latch_holds_between_the_thresholds():
    rig = on_genset(genset__min_run_s=0)
    rig.soc = 500
    rig.run(1_000)
    assert rig.is_now("source.ac") == "genset"
    rig.soc = 800
    rig.run(5)
    assert rig.is_now("genset.state") == "cool_down"


def test_low_bus_voltage_demands_until_the_charged_voltage_has_held():
    rig = _off_grid(genset__min_run_s=0)
    rig.bus = 47_800
    rig.run(63)
    assert _active(rig) == 2
    assert rig.reason("genset") in ("cranking", "bus_low")
    rig.bus = 50_900
    rig.run(300)
    assert _active(rig) == 2
    rig.bus = 51_100
    rig.run(30)
    rig.bus = 50_900
    rig.run(3)
    rig.bus = 51_100
    rig.run(50)
    assert _active(rig) == 2
    rig.run(15)
    assert _active(rig) == 0


def test_bus_demand_ends_with_the_stop_charge_unless_the_bus_contradicts_it():
    rig = _off_grid(genset__min_run_s=0)
    rig.bus = 47_800
    rig.run(63)
    rig.soc = 900
    rig.run(10)
    assert _active(rig) == 2
    rig.bus = 50_000
    rig.run(2)
    assert _active(rig) == 0


def test_an_unknown_bus_voltage_decides_nothing():
    rig = _off_grid()
    rig.bus = 47_800
    rig.run(30)
    rig.silent = {"load", "battery", "rectifier"}
    rig.run(100)
    assert _active(rig) & 2 == 0


def test_lost_battery_data_follow_the_sites_policy():
    for policy, expected in ((0, 4), (1, 0), (2, 0)):
        rig = _off_grid(genset__data_lost=policy)
        rig.silent = {"battery"}
        rig.run(290)
        assert _active(rig) == 0
        rig.run(20)
        assert _active(rig) == expected, policy


def test_policy_keep_keeps_and_policy_stop_releases_a_demand_on_charge():
    for policy, expected in ((0, 5), (1, 1), (2, 0)):
        rig = on_genset(genset__data_lost=policy)
        rig.bus = 50_000
        rig.silent = {"battery"}
        rig.run(310)
        assert _active(rig) == expected, policy


def test_without_battery_data_the_charged_voltage_ends_the_run():
    rig = on_genset()
    rig.silent = {"battery"}
    rig.bus = 51_200
    rig.run(70)
    assert _active(rig) == 0
    rig.run(1_000)
    assert _active(rig) == 0


def test_returning_battery_data_end_the_demand_for_their_loss():
    rig = _off_grid()
    rig.silent = {"battery"}
    rig.run(320)
    assert _active(rig) == 4
    rig.silent = set()
    rig.run(2)
    assert _active(rig) == 0


def test_a_site_without_battery_data_lives_by_voltage():
    rig = Rig(roles=("grid", "genset", "rectifier", "load")).run(5)
    rig.silent = {"battery"}
    rig.grid_mv = 0
    rig.run(2_000)
    assert _active(rig) == 0
    assert "battery_data_lost" not in rig.alarms()
    rig.bus = 47_900
    rig.run(70)
    assert _active(rig) == 2


def test_grid_return_releases_latched_demands_and_commands():
    rig = on_genset()
    assert rig.command("genset.start", for_s=100_000) == "ok"
    rig.run(2)
    assert _active(rig) == 9
    rig.grid_mv = 230_000
    rig.run(70)
    assert _active(rig) == 0


def test_no_demand_while_the_grid_serves():
    rig = Rig().run(5)
    rig.soc = 100
    rig.bus = 46_000
    rig.run(50)
    assert _active(rig) == 0


def test_a_command_demands_for_its_time_even_with_a_grid():
    rig = Rig(genset__min_run_s=0).run(5)
    assert rig.command("genset.start", for_s=300) == "ok"
    rig.run(200)
    assert rig.is_now("genset.state") == "ready"
    assert rig.reason("genset") == "manual"
    rig.run(120)
    assert rig.is_now("genset.state") == "cool_down"


def test_inhibition_forbids_starts_and_lets_a_running_genset_finish():
    rig = on_genset(genset__min_run_s=0)
    assert rig.command("genset.inhibit", for_s=3_000) == "ok"
    rig.until("genset.state", "off", 100)
    rig.run(1_000)
    assert rig.reason("genset") == "inhibited"
    assert rig.command("genset.start", for_s=100) == "inhibited"
    rig.until("genset_start", 1, 2_000)


def test_a_stop_command_is_refused_within_the_minimum_run():
    rig = on_genset(genset__min_run_s=200)
    assert rig.command("genset.stop") == "min_run"
    rig.run(200)
    assert rig.command("genset.stop") == "ok"
    rig.run(2)
    assert rig.is_now("genset.state") == "cool_down"


def test_in_manual_mode_only_commands_demand():
    rig = _off_grid()
    assert rig.command("mode.set", mode="manual", for_s=500) == "ok"
    rig.soc = 100
    rig.run(400)
    assert rig.is_now("genset_start") == 0
    assert rig.point("controller.mode") == 1
    rig.run(110)
    assert rig.is_now("genset_start") == 1
    assert rig.point("controller.mode") == 0
