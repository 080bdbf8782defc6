"""Disaster mode: charge before, shed and ration during, back to normal after."""

from core_rig import REFERENCE, Rig
from policy_rig import DISASTER, Desk

from greenmast_protocol import show

HOUR = 3_600
TARGET_S = 72 * HOUR


def _before(**settings):
    desk = Desk("disaster", **settings)
    desk.fuel = None
    desk.to_lvd_s = 28 * HOUR
    return desk.run(1_000)


def _during(**settings):
    """AC has just been lost."""
    desk = _before(**settings)
    desk.grid = False
    return desk


def test_before_the_outage_the_reserve_is_raised_and_the_battery_charged_fully():
    desk = _before()
    assert (desk.policy.reserve, desk.policy.charge_to, desk.policy.charge_first) == (1_000, 1_000, True)
    assert desk.policy.shed == 0
    assert (desk.rule(), desk.keeper()) == ("disaster", "disaster")


def test_disaster_mode_by_command_is_the_same_and_ends_with_it():
    desk = Desk("tribrid")
    desk.minute = 12 * 60
    desk.run(1_000)
    assert desk.carries() == "tariff"
    desk.mode = DISASTER
    desk.run(1)
    assert not desk.carries()
    assert (desk.policy.reserve, desk.policy.charge_first) == (1_000, True)
    desk.mode = 0
    desk.run(3 * HOUR, 10_000)
    assert (desk.policy.reserve, desk.policy.charge_first, desk.policy.ration) == (400, False, 0)
    assert desk.policy.disaster is None


def test_tiers_are_shed_one_at_a_time_until_the_pessimistic_time_reaches_the_target():
    desk = _during()
    desk.run(290)
    assert desk.policy.shed == 0
    desk.run(20)
    assert desk.policy.shed == 1
    desk.run(1_700)
    assert desk.policy.shed == 1
    desk.run(200)
    assert desk.policy.shed == 2
    desk.run(5 * HOUR, 10_000)
    assert desk.policy.shed == 2


def test_nothing_more_is_shed_when_the_rest_lasts():
    desk = _during()
    desk.run(310)
    desk.to_lvd_s = 73 * HOUR
    desk.run(5 * HOUR, 10_000)
    assert desk.policy.shed == 1


def test_a_tier_returns_only_when_there_is_twice_as_much_as_needed():
    desk = _during()
    desk.run(3_000)
    assert desk.policy.shed == 2
    desk.to_lvd_s = 2 * TARGET_S - 6 * HOUR
    desk.run(HOUR, 10_000)
    assert desk.policy.shed == 2
    desk.to_lvd_s = 2 * TARGET_S
    desk.run(10)
    assert desk.policy.shed == 1
    desk.run(1_900)
    assert desk.policy.shed == 0


def test_a_load_that_answers_to_shedding_does_not_oscillate():
    desk = _during()
    changes = 0
    for n in range(72 * 60):
        before = desk.policy.shed
        # 36 kWh, and a tier that is half of the load: each one that goes doubles the time.
        desk.to_lvd_s = (40 * HOUR - n * 30) << desk.policy.shed
        desk.run(60, 10_000)
        changes += desk.policy.shed != before
    assert 1 <= changes <= 3


def test_what_is_needed_shrinks_with_time_but_never_to_nothing():
    desk = _during()
    desk.to_lvd_s = None
    desk.run(71 * HOUR, 60_000)
    assert desk.policy.disaster.needed_s() == TARGET_S // 10
    desk.to_lvd_s = TARGET_S // 10 - 60
    desk.run(60)
    assert desk.policy.shed == 1


def test_an_unknown_time_to_disconnection_changes_nothing():
    desk = _during()
    desk.run(310)
    assert desk.policy.shed == 1
    desk.to_lvd_s = None
    desk.run(5 * HOUR, 10_000)
    assert desk.policy.shed == 1


def test_ac_that_is_back_for_an_hour_ends_the_case():
    desk = _during()
    desk.run(3_000)
    desk.grid = True
    desk.run(3_500)
    assert desk.policy.shed == 2
    desk.grid = False
    desk.run(60)
    desk.grid = True
    desk.run(3_500)
    assert desk.policy.shed == 2
    assert desk.policy.disaster.absent_s > 6_000
    desk.run(200)
    assert desk.policy.shed == 0
    assert desk.policy.disaster.needed_s() == TARGET_S


