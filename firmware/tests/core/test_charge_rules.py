"""What the rectifier is told: blocks, limits, lost data, reserve, and with how much restraint."""

from charge_bench import GENSET, LOAD_MA, Bench, charged

from greenmast_fw.core.limits import Limits
from greenmast_protocol import params, points


def _rests(bench):
    """Neither charged nor discharged by more than a small part of its capacity."""
    return -3_500 <= bench.real_ma <= 2_000


# ---- temperature -----------------------------------------------------------------------------------


def test_a_cold_lithium_battery_is_not_charged_and_that_acts_at_once():
    bench = Bench().run(60)
    assert bench.real_ma > 80_000
    bench.temperature_dc = -1
    bench.scan()
    assert bench.reason() == "charge_cold"
    bench.run(1)
    assert bench.real_ma < 0
    bench.run(120)
    assert _rests(bench), bench.real_ma
    written = len(bench.writes)
    bench.run(600)
    assert _rests(bench)
    assert len(bench.writes) == written, "a battery at rest needs no writes"


def test_protection_does_not_wait_for_the_time_between_two_writes():
    bench = Bench()
    bench.charge_to = 600
    bench.soc = 700
    bench.run(60)
    bench.charge_to = 1_000
    bench.run(1)
    written = len(bench.writes)
    bench.temperature_dc = -1
    bench.run(1)
    assert len(bench.writes) == written + 1
    assert bench.charge.setpoint_mv < 50_000


def test_the_hold_follows_a_battery_that_rests_lower_or_higher():
    for emf_mv in (47_000, 48_500, 50_200):
        bench = Bench().run(30)
        bench.emf_mv = emf_mv
        bench.temperature_dc = -100
        bench.run(400)
        assert _rests(bench), (emf_mv, bench.real_ma)


def test_the_hold_does_not_sink_because_the_sun_charges():
    bench = Bench().run(30)
    bench.temperature_dc = -100
    bench.run(200)
    held = bench.charge.setpoint_mv
    bench.solar_ma = LOAD_MA + 20_000
    bench.run(3_600)
    assert bench.charge.setpoint_mv == held
    bench.solar_ma = 0
    bench.run(3)
    assert _rests(bench)


def test_the_hold_does_not_rise_while_the_battery_carries_an_outage():
    bench = Bench().run(30)
    bench.temperature_dc = -100
    bench.run(200)
    held = bench.charge.setpoint_mv
    bench.ac = 0
    bench.run(600)
    assert bench.charge.setpoint_mv == held


def test_charging_returns_two_degrees_above_the_cold_limit():
    bench = Bench()
    bench.temperature_dc = -1
    bench.run(60)
    bench.temperature_dc = 19
    bench.run(60)
    assert bench.reason() == "charge_cold"
    bench.temperature_dc = 20
    bench.run(1)
    assert bench.reason() == "bulk"


def test_no_battery_is_charged_when_hot():
    for chemistry in ("lfp", "vrla"):
        bench = Bench(chemistry)
        bench.temperature_dc = 501
        bench.run(120)
        assert bench.reason() == "charge_hot"
        assert bench.charge.limits.hot
        assert bench.real_ma <= 2_000
        bench.temperature_dc = 481
        bench.run(10)
        assert bench.reason() == "charge_hot"
        bench.temperature_dc = 480
        bench.run(1)
        assert bench.reason() == "bulk"


def test_lead_may_be_charged_in_the_cold():
    bench = Bench("vrla")
    bench.temperature_dc = -100
    bench.run(10)
    assert bench.reason() == "bulk"
    assert not bench.charge.limits.cold


def test_a_block_for_temperature_stays_when_the_temperature_is_no_longer_known():
    bench = Bench()
    bench.temperature_dc = -50
    bench.run(60)
    bench.temperature_dc = None
    bench.run(3_600)
    assert bench.reason() == "charge_cold"


# ---- current ---------------------------------------------------------------------------------------


def test_the_current_limit_is_the_least_of_bms_user_and_cable_plus_the_loads():
    for user, cable, bms, least in (
        (60_000, 0, None, 60_000),
        (0, 50_000, None, 50_000),
        (60_000, 50_000, None, 50_000),
        (40_000, 50_000, None, 40_000),
        (60_000, 50_000, 30_000, 30_000),
        (60_000, 0, 70_000, 60_000),
        (0, 0, 55_000, 55_000),
    ):
        bench = Bench(battery__charge_limit_ma=user, battery__cable_limit_ma=cable)
        bench.more["battery.charge_limit_ma"] = bms
        bench.run(60)
        assert least - 3_000 < bench.real_ma < least + 3_000, (user, cable, bms, bench.real_ma)


