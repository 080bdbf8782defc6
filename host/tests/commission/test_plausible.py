"""Readings against each other: what is wired right passes, each usual mistake is named."""

from __future__ import annotations

from typing import Any

import pytest

from greenmast.commission import plausible
from greenmast.commission.result import FAILED, LOOK, PASSED, Result

CONFIG = {"battery": {"chemistry": "lfp", "cells": 15}}
GOOD: dict[str, int | None] = {
    "dc.bus_mv": 53_000,
    "battery.voltage_mv": 52_900,
    "battery.current_ma": 20_000,
    "battery.soc_permille": 800,
    "battery.temperature_dc": 250,
    "battery.cell_min_mv": 3_510,
    "battery.cell_max_mv": 3_540,
    "rectifier.output_mv": 53_050,
    "rectifier.output_ma": 60_000,
    "solar.power_w": 0,
    "load.power_w": 2_100,
    "grid.voltage_mv": 231_000,
    "grid.frequency_chz": 4_990,
    "grid.power_w": 3_400,
    "genset.fuel_permille": 700,
}


def verdicts(config: Any = CONFIG, **changed: int | None) -> dict[str, Result]:
    values = {**GOOD, **{name.replace("__", "."): value for name, value in changed.items()}}
    return {result.name: result for result in plausible.at_rest(values, config)}


def test_a_site_that_is_wired_right_passes() -> None:
    assert {result.verdict for result in verdicts().values()} == {PASSED}
    assert len(verdicts()) == 4


def test_what_is_not_measured_is_not_judged() -> None:
    found = verdicts(battery__cell_min_mv=None, battery__temperature_dc=None)
    assert set(found) == {"voltages of bus, battery and rectifier", "grid"}


@pytest.mark.parametrize(
    ("changed", "name", "word"),
    [
        ({"rectifier__output_mv": 5_305}, "voltages of bus, battery and rectifier", "scale"),
        ({"battery__voltage_mv": 0}, "voltages of bus, battery and rectifier", "breaker"),
        ({"battery__cell_min_mv": 3_290, "battery__cell_max_mv": 3_320}, "cells", "16 cells"),
        ({"battery__temperature_dc": -2_731}, "battery temperature", "probe"),
        ({"grid__voltage_mv": 160_000}, "grid", "transformer"),
        ({"grid__frequency_chz": 499}, "grid", "meter"),
    ],
)
def test_a_usual_mistake_fails_with_its_remedy(changed: dict[str, int], name: str, word: str) -> None:
    result = verdicts(**changed)[name]
    assert result.verdict == FAILED
    assert word in result.remedy


def test_a_dead_grid_is_for_a_person_to_judge() -> None:
    assert verdicts(grid__voltage_mv=0)["grid"].verdict == LOOK


def test_cells_out_of_service_range_fail_though_they_fit_the_pack() -> None:
    low = verdicts(
        battery__cell_min_mv=2_300,
        battery__cell_max_mv=2_310,
        battery__voltage_mv=34_600,
        dc__bus_mv=34_600,
        rectifier__output_mv=34_700,
    )
    assert low["cells"].verdict == FAILED
    assert "chemistry" in low["cells"].remedy


@pytest.mark.parametrize(
    ("seen_w", "expected_w", "verdict", "word"),
    [
        (1_050, 1_000, PASSED, ""),
        (-2_100, -2_140, PASSED, ""),
        (2_100, -2_140, FAILED, "swap"),
        (-900, 1_000, FAILED, "swap"),
        (210, -2_140, FAILED, "size is wrong too"),
        (10_500, 1_050, FAILED, "scale"),
        (-30, 40, LOOK, "more load"),
        (None, 40, FAILED, "devices"),
    ],
)
def test_a_sign_is_judged_by_what_the_others_say(
    seen_w: int | None, expected_w: int, verdict: str, word: str
) -> None:
    result = plausible.sign("battery", seen_w, expected_w, "swap the wires")
    assert (result.verdict, word in result.remedy) == (verdict, True), result


def test_the_battery_gets_what_rectifier_and_sun_give_less_the_load() -> None:
    values = {**GOOD, "solar.power_w": 500}
    assert plausible.expected_battery_power_w(values) == 500 + 3_183 - 2_100
    assert plausible.battery_power_w(values) == 1_058
    assert plausible.expected_battery_power_w({**values, "load.power_w": None}) is None
