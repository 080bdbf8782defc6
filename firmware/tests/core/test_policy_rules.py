"""The named presets: how far AC charges, when the battery carries, what the reserve is."""

from core_rig import REFERENCE, Rig
from policy_rig import MANUAL, Desk

from greenmast_fw.core.daytime import until_s, within
from greenmast_fw.core.decision import POLICY
from greenmast_protocol import show

HOUR = 3_600
NOON = 12 * 60
NIGHT = 2 * 60


def _dear(**settings):
    """Tribrid in an expensive hour, long enough for the battery to carry."""
    desk = Desk("tribrid", **settings)
    desk.minute = NOON
    return desk.run(1_000)


# ---- presets ---------------------------------------------------------------------------------------


def test_weak_grid_charges_fully_whenever_ac_is_there_and_never_leaves_the_grid():
    desk = Desk("weak-grid")
    desk.minute = NOON
    desk.run(2 * HOUR, 10_000)
    assert (desk.policy.charge_to, desk.policy.reserve) == (1_000, 400)
    assert desk.rule() == "ac_charges"
    assert not desk.carries()


def test_off_grid_keeps_no_more_than_the_genset_would_refill():
    assert Desk("off-grid").run(10).policy.reserve == 300
    assert Desk("off-grid", battery__reserve_permille=200).run(10).policy.reserve == 200
    without = dict(REFERENCE)
    del without["genset"]
    assert Desk("off-grid", without).run(10).policy.reserve == 400


def test_tribrid_charges_nearly_full_while_power_is_cheap_and_leaves_room_for_sun():
    desk = Desk("tribrid")
    desk.minute = NIGHT
    desk.run(10)
    assert desk.policy.charge_to == 950
    assert desk.rule() == "tariff_cheap"
    assert not desk.carries()


def test_tribrid_lets_the_battery_carry_while_power_is_expensive():
    desk = _dear()
    assert desk.carries() == "tariff"
    assert desk.policy.charge_to == desk.policy.reserve == 400


def test_the_tariff_changes_at_its_minutes_over_midnight():
    desk = Desk("tribrid")
    desk.minute = 6 * 60 + 59
    desk.run(30)
    assert desk.rule() == "tariff_cheap"
    desk.run(40)
    assert desk.rule() == "tariff"
    desk.minute = 22 * 60 + 59
    desk.run(30)
    assert desk.rule() == "tariff"
    desk.run(40)
    assert desk.rule() == "tariff_cheap"


def test_a_tariff_whose_hours_are_empty_is_none():
    desk = Desk("tribrid", policy__cheap_start_min=0, policy__cheap_end_min=0)
    desk.minute = NOON
    desk.run(1_000)
    assert desk.rule() == "ac_charges"
    assert not desk.carries()


def test_the_cheap_charge_is_never_below_the_reserve():
    desk = Desk("tribrid", battery__reserve_permille=980)
    desk.minute = NIGHT
    assert desk.run(10).policy.charge_to == 980


def test_without_a_trusted_clock_tribrid_acts_as_weak_grid():
    desk = Desk("tribrid").run(2_000)
    assert (desk.rule(), desk.policy.charge_to, desk.carries()) == ("clock_unsure", 1_000, "")
    desk = _dear()
    desk.minute = None
    desk.run(70)
    assert (desk.rule(), desk.policy.charge_to, desk.carries()) == ("clock_unsure", 1_000, "")


def test_within_a_day_of_a_lost_grid_tribrid_acts_as_weak_grid():
    desk = _dear()
    desk.grid = False
    desk.run(60)
    desk.grid = True
    desk.run(23 * HOUR, 10_000)
    assert (desk.rule(), desk.policy.charge_to, desk.carries()) == ("grid_unsteady", 1_000, "")
    desk.run(2 * HOUR, 10_000)
    assert desk.rule() == "tariff"
    assert desk.carries() == "tariff"


def test_tribrid_without_a_grid_has_no_tariff():
    without = dict(REFERENCE)
    del without["grid"]
    desk = Desk("tribrid", without)
    desk.minute = NOON
    desk.run(2_000)
    assert (desk.rule(), desk.carries()) == ("ac_charges", "")


# ---- carrying --------------------------------------------------------------------------------------


