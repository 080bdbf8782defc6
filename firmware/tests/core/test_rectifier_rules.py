"""A rectifier that stands still is restarted; a battery test, from command to result; how it all is told."""

from charge_bench import LOAD_MA, Bench
from core_rig import Rig

from greenmast_protocol import points, show


def _dead(**settings):
    bench = Bench(**settings).run(60)
    bench.dead = True
    return bench


# ---- restarting ------------------------------------------------------------------------------------


def test_a_rectifier_that_delivers_nothing_despite_ac_is_restarted_by_rewriting_its_setpoint():
    bench = _dead()
    full = bench.charge.setpoint_mv
    bench.run(29)
    assert bench.charge.rectifier.standing
    assert not bench.charge.restarting
    bench.run(3)
    assert bench.charge.restarting
    assert bench.reason() == "rectifier_restart"
    assert bench.charge.setpoint_mv < bench.params["battery.safe_mv"]
    bench.run(55)
    assert bench.charge.restarting
    assert bench.charge.setpoint_mv == full
    bench.run(10)
    assert not bench.charge.restarting


def test_an_attempt_ends_as_soon_as_the_rectifier_delivers_or_ac_goes():
    bench = _dead().run(35)
    assert bench.charge.restarting
    bench.dead = False
    bench.run(40)
    assert not bench.charge.restarting
    assert not bench.charge.rectifier.standing
    bench = _dead().run(35)
    bench.ac = 0
    bench.run(1)
    assert not bench.charge.restarting
    assert not bench.charge.rectifier.standing


def test_attempts_are_bounded_to_one_for_each_presence_of_ac_and_one_an_hour():
    bench = _dead()
    attempts = 0
    before = False
    for _ in range(3_500):
        bench.scan()
        attempts += bench.charge.restarting and not before
        before = bench.charge.restarting
    assert attempts == 1
    bench.run(300)
    assert bench.charge.rectifier.since_ms < 600_000
    for _ in range(2):  # a flapping source does not multiply them
        bench.ac = 0
        bench.run(60)
        bench.ac = 1
        bench.run(60)
        assert not bench.charge.restarting
    bench.run(600)
    assert bench.charge.rectifier.since_ms < 600_000


def test_the_bound_survives_a_reset():
    bench = _dead().run(120)
    bench.reset()
    bench.held_mv = 51_500
    bench.run(300)
    assert not bench.charge.restarting
    assert bench.charge.rectifier.standing


def test_no_attempt_where_the_rectifier_itself_sees_no_ac():
    bench = _dead()
    bench.more["rectifier.ac_present"] = 0
    for _ in range(300):
        bench.scan()
        assert not bench.charge.restarting
    assert bench.charge.rectifier.standing


def test_a_silent_meter_or_a_hold_or_a_sunny_day_is_no_stand_still():
    bench = _dead()
    bench.more["rectifier.output_ma"] = None
    bench.run(120)
    assert not bench.charge.rectifier.standing
    bench = Bench().run(30)
    bench.temperature_dc = -50
    for _ in range(200):
        bench.scan()
        assert not bench.charge.rectifier.standing
    bench = Bench().run(30)
    bench.solar_ma = LOAD_MA + 200_000
    bench.run(120)
    assert not bench.charge.rectifier.standing


# ---- the battery test ------------------------------------------------------------------------------


class _Cabinet(Rig):
    """The rig with a battery that can be discharged: its setpoint decides who carries."""

    def __init__(self, **settings):
        self.emf = 50_000
        self.more = {}
        super().__init__(**settings)
        self.soc = 900

    def bus_mv(self):
        setpoint = self.controller.decision.setpoints.get("rectifier.setpoint_mv", 51_000)
        if self.ac() and setpoint > self.emf - 500:
            self.battery_ma = 10_000
            return setpoint
        self.battery_ma = -40_000
        return self.emf - 500

    def values(self):
        v = Rig.values(self)
        if "battery" not in self.silent:
            v["battery.temperature_dc"] = 250
        v.update(self.more)
        return v


def test_a_battery_test_lets_the_battery_carry_and_measures_what_it_gives():
    rig = _Cabinet().run(90)
    assert rig.command("battery.test", on=1) == "ok"
    rig.run(30)
    assert rig.reason("charge") == "battery_test"
    assert rig.battery_ma == -40_000
    assert rig.is_now("source.ac") == "grid"
    for _ in range(399):
        rig.soc -= 1
        rig.run(5)
    assert rig.controller.charge.test
    rig.soc -= 1
    rig.run(2)
    charge = rig.controller.charge
    assert charge.test is None
    mah, start, end, _ = charge.test_result
    assert (start, end) == (900, 500)
    assert 22_000 < mah < 23_000  # 40 A for 2 026 s
    rig.run(30)
    assert rig.reason("charge") != "battery_test"
    assert rig.battery_ma == 10_000


def test_a_battery_test_ends_at_the_margin_above_disconnection_without_a_gap():
    rig = _Cabinet().run(90)
    rig.command("battery.test", on=1)
    rig.run(300)
    rig.emf = 48_400
    rig.run(5)
    assert rig.controller.charge.test is None
    assert rig.controller.charge.test_result
    assert [rig.is_now(n) for n in ("load1", "load2", "load3")] == [1, 1, 1]


