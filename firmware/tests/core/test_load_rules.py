"""Load tiers and the battery: shedding, reconnecting, commands."""

from core_rig import REFERENCE, Rig

TIERS = ("load1", "load2", "load3", "battery")


def _dark(bus=48_500, **settings):
    """No source, no genset demand."""
    settings.setdefault("genset__soc_start_permille", 0)
    settings.setdefault("genset__bus_start_mv", 20_000)
    rig = Rig(**settings).run(40)
    rig.grid_mv = 0
    rig.bus = bus
    rig.run(10)
    return rig


def _tiers(rig):
    return [rig.is_now(name) for name in TIERS]


def test_a_tier_goes_after_its_announced_countdown():
    rig = _dark()
    rig.bus = 47_400
    rig.run(2)
    assert rig.reason("load3") == "shed_countdown"
    rig.run(58)
    assert _tiers(rig) == [1, 1, 1, 1]
    rig.run(3)
    assert _tiers(rig) == [1, 1, 0, 1]
    assert rig.reason("load3") == "bus_low"
    assert "load3_disconnected" in rig.alarms()


def test_tiers_go_one_after_another_the_critical_last_and_the_battery_after_everything():
    rig = _dark()
    rig.bus = 43_000
    order = []
    for _ in range(400):
        before = _tiers(rig)
        rig.scan()
        after = _tiers(rig)
        for i in range(4):
            if after[i] < before[i]:
                order.append(TIERS[i])
    assert order == ["load3", "load2", "load1", "battery"]


def test_each_tier_has_its_own_voltage():
    for bus, expected in (
        (47_600, [1, 1, 1, 1]),
        (47_400, [1, 1, 0, 1]),
        (46_400, [1, 0, 0, 1]),
        (44_900, [0, 0, 0, 1]),
        (43_400, [0, 0, 0, 0]),
    ):
        rig = _dark()
        rig.bus = bus
        rig.run(500)
        assert _tiers(rig) == expected, bus


def test_one_low_reading_sheds_nothing_even_with_long_scans():
    rig = _dark()
    rig.bus = 40_000
    rig.scan(60_000)
    rig.bus = 48_500
    rig.run(100)
    assert _tiers(rig) == [1, 1, 1, 1]


def test_noise_around_the_threshold_neither_sheds_nor_saves_for_ever():
    rig = _dark()
    for n in range(1_000):
        rig.bus = 47_400 if n % 3 == 0 else 47_600
        rig.scan()
    assert _tiers(rig) == [1, 1, 1, 1]
    for n in range(1_000):
        rig.bus = 47_600 if n % 3 == 0 else 47_400
        rig.scan()
    assert _tiers(rig) == [1, 1, 0, 1]


def test_without_a_bus_voltage_nothing_is_shed_or_reconnected():
    rig = _dark()
    rig.bus = 47_000
    rig.run(40)
    rig.silent = {"load", "battery", "rectifier"}
    rig.run(500)
    assert _tiers(rig) == [1, 1, 1, 1]
    assert "dc_bus_data_lost" in rig.alarms()


def test_the_bus_is_known_from_battery_or_rectifier_when_its_meter_is_silent():
    rig = _dark()
    rig.silent = {"load"}
    rig.run(3)
    assert rig.controller.battery.bus_mv == 48_500
    rig.grid_mv = 230_000
    rig.run(70)
    rig.silent = {"load", "battery"}
    rig.run(3)
    assert rig.controller.battery.bus_mv == 48_500
    assert "dc_bus_data_lost" not in rig.alarms()


