"""How long the battery lasts: expected, at worst, with AC there, and with another load."""

from core_rig import Rig

from greenmast_fw.core.autonomy import ENDLESS_S, Autonomy
from greenmast_fw.core.site import Site

HOUR = 3_600
ROLES = ("grid", "genset", "battery", "rectifier", "load")
W = 48_750 * 40 // 1_000  # of a load that takes 40 A at nominal voltage: 1950 W


def _lfp():
    return Autonomy(Site({}, (), "lfp", 300, 15))


def _estimate(autonomy, n=1, soc=550, error=30, mah=300_000, dc=250, ma=None, load=40_000, solar=0, ac=False):
    for _ in range(n):
        autonomy.step(soc, error, mah, dc, ma, load, solar, ac)
    return autonomy


def test_discharging_lasts_for_the_charge_above_the_knee_at_the_present_current():
    autonomy = _estimate(_lfp(), ma=-40_000)
    # (55 % - 5 %) of 300 Ah at 40 A; at worst 3 % less
    assert autonomy.to_lvd_s == 150_000 * HOUR // 40_000
    assert autonomy.to_lvd_min_s == 141_000 * HOUR // 40_000


def test_with_ac_it_is_the_time_if_ac_failed_now():
    autonomy = _estimate(_lfp(), ma=20_000, load=40_000, solar=15_000, ac=True)
    assert autonomy.to_lvd_s == 150_000 * HOUR // 25_000
    assert autonomy.to_lvd_min_s == 141_000 * HOUR // 40_000, "at worst there is no sun"


def test_sun_that_outweighs_the_load_lasts_for_ever_but_not_at_worst():
    autonomy = _estimate(_lfp(), ma=5_000, load=40_000)
    assert autonomy.to_lvd_s == ENDLESS_S
    assert autonomy.to_lvd_min_s == 141_000 * HOUR // 40_000
    assert _estimate(_lfp(), load=20_000, solar=30_000, ac=True).to_lvd_s == ENDLESS_S


def test_a_smaller_capacity_lasts_less():
    autonomy = _estimate(_lfp(), mah=210_000, ma=-40_000)
    assert autonomy.to_lvd_s == 105_000 * HOUR // 40_000


def test_at_or_below_the_knee_nothing_is_left():
    autonomy = _estimate(_lfp(), soc=70, ma=-40_000)
    assert autonomy.to_lvd_s > 0
    assert autonomy.to_lvd_min_s == 0
    assert _estimate(_lfp(), soc=30, ma=-40_000).to_lvd_s == 0


def test_unknown_charge_or_load_is_an_unknown_time():
    autonomy = _estimate(_lfp(), ma=-40_000)
    assert autonomy.with_load_s(W) is not None
    _estimate(autonomy, soc=None, ma=-40_000)
    assert (autonomy.to_lvd_s, autonomy.to_lvd_min_s, autonomy.with_load_s(W)) == (None, None, None)
    autonomy = _estimate(_lfp(), load=None, ac=True)
    assert (autonomy.to_lvd_s, autonomy.to_lvd_min_s) == (None, None)
    assert autonomy.with_load_s(W) is not None


def test_without_a_load_meter_the_batterys_current_tells():
    autonomy = _estimate(_lfp(), ma=-40_000, load=None)
    assert autonomy.to_lvd_s == 150_000 * HOUR // 40_000
    assert autonomy.to_lvd_min_s == 141_000 * HOUR // 40_000


