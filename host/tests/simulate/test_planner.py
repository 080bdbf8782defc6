"""The planner: what it says, what it chooses by, and what no forecast can talk it into."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

import numpy as np
import pytest

from greenmast import site as sites
from greenmast.errors import UserError
from greenmast.plant import Plant, PlantConfig, Weather
from greenmast.simulate.dispatch import HORIZON_H, changes
from greenmast.simulate.forecast import Forecast
from greenmast.simulate.hour_model import CARRY, FULL, HOLD, NO_OPINION, RUN, SPARE, HourModel
from greenmast.simulate.planner import PLANNED_H, Plan, State, plan
from greenmast_fw.core import plan as core_plan
from greenmast_protocol import commands, params

NOW = datetime(2025, 3, 21, 18, tzinfo=timezone(timedelta(hours=5, minutes=30)))
STEADY, WEAK, ISLAND = "japan-urban", "india-rural", "off-grid"


@dataclass(frozen=True)
class Prices:
    diesel_per_l: float = 90.0
    night: float = 8.5
    day: float = 8.5

    def price(self, when: datetime) -> float:
        return self.night if when.hour >= 23 or when.hour < 7 else self.day


def hardware(name: str) -> tuple[PlantConfig, dict[str, int]]:
    site = sites.load(name)
    return PlantConfig.from_site(site.plant), params.complete(dict(site.params))


def foreseen(
    sun_w: float = 0.0, load_w: float = 2_000.0, grid: float = 0.5, certain: bool = False
) -> Forecast:
    """A day of even sun from 8 to 16 h, even load and grid."""
    hours = [(NOW + timedelta(hours=hour)).hour for hour in range(HORIZON_H)]
    solar = [sun_w if 8 <= hour < 16 else 0.0 for hour in hours]
    even = [25.0] * HORIZON_H
    return Forecast(NOW, solar, [load_w] * HORIZON_H, [grid] * HORIZON_H, even, certain)


def made(
    name: str,
    forecast: Forecast,
    state: State | None = None,
    prices: Prices | None = None,
    now: datetime = NOW,
    **changed: int,
) -> Plan:
    plant, every = hardware(name)
    every.update({key.replace("__", "."): value for key, value in changed.items()})
    return plan(forecast, state or State(700.0, grid=True), plant, every, prices or Prices(), now)


# What it says -----------------------------------------------------------------------------------------------


def test_a_plan_is_what_the_board_takes_and_ends_with_its_last_hour() -> None:
    args = made(WEAK, foreseen(1_500.0)).args
    assert commands.problem("plan.set", args) == ("", "")
    assert {len(args[name]) for name in ("reserve", "charge", "genset")} == {PLANNED_H}
    assert args["expires_s"] == PLANNED_H * 3_600
    assert "start_in_s" not in args


def test_the_controller_reads_in_each_hour_what_the_plan_says_of_it() -> None:
    whole = made(WEAK, foreseen(1_500.0), State(450.0, grid=False))
    assert commands.problem("plan.set", whole.args) == ("", "")
    followed = core_plan.Plan(core_plan.from_command(whole.args), 0)
    over = followed.step(1_000)
    for row in whole.rows:
        words = row.words
        read = followed.reserve, followed.charge, followed.genset
        assert read == (words.reserve, words.charge, words.genset)
        assert not over
        over = followed.step(3_600_000)
    assert over


def test_it_waits_for_the_whole_hour_that_the_forecast_begins_with() -> None:
    args = made(WEAK, foreseen(), now=NOW - timedelta(minutes=20)).args
    assert args["start_in_s"] == 1_200
    assert args["expires_s"] == 1_200 + PLANNED_H * 3_600


def test_its_first_hours_are_a_plan_that_ends_with_them() -> None:
    whole = made(WEAK, foreseen(), now=NOW - timedelta(minutes=20))
    part = whole.first(5)
    assert part.args["expires_s"] == 1_200 + 5 * 3_600
    assert part.args["genset"] == whole.args["genset"][:5]
    assert part.rows == whole.rows[:5]
    assert commands.problem("plan.set", part.args) == ("", "")


def test_a_site_is_told_nothing_about_what_it_has_not() -> None:
    assert set(made(STEADY, foreseen(grid=1.0)).args) == {"expires_s", "reserve", "charge"}
    assert set(made(ISLAND, foreseen(grid=0.0)).args) == {"expires_s", "genset"}


def test_the_dear_hours_are_carried_by_the_battery_and_the_cheap_ones_charge_it() -> None:
    prices = Prices(night=9.0, day=27.0)
    rows = made(STEADY, foreseen(0.0, 1_500.0, 1.0), State(400.0, grid=True), prices).rows
    night = [row for row in rows if row.price == 9.0]
    assert max(row.words.soc for row in night) > 0.9
    assert all(row.words.charge != CARRY for row in night)
    morning = [row for row in rows if 7 <= row.time.hour < 12]
    assert all(row.words.charge == CARRY for row in morning)
    assert "battery and sun carry" in morning[0].why


def test_room_is_left_for_the_sun_of_tomorrow() -> None:
    prices = Prices(night=9.0, day=27.0)
    dull = made(STEADY, foreseen(500.0, 1_500.0, 1.0), State(400.0, grid=True), prices)
    bright = made(STEADY, foreseen(4_500.0, 1_500.0, 1.0), State(400.0, grid=True), prices)

    def at_seven(plan: Plan) -> float:
        return next(row.words.soc for row in plan.rows if row.time.hour == 6)

    assert at_seven(bright) < at_seven(dull) - 0.1


def test_where_outages_are_dear_the_battery_is_kept_full_for_them() -> None:
    rows = made(WEAK, foreseen(0.0, 2_000.0, 0.5)).rows
    assert all(row.words.charge == FULL for row in rows)


def test_a_grid_that_will_be_back_spares_the_genset() -> None:
    known = replace(foreseen(0.0), grid=[0.0, 0.0, *[1.0] * (HORIZON_H - 2)], certain=True)
    rows = made(WEAK, known, State(450.0, grid=False)).rows
    assert [row.words.genset for row in rows[:2]] == [SPARE, SPARE]
    assert sum(row.words.genset_share for row in rows) == pytest.approx(0.0, abs=1e-6)


# What it must not be talked into ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [STEADY, WEAK, ISLAND])
def test_no_forecast_brings_the_reserve_below_the_sites_own_or_a_plan_that_no_board_takes(name: str) -> None:
    random = Random(7)
    for _ in range(6):
        wild = Forecast(
            NOW,
            [random.choice((0.0, 500.0, 9_000.0)) for _ in range(HORIZON_H)],
            [random.choice((0.0, 1_500.0, 8_000.0)) for _ in range(HORIZON_H)],
            [random.choice((0.0, 0.3, 1.0)) for _ in range(HORIZON_H)],
            [25.0] * HORIZON_H,
            certain=random.random() < 0.3,
        )
        floor = random.choice((300, 400, 930, 1_000))
        state = State(random.uniform(0.0, 1_000.0), random.choice((None, True, False)), random.random() < 0.5)
        args = made(name, wild, state, battery__reserve_permille=floor).args
        assert commands.problem("plan.set", args) == ("", "")
        assert min(args.get("reserve", [floor])) >= floor


def test_who_promises_a_steady_grid_is_not_quite_believed() -> None:
    plant, _ = hardware(WEAK)
    failing, _ = changes(foreseen(grid=1.0), plant)
    assert min(failing) > 0.1  # the site file: an outage every 2.5 h
    steady, _ = changes(foreseen(grid=1.0), hardware(STEADY)[0])
    assert max(steady) == 0.0


def test_with_outages_and_no_genset_ac_charges_fully_whatever_is_foreseen() -> None:
    plant, every = hardware(WEAK)
    bare = replace(plant, genset=replace(plant.genset, present=False))
    told = plan(
        foreseen(9_000.0, 500.0, 1.0, certain=True), State(900.0, grid=True), bare, every, Prices(), NOW
    )
    assert set(told.args["charge"]) == {FULL}


def test_the_genset_is_not_spared_where_the_load_would_not_last_once_the_bus_has_started_it() -> None:
    soon = foreseen(0.0, 2_000.0, 0.9)
    state = State(350.0, grid=False)
    assert SPARE in made(WEAK, soon, state).args["genset"]
    near = made(WEAK, soon, state, lvd__tier1_mv=47_900).args["genset"]
    assert SPARE not in near


def test_the_grid_is_there_as_often_as_foreseen_and_a_timetable_is_kept() -> None:
    plant, _ = hardware(WEAK)
    table = [0.0 if hour % 6 < 2 else 1.0 for hour in range(HORIZON_H)]
    wavy = [0.5 + 0.1 * (hour % 5) / 4.0 for hour in range(HORIZON_H)]
    for grid, certain in ((table, True), (wavy, False), ([0.5] * HORIZON_H, False)):
        failing, returning = changes(replace(foreseen(), grid=grid, certain=certain), plant)
        there = grid[0]
        for hour in range(HORIZON_H - 1):
            there = there * (1.0 - failing[hour]) + (1.0 - there) * returning[hour]
            assert there == pytest.approx(grid[hour + 1], abs=1e-9)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"forecast": replace(foreseen(), solar_wh=[0.0] * 10)}, "has 10 hours"),
        ({"now": NOW - timedelta(hours=2)}, "it must within the hour"),
        ({"now": NOW + timedelta(minutes=1)}, "it must within the hour"),
    ],
)
def test_what_cannot_be_planned_is_told(change: dict[str, Any], text: str) -> None:
    with pytest.raises(UserError, match=text):
        made(WEAK, **{"forecast": foreseen(), **change})


def test_where_there_is_neither_grid_nor_genset_there_is_nothing_to_plan() -> None:
    plant, every = hardware(ISLAND)
    bare = replace(plant, genset=replace(plant.genset, present=False))
    with pytest.raises(UserError, match="nothing to plan"):
        plan(foreseen(), State(700.0), bare, every, Prices(), NOW)


# The model that it chooses by -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def model() -> HourModel:
    return HourModel(*hardware(WEAK), 90.0)


def on_the_plant(soc: float, hours: int = 1, **coils: bool) -> Plant:
    """Some hours of the real plant at the forecast's load, with these contactors closed."""
    plant, _ = hardware(WEAK)
    calm = replace(
        plant,
        grid=replace(plant.grid, supply_h_per_day=24.0, weak=False),
        genset=replace(plant.genset, start_permille=1_000),
        battery=replace(plant.battery, soc_permille=round(1_000 * soc)),
    )
    real = Plant(calm, 1, start=NOW, weather=Weather.constant(0.0, 30.0))
    real.set_truth("load.power_w", 2_000.0)
    real.coil("grid", not coils.get("grid", False))  # closed without current
    real.coil("genset", coils.get("genset", False))
    real.coil("genset_start", coils.get("genset", False))
    for _ in range(60 * hours):
        real.step(60.0)
    return real


