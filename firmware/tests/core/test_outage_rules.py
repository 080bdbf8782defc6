"""An announced outage: charge before, leave in time, return carefully."""

from core_rig import REFERENCE, Rig


def _rig(**settings):
    return Rig(source__min_on_s=0, grid__return_delay_s=300, outage__return_s=60, **settings).run(20)


def _announce(rig, in_s, for_s):
    assert rig.command("outage.announce", in_s=in_s, for_s=for_s) == "ok"
    rig.run(1)


def _rows(rig):
    return [row for row in rig.controller.explain() if row[0] == "outage"]


def test_it_charges_before_and_leaves_shortly_before_the_start():
    rig = _rig()
    _announce(rig, 7_200, 3_600)
    assert not rig.controller.outage.charge_first
    rig.run(3_500)
    assert not rig.controller.outage.charge_first
    rig.run(110)
    assert rig.controller.outage.charge_first
    rig.run(3_280)
    assert rig.is_now("source.ac") == "grid"
    rig.run(15)
    assert rig.is_now("source.ac") == "none"
    assert rig.reason("ac") == "outage_planned"
    assert 200 < _rows(rig)[0][5][1] < 300


def test_its_first_return_has_a_delay_of_its_own_and_the_next_the_usual_one():
    rig = _rig()
    _announce(rig, 400, 1_800)
    rig.run(400)
    rig.grid_mv = 0
    rig.run(1_800)
    rig.grid_mv = 230_000
    assert 58 <= rig.until("source.ac", "grid", 400) <= 65
    rig.run(2)
    assert rig.controller.outage is None
    rig.grid_mv = 0
    rig.run(10)
    rig.grid_mv = 230_000
    assert rig.until("source.ac", "grid", 400) > 290


def test_a_grid_that_fails_long_before_follows_the_usual_rules():
    rig = _rig()
    _announce(rig, 7_200, 1_800)
    rig.grid_mv = 0
    rig.run(10)
    rig.grid_mv = 230_000
    assert rig.until("source.ac", "grid", 400) > 290
    assert rig.controller.outage is not None


def test_nothing_demands_the_genset_while_the_grid_is_merely_left():
    rig = _rig(genset__soc_start_permille=450, genset__grid_absent_s=60)
    _announce(rig, 290, 1_800)
    rig.soc = 440
    rig.run(280)
    assert rig.is_now("source.ac") == "none"
    assert rig.controller.demand.active == 0


def test_a_genset_that_is_demanded_serves_instead():
    rig = _rig()
    rig.command("genset.start", for_s=3_600)
    rig.run(200)
    assert rig.is_now("genset.state") == "ready"
    _announce(rig, 290, 1_800)
    rig.until("source.ac", "genset", 30)


def test_a_battery_that_could_not_carry_keeps_the_grid_until_it_fails():
    for soc, bus in ((400, None), (None, 47_000)):
        rig = _rig()
        if soc is None:
            rig.silent = {"battery"}
            rig.bus = bus
        else:
            rig.soc = soc
        _announce(rig, 290, 1_800)
        rig.run(500)
        assert rig.is_now("source.ac") == "grid", soc


def test_a_battery_that_sags_brings_the_grid_back_and_it_is_not_left_again():
    rig = _rig()
    _announce(rig, 290, 1_800)
    rig.run(20)
    assert rig.is_now("source.ac") == "none"
    rig.soc = 400
    rig.run(5)
    assert rig.is_now("source.ac") == "grid"
    rig.soc = 500
    rig.run(200)
    assert rig.is_now("source.ac") == "grid"


def test_with_charge_unknown_a_healthy_bus_may_carry():
    rig = _rig()
    rig.silent = {"battery"}
    rig.bus = 50_000
    _announce(rig, 290, 1_800)
    rig.run(20)
    assert rig.is_now("source.ac") == "none"


def test_an_outage_that_does_not_come_is_given_up_and_forgotten_at_its_end():
    rig = _rig()
    _announce(rig, 60, 1_000)
    rig.run(300)
    assert rig.is_now("source.ac") == "none"
    rig.run(80)
    assert rig.is_now("source.ac") == "grid"
    assert rig.controller.outage is not None
    rig.run(700)
    assert rig.controller.outage is None


def test_an_announcement_replaces_the_one_before():
    rig = _rig()
    _announce(rig, 60, 36_000)
    rig.run(20)
    assert rig.is_now("source.ac") == "none"
    _announce(rig, 0, 1)
    rig.run(10)
    assert rig.controller.outage is None
    assert rig.is_now("source.ac") == "grid"


def test_a_grid_that_returns_much_too_late_follows_the_usual_rules():
    rig = _rig(genset__soc_start_permille=0)
    _announce(rig, 60, 600)
    rig.run(60)
    rig.grid_mv = 0
    rig.run(600 + 3_600 + 10, dt_ms=10_000)
    assert rig.controller.outage is None
    rig.grid_mv = 230_000
    assert rig.until("source.ac", "grid", 400) > 290


def test_the_announcement_survives_a_reset_and_a_damaged_one_is_left_alone():
    rig = _rig()
    _announce(rig, 600, 1_800)
    rig.reset()
    rig.run(30)
    assert 550 < _rows(rig)[0][3][0] < 600
    rig.run(300)
    rig.reset()
    rig.run(30)
    rig.grid_mv = 0
    rig.run(600)
    rig.reset()
    rig.run(30)
    rig.grid_mv = 230_000
    rig.run(5)
    assert rig.controller.grid.delay_ms == 60_000
    memory = rig.controller.memory()
    memory["outage"] = [5]
    other = Rig(memory=memory)
    assert other.controller.outage is None


def test_new_parameters_reach_an_announcement():
    rig = _rig()
    _announce(rig, 600, 1_800)
    rig.params["outage.leave_before_s"] = 650
    rig.controller.configure(rig.params)
    rig.run(3)
    assert rig.is_now("source.ac") == "none"


def test_a_selection_by_command_outranks_the_announcement():
    rig = _rig()
    _announce(rig, 60, 1_800)
    rig.run(10)
    assert rig.command("source.select", ac="grid", for_s=600) == "ok"
    rig.run(5)
    assert rig.is_now("source.ac") == "grid"


def test_a_site_without_grid_has_no_outages():
    outputs = dict(REFERENCE)
    del outputs["grid"]
    rig = Rig(outputs).run(5)
    assert rig.command("outage.announce", in_s=60, for_s=60) == "no_device"