def test_scarce_or_unknown_fuel_is_rationed_with_hysteresis():
    desk = _during()
    desk.fuel = 600
    desk.run(10)
    for fuel, rationed in ((310, False), (299, True), (340, True), (350, False), (None, True), (600, False)):
        desk.fuel = fuel
        desk.run(10)
        assert (desk.policy.ration != 0) == rationed, fuel


def test_a_genset_with_enough_fuel_carries_the_load_so_nothing_is_shed():
    desk = _during()
    desk.fuel = 600
    desk.run(2 * HOUR, 10_000)
    assert desk.policy.shed == 0
    desk.fuel = 250
    desk.run(HOUR, 10_000)
    assert desk.policy.shed == 2
    desk.fuel = 600
    desk.run(2 * HOUR, 10_000)
    assert desk.policy.shed == 0


def test_while_the_genset_carries_nothing_more_is_shed_and_the_clock_goes_on():
    desk = _during()
    desk.run(310)
    desk.ac = True
    desk.run(5 * HOUR, 10_000)
    assert desk.policy.shed == 1
    assert desk.policy.disaster.absent_s >= 5 * HOUR


def test_at_a_site_without_a_grid_the_genset_is_the_ac_that_counts():
    without = dict(REFERENCE)
    del without["grid"]
    rig = Rig(without, policy__name=3)
    rig.run(30)
    assert rig.controller.policy.disaster.absent_s > 20
    rig.soc = 250
    rig.until("source.ac", "genset", 300)
    rig.soc = 500
    absent_s = rig.controller.policy.disaster.absent_s
    rig.run(60)
    assert rig.controller.policy.disaster.back_ms > 0
    assert rig.controller.policy.disaster.absent_s >= absent_s


def test_no_scheduled_run_wastes_fuel_in_a_disaster():
    desk = Desk(genset__window_start_min=0, genset__window_end_min=1_439)
    desk.minute = 12 * 60
    desk.run(100)
    assert desk.policy.window
    desk.mode = DISASTER
    desk.run(1)
    assert not desk.policy.window
    assert not desk.plan(genset=[1]).run(100).policy.window


def test_disaster_mode_never_lowers_the_reserve():
    assert _before(disaster__reserve_permille=300).policy.reserve == 400


def test_a_genset_that_is_locked_out_counts_as_none():
    rig = Rig(policy__name=3)
    rig.start_ms = None
    rig.grid_mv = 0
    rig.soc = 250
    rig.run(10)
    assert not rig.controller.policy.disaster.scarce
    rig.until("genset.state", "locked_out", 600)
    rig.run(10)
    assert rig.controller.policy.disaster.scarce


def test_the_case_survives_a_reset():
    desk = _during()
    desk.run(3_000)
    again = Desk("disaster", memory=desk.policy.memory())
    again.fuel = None
    again.grid = False
    again.to_lvd_s = 28 * HOUR
    again.run(1)
    assert again.policy.shed == 2
    assert again.policy.disaster.absent_s >= 3_000


def test_parameters_change_the_target_of_a_case_under_way():
    desk = _during()
    desk.run(310)
    assert desk.policy.shed == 1
    desk.params["disaster.target_s"] = 10 * HOUR
    desk.policy.configure(desk.params)
    desk.run(1_900)
    assert desk.policy.shed == 0


def test_disaster_mode_is_explained():
    rig = Rig(policy__name=3)
    rig.battery_ma = -40_000
    rig.run(100)
    text = "\n".join([show.explanation(row) for row in rig.controller.explain()])
    assert "policy disaster: disaster mode: must last 3 d 00 h more; in the way: " in text
    assert "to disconnection, below 3 d 00 h" in text
    assert "reserve 100.0 %: disaster mode" in text
    rig.fuel = 200
    rig.grid_mv = 0
    rig.run(100)
    text = "\n".join([show.explanation(row) for row in rig.controller.explain()])
    assert "must last 71 h 58 min more" in text or "must last 2 d 23 h more" in text
    assert "fuel 20.0 % rationed below 30.0 %" in text
    rig.grid_mv = 230_000
    rig.run(100)
    assert "next: back to normal in 59 min" in "\n".join(
        [show.explanation(r) for r in rig.controller.explain()]
    )
