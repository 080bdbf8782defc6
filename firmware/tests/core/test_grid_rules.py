"""The grid: qualifying, losing, flapping, silence."""

from core_rig import Rig


def test_a_reset_with_a_live_grid_and_closed_contacts_switches_nothing():
    rig = Rig()
    rig.run(30)
    assert rig.is_now("source.ac") == "grid"
    assert [e for e in rig.events if e[1] == 0] == []  # no output has changed


def test_a_reset_before_the_meters_have_answered_switches_nothing():
    rig = Rig()
    rig.silent = {"grid", "genset"}
    rig.run(8)
    rig.silent = set()
    rig.run(30)
    assert [e for e in rig.events if e[1] == 0] == []
    assert rig.point("grid.qualified") == 1


def test_grid_is_left_after_the_loss_delay_and_not_before():
    rig = Rig().run(5)
    rig.grid_mv = 150_000
    rig.run(3)
    assert rig.is_now("grid") == 1
    rig.run(2)
    assert rig.is_now("grid") == 0
    assert rig.reason("ac") == "grid_lost"


def test_one_bad_reading_does_not_lose_the_grid():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.scan(2_000)
    rig.grid_mv = 230_000
    rig.run(10)
    assert rig.is_now("grid") == 1


def test_mains_fail_input_loses_the_grid_at_once():
    rig = Rig(grid__loss_delay_s=60)
    rig.mains_ok = 1
    rig.run(5)
    rig.mains_ok = 0
    rig.scan()
    assert rig.is_now("grid") == 0
    assert rig.reason("ac") == "mains_fail"


def test_frequency_out_of_limits_loses_the_grid():
    for chz in (4_700, 5_300):
        rig = Rig().run(5)
        rig.grid_chz = chz
        rig.run(6)
        assert rig.is_now("grid") == 0
        assert rig.controller.grid.value == chz


def test_voltage_above_the_limit_loses_the_grid():
    rig = Rig().run(5)
    rig.grid_mv = 260_000
    rig.run(6)
    assert rig.is_now("grid") == 0
    assert rig.controller.grid.limit == 253_000


def test_grid_returns_after_the_whole_return_delay():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.run(10)
    rig.grid_mv = 230_000
    rig.run(60)
    assert rig.is_now("grid") == 0
    assert rig.controller.grid.left_ms() == 1_000
    rig.run(4)
    assert rig.is_now("grid") == 1


def test_a_dip_starts_the_return_delay_again():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.run(10)
    rig.grid_mv = 230_000
    rig.run(50)
    rig.grid_mv = 180_000
    rig.run(1)
    rig.grid_mv = 230_000
    rig.run(55)
    assert rig.is_now("grid") == 0
    rig.run(10)
    assert rig.is_now("grid") == 1


def _lose_and_regain(rig):
    rig.grid_mv = 0
    rig.run(6)
    rig.grid_mv = 230_000
    return rig.until("grid", 1, 4_000)


def test_five_losses_in_half_an_hour_double_the_return_delay_up_to_its_cap():
    rig = Rig(genset__soc_start_permille=0).run(5)
    delays = [_lose_and_regain(rig) for _ in range(12)]
    assert max(delays[:4]) < 65
    assert delays[4] >= 120
    assert max(delays) <= 1_803
    assert sorted(delays) == delays
    rig.run(1_810)
    assert rig.controller.grid.delay_ms == 60_000


def test_slow_losses_leave_the_return_delay_alone():
    rig = Rig(genset__soc_start_permille=0).run(5)
    for _ in range(7):
        assert _lose_and_regain(rig) < 65
        rig.run(500)


def test_a_return_delay_beyond_the_cap_is_kept():
    rig = Rig(grid__return_delay_s=7_200)
    rig.controller.grid.factor = 4
    rig.controller.grid.configure(rig.params)
    assert rig.controller.grid.delay_ms == 7_200_000


def test_a_silent_meter_never_qualifies_a_grid():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.run(10)
    rig.grid_mv = 230_000
    rig.run(30)
    rig.silent = {"grid"}
    rig.run(300)
    assert rig.is_now("grid") == 0
    assert rig.point("grid.qualified") == 0
    assert rig.controller.grid.left_ms() is None


def test_a_silent_meter_keeps_a_grid_that_the_rectifier_vouches_for_but_does_not_call_it_qualified():
    rig = Rig().run(20)
    rig.silent = {"grid"}
    rig.run(600)
    assert rig.is_now("grid") == 1
    assert rig.point("grid.qualified") == 0
    assert rig.controller.grid.reason != 0


def test_a_silent_meter_and_a_rectifier_without_ac_lose_the_grid():
    rig = Rig().run(20)
    rig.silent = {"grid"}
    rig.grid_mv = 0
    rig.run(6)
    assert rig.is_now("grid") == 0
    assert rig.reason("ac") == "grid_silent"


def test_meter_and_rectifier_silent_lose_the_grid_since_nobody_vouches_for_it():
    rig = Rig().run(20)
    rig.silent = {"grid", "rectifier"}
    rig.run(8)
    assert rig.is_now("grid") == 0


def test_losses_survive_a_reset():
    rig = Rig(genset__soc_start_permille=0).run(5)
    for _ in range(4):
        _lose_and_regain(rig)
    rig.reset()
    rig.run(5)
    assert _lose_and_regain(rig) >= 120


def test_a_dead_grid_whose_contactor_falls_closed_at_resets_is_not_lost_anew_each_time():
    rig = Rig(genset__soc_start_permille=0).run(5)
    rig.grid_mv = 0
    rig.run(30)
    for _ in range(6):
        rig.reset()
        rig.run(10)
        assert rig.is_now("grid") == 0
    assert rig.controller.grid.delay_ms == 60_000


def test_flapping_is_what_the_parameters_say_and_alarms():
    rig = Rig(
        genset__soc_start_permille=0, grid__flap_count=3, grid__flap_window_s=600, grid__return_max_s=90
    ).run(5)
    delays = [_lose_and_regain(rig) for _ in range(2)]
    assert max(delays) < 65
    assert "grid_flapping" not in rig.alarms()
    assert 88 <= _lose_and_regain(rig) < 95
    assert "grid_flapping" in rig.alarms()
    rig.run(610)
    assert rig.controller.grid.delay_ms == 60_000
    rig.run(310)
    assert "grid_flapping" not in rig.alarms()


def test_a_return_delay_at_its_cap_does_not_grow_and_can_be_remembered():
    rig = Rig(genset__soc_start_permille=0, grid__return_delay_s=60, grid__return_max_s=60).run(5)
    for _ in range(20):
        assert _lose_and_regain(rig) < 65
    assert rig.controller.grid.factor == 2
    assert "grid_flapping" in rig.alarms()
    rig.reset()


def test_a_changed_flap_count_keeps_the_newest_losses():
    rig = Rig(genset__soc_start_permille=0, grid__flap_count=6).run(5)
    for _ in range(3):
        _lose_and_regain(rig)
    rig.params["grid.flap_count"] = 4
    rig.controller.configure(rig.params)
    assert _lose_and_regain(rig) >= 120


def test_the_grid_names_its_state():
    rig = Rig().run(5)
    seen = []
    for mv, seconds in ((230_000, 2), (150_000, 2), (150_000, 6), (230_000, 5)):
        rig.grid_mv = mv
        rig.run(seconds)
        seen.append(next(row[1] for row in rig.controller.explain() if row[0] == "grid"))
    assert seen == ["qualified", "held", "lost", "qualifying"]