def test_the_rectifiers_rating_bounds_the_sum_and_is_the_limit_where_there_is_no_other():
    bench = Bench(battery__charge_limit_ma=100_000, rectifier__limit_ma=110_000).run(30)
    assert bench.charge.limit_ma == 110_000
    assert Bench(rectifier__limit_ma=110_000).run(30).charge.limit_ma == 110_000
    assert Bench().run(30).charge.limit_ma is None


def test_what_the_sun_gives_counts_against_the_limit():
    bench = Bench(battery__charge_limit_ma=30_000)
    bench.solar_ma = 25_000
    bench.run(60)
    assert 27_000 < bench.real_ma < 33_000
    bench.solar_ma = 90_000
    bench.run(60)
    assert bench.charge.limit_ma == 0


def test_a_limit_stays_in_force_when_its_source_or_the_state_of_charge_is_lost():
    bench = Bench()
    bench.more["battery.charge_limit_ma"] = 20_000
    bench.run(60)
    bench.more["battery.charge_limit_ma"] = None
    bench.soc = None
    bench.run(600)
    assert 17_000 < bench.real_ma < 23_000
    bench.solar_ma = 30_000
    bench.run(60)
    assert 17_000 < bench.real_ma < 23_000
    bench.silent = True
    bench.run(600)
    assert 0 < bench.charge.limit_ma < LOAD_MA - 30_000 + 23_000


def test_a_lower_limit_is_written_at_once_and_a_higher_one_waits():
    bench = Bench()
    bench.more["battery.charge_limit_ma"] = 50_000
    bench.run(60)
    bench.more["battery.charge_limit_ma"] = 20_000
    bench.run(1)
    assert bench.charge.limit_ma < LOAD_MA + 22_000
    bench.more["battery.charge_limit_ma"] = 50_000
    bench.run(5)
    assert bench.charge.limit_ma < LOAD_MA + 22_000
    bench.run(6)
    high = bench.charge.limit_ma
    assert high > LOAD_MA + 48_000
    bench.more["battery.charge_limit_ma"] = 47_000  # a little less, right after a write
    bench.run(1)
    assert bench.charge.limit_ma < high - 2_000


def test_a_battery_that_refuses_charge_gets_none_and_must_allow_it_for_a_minute():
    bench = Bench().run(60)
    bench.more["battery.charge_limit_ma"] = 0
    bench.run(2)
    assert bench.real_ma < 0
    assert bench.reason() == "charge_refused"
    bench.run(200)
    assert _rests(bench)
    bench.more["battery.charge_limit_ma"] = 100_000
    bench.run(50)
    assert bench.reason() == "charge_refused"
    bench.run(15)
    assert bench.reason() == "bulk"


def test_too_much_current_lowers_the_voltage_where_the_rectifier_has_no_limit():
    bench = Bench(battery__charge_limit_ma=30_000)
    bench.r_mohm = 40
    bench.more["load.power_w"] = None  # so that no limit can be worked out
    bench.run(400)
    assert bench.charge.limit_ma is None
    assert bench.real_ma <= 35_000
    assert bench.reason() == "cell_limit"


# ---- cells -----------------------------------------------------------------------------------------


def test_a_cell_at_its_limit_takes_the_voltage_down_by_steps_the_first_at_once():
    bench = Bench().run(60)
    full = bench.charge.setpoint_mv
    bench.more["battery.cell_max_mv"] = 3_550
    bench.run(1)
    assert bench.charge.setpoint_mv == full - 100
    assert bench.reason() == "cell_limit"
    bench.run(9)
    assert bench.charge.setpoint_mv == full - 100
    bench.run(21)
    assert bench.charge.setpoint_mv == full - 400


def test_the_voltage_comes_back_slowly_once_the_cell_has_come_down():
    bench = Bench().run(60)
    full = bench.charge.setpoint_mv
    bench.more["battery.cell_max_mv"] = 3_560
    bench.run(25)
    low = bench.charge.setpoint_mv
    assert low == full - 300
    bench.more["battery.cell_max_mv"] = 3_530  # not yet below the hysteresis
    bench.run(300)
    assert bench.charge.setpoint_mv == low
    bench.more["battery.cell_max_mv"] = 3_490
    bench.run(50)
    assert bench.charge.setpoint_mv <= low + 100
    bench.run(200)
    assert bench.charge.setpoint_mv == full


