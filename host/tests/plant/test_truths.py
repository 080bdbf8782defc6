"""Names: points are numbers, settable ones hold and release, unknown ones are answered with near ones."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from greenmast.plant import Plant

MakePlant = Callable[..., Plant]


def test_every_point_reads_as_a_float_before_and_after_a_step(make_plant: MakePlant) -> None:
    plant = make_plant(irradiance=500.0)
    for _ in range(2):
        assert all(isinstance(value, float) for value in plant.truths().values())
        plant.step(1.0)


def test_held_truths_hold_and_released_ones_follow_the_model(make_plant: MakePlant) -> None:
    plant = make_plant()
    held = {
        "grid.voltage_mv": 200_000.0,
        "grid.frequency_chz": 4_900.0,
        "load.power_w": 1_234.0,
        "battery.temperature_dc": -50.0,
        "site.door_open": 1.0,
        "site.smoke": 1.0,
        "site.temperature_dc": 410.0,
    }
    for name, value in held.items():
        plant.set_truth(name, value)
    for _ in range(100):
        plant.step(1.0)
    for name, value in held.items():
        assert plant.truth(name) == pytest.approx(value), name
        plant.release_truth(name)
    plant.step(1.0)
    for name, value in held.items():
        assert plant.truth(name) != value, name


def test_solar_power_sets_what_is_available(make_plant: MakePlant) -> None:
    plant = make_plant(solar__power_w=1_500)
    plant.step(1.0)
    assert plant.truth("solar.available_w") == 1_500
    assert plant.truth("solar.power_w") == pytest.approx(1_500)


def test_states_are_set_once_and_evolve(make_plant: MakePlant) -> None:
    plant = make_plant(battery__soc_permille=420, genset__fuel_permille=333, grid__voltage_mv=0)
    assert plant.truth("battery.soc_permille") == pytest.approx(420)
    assert plant.truth("genset.fuel_permille") == pytest.approx(333)
    for _ in range(600):
        plant.step(1.0)
    assert plant.truth("battery.soc_permille") < 415


def test_unknown_names_are_refused_with_the_near_ones(make_plant: MakePlant) -> None:
    plant = make_plant()
    with pytest.raises(KeyError, match=r"battery\.soc_permille"):
        plant.truth("battery.soc")
    with pytest.raises(KeyError, match=r"grid\.voltage_mv"):
        plant.set_truth("grid.voltage", 0)
    with pytest.raises(ValueError, match="finite"):
        plant.set_truth("grid.voltage_mv", float("nan"))
    with pytest.raises(KeyError, match="settable"):
        plant.set_truth("dc.bus_mv", 48_000)
    with pytest.raises(KeyError, match="load1"):
        plant.coil("load", True)
    with pytest.raises(KeyError, match="genset"):
        plant.feedback("genset_start")
