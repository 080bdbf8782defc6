"""Several devices of one role act as one; a lost one degrades, never blinds."""

from greenmast_fw.core.aggregate import Aggregate
from greenmast_fw.core.controller import Controller
from greenmast_fw.core.site import Site
from greenmast_fw.core.snapshot import Image, Snapshot
from greenmast_protocol import alarms, params, points, quality
from greenmast_protocol.instances import Instances


class Several:
    """Values by name of the points of several devices, and the aggregate of them."""

    def __init__(self, **counts):
        self.instances = Instances(counts)
        self.part = Aggregate(params.defaults(), self.instances)
        self.v = [None] * (points.COUNT + self.instances.count)

    def put(self, role, number, **values):
        for name in values:
            i = points.index("%s.%s" % (role, name))
            self.v[self.instances.of_device(i, role, number)] = values[name]

    def now(self, name):
        return self.part.step(tuple(self.v))[points.index(name)]


def test_two_strings_are_one_battery():
    s = Several(battery=2)
    s.put("battery", 0, voltage_mv=51_000, current_ma=-30_000, soc_permille=600, charge_limit_ma=100_000)
    s.put("battery", 1, voltage_mv=51_200, current_ma=-10_000, soc_permille=500, charge_limit_ma=80_000)
    assert s.now("battery.voltage_mv") == 51_100
    assert s.now("battery.current_ma") == -40_000
    assert s.now("battery.soc_permille") == 550
    assert s.now("battery.charge_limit_ma") == 180_000
    assert s.part.good == 2


def test_limits_add_up_only_over_strings_that_answer():
    s = Several(battery=3)
    s.put("battery", 0, charge_limit_ma=100_000, soc_permille=400)
    s.put("battery", 2, charge_limit_ma=100_000, soc_permille=600)
    assert s.now("battery.charge_limit_ma") == 200_000
    assert s.now("battery.soc_permille") == 500
    assert s.part.good == 2


def test_of_temperatures_and_cells_the_worst_counts():
    s = Several(battery=2)
    s.put("battery", 0, temperature_dc=200, cell_min_mv=3_300, cell_max_mv=3_320)
    s.put("battery", 1, temperature_dc=-20, cell_min_mv=3_200, cell_max_mv=3_410)
    assert s.now("battery.temperature_dc") == -20
    assert (s.now("battery.cell_min_mv"), s.now("battery.cell_max_mv")) == (3_200, 3_410)
    s.put("battery", 1, temperature_dc=480)
    assert s.now("battery.temperature_dc") == 480


def test_an_energy_counter_that_loses_a_part_is_unknown_rather_than_running_backwards():
    s = Several(solar=2)
    s.put("solar", 0, energy_wh=1_000, power_w=300)
    s.put("solar", 1, energy_wh=2_000, power_w=400)
    assert (s.now("solar.energy_wh"), s.now("solar.power_w")) == (3_000, 700)
    s.put("solar", 1, energy_wh=None, power_w=None)
    assert (s.now("solar.energy_wh"), s.now("solar.power_w")) == (None, 300)


def test_the_grid_is_as_good_as_its_worst_phase():
    s = Several(grid=3)
    for phase, mv in enumerate((230_000, 228_000, 190_000)):
        s.put("grid", phase, voltage_mv=mv, frequency_chz=5_000)
    assert s.now("grid.voltage_mv") == 190_000
    s.put("grid", 2, voltage_mv=262_000)
    assert s.now("grid.voltage_mv") == 262_000


def test_a_grid_with_an_unmeasured_phase_has_no_voltage():
    s = Several(grid=3)
    s.put("grid", 0, voltage_mv=230_000)
    s.put("grid", 1, voltage_mv=230_000)
    assert s.now("grid.voltage_mv") is None


def test_no_good_device_is_no_value_not_zero():
    s = Several(battery=2, rectifier=2)
    assert s.now("battery.current_ma") is None
    assert s.now("rectifier.ac_present") is None
    assert s.part.good == 0


def _controller(connected):
    roles = ("battery", "battery", "grid")
    site = Site({"grid": (1, 0), "battery": (1, 1)}, roles)
    c = Controller(params.defaults(), site)
    image = Image(site.instances)
    assert image.count == points.COUNT + site.instances.count
    values = [None] * image.count
    values[points.index("feedback.battery")] = connected
    values[points.index("dc.bus_mv")] = 51_000
    for name, value in (("battery.voltage_mv", 51_000), ("battery.soc_permille", 600)):
        values[site.instances.of_device(points.index(name), "battery", 0)] = value
    return c, values


def _string_lost(connected):
    c, values = _controller(connected)
    for _ in range(40):
        c.step(Snapshot(tuple(values), bytes(len(values))), 1_000)
    return alarms.index("string_lost") in c.decision.alarms


def test_a_string_that_is_missing_while_the_battery_is_connected_is_an_alarm():
    assert _string_lost(1)
    assert not _string_lost(0)


def test_the_image_keeps_points_beyond_the_table_in_the_range_of_their_kind():
    instances = Instances({"battery": 2})
    image = Image(instances)
    i = instances.of_device(points.index("battery.soc_permille"), "battery", 1)
    assert image.name(i) == "battery.2.soc_permille"
    image.refresh(image.add_source(3_000, [i]))
    image.put(i, 500)
    assert image.snapshot().v[i] == 500
    image.put(i, 5_000)
    snapshot = image.snapshot()
    assert (snapshot.v[i], snapshot.q[i]) == (None, quality.OUT_OF_RANGE)


def test_several_rectifiers_share_the_current_limit():
    limits = []
    for count in (1, 2):
        site = Site({"grid": (1, 0)}, ("grid", "battery") + ("rectifier",) * count)
        c = Controller(params.complete({"battery.charge_limit_ma": 40_000}), site)
        values = [None] * (points.COUNT + (site.instances.count if site.instances else 0))
        for name, value in (
            ("grid.voltage_mv", 230_000),
            ("grid.frequency_chz", 5_000),
            ("dc.bus_mv", 51_000),
            ("battery.voltage_mv", 51_000),
            ("battery.soc_permille", 600),
            ("battery.current_ma", 10_000),
            ("load.power_w", 1_000),
        ):
            values[points.index(name)] = value
        for _ in range(60):
            c.step(Snapshot(tuple(values), bytes(len(values))), 1_000)
        limits.append(c.decision.setpoints["rectifier.limit_ma"])
    assert limits[0] > 40_000
    assert limits[1] == limits[0] // 2