def test_a_battery_test_ends_after_its_time():
    rig = _Cabinet(battery__test_max_s=600).run(90)
    rig.command("battery.test", on=1)
    rig.run(590)
    assert rig.controller.charge.test
    rig.run(20)
    assert rig.controller.charge.test is None
    assert rig.controller.charge.test_result


def test_a_battery_test_is_broken_off_without_ac_with_an_alarm_without_data_and_by_command():
    for what in ("ac", "alarm", "data", "command"):
        rig = _Cabinet().run(90)
        assert rig.command("battery.test", on=1) == "ok"
        rig.run(60)
        if what == "ac":
            rig.grid_mv = 0
        elif what == "alarm":
            rig.more["site.smoke"] = 1
        elif what == "data":
            rig.silent = {"battery"}
        else:
            assert rig.command("battery.test", on=0) == "ok"
        rig.run(5)
        assert rig.controller.charge.test is None, what
        assert rig.controller.charge.test_result is None, what


def test_a_battery_test_is_refused_for_a_time_after_a_grid_failure():
    rig = _Cabinet(battery__test_lockout_s=3_600).run(90)
    rig.grid_mv = 0
    rig.run(30)
    assert rig.command("battery.test", on=1) == "not_qualified"
    rig.grid_mv = 230_000
    rig.run(3_500)
    assert rig.command("battery.test", on=1) == "not_qualified"
    rig.reset()
    rig.run(200)
    assert rig.command("battery.test", on=1) == "ok"


def test_a_battery_test_is_refused_when_the_battery_is_needed_in_doubt_or_already_tested():
    rig = _Cabinet().run(90)
    rig.soc = 590
    rig.run(2)
    assert rig.command("battery.test", on=1) == "battery_protect"
    rig.soc = 900
    rig.more["site.smoke"] = 1
    rig.run(10)
    assert rig.command("battery.test", on=1) == "battery_protect"
    rig.more["site.smoke"] = 0
    rig.run(60)
    assert rig.command("battery.test", on=1) == "ok"
    assert rig.command("battery.test", on=1) == "busy"
    rig = _Cabinet(roles=("battery", "grid")).run(90)
    assert rig.command("battery.test", on=1) == "no_device"


def test_a_battery_test_survives_a_reset():
    rig = _Cabinet().run(90)
    rig.command("battery.test", on=1)
    rig.run(600)
    discharged = rig.controller.charge.test.mah
    assert discharged > 6_000
    rig.reset()
    rig.controller.charge.test.step(1_000, 900, 49_500, -40_000, True)
    assert rig.controller.charge.test.mah >= discharged


# ---- telling ---------------------------------------------------------------------------------------


def test_alarms_tell_of_heat_cold_and_a_rectifier_that_fails():
    rig = _Cabinet().run(30)
    rig.more["battery.temperature_dc"] = 510
    rig.run(65)
    assert "battery_hot" in rig.alarms()
    rig.more["battery.temperature_dc"] = -10
    rig.run(65)
    assert "battery_cold" in rig.alarms()
    rig = _Cabinet().run(30)
    rig.more["rectifier.output_ma"] = 0
    rig.emf = 49_000
    rig.bus_mv = lambda: 48_800
    rig.battery_ma = -40_000
    rig.run(58)
    assert "rectifier_failed" not in rig.alarms()
    rig.run(5)
    assert "rectifier_failed" in rig.alarms()


def test_charging_explains_itself_with_values_and_what_comes_next():
    rig = _Cabinet().run(30)
    assert _line(rig) == (
        "charge absorption: held at the charging voltage: 1 h 59 min left at most; fine: setpoint 51.50 V; "
        "next: float in 1 h 59 min"
    )
    rig.more["battery.temperature_dc"] = -15
    rig.run(5)
    assert "no charging: battery -1.5 °C below 0.0 °C" in _line(rig)
    rig.more["battery.temperature_dc"] = 520
    rig.run(5)
    assert "no charging: battery 52.0 °C above 50.0 °C" in _line(rig)
    rig.more["battery.temperature_dc"] = 250
    rig.more["battery.cell_max_mv"] = 3_560
    rig.run(5)
    assert "highest cell 3.560 V at its limit 3.550 V" in _line(rig)


def _line(rig):
    lines = [show.explanation(row) for row in rig.controller.explain()]
    return next(line for line in lines if line.startswith("charge "))


def test_the_setpoint_and_the_limit_go_out_where_there_is_a_rectifier():
    rig = _Cabinet(battery__charge_limit_ma=50_000).run(30)
    setpoints = rig.controller.decision.setpoints
    assert setpoints["rectifier.setpoint_mv"] == rig.controller.charge.setpoint_mv
    assert setpoints["rectifier.limit_ma"] == rig.controller.charge.limit_ma
    assert rig.point("reason.charge") == rig.controller.charge.code
    assert points.in_range(points.index("rectifier.limit_ma"), setpoints["rectifier.limit_ma"])
    rig = _Cabinet(roles=("battery", "grid")).run(30)
    assert rig.controller.decision.setpoints == {}
    assert rig.point("reason.charge") is None
