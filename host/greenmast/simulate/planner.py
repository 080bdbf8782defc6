"""The planner: from a forecast to what `plan.set` says hour by hour, and why.

Owns what a plan is for the board and for people. Must not know where a forecast comes from, nor how a plan is
sent; the words are chosen by `dispatch`. Outages are random, so a plan is no timetable of the battery: it
says what to do in an hour if the grid is there, and what if not.

What no forecast, however wrong, can talk it into
- a reserve below the site's own, `battery.reserve_permille`;
- to believe in a grid more than twice as steady as the site file says;
- where outages are to be expected and there is no genset, to charge less than fully;
- to spare the genset where the critical load would not last once bus voltage has started it.
A plan is over a day and a half after it begins, and with it what it says.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import find_spec
from typing import Any, Protocol

from greenmast.errors import UserError
from greenmast.plant import PlantConfig
from greenmast.simulate.dispatch import HORIZON_H, Dispatch, Words
from greenmast.simulate.forecast import Forecast
from greenmast.simulate.hour_model import CARRY, FULL, RUN, SPARE
from greenmast_protocol import commands

PLANNED_H = 36
LISTS = ("reserve", "charge", "genset")
_HOUR = timedelta(hours=1)


class Prices(Protocol):
    """See `greenmast.simulate.tariff`."""

    @property
    def diesel_per_l(self) -> float: ...

    def price(self, when: datetime) -> float: ...


@dataclass(frozen=True, slots=True)
class State:
    """Where the site is now. `grid`: None where nobody knows."""

    soc_permille: float
    grid: bool | None = None
    genset: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """An hour of a plan, what it rests on, and why."""

    time: datetime
    words: Words
    price: float
    solar_wh: float
    load_wh: float
    grid: float
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`args`: of `plan.set`. `rows`: one an hour, for people."""

    args: dict[str, Any]
    rows: tuple[Row, ...]

    def first(self, hours: int) -> Plan:
        """Its first hours, with whose end it is over."""
        args = dict(self.args)
        args["expires_s"] -= 3_600 * (len(self.rows) - hours)
        for name in LISTS:
            if name in args:
                args[name] = args[name][:hours]
        return Plan(args, self.rows[:hours])


def plan(
    forecast: Forecast,
    state: State,
    plant: PlantConfig,
    params: Mapping[str, int],
    tariff: Prices,
    now: datetime,
) -> Plan:
    """The plan from the forecast's first hour on, to be sent `now`. `params`: all of the controller's.

    Raises UserError when a library is missing, the forecast is too short or not of now, or there is nothing
    to plan.
    """
    if find_spec("numpy") is None:
        raise UserError("the planner needs numpy: pip install 'greenmast[sim]'")
    if not (plant.grid.present or plant.genset.present):
        raise UserError("there is nothing to plan: the site has neither grid nor genset")
    if len(forecast) < HORIZON_H:
        raise UserError(f"the forecast has {len(forecast)} hours: the planner needs {HORIZON_H}")
    wait_s = round((forecast.start - now).total_seconds())
    if not 0 <= wait_s <= 3_600:
        raise UserError(f"the forecast begins at {forecast.start:%Y-%m-%d %H:%M}: it must within the hour")
    rows = _rows(forecast, state, plant, params, tariff)
    args: dict[str, Any] = {"expires_s": wait_s + PLANNED_H * 3_600}
    if wait_s:
        args["start_in_s"] = wait_s
    if plant.grid.present:
        args["reserve"] = [row.words.reserve for row in rows]
        args["charge"] = [row.words.charge for row in rows]
    if plant.genset.present:
        args["genset"] = [row.words.genset for row in rows]
    code, text = commands.problem("plan.set", args)
    if code:
        raise RuntimeError(f"no board takes this plan: {text}")
    return Plan(args, rows)


def _rows(
    forecast: Forecast, state: State, plant: PlantConfig, params: Mapping[str, int], tariff: Prices
) -> tuple[Row, ...]:
    prices = [tariff.price(forecast.start + hour * _HOUR) for hour in range(HORIZON_H)]
    dispatch = Dispatch(forecast, plant, params, prices, tariff.diesel_per_l)
    grid = forecast.grid[0] if state.grid is None else float(state.grid and plant.grid.present)
    words = dispatch.words(PLANNED_H, state.soc_permille / 1_000.0, grid, state.genset)
    return tuple(
        Row(
            time=forecast.start + hour * _HOUR,
            words=each,
            price=prices[hour],
            solar_wh=forecast.solar_wh[hour],
            load_wh=forecast.load_wh[hour],
            grid=forecast.grid[hour],
            why=_why(each, params["battery.reserve_permille"], plant.grid.present),
        )
        for hour, each in enumerate(words)
    )


def _why(words: Words, floor: int, grid: bool) -> str:
    """What the hour is for, in a few words."""
    parts = []
    if grid:
        above = words.reserve > floor
        if words.charge == FULL:
            parts.append("AC charges fully")
        elif words.charge == CARRY:
            parts.append("battery and sun carry " + ("and some is kept" if above else "down to the reserve"))
        else:
            parts.append("AC carries, " + ("with room for sun" if above else "other power will charge"))
    if words.genset == RUN:
        parts.append("genset charges now")
    elif words.genset == SPARE:
        parts.append("genset waits for bus voltage")
    return "; ".join(parts) or "as the site's own rules say"
