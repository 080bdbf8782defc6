"""The whole plant: energy closes, the step does not matter, the seed does, and the bus behaves."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from datetime import datetime
from math import isfinite
from random import Random

import pytest

from greenmast.plant import Plant, PlantConfig, Weather
from greenmast.plant.battery import Battery
from greenmast.plant.config import CONTACTORS, RELAYS, BatteryConfig

MakePlant = Callable[..., Plant]


def run(plant: Plant, seconds: float, dt_s: float = 1.0) -> Plant:
    for _ in range(round(seconds / dt_s)):
        plant.step(dt_s)
    return plant


def busy_day(plant: Plant, dt_s: float) -> dict[str, float]:
    """A day with a transfer to the genset and back, commands on multiples of 60 s."""
    run(plant, 9 * 3_600, dt_s)
    plant.coil("grid", True)
    plant.coil("genset_start", True)
    run(plant, 60, dt_s)
    plant.coil("genset", True)
    run(plant, 7_200, dt_s)
    plant.coil("genset", False)
    run(plant, 60, dt_s)
    plant.coil("genset_start", False)
    plant.coil("grid", False)
    run(plant, 13 * 3_600 - 120, dt_s)
    return plant.truths()


def stored_wh(battery: Battery, low_soc: float, high_soc: float) -> float:
    """Energy between two states of charge: the integral of the open-circuit voltage over the charge."""
    probe = copy(battery)
    steps = 2_000
    total = 0.0
    for index in range(steps):
        probe.soc = low_soc + (high_soc - low_soc) * (index + 0.5) / steps
        probe.prepare(0.0, charging=False)
        total += probe.emf_v
    return total / steps * (high_soc - low_soc) * battery.capacity_ah


@pytest.mark.parametrize("chemistry", ["lfp", "vrla"])
def test_energy_closes_over_a_day(start: datetime, vrla: PlantConfig, chemistry: str) -> None:
    plant = Plant(PlantConfig() if chemistry == "lfp" else PlantConfig(battery=vrla.battery), 3, start=start)
    before, soc_before = plant.truths(), plant.battery.soc
    rectifier_loss_wh = battery_wh = 0.0
    dt_s = 2.0
    for step in range(round(86_400 / dt_s)):
        if step == 9 * 1_800:
            plant.coil("genset_start", True)
            plant.coil("grid", True)
        if step == 9 * 1_800 + 30:
            plant.coil("genset", True)
        plant.step(dt_s)
        battery_wh += plant.bus_v * plant.battery.current_a * dt_s / 3_600.0
        rectifier_loss_wh += plant.rectifier.loss_w * dt_s / 3_600.0
    after = plant.truths()

    def gained(name: str) -> float:
        return after[name] - before[name]

    bus_wh = gained("rectifier.energy_wh") + gained("solar.energy_wh")
    ac_wh = gained("grid.energy_wh") + gained("genset.energy_wh")
    tiers_wh = sum(gained(f"load.tier{tier}_wh") for tier in (1, 2, 3))
    in_cells_wh = stored_wh(plant.battery, soc_before, plant.battery.soc)
    assert min(gained("grid.energy_wh"), gained("genset.energy_wh"), gained("solar.energy_wh")) > 1_000.0
    assert ac_wh == pytest.approx(gained("rectifier.energy_wh") + rectifier_loss_wh, rel=0.005)
    assert bus_wh == pytest.approx(gained("load.energy_wh") + battery_wh, rel=0.005)
    assert battery_wh == pytest.approx(in_cells_wh + plant.battery.loss_wh, abs=0.005 * bus_wh)
    assert tiers_wh == pytest.approx(gained("load.energy_wh"), rel=1e-6)


@pytest.mark.parametrize("chemistry", ["lfp", "vrla"])
def test_results_do_not_depend_on_the_step(start: datetime, vrla: PlantConfig, chemistry: str) -> None:
    cfg = PlantConfig() if chemistry == "lfp" else PlantConfig(battery=vrla.battery)
    fine = busy_day(Plant(cfg, 3, start=start), 1.0)
    for dt_s in (5.0, 60.0):
        coarse = busy_day(Plant(cfg, 3, start=start), dt_s)
        for name in (
            "grid.energy_wh",
            "genset.energy_wh",
            "solar.energy_wh",
            "load.energy_wh",
            "genset.run_s",
        ):
            assert coarse[name] == pytest.approx(fine[name], rel=0.003), (name, dt_s)
        for name in ("battery.soc_permille", "genset.fuel_permille"):
            assert coarse[name] == pytest.approx(fine[name], abs=1.0), (name, dt_s)


def test_tenth_second_steps_agree_with_second_steps(make_plant: MakePlant) -> None:
    plants = [make_plant(irradiance=600.0, battery__soc_permille=500) for _ in range(2)]
    for plant, dt_s in zip(plants, (0.1, 1.0), strict=True):
        run(plant, 30, dt_s)
        plant.coil("grid", True)
        run(plant, 600, dt_s)
        plant.coil("grid", False)
        run(plant, 600, dt_s)
    fine, coarse = (plant.truths() for plant in plants)
    for name in ("grid.energy_wh", "battery.soc_permille", "dc.bus_mv"):
        assert coarse[name] == pytest.approx(fine[name], rel=0.002), name


def test_same_seed_same_history_other_seed_other_history(start: datetime) -> None:
    histories = [run(Plant(PlantConfig(), seed, start=start), 6 * 3_600, 10.0).truths() for seed in (5, 5, 6)]
    assert histories[0] == histories[1]
    assert histories[0]["grid.energy_wh"] != histories[2]["grid.energy_wh"]


def test_loads_run_from_the_grid_and_the_battery_charges_to_full(make_plant: MakePlant) -> None:
    plant = run(make_plant(battery__soc_permille=800), 3 * 3_600)
    assert plant.truth("battery.soc_permille") > 990
    assert plant.truth("dc.bus_mv") == pytest.approx(51_750, abs=5)
    assert plant.truth("rectifier.output_w") == pytest.approx(plant.truth("load.power_w"), rel=0.05)
    assert plant.unpowered_s == 0.0


def test_rectifier_walks_in_over_five_seconds_and_respects_its_limits(make_plant: MakePlant) -> None:
    plant = make_plant(battery__soc_permille=400)
    run(plant, 2.5, 0.1)
    assert plant.truth("rectifier.output_ma") == 0.0
    assert plant.truth("rectifier.ac_present") == 1.0
    run(plant, 5.0, 0.1)
    assert plant.truth("rectifier.output_w") == pytest.approx(6_000, rel=0.06)
    plant.rectifier.limit_ma = 30_000
    plant.step(1.0)
    assert plant.truth("rectifier.output_ma") == pytest.approx(30_000)
    plant.rectifier.setpoint_mv = 50_000
    run(plant, 5)
    assert plant.truth("rectifier.setpoint_mv") == 50_000


def test_rectifier_efficiency_is_95_percent_at_full_load_and_better_at_half(make_plant: MakePlant) -> None:
    plant = run(make_plant(battery__soc_permille=400, load__power_w=2_000), 30)
    assert plant.rectifier.output_w / plant.rectifier.input_w == pytest.approx(0.95, abs=0.002)
    plant.rectifier.limit_ma = 60_000
    plant.step(1.0)
    assert 0.953 < plant.rectifier.output_w / plant.rectifier.input_w < 0.96


@pytest.mark.parametrize(("volts", "present"), [(80, 0.0), (90, 1.0), (230, 1.0), (285, 1.0), (295, 0.0)])
def test_rectifier_accepts_85_to_290_volts(make_plant: MakePlant, volts: int, present: float) -> None:
    plant = run(make_plant(grid__voltage_mv=volts * 1_000), 10)
    assert plant.truth("rectifier.ac_present") == present
    assert (plant.truth("grid.power_w") > 0) == bool(present)


def test_solar_is_used_before_the_rectifier_and_curtailed_when_the_battery_is_full(
    make_plant: MakePlant,
) -> None:
    plant = run(make_plant(irradiance=400.0, load__power_w=2_000, battery__soc_permille=1_000), 3_600)
    assert plant.truth("solar.power_w") == pytest.approx(plant.truth("solar.available_w"))
    assert plant.truth("rectifier.output_w") == pytest.approx(2_000 - plant.truth("solar.power_w"), abs=30)
    plant.set_truth("solar.power_w", 3_500)
    run(plant, 3_600)
    assert plant.truth("rectifier.output_w") == 0.0
    assert plant.truth("solar.power_w") == pytest.approx(2_000, abs=30)
    assert plant.truth("dc.bus_mv") == pytest.approx(52_050, abs=1)
    plant.coil("pv", True)  # normally closed: opens
    plant.step(1.0)
    assert plant.truth("solar.power_w") == 0.0


def test_grid_failure_leaves_the_battery_carrying_the_load(make_plant: MakePlant) -> None:
    plant = run(make_plant(battery__soc_permille=800, load__power_w=2_000), 60)
    plant.set_truth("grid.voltage_mv", 0)
    plant.step(1.0)
    assert plant.truth("grid.frequency_chz") == 0.0
    assert plant.truth("battery.current_ma") == pytest.approx(-2_000e6 / plant.truth("dc.bus_mv"), rel=1e-3)
    plant.release_truth("grid.voltage_mv")
    run(plant, 10)
    assert plant.truth("battery.current_ma") > 0


def test_meter_sees_the_grid_with_the_contactor_open(make_plant: MakePlant) -> None:
    plant = make_plant()
    plant.coil("grid", True)
    run(plant, 2)
    assert not plant.feedback("grid")
    assert plant.truth("grid.voltage_mv") > 200_000
    assert plant.truth("grid.power_w") == 0.0


def test_load_contactors_shed_their_tier_and_meter_it_apart(make_plant: MakePlant) -> None:
    plant = make_plant(load__power_w=2_000)
    plant.coil("load3", True)
    run(plant, 3_600, 10.0)
    assert plant.truth("load.power_w") == pytest.approx(1_700)
    assert plant.truth("load.tier3_w") == 0.0
    assert plant.truth("load.tier1_wh") == pytest.approx(1_100, rel=0.001)
    assert plant.truth("load.tier3_wh") < 1.0


def test_a_flat_battery_ends_dark_and_the_bus_comes_back_with_ac(make_plant: MakePlant) -> None:
    plant = make_plant(battery__soc_permille=30, load__power_w=2_000, grid__voltage_mv=0, irradiance=0.0)
    run(plant, 3_600)
    assert plant.battery.discharge_blocked
    assert plant.truth("dc.bus_mv") == 0.0
    assert plant.unpowered_s > 600
    plant.set_truth("solar.power_w", 2_000)  # the charger lives on the bus and cannot start it
    run(plant, 60)
    assert plant.truth("solar.power_w") == 0.0
    plant.release_truth("grid.voltage_mv")
    dark_s = run(plant, 300).unpowered_s
    assert plant.truth("dc.bus_mv") > 43_000
    assert plant.truth("load.power_w") == pytest.approx(2_000)
    assert run(plant, 600).unpowered_s == dark_s
    assert not plant.battery.discharge_blocked


def test_with_the_battery_contactor_open_the_bus_lives_and_dies_with_the_rectifier(
    make_plant: MakePlant,
) -> None:
    plant = run(make_plant(load__power_w=2_000), 20)
    plant.coil("battery", True)
    run(plant, 10)
    assert plant.truth("dc.bus_mv") == pytest.approx(51_750)
    assert plant.truth("battery.current_ma") == 0.0
    assert plant.truth("battery.voltage_mv") > 48_000
    plant.set_truth("grid.voltage_mv", 0)
    run(plant, 5)
    assert plant.truth("dc.bus_mv") == 0.0
    assert plant.truth("load.power_w") == 0.0


def test_bus_stays_within_40_to_58_volts_in_a_day_of_good_and_bad(start: datetime) -> None:
    plant = Plant(PlantConfig(battery=BatteryConfig(soc_permille=900)), 2, start=start)
    for _ in range(86_400 // 10):
        plant.step(10.0)
        assert plant.truth("dc.bus_mv") == 0.0 or 40_000 < plant.truth("dc.bus_mv") < 58_000


def test_vrla_variant_floats_near_54_volts_and_tapers(make_plant: MakePlant, vrla: PlantConfig) -> None:
    plant = run(make_plant(vrla, battery__soc_permille=500), 3_600, 10.0)
    bulk_ma = plant.truth("battery.current_ma")
    run(plant, 30 * 3_600, 30.0)
    assert plant.truth("dc.bus_mv") == pytest.approx(54_480, abs=5)
    assert plant.truth("battery.soc_permille") > 990
    assert 0 <= plant.truth("battery.current_ma") < 0.05 * bulk_ma
    assert 1_900 < plant.truth("battery.cell_min_mv") < plant.truth("battery.cell_max_mv") < 2_400


def test_both_ac_contactors_on_live_sources_is_counted_as_a_violation(make_plant: MakePlant) -> None:
    plant = make_plant()
    plant.genset.remote_start(True)
    run(plant, 20)
    for _ in range(2):
        plant.coil("genset", True)
        run(plant, 3)
        plant.coil("genset", False)
        run(plant, 3)
    assert plant.violations["parallel_ac_count"] == 2
    assert plant.violations["parallel_ac_s"] == pytest.approx(6.0, abs=0.1)
    plant.set_truth("grid.voltage_mv", 0)
    plant.coil("genset", True)
    run(plant, 3)
    assert plant.violations["parallel_ac_s"] == pytest.approx(6.0, abs=0.1)
    assert plant.violations["both_ac_closed_s"] == pytest.approx(9.0, abs=0.1)


def test_genset_carries_the_site_and_burns_fuel_for_the_energy(make_plant: MakePlant) -> None:
    plant = make_plant(grid__voltage_mv=0, battery__soc_permille=400, genset__fuel_permille=500)
    plant.coil("grid", True)
    plant.coil("genset_start", True)
    run(plant, 20)
    plant.coil("genset", True)
    run(plant, 3_600)
    assert plant.truth("genset.power_w") == pytest.approx(6_300, rel=0.03)
    assert plant.truth("genset.running") == 1.0
    assert plant.truth("battery.soc_permille") > 600
    burned_l = (500 - plant.truth("genset.fuel_permille")) * 0.2
    hours = plant.truth("genset.run_s") / 3_600
    assert burned_l == pytest.approx(0.6 * hours + 0.27e-3 * plant.truth("genset.energy_wh"), rel=0.01)


def test_the_fan_cools_the_cabinet_and_draws_power(make_plant: MakePlant) -> None:
    hot, cooled = (run(make_plant(load__power_w=2_000), 60) for _ in range(2))
    cooled.coil("cooling", True)
    for plant in (hot, cooled):
        run(plant, 7_200, 10.0)
    assert cooled.truth("site.temperature_dc") < hot.truth("site.temperature_dc") - 10
    assert cooled.truth("load.power_w") == pytest.approx(hot.truth("load.power_w") + 60)


def test_a_site_without_grid_genset_and_sun_runs_down_quietly(start: datetime) -> None:
    cfg = replace(PlantConfig.from_site({}), battery=BatteryConfig(soc_permille=100))
    plant = run(Plant(cfg, start=start, weather=Weather.constant(0.0, 20.0)), 3 * 3_600, 10.0)
    assert plant.truth("dc.bus_mv") == 0.0


def test_a_naive_start_is_refused() -> None:
    with pytest.raises(ValueError, match="UTC offset"):
        Plant(PlantConfig(), start=datetime(2025, 3, 21), weather=Weather.constant(0.0, 20.0))


@pytest.mark.parametrize("seed", range(4))
def test_no_order_of_commands_and_truths_breaks_the_plant(
    make_plant: MakePlant, vrla: PlantConfig, seed: int
) -> None:
    random = Random(seed)
    plant = make_plant(PlantConfig() if seed % 2 else vrla, seed)
    levels = {
        "grid.voltage_mv": (0, 60_000, 90_000, 230_000, 300_000),
        "solar.power_w": (0, 10, 2_000, 9_000),
        "load.power_w": (0, 500, 2_000, 12_000),
        "battery.soc_permille": (0, 10, 500, 990, 1_000),
        "battery.temperature_dc": (-300, 0, 250, 700),
        "genset.fuel_permille": (0, 1, 500, 1_000),
    }
    total_s = 0.0
    for action in range(1_500):
        where = f"seed {seed} action {action}"
        plant.coil(random.choice((*CONTACTORS, *RELAYS)), random.random() < 0.5)
        name = random.choice(list(levels))
        plant.set_truth(name, random.choice(levels[name]))
        plant.rectifier.setpoint_mv = random.choice((0, 42_000, 51_750, 56_000, 99_000))
        plant.rectifier.limit_ma = random.choice((0, 5_000, 125_000))
        dt_s = random.choice((0.05, 1.0, 10.0, 300.0))
        plant.step(dt_s)
        total_s += dt_s
        truths = plant.truths()
        assert all(isfinite(value) for value in truths.values()), where
        assert truths["dc.bus_mv"] == 0.0 or 30_000 < truths["dc.bus_mv"] < 63_000, where
        for point in truths:
            assert not point.endswith(("_wh", "_s", "_permille")) or truths[point] >= 0.0, (where, point)
        assert plant.powered_s + plant.unpowered_s == pytest.approx(total_s), where
        assert plant.time_s == pytest.approx(total_s), where


def test_importing_the_plant_loads_no_heavy_library() -> None:
    code = "import sys, greenmast.plant; print([m for m in ('numpy', 'pandas', 'pvlib') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