def test_the_battery_never_carries_below_the_reserve():
    for seconds in range(10, 16):  # whenever it looks
        desk = _dear()
        desk.soc = 401
        desk.run(seconds)
        assert desk.carries() == "tariff"
        desk.soc = 400
        desk.run(1)
        assert not desk.carries(), seconds
    assert desk.policy.charge_to == 400


def test_carrying_ends_at_once_when_the_charge_becomes_unknown_or_the_grid_is_lost():
    for name, value in (("soc", None), ("grid", False)):
        desk = _dear()
        assert desk.carries()
        setattr(desk, name, value)
        desk.run(1)
        assert not desk.carries(), name
        assert desk.policy.charge_to == 1_000 or name == "grid"


def test_with_the_charge_unknown_ac_charges_fully():
    desk = _dear()
    desk.soc = None
    desk.run(10)
    assert desk.policy.charge_to == 1_000


def test_carrying_begins_only_clearly_above_the_reserve():
    desk = Desk("tribrid")
    desk.minute = NOON
    desk.soc = 420
    desk.run(1_000)
    assert not desk.carries()
    desk.soc = 421
    desk.run(10)
    assert desk.carries() == "tariff"


def test_charge_that_jitters_around_the_reserve_switches_at_most_four_times_an_hour():
    desk = _dear()
    switches = 0
    for n in range(2 * HOUR):
        before = desk.policy.carry
        desk.soc = 380 if n % 20 < 10 else 440
        desk.run(1)
        switches += before == 0 and desk.policy.carry != 0
    assert 1 <= switches <= 8


def test_a_clock_that_jumps_to_and_fro_moves_nothing():
    desk = _dear()
    for _ in range(100):
        desk.minute = NIGHT
        desk.run(20)
        assert desk.carries() == "tariff"
        desk.minute = NOON
        desk.run(20)
        assert desk.carries() == "tariff"


def test_an_announced_outage_ends_carrying_and_charges_fully_at_once():
    desk = _dear()
    desk.announced = True
    desk.run(1)
    assert not desk.carries()
    assert desk.policy.charge_first
    assert desk.policy.charge_to == 1_000
    assert desk.rule() == "outage_planned"
    desk.announced = False
    desk.run(70)
    assert not desk.policy.charge_first


def test_in_mode_manual_the_battery_does_not_carry_by_itself():
    desk = _dear()
    desk.mode = MANUAL
    desk.run(1)
    assert not desk.carries()


def test_other_parameters_take_hold_and_the_reserve_goes_there_without_a_jump():
    desk = _dear()
    desk.params["battery.reserve_permille"] = 600
    desk.policy.configure(desk.params)
    desk.run(60)
    assert 410 <= desk.policy.reserve <= 430
    assert desk.carries() == "tariff"
    desk.run(600)
    assert desk.policy.reserve == 600
    desk.params["policy.name"] = 0
    desk.policy.configure(desk.params)
    desk.run(70)
    assert desk.rule() == "ac_charges"
    assert not desk.carries()


# ---- hours of the day ------------------------------------------------------------------------------


def test_hours_may_go_over_midnight_and_equal_ends_are_none():
    for minute, hours, inside in (
        (420, (420, 480), True),
        (479, (420, 480), True),
        (480, (420, 480), False),
        (419, (420, 480), False),
        (1_439, (1_380, 60), True),
        (0, (1_380, 60), True),
        (60, (1_380, 60), False),
        (1_440 * 9_000 + 30, (1_380, 60), True),
        (100, (100, 100), False),
        (None, (0, 1_439), False),
    ):
        assert within(minute, hours) == inside, (minute, hours)
    assert until_s(1_440 * 3 + 410, 420) == 600
    assert until_s(430, 420) == 1_430 * 60
    assert until_s(420, 420) == 86_400


def test_quiet_hours_and_window_need_a_trusted_clock():
    desk = Desk(
        genset__quiet_start_min=1_320,
        genset__quiet_end_min=360,
        genset__window_start_min=NOON,
        genset__window_end_min=NOON + 60,
    )
    desk.run(100)
    assert (desk.policy.quiet, desk.policy.window) == (False, False)
    for minute, quiet, window in ((NIGHT, True, False), (NOON, False, True), (NOON + 60, False, False)):
        desk.minute = minute
        desk.run(70)
        assert (desk.policy.quiet, desk.policy.window) == (quiet, window), minute


