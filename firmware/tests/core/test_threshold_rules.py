"""The demands for the genset one by one: thresholds, delays, quiet hours, rationing, tapering."""

from core_rig import Rig, on_genset

from greenmast_fw.core.demand import (
    ABSENT,
    BUS,
    DARK,
    DATA,
    HEAT,
    LOAD,
    MANUAL,
    SOC,
    TO_LVD,
    WINDOW,
    Demand,
    first_reason,
)
from greenmast_protocol import params, reasons


class Bench:
    """A Demand by itself, without grid; attributes are what it is told."""

    def __init__(self, **settings):
        values = params.defaults()
        for name in settings:
            values["genset." + name] = settings[name]
        self.demand = Demand(values)
        self.soc, self.bus, self.load, self.dc, self.to_lvd = 600, 50_000, 2_000, 250, None
        self.lost_ms = self.blind = 0
        self.serves = self.absent = self.quiet = self.window = self.ration = self.tapered = False
        self.dark = False

    def run(self, seconds):
        """So many scans of a second. Returns the mask of active demands."""
        for _ in range(seconds):
            self.demand.see(self.soc, self.bus, self.load, self.dc, self.to_lvd)
            self.demand.pass_time(1_000)
            self.demand.step(
                1_000,
                self.lost_ms,
                self.serves,
                self.absent,
                self.blind,
                self.quiet,
                self.window,
                self.ration,
                self.tapered,
                False,
                self.dark,
            )
        return self.demand.active


def _low_and_back(bench, name, beyond, between, back, bit, delay_s, stop_delay_s):
    """A demand begins after its start delay, holds between its thresholds, ends after its stop delay."""
    setattr(bench, name, beyond)
    assert bench.run(delay_s) == 0
    assert bench.run(1) == bit
    setattr(bench, name, between)
    assert bench.run(2 * stop_delay_s + 10) == bit
    setattr(bench, name, back)
    if stop_delay_s:
        assert bench.run(stop_delay_s) == bit
    assert bench.run(1) == 0
    setattr(bench, name, between)
    assert bench.run(2 * delay_s) == 0


def test_every_threshold_has_its_start_and_stop_and_its_delays():
    _low_and_back(Bench(soc_stop_delay_s=40), "soc", 299, 500, 800, SOC, 60, 40)
    _low_and_back(Bench(), "bus", 47_900, 50_000, 51_000, BUS, 60, 60)
    _low_and_back(Bench(load_start_w=4_000, load_stop_w=2_500), "load", 4_001, 3_000, 2_500, LOAD, 60, 300)
    _low_and_back(Bench(hot_start_dc=450, hot_stop_dc=400), "dc", 451, 420, 400, HEAT, 300, 300)
    _low_and_back(
        Bench(to_lvd_start_s=7_200, to_lvd_stop_s=20_000), "to_lvd", 7_199, 9_000, 20_000, TO_LVD, 300, 300
    )


def test_a_start_threshold_of_zero_switches_a_demand_off():
    bench = Bench(soc_start_permille=0)
    bench.soc, bench.load, bench.dc, bench.to_lvd = 0, 200_000, 1_000, 0
    assert bench.run(1_000) == 0


def test_a_value_that_touches_its_threshold_again_starts_the_delay_again():
    bench = Bench(load_start_w=4_000, load_stop_w=2_500)
    for _ in range(20):
        bench.load = 5_000
        bench.run(59)
        bench.load = 4_000
        assert bench.run(1) == 0


def test_load_heat_and_forecast_that_stay_unknown_end_after_the_stop_delay_and_start_nothing():
    settings = {"hot_start_dc": 450, "hot_stop_dc": 400, "load_start_w": 4_000, "load_stop_w": 2_500}
    bench = Bench(**settings)
    bench.load, bench.dc = 5_000, 500
    assert bench.run(400) == LOAD | HEAT
    bench.load = bench.dc = None
    assert bench.run(300) == LOAD | HEAT
    assert bench.run(1) == 0
    assert bench.run(1_000) == 0


