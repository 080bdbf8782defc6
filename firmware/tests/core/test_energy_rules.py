"""Energy for billing: counted from power or from devices, over resets, never backwards."""

from core_rig import REFERENCE, Rig

from greenmast_fw.core.energy import Energy
from greenmast_fw.core.site import LOAD1, LOAD2, LOAD3, Site
from greenmast_protocol import points


class Meter:
    """The counting alone. `v`: what devices say, by point name."""

    def __init__(self, outputs=REFERENCE):
        self.site = Site(outputs)
        self.energy = Energy(self.site)
        self.closed = [0] * len(points.FEEDBACKS)
        for i in (LOAD1, LOAD2, LOAD3):
            self.closed[i] = self.site.exists[i]
        self.v = {}

    def run(self, seconds, dt_ms=1_000):
        values = [None] * points.COUNT
        for name in self.v:
            values[points.index(name)] = self.v[name]
        before = self.energy.wh[:]
        for _ in range(seconds * 1_000 // dt_ms):
            self.energy.step(tuple(values), dt_ms, self.closed)
        for i in range(4):
            assert before[i] is None or self.energy.wh[i] >= before[i], "backwards"
        return self.energy.wh

    def reset(self):
        kept = self.energy.memory()
        assert all([isinstance(n, int) and n >= 0 for n in kept])
        self.energy = Energy(self.site)
        self.energy.restore(kept)


def test_energy_is_power_times_time_with_nothing_lost_in_rounding():
    meter = Meter()
    meter.v = {"load.power_w": 1_234}
    for _ in range(10):
        meter.run(360, dt_ms=900)
    assert meter.energy.wh[0] == 1_234
    meter = Meter()
    meter.v = {"load.power_w": 1}
    for _ in range(20):
        meter.run(1_800, dt_ms=60_000)
        meter.reset()
    assert meter.energy.wh[0] == 10


def test_the_power_of_tiers_follows_from_the_total_as_far_as_it_can():
    for tiers, closed, expected in (
        ((None, None, None), (1, 1, 1), [2_000, None, None, None]),
        ((None, None, None), (1, 0, 0), [2_000, 2_000, 0, 0]),
        ((None, None, None), (0, 1, 0), [2_000, 0, 2_000, 0]),
        ((None, None, None), (1, 1, 0), [2_000, None, None, 0]),
        ((None, None, None), (1, 0, None), [2_000, None, 0, None]),
        ((None, 600, None), (1, 1, 0), [2_000, 1_400, 600, 0]),
        ((None, 600, 500), (1, 1, 1), [2_000, 900, 600, 500]),
        ((None, 2_100, None), (1, 1, 0), [2_000, 0, 2_100, 0]),
    ):
        meter = Meter()
        meter.v = {"load.power_w": 2_000}
        for n in range(3):
            if tiers[n] is not None:
                meter.v["load.tier%d_w" % (n + 1)] = tiers[n]
            meter.closed[LOAD1 + n] = closed[n]
        meter.run(1)
        assert meter.energy.w == expected, (tiers, closed, meter.energy.w)


def test_the_total_follows_from_all_tiers():
    meter = Meter()
    meter.v = {"load.tier1_w": 700, "load.tier2_w": 300}
    meter.run(1)
    assert meter.energy.w[0] is None
    meter.closed[LOAD3] = 0
    meter.run(1)
    assert meter.energy.w[0] == 1_000


def test_a_critical_load_without_contactor_is_always_on():
    outputs = dict(REFERENCE)
    del outputs["load1"]
    meter = Meter(outputs)
    meter.v = {"load.power_w": 2_000}
    meter.closed[LOAD3] = 0
    meter.run(1)
    assert meter.energy.w == [2_000, None, None, 0]
    meter.closed[LOAD2] = 0
    meter.run(1)
    assert meter.energy.w == [2_000, 2_000, 0, 0]


def test_a_tier_that_the_site_lacks_has_no_energy():
    outputs = dict(REFERENCE)
    del outputs["load3"]
    meter = Meter(outputs)
    meter.v = {"load.power_w": 2_000}
    meter.closed[LOAD2] = 0
    meter.run(3_600, dt_ms=10_000)
    assert meter.energy.wh == [2_000, 2_000, 0, None]
    assert meter.energy.unknown_s == [0, 0, 0, 0]


def test_time_without_known_power_is_counted_beside():
    meter = Meter()
    meter.v = {"load.power_w": 2_000}
    meter.run(100, dt_ms=500)
    assert meter.energy.unknown_s == [0, 100, 100, 100]
    meter.v = {}
    meter.run(50)
    assert meter.energy.unknown_s == [50, 150, 150, 150]
    assert meter.energy.wh == [55, None, None, None]
    meter.reset()
    assert meter.energy.unknown_s == [50, 150, 150, 150]


def test_a_device_s_counter_is_taken_over_and_followed():
    meter = Meter()
    meter.v = {"load.energy_wh": 123_456, "load.power_w": 2_000}
    assert meter.run(600)[0] == 123_456
    meter.v["load.energy_wh"] = 123_500
    assert meter.run(1)[0] == 123_500


def test_a_device_that_starts_again_goes_on_from_where_it_was():
    meter = Meter()
    meter.v = {"load.energy_wh": 5_000}
    meter.run(10)
    meter.v["load.energy_wh"] = 30
    assert meter.run(10)[0] == 5_030
    meter.v["load.energy_wh"] = 45
    assert meter.run(10)[0] == 5_045


def test_a_leap_that_no_load_can_have_caused_is_not_billed():
    meter = Meter()
    meter.v = {"load.energy_wh": 5_000_000}
    meter.run(10)
    for glitch in (0, 5_000_010, 0x7FFFFFFF, 5_000_010):
        meter.v["load.energy_wh"] = glitch
        meter.run(1)
    assert 5_000_000 <= meter.energy.wh[0] <= 5_000_020
    meter.v["load.energy_wh"] = 5_000_020
    meter.run(1)
    assert 5_000_010 <= meter.energy.wh[0] <= 5_000_030


def test_what_was_counted_while_the_device_was_silent_is_not_counted_twice():
    meter = Meter()
    meter.v = {"load.energy_wh": 10_000, "load.power_w": 2_000}
    meter.run(10)
    meter.v = {"load.power_w": 2_000}
    assert meter.run(3_600, dt_ms=10_000)[0] == 12_000
    meter.v["load.energy_wh"] = 10_000  # its resolution is coarse
    assert meter.run(1)[0] == 12_000
    meter.v["load.energy_wh"] = 11_000
    assert meter.run(1)[0] == 12_000
    meter.v["load.energy_wh"] = 12_000
    assert meter.run(1)[0] == 12_000
    meter.v["load.energy_wh"] = 12_100
    assert meter.run(1)[0] == 12_100


def test_a_device_makes_up_for_the_time_of_a_reset():
    meter = Meter()
    meter.v = {"load.energy_wh": 10_000}
    meter.run(10)
    meter.reset()
    meter.v["load.energy_wh"] = 14_000
    assert meter.run(1)[0] == 14_000


def test_the_controller_tells_energy_and_keeps_it_over_resets():
    rig = Rig().run(40)
    rig.command("load.shed", tier=2, for_s=10_000)
    rig.command("load.shed", tier=3, for_s=10_000)
    rig.run(3_600, dt_ms=5_000)
    assert rig.point("load.tier1_wh") in range(1_990, 2_001)
    assert rig.point("load.energy_wh") in range(2_015, 2_025)
    before = rig.point("load.energy_wh")
    rig.reset()
    rig.run(1)
    assert rig.point("load.energy_wh") >= before
    rig.run(360)
    assert rig.point("load.energy_wh") >= before + 199