def test_the_voltage_stays_down_while_nobody_sees_the_cells():
    bench = Bench().run(60)
    bench.more["battery.cell_max_mv"] = 3_560
    bench.run(25)
    low = bench.charge.setpoint_mv
    bench.more["battery.cell_max_mv"] = None
    bench.run(3_600)
    assert bench.charge.setpoint_mv == low


def test_the_voltage_does_not_go_down_for_a_cell_that_the_sun_charges():
    bench = Bench().run(60)
    full = bench.charge.setpoint_mv
    bench.emf_mv = full - 100
    bench.solar_ma = LOAD_MA + 20_000
    bench.more["battery.cell_max_mv"] = 3_560
    bench.run(300)
    assert bench.charge.limits.trim_mv == 0


# ---- lost data -------------------------------------------------------------------------------------


def _mid_band(**settings):
    bench = Bench(**settings)
    bench.more["battery.cell_min_mv"] = 3_300
    bench.more["battery.cell_max_mv"] = 3_320
    return bench.run(60)


def test_nothing_is_written_before_the_battery_has_been_heard_or_missed():
    bench = Bench()
    bench.silent = True
    bench.run(55)
    assert bench.charge.setpoint_mv is None
    assert bench.charge.limit_ma is None
    bench.run(10)
    assert bench.charge.setpoint_mv == bench.params["battery.safe_mv"]
    assert bench.reason() == "safe_voltage"


def test_data_that_come_back_must_stay_for_ten_seconds():
    bench = Bench().run(20)
    bench.silent = True
    bench.run(70)
    assert bench.reason() == "safe_voltage"
    for _ in range(10):
        bench.silent = False
        bench.run(8)
        bench.silent = True
        bench.run(2)
    assert bench.reason() == "safe_voltage"
    bench.silent = False
    bench.run(11)
    assert bench.reason() == "bulk"


def test_lost_data_of_a_battery_in_mid_band_change_nothing_for_the_time_of_grace():
    bench = _mid_band()
    bench.silent = True
    bench.run(1_800)
    assert bench.charge.setpoint_mv == bench.params["battery.charge_mv"]
    bench.run(70)
    assert bench.charge.setpoint_mv == bench.params["battery.safe_mv"]


def test_there_is_no_grace_for_cells_that_were_not_in_mid_band():
    for low, high in ((2_890, 3_300), (3_300, 3_555), (None, 3_300)):
        bench = Bench()
        bench.more["battery.cell_min_mv"] = low
        bench.more["battery.cell_max_mv"] = high
        bench.run(60)
        bench.silent = True
        bench.run(65)
        assert bench.charge.setpoint_mv == bench.params["battery.safe_mv"], (low, high)


def test_a_full_battery_that_falls_silent_is_not_charged_higher_than_before():
    bench = charged()
    assert bench.charge.setpoint_mv == bench.params["battery.float_mv"] < bench.params["battery.safe_mv"]
    bench.silent = True
    bench.run(2_000)
    assert bench.reason() == "safe_voltage"
    assert bench.charge.setpoint_mv == bench.params["battery.float_mv"]


def test_there_is_no_grace_on_a_bus_on_which_loads_would_soon_go():
    bench = _mid_band()
    bench.silent = True
    bench.run(300)
    assert bench.reason() == "bulk"
    bench.ac = 0
    bench.emf_mv = 47_900
    bench.run(2)
    assert bench.reason() == "safe_voltage"


def test_a_reset_does_not_begin_the_time_of_grace_again():
    bench = _mid_band()
    bench.silent = True
    for _ in range(4):
        bench.run(500)
        bench.reset()
    bench.run(2)
    assert bench.charge.setpoint_mv == bench.params["battery.safe_mv"]


def test_a_battery_that_refused_charge_and_fell_silent_is_offered_the_safe_voltage():
    bench = _mid_band()
    bench.more["battery.charge_limit_ma"] = 0
    bench.run(120)
    assert bench.charge.setpoint_mv < 50_000
    bench.silent = True
    bench.run(65)
    assert bench.reason() == "safe_voltage"
    bench.run(15)
    assert bench.charge.setpoint_mv == bench.params["battery.safe_mv"]


def test_not_even_a_reset_lets_a_battery_that_refused_charge_sleep_on():
    bench = _mid_band()
    bench.more["battery.charge_limit_ma"] = 0
    bench.run(120)
    bench.silent = True
    bench.run(5)
    bench.reset()
    bench.run(60)
    assert bench.reason() == "safe_voltage"


