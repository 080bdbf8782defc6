"""The grid: outage statistics follow the parameters, signals stay in range and depend on time alone."""

from __future__ import annotations

from datetime import datetime
from random import Random

import pytest

from greenmast.plant.config import GridConfig
from greenmast.plant.grid import Grid, _edges

YEAR_S = 365 * 86_400.0


@pytest.mark.parametrize("supply_h", [8.0, 12.0, 16.0])
def test_hours_of_supply_and_mean_outage_match_the_parameters_over_years(supply_h: float) -> None:
    cfg = GridConfig(supply_h_per_day=supply_h)
    down_s = 0.0
    outages: list[tuple[float, float]] = []
    for seed in range(4):
        edges = _edges(cfg, datetime(2025, 1, 1), Random(seed))
        for begin_s in edges:
            end_s = next(edges)
            if begin_s >= YEAR_S:
                break
            outages.append((begin_s, end_s))
            down_s += min(end_s, YEAR_S) - begin_s
    assert 24.0 * (1.0 - down_s / (4 * YEAR_S)) == pytest.approx(supply_h, rel=0.03)
    mean_h = sum(end_s - begin_s for begin_s, end_s in outages) / len(outages) / 3_600.0
    assert mean_h == pytest.approx(cfg.mean_outage_h, rel=0.05)


def test_outages_start_mostly_by_day_and_more_often_in_the_monsoon() -> None:
    edges = _edges(GridConfig(supply_h_per_day=16.0), datetime(2025, 1, 1), Random(5))
    hours, months = [0] * 24, [0] * 12
    for begin_s in edges:
        next(edges)
        if begin_s >= 3 * YEAR_S:
            break
        hours[int(begin_s // 3_600 % 24)] += 1
        months[min(int(begin_s % YEAR_S // (YEAR_S / 12)), 11)] += 1
    assert sum(hours[9:18]) > 1.5 * sum(hours[:6] + hours[21:])
    assert sum(months[5:9]) > 1.2 * (sum(months) - sum(months[5:9])) / 2


def test_weak_grid_stays_within_160_and_260_volts_but_for_flicker_and_49_5_to_50_3_hertz(
    start: datetime,
) -> None:
    grid = Grid(GridConfig(supply_h_per_day=24.0), 3, start)
    volts, low = [], 0
    for second in range(0, 3 * 86_400, 7):
        grid.sample(float(second))
        volts.append(grid.voltage_mv / 1_000.0)
        low += volts[-1] < 160.0
        assert 4_945.0 <= grid.frequency_chz(float(second)) <= 5_035.0
    assert min(volts) > 90.0
    assert max(volts) <= 260.0
    assert max(volts) - min(volts) > 50.0
    assert 0 < low < 0.005 * len(volts)


def test_voltage_depends_on_time_only_not_on_what_was_asked_before(start: datetime) -> None:
    cfg = GridConfig(supply_h_per_day=24.0)
    times = [float(second) for second in range(0, 7_200, 3)]
    forward, backward = Grid(cfg, 3, start), Grid(cfg, 3, start)
    seen: dict[float, float] = {}
    for time_s in times:
        forward.sample(time_s)
        seen[time_s] = forward.voltage_mv
    for time_s in reversed(times):
        backward.sample(time_s)
        assert backward.voltage_mv == pytest.approx(seen[time_s], abs=1e-6)


def test_a_reliable_grid_has_no_outage_and_stays_near_nominal(start: datetime) -> None:
    grid = Grid(GridConfig(supply_h_per_day=24.0, weak=False), 1, start)
    assert grid.edge_s == float("inf")
    for hour in range(24 * 60):
        grid.sample(hour * 3_600.0)
        assert abs(grid.voltage_mv / 230_000.0 - 1.0) < 0.03


def test_an_absent_grid_is_dead(start: datetime) -> None:
    grid = Grid(GridConfig(present=False), 1, start)
    grid.sample(0.0)
    assert (grid.voltage_mv, grid.frequency_chz(0.0), grid.edge_s) == (0.0, 0.0, float("inf"))