def test_an_hour_without_ac_takes_from_the_battery_what_it_does_on_the_plant(model: HourModel) -> None:
    soc, cost, _, ran = model.dark_hour(np.array([0.7]), np.array([False]), 0.0, 2.0, 8.5, NO_OPINION)
    real = on_the_plant(0.7)
    assert 0.7 - soc[0] == pytest.approx(0.7 - real.battery.soc, rel=0.03)
    assert (cost[0], ran[0]) == (0.0, 0.0)


def test_an_hour_of_charging_on_the_grid_costs_what_it_does_on_the_plant(model: HourModel) -> None:
    soc, cost = model.grid_hour(np.array([0.4]), 0.0, 2.0, 8.5, np.array([1.0]), np.array([False]))
    real = on_the_plant(0.4, grid=True)
    assert soc[0] == pytest.approx(real.battery.soc, abs=0.02)
    assert cost[0] == pytest.approx(8.5 * real.grid.energy_wh / 1_000.0, rel=0.04)


def test_an_hour_of_the_genset_burns_what_it_does_on_the_plant(model: HourModel) -> None:
    soc, cost, on, ran = model.dark_hour(np.array([0.25]), np.array([True]), 0.0, 2.0, 8.5, NO_OPINION)
    real = on_the_plant(0.25, genset=True)
    burnt_l = 140.0 - real.genset.fuel_l
    assert soc[0] == pytest.approx(real.battery.soc, abs=0.02)
    assert cost[0] / 90.0 == pytest.approx(burnt_l, rel=0.05)
    assert (bool(on[0]), ran[0]) == (True, 1.0)