# ---- memory ----------------------------------------------------------------------------------------


def test_a_reset_keeps_reserve_command_and_carrying():
    desk = _dear()
    desk.policy.command_reserve(500, 1_000_000)
    desk.run(10)
    kept = desk.policy.memory()
    assert [v for v in kept if v < 0] == []
    again = Desk("tribrid", memory=kept)
    assert again.policy.reserve == 500
    again.minute = NOON
    again.run(10)
    assert again.carries() == "tariff"
    assert again.keeper() == "manual"
    again.run(1_000)
    assert again.keeper() == "preset"


def test_after_a_reset_the_battery_does_not_carry_for_a_quarter_of_an_hour_unless_it_did_before():
    desk = Desk("tribrid")
    desk.minute = NOON
    desk.run(890)
    assert not desk.carries()
    desk.run(20)
    assert desk.carries() == "tariff"


# ---- on the site -----------------------------------------------------------------------------------


def _site(**settings):
    settings.setdefault("policy__name", 2)
    rig = Rig(**settings)
    rig.minute = NOON
    rig.soc = 700
    return rig.run(70)


def test_expensive_hours_open_the_grid_contactor_without_asking_for_the_genset():
    rig = _site()
    assert rig.is_now("source.ac") == "grid"
    rig.until("source.ac", "none", 1_000)
    assert rig.reason("ac") == "tariff"
    rig.soc = 410
    rig.run(100)
    assert rig.is_now("source.ac") == "none"
    assert rig.is_now("genset.state") == "off"
    rig.soc = 400
    rig.until("source.ac", "grid", 10)
    assert rig.is_now("battery.reserve_permille") == 400


def test_a_battery_too_low_for_the_loads_carries_nothing_whatever_its_charge_is_said_to_be():
    rig = _site()
    rig.until("source.ac", "none", 1_000)
    rig.bus = 47_000
    rig.until("source.ac", "grid", 10)
    rig.bus = None
    rig.run(600)
    assert rig.is_now("source.ac") == "grid"
    rig.until("source.ac", "none", 400)


def test_a_reset_resumes_carrying_without_a_genset_start():
    rig = _site()
    rig.until("source.ac", "none", 1_000)
    rig.reset()
    rig.run(60)
    assert rig.is_now("source.ac") == "none"
    assert rig.reason("ac") == "tariff"
    assert rig.is_now("genset.state") == "off"


def _row(rig, subject):
    return "\n".join([show.explanation(row) for row in rig.controller.explain() if row[0] == subject])


def test_the_rule_in_force_is_explained_with_the_time_of_its_next_change():
    rig = _site()
    assert _row(rig, "reserve") == "reserve 40.0 %: as the parameters say"
    assert "next: the battery may carry in 13 min" in _row(rig, "policy")
    rig.until("source.ac", "none", 1_000)
    text = (
        "policy tribrid: grid power is expensive now: the battery carries; next: grid power is cheap in 10 h"
    )
    assert text in _row(rig, "policy")
    rig.soc = 410
    rig.run(10)
    assert "in the way" not in _row(rig, "policy")
    rig.soc = 400
    rig.run(10)
    assert "in the way: state of charge 40.0 % below 42.0 %" in _row(rig, "policy")
    rig.minute = 3 * 60
    rig.run(10)
    text = "grid power is cheap now: charged to 95.0 %; next: grid power is expensive in 3 h"
    assert text in _row(rig, "policy")
    rig.minute = None
    rig.run(10)
    assert "no trusted time" in _row(rig, "policy")
    rig.grid_mv = 0
    rig.run(20)
    rig.minute = NOON
    rig.run(10)
    assert "the grid was lost within a day" in _row(rig, "policy")
    assert "next: tariff again in 24 h 00 min" in _row(rig, "policy")


def test_a_change_of_the_rule_is_an_event():
    rig = _site()
    rig.events.clear()
    rig.minute = NIGHT
    rig.run(10)
    assert [e[2:4] for e in rig.events if e[1] == POLICY] == [(0, 950)]
