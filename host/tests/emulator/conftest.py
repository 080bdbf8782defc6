"""A plant of plain numbers, and devices refreshed from it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from greenmast.emulator.devices import Device, create

TRUTHS = {
    "grid.voltage_mv": 230_450.0,
    "grid.current_ma": 8_210.0,
    "grid.power_w": 1_880.0,
    "grid.frequency_chz": 4_987.0,
    "grid.energy_wh": 1_234_560.0,
    "genset.running": 0.0,
    "genset.voltage_mv": 0.0,
    "genset.current_ma": 0.0,
    "genset.frequency_chz": 0.0,
    "genset.rpm": 0.0,
    "genset.power_w": 0.0,
    "genset.fuel_permille": 712.0,
    "genset.oil_kpa": 0.0,
    "genset.coolant_dc": 314.0,
    "genset.run_s": 3_600.0 * 1_234,
    "genset.starts": 321.0,
    "genset.energy_wh": 4_321_100.0,
    "rectifier.output_mv": 53_210.0,
    "rectifier.output_ma": 33_330.0,
    "rectifier.ac_present": 1.0,
    "rectifier.temperature_dc": 412.0,
    "rectifier.input_mv": 229_900.0,
    "dc.bus_mv": 53_190.0,
    "solar.voltage_mv": 104_500.0,
    "solar.current_ma": 21_370.0,
    "solar.power_w": 2_180.0,
    "solar.energy_wh": 987_650.0,
    "battery.voltage_mv": 53_180.0,
    "battery.current_ma": -21_400.0,
    "battery.soc_permille": 642.0,
    "battery.soh_permille": 981.0,
    "battery.temperature_dc": 274.0,
    "battery.cell_min_mv": 3_541.0,
    "battery.cell_max_mv": 3_549.0,
    "battery.remaining_mah": 192_600.0,
    "battery.charge_blocked": 0.0,
    "battery.discharge_blocked": 0.0,
    "load.power_w": 2_034.0,
    "load.energy_wh": 7_654_321.0,
    "site.temperature_dc": 335.0,
}
SITE = {"battery": {"cells": 15, "capacity_ah": 300}, "genset": {"rating_w": 12_000}}


class FakeRectifier:
    def __init__(self) -> None:
        self.setpoint_mv = 54_000.0
        self.limit_ma = 100_000.0


class FakeGenset:
    def __init__(self) -> None:
        self.started = False

    def remote_start(self, on: bool) -> None:
        self.started = on


class FakePlant:
    """Truths as a dictionary; `started` of the genset and the rectifier's set-points show what writes did."""

    def __init__(self) -> None:
        self.time_s = 0.0
        self.rectifier = FakeRectifier()
        self.genset = FakeGenset()
        self.truths = dict(TRUTHS)

    def truth(self, name: str) -> float:
        return self.truths[name]


@pytest.fixture
def plant() -> FakePlant:
    return FakePlant()


@pytest.fixture
def device(plant: FakePlant) -> Callable[[str], Device]:
    """Builds the device of a profile, refreshed once."""

    def build(profile: str) -> Device:
        built = create(profile, SITE)
        built.refresh(plant)
        return built

    return build