def test_words_mean_what_they_do_to_the_controller(model: HourModel) -> None:
    def grid(soc: float, kind: int, reserve: float) -> float:
        target = np.array([1.0 if kind == FULL else reserve])
        return float(model.grid_hour(np.array([soc]), 0.0, 2.0, 8.5, target, np.array([kind == CARRY]))[0][0])

    assert grid(0.6, FULL, 0.4) > 0.8
    assert grid(0.6, HOLD, 0.4) == 0.6
    assert grid(0.6, CARRY, 0.4) < 0.5
    assert grid(0.3, CARRY, 0.4) == pytest.approx(0.4)

    def dark(soc: float, word: int) -> float:
        return float(model.dark_hour(np.array([soc]), np.array([False]), 0.0, 2.0, 8.5, word)[3][0])

    assert dark(0.28, NO_OPINION) == 1.0
    assert dark(0.28, SPARE) == 0.0
    assert dark(0.05, SPARE) > 0.5
    assert dark(0.9, RUN) == 1.0


def test_what_is_not_served_is_dearer_than_anything(model: HourModel) -> None:
    bare = HourModel(
        replace(hardware(WEAK)[0], genset=replace(hardware(WEAK)[0].genset, present=False)),
        hardware(WEAK)[1],
        90.0,
    )
    _, cost, _, _ = bare.dark_hour(np.array([0.0]), np.array([False]), 0.0, 2.0, 8.5, NO_OPINION)
    assert cost[0] > 50 * 2.0 * model.genset_kwh
