"""Plants for the tests: constant weather, a faultless grid and starter unless a test says otherwise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from greenmast.plant import Plant, PlantConfig, Weather
from greenmast.plant.config import BatteryConfig, GensetConfig, GridConfig

INDIA = timezone(timedelta(hours=5, minutes=30))
START = datetime(2025, 3, 21, 6, 0, tzinfo=INDIA)

CALM = PlantConfig(
    grid=GridConfig(supply_h_per_day=24.0, weak=False), genset=GensetConfig(start_permille=1_000)
)
VRLA = replace(CALM, battery=BatteryConfig(chemistry="vrla", capacity_ah=400.0, cells=24))

MakePlant = Callable[..., Plant]


@pytest.fixture
def make_plant() -> MakePlant:
    """`make_plant(cfg, seed, irradiance, ambient_c, **truths)`; truths have `__` for the dot."""

    def make(
        cfg: PlantConfig = CALM,
        seed: int = 1,
        irradiance: float = 0.0,
        ambient_c: float = 25.0,
        **truths: Any,
    ) -> Plant:
        plant = Plant(cfg, seed, start=START, weather=Weather.constant(irradiance, ambient_c))
        for name, value in truths.items():
            plant.set_truth(name.replace("__", "."), value)
        return plant

    return make


@pytest.fixture
def calm() -> PlantConfig:
    return CALM


@pytest.fixture
def vrla() -> PlantConfig:
    return VRLA


@pytest.fixture
def start() -> datetime:
    return START