def test_tiers_return_after_the_hold_with_a_source_critical_first_and_staggered():
    rig = _dark()
    rig.bus = 44_900
    rig.run(300)
    assert _tiers(rig) == [0, 0, 0, 1]
    rig.grid_mv = 230_000
    rig.bus = 50_500
    rig.until("source.ac", "grid", 100)
    on = []
    for _ in range(500):
        before = _tiers(rig)
        rig.scan()
        after = _tiers(rig)
        for i in range(4):
            if after[i] > before[i]:
                on.append((TIERS[i], rig.time_ms // 1_000))
    assert [name for name, _ in on] == ["load1", "load2", "load3"]
    assert on[1][1] - on[0][1] >= 30
    assert on[2][1] - on[1][1] >= 30


def test_tiers_do_not_return_below_the_reconnect_voltage_or_without_a_source():
    rig = _dark()
    rig.bus = 47_000
    rig.run(100)
    rig.bus = 49_900
    rig.run(1_000)
    assert rig.is_now("load3") == 0
    rig.grid_mv = 230_000
    rig.bus = 49_700
    rig.run(1_000)
    assert rig.is_now("load3") == 0
    rig.bus = 49_900
    rig.run(310)
    assert rig.is_now("load3") == 1


def test_sun_that_charges_the_battery_counts_as_a_source():
    rig = _dark()
    rig.bus = 47_000
    rig.run(100)
    rig.bus = 50_000
    rig.battery_ma = 5_000
    rig.run(310)
    assert rig.is_now("load3") == 1


def test_a_dip_starts_the_hold_again():
    rig = _dark()
    rig.bus = 47_000
    rig.run(100)
    rig.battery_ma = 5_000
    rig.bus = 50_000
    rig.run(290)
    rig.bus = 49_000
    rig.run(1)
    rig.bus = 50_000
    rig.run(290)
    assert rig.is_now("load3") == 0
    rig.run(20)
    assert rig.is_now("load3") == 1


def test_the_battery_returns_soon_after_a_source_and_before_the_loads():
    rig = _dark()
    rig.bus = 43_000
    rig.run(400)
    rig.grid_mv = 230_000
    rig.bus = 51_400
    rig.until("source.ac", "grid", 100)
    rig.until("battery", 1, 40)
    assert rig.is_now("load1") == 0
    rig.until("load1", 1, 310)


def test_an_empty_battery_is_not_disconnected_while_it_is_being_charged():
    rig = _dark(grid__return_delay_s=10)
    rig.bus = 43_000
    rig.run(200)
    rig.grid_mv = 230_000
    rig.until("source.ac", "grid", 100)
    rig.run(1_000)
    assert _tiers(rig) == [0, 0, 0, 1]


def test_a_battery_that_policy_forgot_is_disconnected_with_all_loads():
    rig = _dark()
    rig.bus = 43_000
    rig.controller.loads.shedding.thresholds.limits = [0, 0, 0, 0]
    rig.run(400)
    assert _tiers(rig) == [0, 0, 0, 0]
    assert "battery_disconnected" in rig.alarms()


def test_repeated_shedding_within_a_day_raises_the_reconnect_voltage_up_to_the_charging_voltage():
    rig = _dark(lvd__reconnect_s=10)
    rig.battery_ma = 5_000
    seen = []
    for _ in range(9):
        rig.bus = 47_000
        rig.until("load3", 0, 100)
        seen.append(rig.controller.loads.shedding.reconnect_mv)
        rig.bus = 51_300
        rig.until("load3", 1, 100)
    assert seen[:3] == [49_800, 50_000, 50_200]
    assert seen[-1] == 51_200
    rig.run(86_401, dt_ms=60_000)
    assert rig.controller.loads.shedding.reconnect_mv == 49_800


def test_a_bus_that_swings_with_its_load_cannot_make_the_contactor_chatter():
    rig = _dark()
    rig.battery_ma = 5_000
    switches = 0
    last = 1
    for _ in range(7_200):
        rig.bus = 47_000 if rig.is_now("load3") else 50_300
        rig.scan()
        switches += rig.is_now("load3") != last
        last = rig.is_now("load3")
    assert switches <= 10, switches


def test_shed_tiers_stay_shed_over_a_reset_and_connected_ones_do_not_blink():
    rig = _dark()
    rig.bus = 47_000
    rig.run(100)
    rig.reset()
    rig.run(30)
    assert _tiers(rig) == [1, 1, 0, 1]


def test_normally_open_loads_are_connected_one_by_one_after_a_reset():
    outputs = dict(REFERENCE)
    for name in ("load1", "load2", "load3"):
        outputs[name] = (0, 1)
    rig = Rig(outputs)
    rig.scan()
    assert _tiers(rig)[:3] == [1, 0, 0]
    assert rig.reason("load2") == "stagger"
    rig.until("load2", 1, 40)
    assert rig.is_now("load3") == 0
    rig.until("load3", 1, 40)


def test_a_tier_is_shed_by_command_for_a_time():
    rig = Rig().run(40)
    assert rig.command("load.shed", tier=2, for_s=100) == "ok"
    rig.run(5)
    assert rig.is_now("load2") == 0
    assert rig.reason("load2") == "manual"
    rig.run(100)
    assert rig.is_now("load2") == 1


def test_restoring_ends_the_command_but_not_battery_protection():
    rig = _dark()
    assert rig.command("load.shed", tier=2, for_s=1_000) == "ok"
    rig.run(5)
    assert rig.command("load.restore", tier=2) == "ok"
    rig.run(5)
    assert rig.is_now("load2") == 1
    rig.bus = 47_000
    rig.run(100)
    assert rig.command("load.restore", tier=3) == "battery_protect"


def test_a_tier_that_the_site_lacks_cannot_be_commanded():
    outputs = dict(REFERENCE)
    del outputs["load3"]
    rig = Rig(outputs).run(5)
    assert rig.command("load.shed", tier=3, for_s=5) == "no_device"
    assert rig.command("load.restore", tier=3) == "no_device"


def test_a_site_without_load_contactors_has_nothing_to_shed():
    outputs = dict(REFERENCE)
    for name in ("load1", "load2", "load3", "battery", "pv"):
        del outputs[name]
    rig = Rig(outputs).run(40)
    rig.bus = 40_000
    rig.run(500)
    assert rig.controller.loads.shedding.level == 0


def test_tier_power_is_told_where_it_follows_from_the_total():
    rig = Rig().run(40)
    assert rig.point("load.tier1_w") is None
    rig.command("load.shed", tier=2, for_s=1_000)
    rig.command("load.shed", tier=3, for_s=1_000)
    rig.run(5)
    assert [rig.point("load.tier%d_w" % n) for n in (1, 2, 3)] == [2_000, 0, 0]


def test_loads_return_with_ac_to_a_battery_too_cold_to_be_charged():
    rig = Rig(lvd__delay_s=10, lvd__reconnect_s=20, lvd__stagger_s=5).run(5)
    rig.grid_mv = 0
    rig.start_ms = None
    rig.bus = 44_500
    rig.until("load1", 0, 300)
    rig.grid_mv = 230_000
    rig.battery_dc = -50
    rig.until("load1", 1, 600)
    rig.run(600)
    assert rig.is_now("load1") == 1, "the low bus of a held battery sheds nothing"
    rig.grid_mv = 0
    rig.until("load1", 0, 300)


def test_loads_stay_off_on_a_low_bus_with_ac_that_may_charge():
    rig = Rig(lvd__delay_s=10, lvd__reconnect_s=20, lvd__stagger_s=5).run(5)
    rig.grid_mv = 0
    rig.start_ms = None
    rig.bus = 44_500
    rig.until("load1", 0, 300)
    rig.grid_mv = 230_000
    rig.battery_dc = 200
    rig.run(600)
    assert rig.is_now("load1") == 0