def test_a_short_peak_is_smoothed_in_what_is_expected_and_remembered_at_worst():
    autonomy = _estimate(_lfp(), 60, ma=-20_000, load=20_000)
    _estimate(autonomy, 3, ma=-60_000, load=60_000)
    _estimate(autonomy, 1, ma=-20_000, load=20_000)
    assert 150_000 * HOUR // 22_500 < autonomy.to_lvd_s < 150_000 * HOUR // 20_000
    assert abs(autonomy.to_lvd_min_s - 141_000 * HOUR // 60_000) < 60
    _estimate(autonomy, 6 * 60, ma=-20_000, load=20_000)
    assert autonomy.to_lvd_s in range(26_900, 27_001)
    assert autonomy.to_lvd_min_s < 141_000 * HOUR // 50_000, "an hour later the peak still counts"
    _estimate(autonomy, 48 * 360, ma=-20_000, load=20_000)
    assert abs(autonomy.to_lvd_min_s - 141_000 * HOUR // 20_000) < 300


def test_a_new_load_is_expected_after_half_an_hour():
    autonomy = _estimate(_lfp(), 60, ma=-20_000)
    _estimate(autonomy, 300, ma=-40_000)
    assert abs(autonomy.to_lvd_s - 150_000 * HOUR // 40_000) < 150


def test_loss_of_ac_starts_from_what_the_battery_gives():
    autonomy = _estimate(_lfp(), 60, ma=0, load=20_000, ac=True)
    assert _estimate(autonomy, ma=-40_000).to_lvd_s == 150_000 * HOUR // 40_000


def test_cold_leaves_a_part_of_the_charge_inside():
    warm = _estimate(_lfp(), ma=-40_000, dc=150).to_lvd_s
    assert warm == 13_500
    assert _estimate(_lfp(), ma=-40_000, dc=-50).to_lvd_s == 13_500 * 9 // 10
    assert _estimate(_lfp(), ma=-40_000, dc=None).to_lvd_s == 13_500
    assert _estimate(_lfp(), ma=-40_000, dc=-500).to_lvd_s == 13_500 * 675 // 1_000
    vrla = Autonomy(Site({}, (), "vrla", 400, 24))
    assert _estimate(vrla, soc=600, mah=400_000, ma=-40_000, dc=0).to_lvd_s == 18_000 * 8 // 10


def test_vrla_gives_less_at_a_high_current_and_lfp_does_not():
    vrla = Autonomy(Site({}, (), "vrla", 400, 24))
    assert _estimate(vrla, soc=600, mah=400_000, ma=-40_000).to_lvd_s == 18_000
    vrla = Autonomy(Site({}, (), "vrla", 400, 24))
    # C/5: 8 % stay inside
    assert _estimate(vrla, soc=600, mah=400_000, ma=-80_000).to_lvd_s == 9_000 * 92 // 100
    assert _estimate(_lfp(), ma=-150_000).to_lvd_s == HOUR


def test_another_load_lasts_in_proportion_at_worst():
    autonomy = _estimate(_lfp(), ma=-40_000)
    assert autonomy.with_load_s(W) == autonomy.to_lvd_min_s
    assert autonomy.with_load_s(W // 2) == 2 * autonomy.to_lvd_min_s
    assert autonomy.with_load_s(0) == ENDLESS_S


# ---- in the controller -----------------------------------------------------------------------------


def test_the_time_is_published_with_and_without_ac():
    rig = Rig(roles=ROLES).run(15)
    # 45 % of 300 Ah at 2 kW and 48.75 V
    assert abs(rig.point("battery.to_lvd_s") - 11_846) < 60
    assert rig.point("battery.to_lvd_min_s") < rig.point("battery.to_lvd_s")
    rig.grid_mv = 0
    rig.battery_ma = -20_000
    rig.run(60)
    assert abs(rig.point("battery.to_lvd_s") - 2 * 12_150) < 900
    assert abs(rig.controller.battery.to_lvd_with_s(1_000) - 2 * rig.point("battery.to_lvd_min_s")) < 120
    rig.battery_ma = 10_000
    rig.run(1_800)
    assert rig.point("battery.to_lvd_s") == ENDLESS_S


def test_a_site_without_load_meter_infers_the_load_from_rectifier_and_battery():
    rig = Rig(roles=ROLES)
    values = rig.values
    rig.silent = {"load"}
    rig.battery_ma = 10_000
    rig.values = lambda: dict(values(), **{"rectifier.output_ma": 50_000})
    rig.run(15)
    assert rig.point("battery.to_lvd_s") == 135_000 * HOUR // 40_000


def test_short_autonomy_is_an_alarm_only_while_ac_is_absent():
    rig = Rig(roles=ROLES, genset__soc_start_permille=0, genset__bus_start_mv=45_000)
    rig.soc = 300
    rig.run(100)
    assert rig.point("battery.to_lvd_min_s") < 7_200
    assert "autonomy_short" not in rig.alarms()
    rig.grid_mv = 0
    rig.run(100)
    assert "autonomy_short" in rig.alarms()
    rig.soc = 700
    rig.run(400)
    assert "autonomy_short" not in rig.alarms()
