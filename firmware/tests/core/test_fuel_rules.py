"""The account of the fuel: theft, refuelling, a lost or lying sensor."""

from core_rig import Rig, on_genset


def test_fuel_that_disappears_at_rest_raises_the_theft_alarm_until_refuelled():
    rig = Rig().run(60)
    rig.fuel = 575
    rig.run(600)
    assert "fuel_theft" not in rig.alarms()
    rig.fuel = 560
    rig.run(300)
    assert "fuel_theft" in rig.alarms()
    rig.run(3_600, dt_ms=10_000)
    assert "fuel_theft" in rig.alarms()
    rig.fuel = 800
    rig.run(300)
    assert "fuel_theft" not in rig.alarms()


def test_fuel_stolen_while_the_board_was_off_is_missed_after_the_reset():
    rig = Rig().run(60)
    rig.fuel = 450
    rig.reset()
    rig.run(300)
    assert "fuel_theft" in rig.alarms()


def _burn(rig, hours, permille_per_hour):
    """Run on load while the level falls."""
    level = rig.fuel * 1_000
    for _ in range(hours * 60):
        level -= permille_per_hour * 1_000 // 60
        rig.fuel = level // 1_000
        rig.scan(60_000)


def test_what_the_engine_burns_is_no_theft_and_more_than_that_is():
    # 0.6 + 0.27 x 4 = 1.68 l/h of 200 l: 8.4 permille an hour.
    rig = on_genset(genset__max_run_s=604_800)
    rig.genset_w = 4_000
    _burn(rig, 20, 9)
    assert "fuel_theft" not in rig.alarms()
    assert rig.is_now("genset.state") == "on_load"
    _burn(rig, 4, 30)
    assert "fuel_theft" in rig.alarms()


def test_somebody_who_has_looked_clears_the_theft_alarm():
    rig = Rig().run(60)
    rig.fuel = 500
    rig.run(300)
    assert rig.command("genset.reset") == "ok"
    rig.run(300)
    assert "fuel_theft" not in rig.alarms()


def test_without_a_sensor_the_account_goes_on_and_stops_the_engine_in_time():
    rig = on_genset(genset__max_run_s=604_800)
    rig.genset_w = 6_000  # 2.22 l/h and a quarter: 13.9 permille an hour
    rig.fuel = None
    rig.run(600)
    assert "fuel_sensor_lost" in rig.alarms()
    rig.run(20 * 3_600, dt_ms=60_000)
    assert 315 <= rig.controller.genset.engine.fuel <= 335
    rig.run(20 * 3_600, dt_ms=60_000)
    assert rig.is_now("genset_start") == 0
    assert rig.reason("genset") == "fuel_low"
    assert rig.command("genset.start", for_s=60) == "fuel_low"


def test_an_empty_account_without_a_sensor_is_lifted_by_reset_or_by_a_level():
    for sensor in (None, 700):
        rig = on_genset()
        rig.fuel = None
        rig.run(5)
        rig.controller.genset.engine.account._book = 90_000
        rig.until("genset.state", "off", 60)
        if sensor is None:
            rig.run(100)
            assert rig.command("genset.reset") == "ok"
            assert rig.controller.genset.engine.fuel_low == 0
        else:
            rig.fuel = sensor
        rig.run(10)
        assert rig.reason("genset") == "min_off"


def test_reset_does_not_lift_a_stop_for_measured_low_fuel_though_the_sensor_is_lost_since():
    rig = on_genset(genset__min_off_s=0)
    rig.fuel = 50
    rig.until("genset.state", "off", 60)
    rig.fuel = None
    rig.run(100)
    rig.reset()
    rig.run(5)
    assert rig.command("genset.reset") == "ok"
    rig.run(300)
    assert rig.is_now("genset_start") == 0
    assert rig.reason("genset") == "fuel_low"


def test_unmeasured_power_counts_as_rated_power():
    rig = on_genset(genset__max_run_s=604_800)
    rig.fuel = None
    rig.run(10 * 3_600, dt_ms=60_000)
    # 0.6 + 0.27 x 12 = 3.84 l/h and a quarter: 24 permille an hour.
    assert 355 <= rig.controller.genset.engine.fuel <= 365


def test_a_sensor_that_falls_to_nothing_at_once_is_not_believed_and_alarms():
    rig = on_genset()
    rig.fuel = 0
    rig.run(600)
    assert rig.is_now("genset.state") == "on_load"
    assert "fuel_sensor_lost" in rig.alarms()
    assert rig.controller.genset.engine.fuel > 550
    rig.fuel = 590
    rig.run(100)
    assert "fuel_sensor_lost" not in rig.alarms()
    assert "fuel_theft" not in rig.alarms()


def test_a_level_just_below_the_stop_is_believed_at_once():
    rig = on_genset()
    rig.fuel = 99
    rig.run(5)
    assert rig.is_now("genset_start") == 0


def test_a_level_that_sinks_to_nothing_is_believed():
    rig = on_genset()
    rig.fuel = 140
    rig.run(300)
    rig.fuel = 0
    rig.run(5)
    assert rig.is_now("genset_start") == 0


def test_without_a_known_tank_nothing_is_believed_and_only_rest_is_watched():
    rig = on_genset(genset__tank_l=0)
    rig.fuel = 400
    rig.run(300)
    assert "fuel_theft" not in rig.alarms()
    rig.fuel = None
    rig.run(400)
    assert rig.controller.genset.engine.fuel is None
    rig.fuel = 0
    rig.run(5)
    assert rig.is_now("genset_start") == 0
    rig = Rig(genset__tank_l=0).run(60)
    rig.fuel = 500
    rig.run(300)
    assert "fuel_theft" in rig.alarms()


def test_a_site_without_a_fuel_sensor_misses_none():
    rig = Rig()
    rig.fuel = None
    rig.run(5)
    rig.grid_mv = 0
    rig.soc = 250
    rig.run(800)
    assert rig.is_now("genset.state") == "on_load"
    assert "fuel_sensor_lost" not in rig.alarms()


def test_the_account_and_the_theft_survive_a_reset():
    rig = Rig().run(60)
    rig.fuel = 500
    rig.run(300)
    rig.fuel = None
    rig.run(20)
    before = rig.controller.genset.engine.fuel
    rig.reset()
    rig.run(20)
    assert rig.controller.genset.engine.fuel == before
    assert rig.controller.genset.engine.account.theft


def test_the_account_stays_within_small_integers():
    worst = {"genset__burn_ml_kwh": 2_000, "genset__burn_idle_ml_h": 100_000, "genset__tank_l": 1}
    rig = Rig(genset__rating_w=200_000, **worst)
    account = rig.controller.genset.engine.account
    account.step(10_000, 1_000, False, None)
    for _ in range(3):
        account.step(60_000, None, True, 200_000)
        assert 0 <= account._burnt < 1 << 30
    assert account.level() == 0