def test_an_unknown_bus_voltage_does_not_contradict_the_stop_charge():
    bench = Bench()
    bench.bus = 47_000
    assert bench.run(61) == BUS
    bench.bus = None
    assert bench.run(500) == BUS
    bench.soc = 800
    assert bench.run(1) == 0


def test_quiet_hours_have_thresholds_of_their_own():
    bench = Bench(load_start_w=4_000, load_stop_w=2_500)
    bench.quiet = True
    bench.soc, bench.bus, bench.load = 250, 47_700, 9_000
    assert bench.run(1_000) == 0
    bench.soc = 199
    assert bench.run(61) == SOC
    bench.soc = 600
    assert bench.run(1) == 0
    bench.quiet = False
    bench.soc = 250
    assert bench.run(61) == SOC | BUS | LOAD
    bench.quiet = True
    assert bench.run(1) == SOC | BUS  # no load of any size starts it at night
    bench.soc = 600
    assert bench.run(1) == BUS
    bench.bus = 50_500
    assert bench.run(61) == 0


def test_grid_absent_for_its_time_demands_until_it_serves():
    bench = Bench(grid_absent_s=600)
    assert bench.run(700) == 0  # a site that has no grid misses none
    bench.absent = True
    assert bench.run(599) == 0
    assert bench.run(1) == ABSENT
    assert bench.run(5_000) == ABSENT
    bench.absent, bench.serves = False, True
    assert bench.run(1) == 0
    bench.absent, bench.serves = True, False
    assert bench.run(599) == 0


def test_how_long_the_grid_has_been_absent_survives_a_reset():
    bench = Bench(grid_absent_s=600)
    bench.absent = True
    bench.run(500)
    other = Bench(grid_absent_s=600)
    other.demand.restore(bench.demand.memory())
    other.absent = True
    assert other.run(99) == 0
    assert other.run(1) == ABSENT


def test_grid_absence_saturates():
    bench = Bench(grid_absent_s=604_800)
    bench.absent = True
    bench.demand.absent_ms = 0x3FFFFFFF - 1_500
    assert bench.run(10) == ABSENT
    assert bench.demand.absent_ms < 0x3FFFFFFF


def test_a_window_demands_while_it_is_open_outside_quiet_hours():
    bench = Bench()
    bench.window = bench.quiet = True
    assert bench.run(10) == 0
    bench.quiet = False
    assert bench.run(10) == WINDOW
    bench.window = False
    assert bench.run(1) == 0


def test_a_window_ended_by_command_stays_ended_until_it_opens_again_even_over_a_reset():
    bench = Bench()
    bench.window = True
    assert bench.run(1) == WINDOW
    bench.demand.release()
    assert bench.run(100) == 0
    other = Bench()
    other.demand.restore(bench.demand.memory())
    other.window = True
    assert other.run(100) == 0
    other.window = False
    other.run(1)
    other.window = True
    assert other.run(1) == WINDOW


def test_a_run_for_lost_data_ended_by_command_is_not_demanded_again_for_the_same_loss():
    bench = Bench()
    bench.soc, bench.lost_ms = None, 400_000
    assert bench.run(1) == DATA
    bench.demand.release()
    assert bench.run(1_000) == 0


def test_rationed_fuel_leaves_bus_voltage_and_commands():
    bench = Bench(load_start_w=4_000, load_stop_w=1, hot_start_dc=450, to_lvd_start_s=3_600, grid_absent_s=60)
    bench.ration = bench.window = bench.absent = True
    bench.soc, bench.load, bench.dc, bench.to_lvd, bench.lost_ms = 100, 9_000, 600, 60, 400_000
    assert bench.run(1_000) == 0
    bench.bus = 47_000
    bench.demand.command_start(10_000_000)
    assert bench.run(61) == BUS | MANUAL


def test_rationing_lets_a_run_finish_that_has_begun():
    bench = Bench()
    bench.soc = 250
    assert bench.run(61) == SOC
    bench.ration = True
    assert bench.run(1_000) == SOC
    bench.soc = 800
    assert bench.run(1) == 0


