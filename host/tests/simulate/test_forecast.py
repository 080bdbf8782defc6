"""Forecasts: what each makes of what has been, and files of the operator's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from greenmast.errors import BAD_INPUT_FILE, UserError
from greenmast.plant import PlantConfig
from greenmast.plant.config import GridConfig
from greenmast.simulate import forecast, forecast_file

START = datetime(2025, 3, 20, 6, tzinfo=timezone(timedelta(hours=5, minutes=30)))
PLANT = PlantConfig(grid=GridConfig(supply_h_per_day=12.0))


@dataclass
class Past:
    start: datetime
    columns: dict[str, Sequence[float]]


def past(hours: int, start: datetime = START) -> Past:
    """Values that tell the hour: day x 100 + hour of the run's day; grid in the even hours of the day."""
    count = range(hours)
    told = [100.0 * (hour // 24) + hour % 24 for hour in count]
    grid = [3_600.0 * ((start.hour + hour) % 2 == 0) for hour in count]
    return Past(
        start, {"solar_available_wh": told, "demand_wh": told, "grid_live_s": grid, "ambient_c": told}
    )


def test_persistence_is_yesterday_again() -> None:
    made = forecast.persistence(past(60), PLANT, 48)
    assert made.start == START + timedelta(hours=60)
    assert made.solar_wh[0] == made.solar_wh[24] == 112.0
    assert made.load_wh[12] == made.ambient_c[12] == 200.0
    assert len(made) == 48
    with pytest.raises(UserError, match="23 hours are known"):
        forecast.persistence(past(23), PLANT, 48)


def test_outages_are_a_matter_of_the_hour_and_begin_with_what_the_site_file_promises() -> None:
    made = forecast.persistence(past(24 * 7), PLANT, 48)
    assert made.grid[0] == made.grid[24] == pytest.approx((7 * 1.0 + 7 * 0.5) / 14)
    assert made.grid[1] == pytest.approx((7 * 0.0 + 7 * 0.5) / 14)
    island = replace(PLANT, grid=GridConfig(present=False))
    assert set(forecast.persistence(past(24 * 7), island, 48).grid) == {0.0}


def test_outages_of_the_season_before_are_forgotten() -> None:
    old = past(24 * 60)
    grid = [0.0] * (24 * 32) + [3_600.0] * (24 * 28)
    made = forecast.persistence(Past(START, {**old.columns, "grid_live_s": grid}), PLANT, 48)
    assert list(made.grid) == pytest.approx([(28 + 7 * 0.5) / 35] * 48)


def test_climatology_begins_with_the_climate_and_goes_over_to_what_the_month_was_like() -> None:
    usual = forecast.climatology(None, PLANT, START, 48)
    assert 12_000.0 < sum(usual.solar_wh[:24]) < 26_000.0  # 4 kWp at Patna in March
    assert usual.solar_wh[18] == 0.0  # midnight
    assert sum(usual.load_wh[:24]) == pytest.approx(48_000.0, rel=0.03)
    assert set(usual.grid) == {0.5}
    seen = past(240)
    seen.columns["solar_available_wh"] = [777.0] * 240
    made = forecast.climatology(seen, PLANT, START + timedelta(days=10), 48)
    assert made.solar_wh[18] == pytest.approx(777.0 / 2.0)  # ten days of each
    other = forecast.climatology(seen, PLANT, datetime(2025, 4, 20, 6, tzinfo=START.tzinfo), 48)
    assert other.solar_wh[18] == 0.0  # nothing has been seen of April


def test_perfect_is_what_will_be_and_after_the_end_the_last_day_again() -> None:
    future = past(60)
    made = forecast.perfect(future, START + timedelta(hours=30), 48)
    assert made.certain
    assert list(made.solar_wh[:30]) == future.columns["solar_available_wh"][30:]
    assert made.solar_wh[30] == future.columns["solar_available_wh"][36]
    assert set(made.grid) == {0.0, 1.0}
    with pytest.raises(UserError, match="own hours"):
        forecast.perfect(future, START + timedelta(hours=60), 48)


def written(tmp_path: Path, *lines: str) -> str:
    file = tmp_path / "own.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(file)


def test_a_file_counts_where_it_says_something_and_climatology_where_not(tmp_path: Path) -> None:
    usual = forecast.climatology(None, PLANT, START, 48)
    path = written(
        tmp_path,
        "time,solar_w,grid",
        "2025-03-20T06:00,100,1",
        "2025-03-20T06:30,300,0.5",
        "2025-03-20T07:00,50,0",
        "2025-03-20T09:00,70,0",
    )
    made = forecast_file.forecast(path, usual)
    assert list(made.solar_wh[:4]) == [200.0, 50.0, 50.0, 70.0]  # hour 8 as the row before it
    assert list(made.grid[:5]) == [0.75, 0.0, 0.0, 0.0, 0.5]
    assert made.solar_wh[4:] == usual.solar_wh[4:]
    assert made.load_wh == usual.load_wh
    assert not made.certain


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("time,solar_kw", "2025-03-20T06:00,1"), "own.csv:1: no such column 'solar_kw'"),
        (("time", "2025-03-20T06:00", "2025-03-20T07:00"), "no values"),
        (
            ("time,solar_w,grid", "2025-03-20T06:00,1,1", "2025-03-20T07:00,-5,1.5"),
            "own.csv:3: grid 1.5 is not",
        ),
        (("time,solar_w", "2025-03-20T06:00,1", "soon,5"), "own.csv:3: 'soon' is no time"),
        (("time,solar_w", "2025-03-20T06:00,1", "2025-03-20T12:00,5"), "own.csv:3: nothing between"),
        (("time,solar_w", "2025-03-18T06:00,1", "2025-03-18T07:00,5"), "says nothing of 2025-03-20T06:00"),
    ],
)
def test_each_bad_line_of_a_file_is_named(tmp_path: Path, lines: tuple[str, ...], told: str) -> None:
    usual = forecast.Forecast(START, *[[0.0] * 48] * 4)
    with pytest.raises(UserError) as caught:
        forecast_file.forecast(written(tmp_path, *lines), usual)
    assert told in caught.value.message
    assert caught.value.exit_code == BAD_INPUT_FILE


def test_a_history_has_all_columns_and_reaches_the_present(tmp_path: Path) -> None:
    rows = [f"2025-03-{19 + h // 24}T{h % 24:02d}:00,{h},2000,1,25" for h in range(30)]
    path = written(tmp_path, "time,solar_w,load_w,grid,ambient_c", *rows)
    known = forecast_file.history(path, START)
    assert known.start == START - timedelta(hours=30)
    assert known.columns["solar_available_wh"][-1] == 29.0
    assert set(known.columns["grid_live_s"]) == {3_600.0}
    assert forecast.persistence(known, PLANT, 48).start == START
    with pytest.raises(UserError, match="does not reach"):
        forecast_file.history(path, START + timedelta(hours=2))
    with pytest.raises(UserError, match="no column load_w, grid, ambient_c"):
        forecast_file.history(written(tmp_path, "time,solar_w", *[row[:18] for row in rows]), START)
