"""Forecasts of sun, load, grid and temperature, hour by hour: what the planner believes.

Owns the shape and the ways to come by one. Must not know what is planned with it.

- persistence: yesterday again.
- climatology: the mean of each hour of the day over the days seen in this month, begun with the
  site's climate as if that had been ten days.
- a file of the operator's, see `forecast_file`.
- perfect: what will be. For measuring what better forecasts would be worth, nothing else.
Outages do not come again by the clock: in the first two the grid is the share of each hour of the day in
which it was there over the last four weeks, begun with the supply that the site file promises.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Protocol

from greenmast.errors import UserError
from greenmast.plant import PlantConfig, Weather
from greenmast.plant.config import LocationConfig, SolarConfig
from greenmast.plant.loads import Loads
from greenmast.plant.sky import DAY_STEPS, Sky
from greenmast.plant.solar import Solar

DAY_H = 24
CLIMATE_DAYS, SUPPLY_DAYS = 10, 7  # what is known beforehand counts as so many days seen
_RECENT_H = 28 * DAY_H  # how far back the grid is looked at: outages go with the season
_HOUR = timedelta(hours=1)
# Columns of a run's hours and what they are for a forecast.
_SOLAR, _LOAD, _GRID_S, _AMBIENT = "solar_available_wh", "demand_wh", "grid_live_s", "ambient_c"


class Hours(Protocol):
    """What has been, or will be; see `greenmast.simulate.result`."""

    @property
    def start(self) -> datetime: ...

    @property
    def columns(self) -> Mapping[str, Sequence[float]]: ...


@dataclass(frozen=True, slots=True)
class Forecast:
    """Hours from `start` (local time, aware) on. `grid`: probability or share of the hour, 0 .. 1.

    `certain`: the grid is known, so an outage's length need not be guessed.
    """

    start: datetime
    solar_wh: Sequence[float]
    load_wh: Sequence[float]
    grid: Sequence[float]
    ambient_c: Sequence[float]
    certain: bool = False

    def __len__(self) -> int:
        return len(self.solar_wh)


def persistence(past: Hours, plant: PlantConfig, hours: int) -> Forecast:
    """Yesterday again, from the end of `past` on. Raises UserError when that is less than a day."""
    seen = len(past.columns[_SOLAR])
    if seen < DAY_H:
        raise UserError(f"persistence needs yesterday: {seen} hours are known, 24 are needed")

    def again(name: str) -> list[float]:
        yesterday = list(past.columns[name][seen - DAY_H : seen])
        return [yesterday[hour % DAY_H] for hour in range(hours)]

    start = past.start + seen * _HOUR
    return Forecast(
        start,
        again(_SOLAR),
        again(_LOAD),
        _supply(past, plant, start, hours),
        again(_AMBIENT),
    )


def climatology(past: Hours | None, plant: PlantConfig, start: datetime, hours: int) -> Forecast:
    """The usual day of the month, from `start` on. Raises UserError when the weather needs a library."""
    solar, load, ambient = climate(plant, start, hours)

    def usual(name: str, beforehand: Sequence[float]) -> list[float]:
        return [
            _mean(past, name, start + hour * _HOUR, beforehand[hour], CLIMATE_DAYS, month=True)
            for hour in range(hours)
        ]

    return Forecast(
        start,
        usual(_SOLAR, solar),
        usual(_LOAD, load),
        _supply(past, plant, start, hours),
        usual(_AMBIENT, ambient),
    )


def perfect(future: Hours, start: datetime, hours: int) -> Forecast:
    """What will be from `start` on; the last day again where the run ends. For measuring only."""
    first = round((start - future.start) / _HOUR)
    count = len(future.columns[_SOLAR])
    if not 0 <= first < count or count < DAY_H:
        raise UserError("perfect foresight needs the run's own hours, and a day of them at least")

    def known(name: str) -> list[float]:
        column = future.columns[name]
        places = range(first, first + hours)
        return [column[at if at < count else count - DAY_H + (at - count) % DAY_H] for at in places]

    grid = [value / 3_600.0 for value in known(_GRID_S)]
    return Forecast(start, known(_SOLAR), known(_LOAD), grid, known(_AMBIENT), certain=True)


def climate(plant: PlantConfig, start: datetime, hours: int) -> tuple[list[float], list[float], list[float]]:
    """(solar Wh, load Wh, ambient degC) of each hour on days with the month's median sun."""
    offset = start.utcoffset()
    if offset is None:
        raise ValueError("start needs a UTC offset")
    air = Weather.for_site(plant.location, plant.solar, 1, start, sun=False)
    array, loads = Solar(plant.solar, 0.0), Loads(plant.loads, 1)
    per_hour = DAY_STEPS // DAY_H
    solar, load, ambient = [], [], []
    for hour in range(hours):
        when = start + hour * _HOUR
        degrees = air.ambient_c(3_600.0 * (hour + 0.5))
        ambient.append(degrees)
        load.append(loads.model_w(3_600.0 * (when.hour + 0.5)))
        quarters: Sequence[float] = ()
        if plant.solar.kwp > 0.0:
            month = _median_month(plant.location, plant.solar, offset, when.year, when.month)
            quarters = month[when.day - 1][per_hour * when.hour : per_hour * (when.hour + 1)]
        solar.append(sum(array.potential_w(poa, degrees) for poa in quarters) / per_hour)
    return solar, load, ambient


@lru_cache(maxsize=24)
def _median_month(
    where: LocationConfig, solar: SolarConfig, offset: timedelta, year: int, month: int
) -> list[list[float]]:
    """In-plane irradiance at the quarter hours of each day of a month, W/m2."""
    sky = Sky(where.latitude_deg, where.longitude_deg, offset, solar.tilt_deg)
    scale = solar.irradiance_permille / 1_000.0
    days = sky.days(date(year, month, 1), [0.0] * monthrange(year, month)[1])
    return [[poa * scale for poa in quarters] for quarters, _ in days]


def _supply(past: Hours | None, plant: PlantConfig, start: datetime, hours: int) -> list[float]:
    if not plant.grid.present:
        return [0.0] * hours
    promised = min(plant.grid.supply_h_per_day / 24.0, 1.0) * 3_600.0
    day = [
        _mean(past, _GRID_S, start + hour * _HOUR, promised, SUPPLY_DAYS, month=False) / 3_600.0
        for hour in range(min(hours, DAY_H))
    ]
    return [day[hour % DAY_H] for hour in range(hours)]


def _mean(
    past: Hours | None, name: str, when: datetime, beforehand: float, days: int, *, month: bool
) -> float:
    """Of the hours seen at this time of day, in this month or lately; begun with `days` of `beforehand`."""
    total, count = beforehand * days, float(days)
    if past is not None:
        column = past.columns[name]
        first = (when.hour - past.start.hour) % DAY_H
        if not month:
            first += max(0, len(column) - _RECENT_H) // DAY_H * DAY_H
        for at in range(first, len(column), DAY_H):
            if not month or (past.start + at * _HOUR).month == when.month:
                total += column[at]
                count += 1.0
    return total / count