def test_charging_that_tapers_off_ends_charge_and_bus_demand_above_their_start_thresholds():
    bench = Bench()
    bench.soc, bench.bus = 250, 47_000
    assert bench.run(61) == SOC | BUS
    bench.tapered = True
    assert bench.run(10) == SOC | BUS
    bench.soc = 550
    assert bench.run(10) == SOC | BUS
    bench.bus = 50_900
    assert bench.run(1) == 0
    assert bench.run(1_000) == 0


def test_counted_charge_still_demands_and_ends_while_the_batterys_own_is_lost():
    bench = Bench(data_lost=1)
    bench.lost_ms = 400_000
    bench.soc = 250
    assert bench.run(61) == SOC
    bench.soc = 800
    assert bench.run(1) == 0
    bench.soc = 250
    assert bench.run(61) == SOC
    bench.bus = 51_300
    assert bench.run(61) == 0, "the charged voltage has the last say on a count"
    bench.bus = 50_000
    assert bench.run(1_000) == 0
    bench.lost_ms = 0
    assert bench.run(61) == SOC


def test_policy_stop_holds_for_a_counted_charge_too():
    bench = Bench(data_lost=2)
    bench.lost_ms = 400_000
    bench.soc = 100
    assert bench.run(1_000) == 0


def test_policy_start_gives_one_charge_whether_charge_is_counted_or_not():
    bench = Bench()
    bench.lost_ms = 400_000
    assert bench.run(1) == DATA
    bench.bus = 51_200
    assert bench.run(61) == 0
    bench.bus = 49_000
    assert bench.run(1_000) == 0


def test_without_any_data_nothing_is_decided():
    bench = Bench(grid_absent_s=10)
    bench.soc, bench.blind, bench.absent, bench.window = 100, 1, True, True
    assert bench.run(1_000) == 0


def test_the_first_demand_in_the_tables_order_is_the_reason():
    names = [
        reasons.NAMES[first_reason(mask)] for mask in (SOC | MANUAL, LOAD | BUS, DATA | ABSENT, TO_LVD | DATA)
    ]
    assert names == ["soc_low", "bus_low", "grid_absent", "data_lost"]
    assert first_reason(0) == 0


def test_new_thresholds_hold_at_once_and_keep_the_latch():
    bench = Bench()
    bench.soc = 250
    bench.run(61)
    values = params.defaults()
    values["genset.soc_stop_permille"] = 400
    bench.demand.configure(values)
    assert bench.run(1) == SOC
    bench.soc = 400
    assert bench.run(1) == 0


def test_load_heat_and_absence_start_the_genset_and_are_all_told():
    rig = Rig(
        genset__load_start_w=4_000,
        genset__load_stop_w=2_500,
        genset__hot_start_dc=450,
        genset__hot_stop_dc=400,
        genset__grid_absent_s=60,
    ).run(5)
    rig.grid_mv = 0
    rig.load_w = 5_000
    rig.battery_dc = 500
    rig.until("source.ac", "genset", 400)
    rig.run(300)
    assert rig.reason("genset") == "load_high"
    row = next(row for row in rig.controller.explain() if row[0] == "genset")
    assert row[3] == (5_000, 2_500)
    others = [reasons.NAMES[blocked[0]] for blocked in row[4]]
    assert others == ["battery_hot", "grid_absent", "min_run"]


def test_the_longest_run_alarms_and_names_the_demand_that_keeps_it():
    rig = on_genset(genset__max_run_s=600)
    rig.run(700)
    assert "genset_max_run" in rig.alarms()
    assert rig.reason("genset") == "soc_low"


def test_a_critical_load_that_is_off_demands_after_the_bus_delay_until_it_is_back():
    bench = Bench(bus_delay_s=60)
    bench.dark = True
    assert bench.run(59) == 0
    assert bench.run(1) == DARK
    bench.ration = True
    assert bench.run(600) == DARK
    bench.dark = False
    assert bench.run(1) == 0
