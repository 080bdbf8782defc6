"""Several devices of one role: their parts add up to the plant, and what they command reaches it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from greenmast.emulator.devices import create, encoding
from greenmast.emulator.emulate import SPREAD, EmulatedSite
from greenmast.emulator.share import Pool, Share, sections_for
from greenmast.plant import Plant, PlantConfig, Weather
from greenmast.site import Device, Site, load


def shares(plant: Any, role: str, devices: int, **options: Any) -> list[Share]:
    pool = Pool(plant, role, devices, **options)
    return [pool.join() for _ in range(devices)]


@pytest.mark.parametrize("spread", [0.0, 0.02, 0.3])
@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("battery", "battery.current_ma"),
        ("battery", "battery.remaining_mah"),
        ("grid", "grid.power_w"),
        ("grid", "grid.current_ma"),
        ("grid", "grid.energy_wh"),
        ("load", "load.power_w"),
        ("rectifier", "rectifier.output_ma"),
        ("solar", "solar.energy_wh"),
    ],
)
def test_what_flows_or_is_stored_adds_up_to_the_whole(
    plant: Any, role: str, name: str, spread: float
) -> None:
    parts = [share.truth(name) for share in shares(plant, role, 3, spread=spread)]
    assert sum(parts) == pytest.approx(plant.truth(name))
    assert max(parts) / min(parts) <= (1 + spread) / (1 - spread) + 1e-9


@pytest.mark.parametrize(
    ("role", "name"),
    [
        ("battery", "battery.voltage_mv"),
        ("battery", "battery.soc_permille"),
        ("battery", "battery.cell_min_mv"),
        ("battery", "battery.temperature_dc"),
        ("grid", "grid.voltage_mv"),
        ("grid", "grid.frequency_chz"),
        ("grid", "battery.current_ma"),  # another role's to divide
        ("rectifier", "rectifier.output_mv"),
        ("genset", "genset.power_w"),  # one engine
        ("genset", "genset.fuel_permille"),
    ],
)
def test_states_and_what_others_divide_are_seen_whole(plant: Any, role: str, name: str) -> None:
    for share in shares(plant, role, 3, spread=0.3):
        assert share.truth(name) == plant.truth(name)


def test_the_spread_is_a_matter_of_the_seed(plant: Any) -> None:
    def currents(seed: int) -> list[float]:
        return [s.truth("battery.current_ma") for s in shares(plant, "battery", 2, spread=0.02, seed=seed)]

    assert currents(1) == currents(1) != currents(2)
    assert currents(1)[0] != currents(1)[1]


def test_equal_parts_without_a_spread(plant: Any) -> None:
    assert [s.truth("grid.power_w") for s in shares(plant, "grid", 4)] == [
        plant.truth("grid.power_w") / 4
    ] * 4


def test_a_lone_device_sees_the_plant_to_the_last_bit(plant: Any) -> None:
    (only,) = shares(plant, "battery", 1, spread=0.3)
    assert all(only.truth(name) == value for name, value in plant.truths.items())


@pytest.mark.parametrize(
    ("sections", "devices", "capacity_ah"),
    [({"battery": {"capacity_ah": 400}}, 1, 400), ({"battery": {"capacity_ah": 400}}, 2, 200), ({}, 2, 150)],
)
def test_a_string_knows_its_own_capacity(sections: Any, devices: int, capacity_ah: float) -> None:
    assert sections_for(sections, "battery", devices)["battery"]["capacity_ah"] == capacity_ah
    assert sections_for(sections, "grid", devices) == sections


def test_the_engine_runs_as_long_as_one_controller_asks(plant: Any) -> None:
    first, second = shares(plant, "genset", 2)
    first.genset.remote_start(True)
    second.genset.remote_start(False)
    assert plant.genset.started
    first.genset.remote_start(False)
    assert not plant.genset.started


def test_current_limits_of_modules_add_up(plant: Any) -> None:
    first, second = shares(plant, "rectifier", 2)
    assert (first.rectifier.limit_ma, second.rectifier.limit_ma) == (50_000.0, 50_000.0)
    first.rectifier.limit_ma = 20_000.0
    assert plant.rectifier.limit_ma == 70_000.0
    second.rectifier.limit_ma = 0.0
    assert plant.rectifier.limit_ma == first.rectifier.limit_ma == 20_000.0
    plant.rectifier.limit_ma = 80_000.0  # somebody else
    assert (first.rectifier.limit_ma, second.rectifier.limit_ma) == (40_000.0, 40_000.0)


def test_two_rectifiers_are_switched_off_one_by_one(plant: Any) -> None:
    modules = [(create("meanwell-drs", {}), share) for share in shares(plant, "rectifier", 2)]
    limits = []
    for module, _ in modules:
        module.write_registers(6, 0x0000, (0,))
        for each, view in modules * 2:
            each.refresh(view)
        limits.append(plant.rectifier.limit_ma)
    assert limits == [50_000.0, 0.0]
    modules[0][0].write_registers(6, 0x0000, (1,))
    for each, view in modules * 2:
        each.refresh(view)
    assert plant.rectifier.limit_ma == 50_000.0


def test_a_set_voltage_is_common_to_all_modules(plant: Any) -> None:
    first, second = shares(plant, "rectifier", 2)
    first.rectifier.setpoint_mv = 55_000.0
    assert second.rectifier.setpoint_mv == plant.rectifier.setpoint_mv == 55_000.0


def emulated(devices: tuple[Device, ...], **options: Any) -> tuple[EmulatedSite, Plant]:
    site: Site = replace(load("india-rural"), devices=devices)
    start = datetime(2025, 3, 21, 12, tzinfo=site.timezone)
    plant = Plant(PlantConfig.from_site(site.plant), start=start, weather=Weather.constant(600.0, 30.0))
    return EmulatedSite(site, plant, **options), plant


def run(site: EmulatedSite, seconds: float) -> None:
    for _ in range(int(seconds * 4)):
        site.plant.step(0.25)
    site.refresh()


def signed(word: int) -> int:
    return word - 0x10000 if word & 0x8000 else word


def test_two_strings_of_a_site_hold_half_each_and_are_not_alike() -> None:
    site, plant = emulated(
        (Device("battery", "pace-bms", "power", 1), Device("battery", "pace-bms", "power", 2))
    )
    plant.set_truth("solar.power_w", 0.0)
    plant.set_truth("grid.voltage_mv", 0.0)
    run(site, 60)
    strings = [site.buses["power"].devices[unit].read_registers(3, 0, 8) for unit in (1, 2)]
    assert strings[0][1:7] == strings[1][1:7]
    assert strings[0][5] * 10 == pytest.approx(plant.cfg.battery.capacity_ah * 1e3 / 2)
    currents_ma = [10 * signed(string[0]) for string in strings]
    assert sum(currents_ma) < -1_000
    assert sum(currents_ma) == pytest.approx(plant.truth("battery.current_ma"), abs=20)
    assert currents_ma[0] != currents_ma[1]
    assert max(currents_ma) / min(currents_ma) == pytest.approx(1.0, abs=3 * SPREAD)


def test_a_meter_for_each_phase_measures_a_third_at_full_voltage() -> None:
    site, plant = emulated(
        tuple(Device("grid", "eastron-sdm120", "meters", unit) for unit in (1, 2, 3)), spread=0.0
    )
    plant.set_truth("grid.voltage_mv", 231_000)
    plant.set_truth("solar.power_w", 0.0)
    run(site, 60)
    assert plant.truth("grid.power_w") > 0.0
    for unit in (1, 2, 3):
        meter = site.buses["meters"].devices[unit]
        volts, watts = (encoding.f32_value(*meter.read_registers(4, at, 2)) for at in (0x00, 0x0C))
        assert volts == pytest.approx(231.0, rel=1e-3)
        assert watts == pytest.approx(plant.truth("grid.power_w") / 3, rel=1e-4)


def test_a_start_by_modbus_reaches_the_engine_of_the_plant() -> None:
    site, plant = emulated((Device("genset", "comap-il4", "meters", 1),))
    site.buses["meters"].devices[1].write_coils(5, 4700, (True,))
    for _ in range(30):
        run(site, 1)
    assert plant.truth("genset.running") == 1.0
