"""The limit is a bound: nothing on the plant beats it, and where the optimum is known it is that."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from random import Random

import pytest

from greenmast.errors import BAD_INPUT_FILE, UserError
from greenmast.plant import Plant, PlantConfig, Weather
from greenmast.plant.config import (
    BatteryConfig,
    GensetConfig,
    GridConfig,
    LoadsConfig,
    RectifierConfig,
    SolarConfig,
)
from greenmast.plant.environment import Environment
from greenmast.plant.grid import Grid
from greenmast.plant.loads import Loads
from greenmast.plant.solar import Solar
from greenmast.simulate.best_case import Storage
from greenmast.simulate.bound import limit

START = datetime(2025, 6, 21, tzinfo=timezone(timedelta(hours=5, minutes=30)))
DIESEL = 90.0
HOURS = 48
MINUTES = 60

SMALL = BatteryConfig(capacity_ah=150.0)
SITES = {
    "weak grid": PlantConfig(battery=SMALL, grid=GridConfig(mean_outage_h=1.5)),
    "off grid": PlantConfig(battery=SMALL, grid=GridConfig(present=False), solar=SolarConfig(kwp=8.0)),
    "tariff": PlantConfig(
        battery=SMALL,
        grid=GridConfig(supply_h_per_day=24.0, weak=False),
        genset=GensetConfig(present=False),
        solar=SolarConfig(kwp=3.0),
    ),
    "lead": PlantConfig(battery=BatteryConfig("vrla", 200.0, 24), grid=GridConfig(supply_h_per_day=8.0)),
}
Rule = Callable[[Plant, Random, float], tuple[bool, bool]]


@dataclass
class Columns:
    columns: dict[str, Sequence[float]]


@dataclass
class Run:
    hours: Columns
    cost: float
    litres: float
    last_permille: float


class Day(Weather):
    """Broken cloud, drawn anew for each quarter of an hour of the day."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        self._share = [random.random() for _ in range(4 * (HOURS + 1))]

    def poa_w_m2(self, time_s: float) -> float:
        noon = abs(time_s / 3_600.0 % 24.0 - 12.0)
        return max(0.0, 1_000.0 - 160.0 * noon) * self._share[int(time_s // 900)]

    def ambient_c(self, time_s: float) -> float:
        return 38.0


def keeps(plant: Plant, random: Random, price: float) -> tuple[bool, bool]:
    """(grid closed, genset wanted): the grid always, the genset when low."""
    return True, plant.battery.soc < (0.5 if plant.genset.running else 0.15)


def saves(plant: Plant, random: Random, price: float) -> tuple[bool, bool]:
    """Buys cheap power only, or when low; the rectifier is off the grid in between."""
    grid = price < 0.5 or plant.battery.soc < 0.2
    return grid, plant.battery.soc < (0.25 if plant.genset.running else 0.1)


def gambles(plant: Plant, random: Random, price: float) -> tuple[bool, bool]:
    """Anything, and other set voltages and limits every now and then."""
    if random.random() < 0.1:
        plant.rectifier.setpoint_mv = random.uniform(44_000.0, 58_000.0)
        plant.solar.setpoint_mv = random.uniform(48_000.0, 58_000.0)
        plant.rectifier.limit_ma = random.uniform(10_000.0, 125_000.0)
        plant.coil("pv", random.random() < 0.2)
        plant.coil("load3", random.random() < 0.3)
    grid = plant.contactors["grid"].closed
    return grid != (random.random() < 0.03), plant.genset.relay != (random.random() < 0.03)


def offered(cfg: PlantConfig, seed: int, weather: Weather, prices: Sequence[float]) -> Columns:
    """The columns that do not depend on a controller."""
    environment, loads = Environment(weather, START), Loads(cfg.loads, seed)
    solar, grid = Solar(cfg.solar, 52_000.0), Grid(cfg.grid, seed, START)
    columns: dict[str, Sequence[float]] = {"price": prices}
    sun, demand, live = array("d"), array("d"), array("d")
    for minute in range(MINUTES * HOURS):
        middle_s = 60.0 * minute + 30.0
        environment.new_minute(middle_s, loads, solar, 0.0, cooling=False)
        environment.offer(middle_s, loads, solar)
        if minute % MINUTES == 0:
            for column in (sun, demand, live):
                column.append(0.0)
        sun[-1] += solar.available_w / 60.0
        demand[-1] += loads.demand_w / 60.0
        at_s, end_s = 60.0 * minute, 60.0 * minute + 60.0
        while at_s < end_s:
            grid.advance(at_s)
            grid.sample(at_s)
            until_s = min(end_s, grid.edge_s)
            live[-1] += (until_s - at_s) * grid.live
            at_s = until_s
    columns.update(solar_available_wh=sun, demand_wh=demand, grid_live_s=live)
    return Columns(columns)


def run(cfg: PlantConfig, seed: int, rule: Rule, some: Sequence[float] = (0.1, 0.4, 9.0, 30.0)) -> Run:
    """A rule on the plant, at prices drawn from `some`."""
    random, weather = Random(seed), Day(seed)
    prices = array("d", (random.choice(some) for _ in range(HOURS)))
    hours = offered(cfg, seed, weather, prices)
    plant = Plant(cfg, seed, start=START, weather=weather)
    load, cost = array("d"), 0.0
    fuel_l = plant.genset.fuel_l
    for price in prices:
        before_wh, grid_wh = plant.loads.total_wh, plant.grid.energy_wh
        for _ in range(MINUTES):
            grid, genset = rule(plant, random, price)
            plant.coil("grid", not grid)  # closed without current
            plant.coil("genset", genset and not grid)
            if rule is not gambles:
                plant.coil("grid", plant.genset.live or not grid)
                plant.coil("genset", plant.genset.live)
            plant.coil("genset_start", genset)
            plant.step(60.0)
        load.append(plant.loads.total_wh - before_wh)
        cost += price * (plant.grid.energy_wh - grid_wh) / 1_000.0
    litres = fuel_l - plant.genset.fuel_l
    hours.columns["load_wh"] = load
    return Run(hours, cost + DIESEL * litres, litres, plant.battery.soc_permille)


@pytest.mark.parametrize("rule", [keeps, saves, gambles])
@pytest.mark.parametrize("site", list(SITES))
def test_no_rule_on_the_plant_is_below_the_limit_of_what_it_has_served(site: str, rule: Rule) -> None:
    cfg = SITES[site]
    for seed in (1, 2):
        ran = run(cfg, seed, rule)
        best = limit(ran.hours, cfg, DIESEL, last_permille=ran.last_permille, served=True)
        print(f"{site}, seed {seed}: {ran.cost:.3f} >= {best.by_cost.cost:.3f}, {ran.litres:.3f} l")
        assert sum(ran.hours.columns["load_wh"]) > 0.2 * sum(ran.hours.columns["demand_wh"])
        assert best.by_cost.cost <= ran.cost + 1e-6
        assert best.by_diesel.diesel_l <= ran.litres + 1e-9
        assert best.by_diesel.diesel_l <= best.by_cost.diesel_l + 1e-6
        assert best.by_cost.cost <= best.by_diesel.cost + 1e-6


@pytest.mark.parametrize("site", ["tariff", "off grid"])
def test_who_powers_everything_is_near_the_limit_where_little_can_be_gained(site: str) -> None:
    full = replace(SMALL, soc_permille=1_000 if site == "tariff" else 150)
    starts = replace(SITES[site].genset, start_permille=1_000)
    cfg = replace(SITES[site], battery=full, genset=starts, solar=SolarConfig(kwp=0.0))
    ran = run(cfg, 3, keeps, (10.0,))
    columns = ran.hours.columns
    assert sum(columns["load_wh"]) == pytest.approx(sum(columns["demand_wh"]), rel=1e-3)
    best = limit(ran.hours, cfg, DIESEL, last_permille=ran.last_permille).by_cost.cost
    print(f"{site}: {ran.cost:.3f} / {best:.3f}")
    assert best <= ran.cost <= 1.08 * best


def made(hours: int = 2, **columns: Sequence[float]) -> Columns:
    """Hours without sun, load and grid but for what is given."""
    zeros = [0.0] * hours
    whole: dict[str, Sequence[float]] = {
        "demand_wh": zeros, "solar_available_wh": zeros, "grid_live_s": zeros, "price": [10.0] * hours,
    }  # fmt: skip
    return Columns({**whole, **columns})


NO_STORE = PlantConfig(battery=BatteryConfig(capacity_ah=0.001))


def test_with_neither_sun_nor_battery_grid_power_is_bought_at_the_best_efficiency() -> None:
    hours = made(demand_wh=[2_000.0] * 2, grid_live_s=[3_600.0] * 2)
    loss = 1.0 / 0.95 - 1.0
    kwh = 4.0 * (1.0 + loss * (0.55 + 2.0 * (0.08 * 0.37) ** 0.5))
    best = limit(hours, replace(NO_STORE, genset=GensetConfig(present=False)), DIESEL)
    assert best.by_cost.grid_kwh == pytest.approx(kwh, rel=2e-4)
    assert best.by_cost.cost == pytest.approx(10.0 * kwh, rel=2e-4)


def test_without_a_battery_the_genset_runs_for_as_long_as_the_rectifier_needs() -> None:
    hours = made(demand_wh=[2_000.0] * 2)
    run_h = 4.0 / 6.0
    litres = 0.6 * run_h + 0.27 * 6.0 / 0.95 * run_h
    best = limit(hours, NO_STORE, DIESEL)
    assert best.by_diesel.diesel_l == pytest.approx(litres, rel=1e-3)
    assert best.by_cost.cost == pytest.approx(DIESEL * litres, rel=1e-3)


def test_the_dear_hour_is_carried_by_power_of_the_cheap_one() -> None:
    cfg = PlantConfig(
        genset=GensetConfig(present=False), rectifier=RectifierConfig(efficiency_permille=1_000)
    )
    hours = made(demand_wh=[0.0, 2_000.0], grid_live_s=[3_600.0] * 2, price=[1.0, 50.0])
    best = limit(hours, cfg, DIESEL, first_permille=500.0, last_permille=500.0).by_cost
    assert 2.0 / 0.997 < best.grid_kwh < 2.0 / 0.997 * 1.03
    assert best.cost == pytest.approx(best.grid_kwh)


def test_emptying_the_battery_gains_nothing_when_it_ends_as_it_began() -> None:
    hours = made(demand_wh=[1_000.0] * 2, grid_live_s=[3_600.0] * 2)
    costs = [
        limit(hours, PlantConfig(), DIESEL, first_permille=500.0, last_permille=last).by_cost.cost
        for last in (200.0, 500.0, 600.0)
    ]
    assert costs[0] == 0.0
    assert 20.0 < costs[1] < 23.0
    assert costs[2] == pytest.approx(costs[1] + 10.0 * 0.1 * 14.8, rel=0.05)


def test_more_sun_more_grid_and_cheaper_power_never_raise_the_limit() -> None:
    cfg = SITES["weak grid"]
    for seed in (1, 2, 3):
        random = Random(seed)
        hours = offered(cfg, seed, Day(seed), array("d", (random.uniform(1.0, 20.0) for _ in range(HOURS))))
        costs = [limit(hours, cfg, DIESEL).by_cost.cost]
        for name, factors in (
            ("solar_available_wh", (1.0, 1.5)),
            ("grid_live_s", (1.0, 1.2)),
            ("price", (0.8, 1.0)),
            ("demand_wh", (0.9, 1.0)),
        ):
            changed = [value * random.choice(factors) for value in hours.columns[name]]
            hours = Columns({**hours.columns, name: changed})
            costs.append(limit(hours, cfg, DIESEL).by_cost.cost)
        print(f"seed {seed}: {costs}")
        assert all(after <= before + 1e-6 for before, after in pairwise(costs))
        assert costs[-1] < costs[0]


def test_a_reading_at_either_end_counts_as_the_better_of_what_it_may_stand_for() -> None:
    store = Storage(BatteryConfig())
    assert store.low < store.stored(0.0, best=True)
    assert store.low == store.stored(0.0, best=False)
    assert store.stored(1_000.0, best=False) < store.stored(1_000.0, best=True) == store.high
    assert store.stored(1_000.0, best=False) - store.stored(0.0, best=True) == pytest.approx(14.8, rel=0.01)


def test_a_load_that_nobody_could_have_powered_is_told_with_a_remedy() -> None:
    cfg = PlantConfig(genset=GensetConfig(present=False))
    hours = made(24, demand_wh=[2_000.0] * 24, load_wh=[500.0] * 24)
    with pytest.raises(UserError, match=r"nobody could have powered .* \(served\)"):
        limit(hours, cfg, DIESEL, last_permille=0.0)
    assert (
        limit(hours, cfg, DIESEL, first_permille=1_000.0, last_permille=0.0, served=True).by_cost.cost == 0.0
    )


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (Columns({}), "column demand_wh"),
        (Columns({**made().columns, "demand_wh": []}), "at least one hour"),
        (made(price=[1.0]), "price has 1 hours, demand_wh has 2"),
        (made(grid_live_s=[1.0, float("nan")]), "grid_live_s, hour 1: nan"),
        (made(solar_available_wh=[-1.0, 0.0]), "solar_available_wh, hour 0: -1.0"),
    ],
)
def test_what_is_missing_is_named(hours: Columns, text: str) -> None:
    with pytest.raises(UserError, match=text) as caught:
        limit(hours, PlantConfig(loads=LoadsConfig(mean_w=0.0)), DIESEL)
    assert caught.value.exit_code == BAD_INPUT_FILE


def test_served_needs_to_know_what_was() -> None:
    with pytest.raises(UserError, match="column load_wh"):
        limit(made(), PlantConfig(), DIESEL, served=True)
