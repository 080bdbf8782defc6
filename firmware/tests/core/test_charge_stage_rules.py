"""Charging by chemistry: bulk, absorption, float, equalising, compensation."""

from charge_bench import CELLS, GENSET, Bench, charged

DAY_S = 86_400


def _at_voltage(bench):
    """The battery takes some current at its charging voltage: more than the tail, less than everything."""
    bench.emf_mv = bench.charge.stages.mv - 13 * 20
    return bench.run(15)


# ---- what both chemistries share -------------------------------------------------------------------


def test_bulk_becomes_absorption_when_the_voltage_has_held_and_float_when_the_current_has_tapered():
    for chemistry in CELLS:
        bench = Bench(chemistry).run(60)
        assert (bench.stage(), bench.reason()) == ("bulk", "bulk")
        _at_voltage(bench)
        assert (bench.stage(), bench.reason()) == ("absorption", "absorption")
        bench.run(600)
        assert bench.stage() == "absorption"
        bench.emf_mv = bench.charge.stages.mv - 13 * 11
        bench.run(50)
        assert bench.stage() == "absorption"
        bench.run(15)
        assert (bench.stage(), bench.reason()) == ("float", "float")
        bench.run(15)
        assert bench.charge.setpoint_mv == bench.params["battery.float_mv"]


def test_absorption_ends_after_its_time_at_the_voltage_and_only_that_time_counts():
    bench = _at_voltage(Bench("vrla", battery__absorption_s=600))
    voltage = bench.emf_mv
    bench.run(300)
    bench.emf_mv = 52_000  # the rectifier is at its limit: charging, below the voltage
    bench.run(1_000)
    assert bench.stage() == "absorption"
    bench.emf_mv = voltage
    bench.run(250)
    assert bench.stage() == "absorption"
    bench.run(60)
    assert bench.stage() == "float"


def test_absorption_that_does_not_reach_its_voltage_for_long_begins_again_as_bulk():
    bench = _at_voltage(Bench("vrla", battery__bulk_again_s=3_600))
    bench.emf_mv = 52_000
    bench.run(3_500)
    assert bench.stage() == "absorption"
    bench.run(150)
    assert bench.stage() == "bulk"


def test_an_outage_long_enough_to_discharge_brings_bulk_back():
    for chemistry in CELLS:
        bench = charged(chemistry)
        bench.ac = 0
        bench.emf_mv = (3_290 if chemistry == "lfp" else 2_100) * CELLS[chemistry]
        bench.run(50)
        assert bench.stage() == "float"
        bench.run(20)
        assert bench.stage() == "bulk"


def test_charging_begins_again_when_the_state_of_charge_has_fallen():
    for chemistry, mark in (("lfp", 950), ("vrla", 900)):
        bench = charged(chemistry)
        bench.soc = mark
        bench.run(10)
        assert bench.stage() == "float"
        bench.soc = mark - 1
        bench.run(1)
        assert bench.stage() == "bulk"


def test_a_gauge_that_never_says_full_does_not_start_charging_over_and_over():
    bench = Bench().run(20)
    bench.soc = 930
    bench.emf_mv = bench.charge.stages.mv - 20
    bench.run(100)
    assert bench.stage() == "float"
    bench.emf_mv = 50_600
    bench.run(3_600)
    assert bench.stage() == "float"
    bench.soc = 899
    bench.run(1)
    assert bench.stage() == "bulk"


def test_the_stage_and_its_time_survive_a_reset():
    bench = _at_voltage(Bench("vrla", battery__absorption_s=600)).run(500)
    bench.reset()
    assert bench.stage() == "absorption"
    bench.run(130)
    assert bench.stage() == "float"


# ---- lithium ---------------------------------------------------------------------------------------


def test_a_full_lithium_battery_is_never_held_above_3_45_v_per_cell():
    bench = charged(battery__float_mv=53_900, battery__charge_mv=54_000, battery__cell_high_mv=3_700)
    assert bench.charge.setpoint_mv == 3_450 * 15
    bench.configure(battery__float_mv=53_500)
    bench.run(20)
    assert bench.charge.setpoint_mv == 3_450 * 15


def test_lithium_knows_no_compensation():
    bench = Bench()
    bench.temperature_dc = 400
    bench.run(30)
    assert bench.charge.setpoint_mv == bench.params["battery.charge_mv"]


# ---- lead ------------------------------------------------------------------------------------------


