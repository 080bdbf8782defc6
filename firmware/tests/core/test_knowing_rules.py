"""Knowing: readings that jump, stand still or are contradicted count as missing; the rest is left alone."""

from core_rig import Rig, on_genset

from greenmast_fw.core.knowing import Knowing
from greenmast_fw.core.site import BATTERY, GENSET, GRID, Site
from greenmast_protocol import params, points, quality, show

OUTPUTS = {"grid": (1, 1), "genset": (0, 1), "battery": (1, 1)}
ROLES = ("grid", "genset", "battery", "rectifier", "solar", "load")
NUMBER = {name: i for i, name in enumerate(points.NAMES)}


class Eyes:
    """`Knowing` with the readings that it gets; on grid, a battery of 15 cells and 300 Ah at half charge."""

    def __init__(self, chemistry="lfp", **settings):
        given = params.defaults()
        for name in settings:
            given[name.replace("__", ".")] = settings[name]
        cells = 15 if chemistry == "lfp" else 24
        self.codes = bytearray(points.COUNT)
        self.knowing = Knowing(given, Site(OUTPUTS, ROLES, chemistry, 300, cells), self.codes)
        self.closed = [0] * len(points.FEEDBACKS)
        self.closed[GRID] = self.closed[BATTERY] = 1
        self.v = {
            "dc.bus_mv": 50_000,
            "battery.voltage_mv": 50_000,
            "battery.current_ma": -20_000,
            "battery.soc_permille": 500,
            "battery.temperature_dc": 250,
            "rectifier.ac_present": 1,
            "rectifier.output_mv": 50_000,
            "rectifier.output_ma": 20_000,
            "solar.power_w": 0,
            "load.power_w": 2_000,
            "grid.voltage_mv": 230_000,
            "grid.frequency_chz": 5_000,
            "grid.power_w": 1_100,
            "genset.voltage_mv": 230_000,
            "genset.frequency_chz": 5_000,
            "genset.rpm": 1_500,
            "genset.running": 1,
            "genset.power_w": 0,
            "genset.fuel_permille": 600,
        }

    def scan(self, dt_ms=1_000, **readings):
        """One scan in which the given readings (`battery__soc_permille=0`) replace what is in `v`."""
        v = [None] * points.COUNT
        for name in self.v:
            v[NUMBER[name]] = self.v[name]
        for name in readings:
            v[NUMBER[name.replace("__", ".")]] = readings[name]
        self.known = self.knowing.step(tuple(v), dt_ms, self.closed)
        return self

    def run(self, seconds, dt_ms=1_000):
        for _ in range(seconds * 1_000 // dt_ms):
            self.scan(dt_ms)
        return self

    def alive(self, seconds):
        """Scans of 2 s in which everything that is measured as an analogue value moves in its last digit."""
        for n in range(seconds // 2):
            moved = {}
            for name in ("dc.bus_mv", "battery.voltage_mv", "battery.current_ma", "grid.power_w"):
                moved[name.replace(".", "__")] = self.v[name] + 10 * (n % 2)
            self.scan(2_000, **moved)
        return self

    def code(self, name):
        return self.codes[NUMBER[name]]

    def seen(self, name):
        return self.known[NUMBER[name]]

    def distrusted(self):
        return [points.NAMES[i] for i in range(points.COUNT) if self.codes[i]]


# ---- jumps -------------------------------------------------------------------------------------------


def test_a_picture_without_anything_to_doubt_is_handed_on_as_it_is():
    eyes = Eyes().run(30)
    v = tuple([None] * points.COUNT)
    assert eyes.knowing.step(v, 1_000, eyes.closed) is v


def test_a_single_spike_is_missing_and_never_seen():
    for name, spike in (
        ("dc.bus_mv", 90_000),
        ("dc.bus_mv", 0),
        ("battery.voltage_mv", 10_000),
        ("battery.soc_permille", 0),
        ("battery.temperature_dc", 900),
        ("genset.fuel_permille", 1_000),
        ("genset.voltage_mv", 400_000),
        ("genset.frequency_chz", 8_000),
    ):
        eyes = Eyes().run(3)
        eyes.scan(**{name.replace(".", "__"): spike})
        assert eyes.seen(name) is None, name
        assert eyes.code(name) == quality.RATE
        assert eyes.knowing.implausible
        eyes.scan()
        assert eyes.seen(name) == eyes.v[name]
        assert eyes.distrusted() == []
        assert not eyes.knowing.implausible


def test_a_real_step_passes_when_it_has_stayed_and_not_before():
    for name, level, scans in (
        ("genset.frequency_chz", 6_500, 1),
        ("genset.voltage_mv", 400_000, 1),
        ("dc.bus_mv", 40_000, 2),
        ("battery.temperature_dc", 400, 2),
        ("battery.soc_permille", 300, 20),
        ("genset.fuel_permille", 950, 2),
    ):
        eyes = Eyes().run(3)
        eyes.v[name] = level
        for _ in range(scans):
            assert eyes.scan().seen(name) is None, name
        assert eyes.scan().seen(name) == level, name
        assert eyes.distrusted() == []


def test_a_new_level_may_drift_but_not_wander():
    eyes = Eyes().run(3)
    for n in range(31):
        eyes.scan(battery__soc_permille=200 + 3 * n)
    assert eyes.seen("battery.soc_permille") == 290
    eyes = Eyes().run(3)
    for n in range(200):
        eyes.scan(battery__soc_permille=(0, 250)[n % 2])
        assert eyes.seen("battery.soc_permille") is None


def test_what_moves_no_faster_than_it_can_is_left_alone():
    eyes = Eyes()
    for n in range(40):
        eyes.scan(
            dc__bus_mv=43_500 + 8_000 * (n % 2),
            battery__soc_permille=500 + 10 * n,
            battery__current_ma=(-40_000, 100_000)[n % 2],
            genset__frequency_chz=4_600 + 800 * (n % 2),
            genset__voltage_mv=180_000 + 80_000 * (n % 2),
        )
        assert eyes.distrusted() == []


def test_a_genset_may_collapse_or_start_within_one_scan():
    for name in ("genset.voltage_mv", "genset.frequency_chz"):
        eyes = Eyes().run(3)
        good = eyes.v[name]
        for level in (0, good, good // 2, 0, good):
            eyes.v[name] = level
            assert eyes.scan().seen(name) == level or level == good
        assert eyes.scan().seen(name) == good


def test_a_tank_may_run_empty_at_once_and_the_grid_do_what_it_likes():
    eyes = Eyes().run(3)
    eyes.scan(genset__fuel_permille=0, grid__voltage_mv=400_000, grid__frequency_chz=0)
    assert eyes.distrusted() == []


def test_a_second_jump_of_the_genset_within_a_minute_is_taken_at_its_word():
    eyes = Eyes().run(3)
    assert eyes.scan(genset__voltage_mv=400_000).seen("genset.voltage_mv") is None
    eyes.scan()
    assert eyes.scan(genset__voltage_mv=400_000).seen("genset.voltage_mv") == 400_000
    eyes.run(90)
    assert eyes.scan(genset__voltage_mv=400_000).seen("genset.voltage_mv") is None


def test_a_lost_reading_ends_the_doubt_and_the_next_one_begins_anew():
    eyes = Eyes().run(3)
    eyes.scan(battery__soc_permille=0)
    eyes.scan(battery__soc_permille=None)
    assert eyes.distrusted() == []
    assert eyes.scan(battery__soc_permille=0).seen("battery.soc_permille") == 0


# ---- standing still ----------------------------------------------------------------------------------


def test_a_quiet_site_is_not_frozen():
    eyes = Eyes()
    eyes.v["battery.soc_permille"] = 1_000
    eyes.v["battery.current_ma"] = 0
    eyes.v["rectifier.output_ma"] = 40_000
    eyes.run(90_000, dt_ms=10_000)
    assert eyes.distrusted() == []
    assert not eyes.knowing.frozen


def test_a_battery_current_that_ignores_the_other_powers_is_frozen_until_it_moves():
    eyes = Eyes().alive(30).run(70)
    eyes.v["load.power_w"] = 2_150
    eyes.run(30)
    assert eyes.distrusted() == []
    eyes.v["load.power_w"] = 2_300
    eyes.run(20)
    assert eyes.distrusted() == ["battery.current_ma"]
    assert eyes.code("battery.current_ma") == quality.FROZEN
    assert eyes.seen("battery.current_ma") is None
    assert eyes.knowing.frozen
    assert not eyes.knowing.implausible
    eyes.v["battery.current_ma"] = -26_000
    eyes.run(20)
    assert eyes.distrusted() == []
    assert not eyes.knowing.frozen


def test_a_full_battery_takes_no_current_whatever_the_load_does():
    eyes = Eyes()
    eyes.v["battery.current_ma"] = 0
    eyes.v["rectifier.output_ma"] = 40_000
    eyes.run(100)
    eyes.v["load.power_w"] = 2_290  # as of a load that the meter alone sees
    eyes.run(200)
    assert eyes.distrusted() == []


def test_bus_and_battery_voltage_prove_each_other_frozen():
    for still, moving in (("dc.bus_mv", "battery.voltage_mv"), ("battery.voltage_mv", "dc.bus_mv")):
        eyes = Eyes().alive(20).run(100)
        eyes.v[moving] -= 600
        eyes.run(30)
        assert eyes.distrusted() == [still]
        assert eyes.code(still) == quality.FROZEN
        eyes.v[still] -= 590
        eyes.run(20)
        assert eyes.distrusted() == []


def test_behind_an_open_battery_contactor_the_voltages_differ():
    eyes = Eyes().alive(20).run(100)
    eyes.closed[BATTERY] = 0
    eyes.v["dc.bus_mv"] = 47_000
    eyes.run(300)
    assert eyes.distrusted() == []
    eyes.closed[BATTERY] = 1
    eyes.run(300)
    assert eyes.distrusted() == []


def test_a_charge_that_ignores_the_current_is_frozen():
    eyes = Eyes()
    eyes.v["battery.current_ma"] = -40_000
    eyes.v["rectifier.output_ma"] = 0
    eyes.alive(30).run(1_200, dt_ms=5_000)  # 13.3 Ah of 15
    assert eyes.distrusted() == []
    eyes.run(200, dt_ms=5_000)
    assert eyes.code("battery.soc_permille") == quality.FROZEN
    eyes.v["battery.soc_permille"] = 449
    eyes.run(20)
    assert eyes.distrusted() == []


def test_a_charge_that_moves_slowly_or_is_at_its_end_is_not_frozen():
    eyes = Eyes()
    eyes.v["battery.current_ma"] = -40_000
    eyes.v["rectifier.output_ma"] = 0
    for _ in range(20):
        eyes.v["battery.soc_permille"] -= 10  # whole percents
        eyes.run(270, dt_ms=5_000)
        assert eyes.distrusted() == []
    for soc, ma, rectifier_ma in ((1_000, 20_000, 60_000), (0, -20_000, 20_000)):
        eyes = Eyes()
        eyes.v["battery.soc_permille"] = soc
        eyes.v["battery.current_ma"] = ma
        eyes.v["rectifier.output_ma"] = rectifier_ma
        eyes.run(10_000, dt_ms=10_000)
        assert eyes.distrusted() == []


def test_a_source_meter_that_ignores_the_rectifiers_power_is_frozen():
    for name, on, off in (("grid", GRID, GENSET), ("genset", GENSET, GRID)):
        eyes = Eyes()
        eyes.closed[on], eyes.closed[off] = 1, 0
        eyes.run(100)
        eyes.v["rectifier.output_ma"] = 30_000
        eyes.v["battery.current_ma"] = -10_000
        eyes.run(30)
        for what in ("voltage_mv", "frequency_chz", "power_w"):
            assert eyes.code(name + "." + what) == quality.FROZEN
            assert eyes.seen(name + "." + what) is None
        eyes.v[name + ".power_w"] = 1_650
        eyes.run(20)
        assert eyes.distrusted() == []


def test_a_source_meter_need_not_move_while_its_contactor_is_open_or_not_alone():
    for grid, genset in ((0, 0), (0, 1), (1, 1), (None, 0), (1, None)):
        eyes = Eyes()
        eyes.closed[GRID], eyes.closed[GENSET] = grid, genset
        eyes.alive(20).run(100)
        eyes.v["rectifier.output_ma"] = 30_000
        eyes.v["battery.current_ma"] = -10_000
        eyes.run(200)
        assert eyes.code("grid.voltage_mv") == 0


def test_a_lost_reading_is_not_frozen():
    eyes = Eyes()
    eyes.v["battery.current_ma"] = None
    eyes.v["grid.power_w"] = None
    eyes.run(100)
    eyes.v["rectifier.output_ma"] = 60_000
    eyes.run(100)
    assert eyes.distrusted() == []


# ---- contradicted ------------------------------------------------------------------------------------


def test_powers_that_do_not_add_up_are_told_after_the_delay_and_no_meter_is_blamed_without_evidence():
    eyes = Eyes(balance__tolerance_w=300, balance__delay_s=300)
    eyes.v["solar.power_w"] = 290
    eyes.alive(1_000)
    assert not eyes.knowing.unbalanced
    eyes.v["solar.power_w"] = 400
    eyes.alive(280)
    assert not eyes.knowing.unbalanced
    eyes.alive(50)
    assert eyes.knowing.unbalanced
    assert eyes.distrusted() == []
    eyes.v["solar.power_w"] = 0
    eyes.alive(20)
    assert not eyes.knowing.unbalanced


def test_powers_of_which_one_is_unknown_are_not_judged():
    for name in ("solar.power_w", "rectifier.output_ma", "load.power_w", "battery.current_ma"):
        eyes = Eyes()
        eyes.v["solar.power_w"] = 3_000
        eyes.v[name] = None
        eyes.run(600)
        assert not eyes.knowing.unbalanced, name


def test_a_dead_rectifier_gives_no_power_even_where_it_does_not_say_so():
    eyes = Eyes()
    eyes.v["rectifier.ac_present"] = 0
    eyes.v["rectifier.output_ma"] = None
    eyes.closed[GRID] = 0
    eyes.alive(400)  # 2 kW of load on 1 kW from the battery
    assert eyes.knowing.unbalanced


def test_a_battery_current_that_charge_and_powers_contradict_is_distrusted_until_the_powers_add_up():
    eyes = Eyes()
    eyes.v["battery.current_ma"] = 20_000  # a shunt the wrong way round: 1 kW flows out
    for n in range(800):
        eyes.v["battery.soc_permille"] = 500 - 5 * n // 54
        eyes.v["battery.current_ma"] = 20_000 + 10 * (n % 2)
        eyes.scan(5_000)
        if eyes.code("battery.current_ma"):
            break
    assert eyes.code("battery.current_ma") == quality.CONTRADICTED
    assert eyes.seen("battery.current_ma") is None
    eyes.v["battery.current_ma"] = -20_000
    eyes.alive(20)
    assert eyes.distrusted() == []


def test_nothing_is_blamed_for_powers_that_do_not_add_up_before_the_delay():
    eyes = Eyes(balance__delay_s=3_600)
    for n in range(700):
        eyes.v["battery.soc_permille"] = 500 - 5 * n // 54
        eyes.v["battery.current_ma"] = 20_000 + 10 * (n % 2)
        eyes.scan(5_000)
        assert eyes.distrusted() == []


def test_a_charge_that_follows_the_battery_current_clears_it():
    eyes = Eyes()
    eyes.v["load.power_w"] = 1_000  # a load that the meter misses half of
    for n in range(1_200):
        eyes.v["battery.soc_permille"] = 500 - 5 * n // 54
        eyes.v["battery.current_ma"] = -20_000 + 10 * (n % 2)
        eyes.scan(5_000)
    assert eyes.knowing.unbalanced
    assert eyes.distrusted() == []


def test_a_charge_that_the_voltage_excludes_is_distrusted_until_they_agree():
    for chemistry, soc, mv, ma, agrees_mv in (
        ("lfp", 700, 44_500, -20_000, 46_500),
        ("lfp", 50, 51_500, -2_000, 50_000),
        ("vrla", 700, 44_000, -20_000, 46_000),
        ("vrla", 50, 51_500, -2_000, 49_500),
    ):
        eyes = Eyes(chemistry)
        eyes.v["battery.soc_permille"] = soc
        eyes.v["battery.current_ma"] = ma
        eyes.v["dc.bus_mv"] = eyes.v["battery.voltage_mv"] = mv
        eyes.alive(280)
        assert eyes.distrusted() == []
        eyes.alive(40)
        assert eyes.code("battery.soc_permille") == quality.CONTRADICTED, chemistry
        assert eyes.seen("battery.soc_permille") is None
        eyes.v["dc.bus_mv"] = eyes.v["battery.voltage_mv"] = agrees_mv
        eyes.alive(20)
        assert eyes.distrusted() == []


def test_sagging_under_load_and_being_held_up_by_a_charger_contradict_no_charge():
    for soc, mv, ma in ((700, 44_500, -80_000), (50, 51_500, 2_000), (50, 51_500, 0), (500, 44_500, -20_000)):
        eyes = Eyes()
        eyes.v["battery.soc_permille"] = soc
        eyes.v["battery.current_ma"] = ma
        eyes.v["dc.bus_mv"] = eyes.v["battery.voltage_mv"] = mv
        eyes.alive(600)
        assert eyes.code("battery.soc_permille") == 0, (soc, mv, ma)


def test_a_source_that_does_not_reach_the_rectifier_is_contradicted():
    for name, on, off, after_s in (("grid", GRID, GENSET, 300), ("genset", GENSET, GRID, 0)):
        eyes = Eyes()
        eyes.closed[on], eyes.closed[off] = 1, 0
        eyes.v["rectifier.ac_present"] = 0
        eyes.v["rectifier.output_ma"] = 0
        eyes.run(50)
        assert eyes.distrusted() == []
        eyes.run(30)
        assert eyes.code(name + ".voltage_mv") == quality.CONTRADICTED
        assert eyes.seen(name + ".frequency_chz") is None
        eyes.closed[on] = 0
        eyes.run(after_s + 20)
        assert eyes.distrusted() == []
        if after_s:
            eyes.closed[on] = 1
            eyes.run(100)
            eyes.closed[on] = 0
            eyes.run(after_s - 30)
            assert eyes.code(name + ".voltage_mv") == quality.CONTRADICTED


def test_a_rectifier_that_gives_current_or_is_silent_contradicts_no_source():
    for ac, ma in ((0, 20_000), (None, 0), (1, 0)):
        eyes = Eyes()
        eyes.v["rectifier.ac_present"] = ac
        eyes.v["rectifier.output_ma"] = ma
        eyes.run(300)
        assert eyes.code("grid.voltage_mv") == 0


def test_a_source_that_is_bad_or_not_alone_on_the_rectifier_is_not_contradicted():
    for mv, other in ((150_000, 0), (230_000, 1), (230_000, None)):
        eyes = Eyes()
        eyes.closed[GENSET] = other
        eyes.v["grid.voltage_mv"] = mv
        eyes.v["rectifier.ac_present"] = 0
        eyes.v["rectifier.output_ma"] = 0
        eyes.run(300)
        assert eyes.code("grid.voltage_mv") == 0, (mv, other)


def test_a_source_that_is_dead_by_its_meter_stays_dead_whatever_the_rectifier_says():
    eyes = Eyes()
    eyes.v["grid.voltage_mv"] = eyes.v["grid.frequency_chz"] = 0
    eyes.run(300)
    assert eyes.seen("grid.voltage_mv") == 0


def test_parameters_are_taken_over_while_it_runs():
    eyes = Eyes()
    eyes.v["solar.power_w"] = 400
    given = params.defaults()
    given["balance.tolerance_w"] = 1_000
    eyes.knowing.configure(given)
    eyes.alive(600)
    assert not eyes.knowing.unbalanced


def test_very_long_times_do_not_overflow():
    eyes = Eyes()
    eyes.knowing._still_ms = [0x3FFFFFFF - 100_000] * len(eyes.knowing._still_ms)
    eyes.run(600, dt_ms=60_000)
    assert max(eyes.knowing._still_ms) < 1 << 30


# ---- what the controller makes of it -----------------------------------------------------------------


def test_what_is_not_a_number_for_15_minutes_is_lost_and_the_policy_follows():
    for choice, state in ((0, True), (1, False), (2, False)):
        rig = Rig(genset__data_lost=choice).run(5)
        rig.grid_mv = 0
        rig.run(30)
        rig.nan = {"battery.soc_permille"}
        rig.run(900, dt_ms=3_000)
        assert rig.controller.battery.lost_ms > 0
        assert rig.running() == state, choice
        assert "battery_data_lost" in rig.alarms()
        rig.nan = set()
        rig.run(60)
        assert "battery_data_lost" not in rig.alarms()


def test_a_spike_of_the_charge_starts_nothing():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.run(30)
    for _ in range(10):
        rig.measured = {"battery.soc_permille": 0}
        rig.run(20)
        rig.measured = {}
        rig.run(20)
    assert not rig.running()
    assert rig.controller.demand.active == 0


def test_a_spike_of_the_genset_trips_nothing_and_a_second_reading_does():
    for name, spike in (("genset.voltage_mv", 450_000), ("genset.frequency_chz", 9_000)):
        rig = on_genset()
        rig.measured = {name: spike}
        rig.scan()
        rig.measured = {}
        rig.run(5)
        assert rig.is_now("source.ac") == "genset", name
        assert rig.is_now("genset.state") == "on_load"
        rig.run(60)
        rig.measured = {name: spike}
        rig.run(2)
        assert rig.is_now("genset") == 0, name


def test_a_grid_meter_frozen_on_a_dead_grid_does_not_hold_the_site():
    rig = Rig().run(30)
    rig.measured = {"grid.voltage_mv": 230_000, "grid.frequency_chz": 5_000}
    rig.grid_mv = 0
    rig.soc = 250
    rig.until("grid", 0, 120)
    assert rig.reason("ac") == "grid_silent"
    assert rig.until("source.ac", "genset", 300)
    rig.run(30)
    assert "measurement_implausible" in rig.alarms()


def test_a_device_that_is_not_believed_answers_all_the_same():
    rig = Rig().run(30)
    rig.silent = {"grid", "genset", "rectifier", "load"}
    rig.run(5)
    rig.measured = {"battery.soc_permille": 0, "battery.voltage_mv": 0}
    rig.scan()
    assert rig.controller.battery.lost_ms > 0
    assert rig.controller.blind == 0


def test_distrust_is_told_with_its_code_its_alarm_and_its_reason():
    rig = Rig()
    rig.battery_ma = -40_000
    rig.run(1_500, dt_ms=5_000)
    assert rig.controller.decision.codes[points.index("battery.soc_permille")] == quality.FROZEN
    assert "measurement_frozen" in rig.alarms()
    assert "battery_data_lost" in rig.alarms()
    lines = [show.explanation(row) for row in rig.controller.explain()]
    assert "battery.soc_permille distrusted: stands still while it should move" in lines
    rig.soc = 480
    rig.run(120)
    assert rig.alarms() == []


def test_a_board_has_one_picture_and_it_is_corrected_in_place():
    eyes = Eyes()
    eyes.run(30)
    v = [eyes.v.get(name) for name in points.NAMES]
    v[NUMBER["battery.soc_permille"]] = 0
    known = eyes.knowing.step(v, 1_000, eyes.closed)
    assert known is v
    assert known[NUMBER["battery.soc_permille"]] is None
    assert eyes.codes[NUMBER["battery.soc_permille"]] == quality.RATE