def test_a_limit_of_nothing_that_is_no_longer_given_does_not_block_for_ever():
    bench = Bench()
    bench.more["battery.charge_limit_ma"] = 0
    bench.run(120)
    bench.more["battery.charge_limit_ma"] = None
    bench.run(80)
    assert bench.charge.setpoint_mv == bench.params["battery.safe_mv"]


def test_a_cold_battery_that_fell_silent_is_not_charged_until_the_grace_or_the_bus_ends():
    bench = Bench(battery__grace_s=600)
    bench.temperature_dc = -50
    bench.run(200)
    held = bench.charge.setpoint_mv
    bench.silent = True
    bench.run(600)
    assert bench.charge.setpoint_mv == held
    bench.run(70)
    assert bench.charge.setpoint_mv == bench.params["battery.safe_mv"]


# ---- reserve ---------------------------------------------------------------------------------------


def test_the_grid_charges_only_as_far_as_policy_lets_it_with_hysteresis():
    bench = Bench()
    bench.charge_to = 600
    bench.run(30)
    assert bench.reason() == "bulk"
    bench.soc = 600
    bench.run(200)
    assert bench.reason() == "reserve_kept"
    assert _rests(bench)
    bench.soc = 580
    bench.run(20)
    assert bench.reason() == "reserve_kept"
    bench.soc = 579
    bench.run(2)
    assert bench.reason() == "bulk"


def test_a_battery_that_must_be_full_soon_or_a_running_genset_knows_no_reserve():
    bench = Bench()
    bench.charge_to = 600
    bench.soc = 800
    bench.run(30)
    assert bench.reason() == "reserve_kept"
    bench.charge_first = True
    bench.run(2)
    assert bench.reason() == "bulk"
    bench.charge_first = False
    bench.run(2)
    assert bench.reason() == "reserve_kept"
    bench.ac = GENSET
    bench.run(2)
    assert bench.reason() == "bulk"


def test_with_an_unknown_charge_the_grid_goes_on_charging_and_the_stage_ends_it():
    bench = charged()
    bench.charge_to = 600
    bench.run(20)
    assert bench.reason() == "reserve_kept"
    bench.soc = None
    bench.run(20)
    assert bench.reason() == "float"
    assert bench.charge.setpoint_mv == bench.params["battery.float_mv"]


# ---- restraint -------------------------------------------------------------------------------------


def test_setpoints_are_written_seldom_in_steps_worth_it_and_rise_slowly():
    bench = Bench("vrla")
    bench.held_mv = 50_000
    bench.run(30)
    bench.writes = []
    for i in range(2_000):
        bench.temperature_dc = 250 + (i * 7) % 11 - 5 + i // 20
        bench.charge_to = 600 if i % 300 > 150 else 1_000
        bench.soc = 600
        bench.scan()
    assert len(bench.writes) > 10
    for (before_ms, before_mv), (at_ms, mv) in zip(bench.writes, bench.writes[1:]):
        assert at_ms - before_ms >= 10_000 or mv < before_mv
        assert mv <= before_mv + 1_000


def test_noise_of_the_temperature_writes_nothing():
    bench = Bench("vrla").run(30)
    bench.writes = []
    for i in range(1_000):
        bench.temperature_dc = 247 + i % 7
        bench.scan()
    assert bench.writes == []


def test_noise_of_the_load_writes_no_current_limit():
    bench = Bench(battery__charge_limit_ma=50_000).run(30)
    limits = set()
    for i in range(300):
        bench.more["load.power_w"] = 2_000 + 10 * (i % 9)
        bench.scan()
        limits.add(bench.charge.limit_ma)
    assert len(limits) <= 2, limits


def test_new_parameters_are_written_however_small_the_change():
    bench = Bench().run(60)
    bench.configure(battery__charge_mv=bench.params["battery.charge_mv"] - 20)
    bench.run(11)
    assert bench.charge.setpoint_mv == bench.params["battery.charge_mv"]


def test_a_bus_that_reads_next_to_nothing_makes_no_current_of_the_load():
    limits = Limits(params.complete({"battery.charge_limit_ma": 50_000}), True)
    v = [None] * points.COUNT
    v[points.index("load.power_w")] = 2_000
    limits.step(v, 1_000, 250, 0, 50_000)
    assert limits.limit_ma == 90_000
    limits.step(v, 1_000, 250, 0, 110)
    assert limits.limit_ma == 90_000
    v[points.index("load.power_w")] = 200_000
    limits.step(v, 1_000, 250, 0, 10_000)
    assert limits.limit_ma == 1_000_000  # no rectifier can be told more