def test_compensation_is_per_cell_times_the_number_of_cells():
    for temperature_dc, shift_mv in ((250, 0), (350, 720), (150, -720), (255, 36), (245, -36)):
        bench = Bench("vrla")
        bench.temperature_dc = temperature_dc
        bench.run(30)
        assert bench.charge.setpoint_mv == min(24 * 2_350 - shift_mv, 57_000), temperature_dc
        bench = charged("vrla")
        bench.temperature_dc = temperature_dc
        bench.run(30)
        assert bench.charge.stages.mv == 24 * 2_250 - shift_mv


def test_without_a_temperature_the_voltages_of_25_degrees_hold():
    bench = Bench("vrla")
    bench.temperature_dc = 400
    bench.run(30)
    assert bench.charge.setpoint_mv == 24 * 2_350 - 15 * 72
    bench.temperature_dc = None
    bench.run(30)
    assert bench.charge.setpoint_mv == 24 * 2_350


def test_the_voltage_never_exceeds_what_the_bus_bears():
    bench = Bench("vrla")
    bench.temperature_dc = -100
    bench.run(60)
    assert bench.charge.setpoint_mv == 57_000


def test_equalising_is_off_unless_days_are_set():
    bench = charged("vrla")
    bench.charge.stages.since_s = 400 * DAY_S
    bench.charge.stages.deep = 9
    bench.run(100)
    assert bench.stage() == "float"


def test_equalising_is_due_by_days_and_ends_at_a_hundredth_of_the_capacity():
    bench = charged("vrla", battery__equalise_days=2)
    bench.run(2 * DAY_S - 600, dt_ms=60_000)
    assert bench.stage() == "float"
    bench.run(600, dt_ms=60_000)
    assert (bench.stage(), bench.reason()) == ("equalise", "equalise")
    bench.emf_mv = 24 * 2_370 - 13 * 4
    bench.run(300)
    assert bench.stage() == "equalise"
    assert bench.charge.setpoint_mv == 24 * 2_370
    bench.emf_mv = 24 * 2_370 - 13 * 2
    bench.run(65)
    assert bench.stage() == "float"
    bench.run(DAY_S, dt_ms=60_000)
    assert bench.stage() == "float"


def test_equalising_is_bounded_in_time():
    bench = charged("vrla", battery__equalise_days=1, battery__equalise_max_s=3_600)
    bench.run(DAY_S, dt_ms=60_000)
    assert bench.stage() == "equalise"
    bench.emf_mv = 24 * 2_370 - 13 * 10
    bench.run(3_500)
    assert bench.stage() == "equalise"
    bench.run(150)
    assert bench.stage() == "float"


def test_equalising_is_due_after_three_deep_cycles_and_each_counts_once():
    bench = charged("vrla", battery__equalise_days=90)
    for cycle in range(3):
        assert bench.charge.stages.deep == cycle
        for soc in (390, 410, 395, 590, 380, 610, 1_000):
            bench.soc = soc
            bench.run(3)
    bench.emf_mv = bench.charge.stages.mv - 20
    bench.run(120)
    assert bench.stage() == "equalise"


def test_what_makes_equalising_due_survives_a_reset():
    bench = charged("vrla", battery__equalise_days=1)
    bench.run(DAY_S - 600, dt_ms=60_000)
    bench.reset()
    bench.run(720, dt_ms=60_000)
    assert bench.stage() == "equalise"


# ---- on the genset ---------------------------------------------------------------------------------


def test_a_lightly_loaded_genset_brings_absorption_back_once():
    bench = charged()
    bench.ac = GENSET
    bench.more["genset.power_w"] = 2_300
    bench.run(20)
    assert (bench.stage(), bench.reason()) == ("absorption", "min_load")
    assert bench.charge.setpoint_mv == bench.params["battery.charge_mv"]
    bench.emf_mv = bench.params["battery.charge_mv"] - 20
    bench.run(80)
    assert bench.stage() == "float"
    bench.run(3_600)
    assert bench.stage() == "float"


def test_charging_has_tapered_when_it_no_longer_loads_the_genset():
    bench = charged(genset__taper_s=600)
    bench.ac = GENSET
    bench.more["genset.power_w"] = 3_599
    bench.run(590)
    assert not bench.charge.tapered
    bench.more["genset.power_w"] = 3_600
    bench.run(2)
    bench.more["genset.power_w"] = 3_599
    bench.run(590)
    assert not bench.charge.tapered
    bench.run(20)
    assert bench.charge.tapered
    bench.ac = 1
    bench.run(1)
    assert not bench.charge.tapered


def test_an_unknown_genset_load_is_no_low_load():
    bench = charged(genset__taper_s=60)
    bench.ac = GENSET
    bench.run(300)
    assert not bench.charge.tapered
    assert bench.stage() == "float"
