"""The cabinet's cooling: temperature, compressor, sun, reserve, and whether it works."""

from core_rig import REFERENCE, Rig

from greenmast_fw.core.cooling import Cooling
from greenmast_fw.core.site import Site
from greenmast_protocol import params, reasons, show


def _outputs(idle=0):
    outputs = dict(REFERENCE)
    outputs["cooling"] = (idle, 0)
    return outputs


class Cabinet:
    """The cooling alone, on AC, with what it is told as attributes."""

    def __init__(self, idle=0, **settings):
        self.params = params.defaults()
        for name in settings:
            self.params["cooling." + name] = settings[name]
        self.site = Site(_outputs(idle))
        self.cooling = Cooling(self.params, self.site)
        self.dc = 250
        self.battery_dc = 250
        self.soc = 800
        self.reserve = 400
        self.ac = True
        self.short = False
        self.solar_w = None
        self.load_w = 2_000
        self.charging = False
        self.blind = 0

    def scan(self, dt_ms=1_000):
        self.cooling.step(
            dt_ms,
            self.dc,
            self.battery_dc,
            self.soc,
            self.reserve,
            self.ac,
            self.short,
            self.solar_w,
            self.load_w,
            self.charging,
            self.blind,
        )

    def run(self, seconds=1, dt_ms=1_000):
        for _ in range(seconds * 1_000 // dt_ms):
            self.scan(dt_ms)
        return self.cooling.on

    def why(self):
        return reasons.NAMES[self.cooling.reason]

    def shine(self):
        self.ac = False
        self.charging = True
        self.solar_w = 3_500


def _rested(**settings):
    cabinet = Cabinet(**settings)
    cabinet.run(200)
    return cabinet


def _on_battery(**settings):
    cabinet = _rested(**settings)
    cabinet.ac = False
    return cabinet


def test_it_cools_above_the_start_temperature_until_below_the_stop_temperature():
    cabinet = _rested()
    cabinet.dc = 350
    assert cabinet.run() == 0
    assert cabinet.why() == "cool_enough"
    cabinet.dc = 351
    assert cabinet.run() == 1
    assert cabinet.why() == "too_hot"
    cabinet.dc = 300
    assert cabinet.run(100) == 1
    cabinet.dc = 299
    assert cabinet.run() == 0


def test_a_warm_battery_is_cooled_in_a_cool_cabinet():
    cabinet = _rested()
    cabinet.battery_dc = 351
    assert cabinet.run() == 1
    assert cabinet.cooling.values(cabinet.cooling.reason) == (351, 320)
    cabinet.battery_dc = 320
    assert cabinet.run() == 1
    cabinet.battery_dc = 319
    assert cabinet.run() == 0


def test_one_temperature_is_enough():
    cabinet = _rested()
    cabinet.battery_dc = None
    cabinet.dc = 351
    assert cabinet.run() == 1
    cabinet.dc = 299
    assert cabinet.run() == 0
    cabinet = _rested()
    cabinet.dc = None
    cabinet.battery_dc = 351
    assert cabinet.run() == 1
    cabinet.battery_dc = 319
    assert cabinet.run() == 0


def test_with_no_temperature_for_a_minute_it_cools():
    cabinet = _rested()
    cabinet.dc = cabinet.battery_dc = None
    assert cabinet.run(55) == 0
    assert cabinet.run(10) == 1
    assert cabinet.why() == "temperature_silent"
    cabinet.dc = 280
    assert cabinet.run() == 0


def test_unknown_temperatures_do_not_spend_the_reserve():
    cabinet = _on_battery()
    cabinet.dc = cabinet.battery_dc = None
    cabinet.soc = 390
    assert cabinet.run(500) == 0
    assert cabinet.why() == "reserve_first"


def test_a_compressor_rests_before_it_starts_again():
    cabinet = _rested()
    cabinet.dc = 360
    cabinet.run()
    cabinet.dc = 290
    assert cabinet.run() == 0
    cabinet.dc = 360
    assert cabinet.run(175) == 0
    assert cabinet.why() == "compressor_rest"
    assert cabinet.cooling.values(cabinet.cooling.reason) == (5,)
    assert cabinet.run(10) == 1


def test_the_rest_goes_on_over_a_reset_and_begins_with_one_that_stops_the_compressor():
    for running, left in ((False, 80), (True, 180)):
        cabinet = _rested()
        cabinet.dc = 360
        cabinet.run()
        if not running:
            cabinet.dc = 290
            cabinet.run(101)
        kept = cabinet.cooling.memory()
        cabinet.cooling = Cooling(cabinet.params, cabinet.site)
        cabinet.cooling.restore(kept)
        cabinet.dc = 360
        assert cabinet.run(left - 5) == 0, running
        assert cabinet.run(10) == 1, running


def test_between_the_thresholds_a_reset_does_not_forget_that_it_was_cooling():
    cabinet = _rested()
    cabinet.dc = 360
    cabinet.run()
    cabinet.dc = 330
    kept = cabinet.cooling.memory()
    cabinet.cooling = Cooling(cabinet.params, cabinet.site)
    cabinet.cooling.restore(kept)
    assert cabinet.run(200) == 1


def test_on_battery_it_runs_only_above_the_reserve():
    cabinet = _on_battery()
    cabinet.dc = 360
    cabinet.soc = 430
    assert cabinet.run() == 1
    cabinet.soc = 401
    assert cabinet.run() == 1
    cabinet.soc = 400
    assert cabinet.run() == 0
    assert cabinet.why() == "reserve_first"
    cabinet.soc = 415
    assert cabinet.run(500) == 0, "no swinging around the reserve"
    cabinet.soc = 425
    assert cabinet.run() == 1
    cabinet.soc = None
    assert cabinet.run() == 0


def test_with_ac_the_reserve_is_no_matter():
    cabinet = _rested()
    cabinet.dc = 360
    cabinet.soc = 100
    assert cabinet.run() == 1


def test_beyond_the_alarm_temperature_the_reserve_is_spent_until_it_is_merely_warm():
    cabinet = _on_battery()
    cabinet.soc = 300
    cabinet.dc = 421
    assert cabinet.run() == 1
    cabinet.dc = 400
    assert cabinet.run() == 1
    cabinet.dc = 349
    assert cabinet.run() == 0
    assert cabinet.why() == "reserve_first"


def test_cooling_goes_before_any_tier():
    cabinet = _on_battery()
    cabinet.dc = 450
    cabinet.run()
    cabinet.short = True
    assert cabinet.run() == 0
    assert cabinet.why() == "reserve_first"
    cabinet.ac = True
    assert cabinet.run(200) == 1


def test_a_surplus_of_sun_cools_ahead():
    cabinet = _rested()
    cabinet.shine()
    cabinet.dc = 290
    assert cabinet.run(50) == 0, "perhaps a gap between clouds"
    assert cabinet.run(20) == 1
    assert cabinet.why() == "precool"
    cabinet.load_w = 3_400  # the compressor's own consumption
    assert cabinet.run(300) == 1
    cabinet.dc = 260
    assert cabinet.run() == 0
    cabinet.dc = 275
    assert cabinet.run(300) == 0, "cool enough: no second start for a degree"


def test_no_cooling_ahead_without_a_real_surplus():
    for name, value in (
        ("solar_w", 2_500),
        ("solar_w", None),
        ("load_w", None),
        ("charging", False),
        ("soc", 390),
        ("soc", None),
        ("dc", None),
    ):
        cabinet = _rested()
        cabinet.shine()
        cabinet.dc = 290
        setattr(cabinet, name, value)
        assert cabinet.run(300) == 0, (name, value)
    cabinet = _rested(precool_dc=0)
    cabinet.shine()
    cabinet.dc = 290
    assert cabinet.run(300) == 0


def test_cooling_ahead_ends_when_the_sun_has_been_gone_for_a_minute():
    cabinet = _rested()
    cabinet.shine()
    cabinet.dc = 290
    cabinet.run(100)
    cabinet.solar_w = 500
    assert cabinet.run(50) == 1
    assert cabinet.run(20) == 0


def test_sun_that_carries_the_cooling_spares_the_reserve():
    cabinet = _rested()
    cabinet.shine()
    cabinet.soc = 300
    cabinet.dc = 340
    cabinet.run(100)
    cabinet.dc = 360
    assert cabinet.run() == 1


def test_without_any_data_it_stays_and_then_takes_the_default():
    for idle in (0, 1):
        cabinet = _rested(idle=idle)
        cabinet.dc = 360
        cabinet.run()
        cabinet.dc = cabinet.battery_dc = None
        cabinet.blind = 1
        assert cabinet.run(500) == 1
        cabinet.blind = 2
        assert cabinet.run() == idle
        assert cabinet.why() == "default_state"


def test_a_fan_that_runs_by_itself_goes_on_after_a_reset_until_its_temperature_is_known():
    cabinet = Cabinet(idle=1)
    cabinet.dc = cabinet.battery_dc = None
    assert cabinet.run(30) == 1
    cabinet.dc = 280
    assert cabinet.run() == 0


def _hot(**settings):
    """A rig with cooling, a warm cabinet and a grid."""
    rig = Rig(_outputs(), **settings)
    rig.more = {"site.temperature_dc": 300, "battery.temperature_dc": 280}
    rig.run(200)
    rig.more["site.temperature_dc"] = 360
    return rig.run(5)


def _lines(rig):
    return "\n".join([show.explanation(row) for row in rig.controller.explain()])


def test_the_controller_cools_and_tells_why():
    rig = _hot()
    assert rig.is_now("cooling") == 1
    assert rig.point("output.cooling") == 1
    assert rig.reason("cooling") == "too_hot"
    assert "cooling on: 36.0 °C above 30.0 °C" in _lines(rig)
    rig.more["site.temperature_dc"] = 280
    rig.run(2)
    rig.more["site.temperature_dc"] = 360
    rig.run(2)
    assert "next: on in 2 min" in _lines(rig)
    rig.more = {}
    rig.run(300)
    assert rig.is_now("cooling") == 1
    assert "no trustworthy temperature" in _lines(rig)


def test_a_site_without_cooling_has_none_but_still_knows_a_hot_cabinet():
    rig = Rig()
    rig.more = {"site.temperature_dc": 425}
    rig.run(100)
    assert rig.is_now("cooling") == 0
    assert rig.point("reason.cooling") is None
    assert "site_hot" in rig.alarms()
    rig.more = {"site.temperature_dc": 405}
    rig.run(400)
    assert "site_hot" in rig.alarms()
    rig.more = {"site.temperature_dc": 395}
    rig.run(400)
    assert "site_hot" not in rig.alarms()


def test_cooling_without_effect_alarms_after_a_quarter_of_an_hour():
    rig = _hot()
    rig.run(880)
    assert "cooling_failed" not in rig.alarms()
    rig.run(30)
    assert "cooling_failed" in rig.alarms()
    assert "site_hot" not in rig.alarms()
    for dc in range(360, 290, -5):
        rig.more["site.temperature_dc"] = dc
        rig.run(60)
    assert "cooling_failed" not in rig.alarms()


def test_cooling_that_takes_its_time_is_no_failure_and_one_that_gives_up_is():
    rig = _hot()
    for dc in range(360, 325, -5):
        rig.more["site.temperature_dc"] = dc
        rig.run(280)
        assert "cooling_failed" not in rig.alarms(), dc
    rig.run(1_300)
    assert "cooling_failed" in rig.alarms()


def test_the_controller_keeps_the_compressor_s_rest_over_a_reset():
    rig = _hot()
    rig.reset()
    rig.run(170)
    assert rig.is_now("cooling") == 0
    assert rig.reason("cooling") == "compressor_rest"
    rig.run(20)
    assert rig.is_now("cooling") == 1


def test_low_voltage_stops_the_cooling_before_the_first_tier_goes():
    rig = _hot(genset__soc_start_permille=0, genset__bus_start_mv=20_000)
    rig.grid_mv = 0
    rig.more["site.temperature_dc"] = 430
    rig.soc = 800
    rig.run(20)
    assert rig.is_now("cooling") == 1
    rig.bus = 47_000
    rig.run(5)
    assert rig.is_now("cooling") == 0
    assert rig.is_now("load3") == 1
