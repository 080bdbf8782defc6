"""The words of a plan, chosen: a stochastic dynamic programme over charge, grid and genset.

Owns the choice and what it believes of outages. Must not know what a plan is for the board, nor people.

Backwards: what each charge costs from the end of each hour on, with and without grid. Forwards: over all that
may then be, the words that cost least. Words are for an hour, not for a charge: what they mean for each
charge is the controller's business, and in the model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import exp
from typing import Any

from greenmast.plant import PlantConfig
from greenmast.simulate.forecast import Forecast
from greenmast.simulate.hour_model import CARRY, FULL, HOLD, NO_OPINION, RUN, SPARE, HourModel

HORIZON_H = 48
_DAY_H = 24
_AGAIN = (
    2  # the last day is repeated behind the horizon, so that its end is worth what a usual night is worth
)
_LEVELS = 101
_RESERVE_STEP = 50  # permille
_FULL_PERMILLE = 1_000
_STEADIER = 0.5  # of the site's own rate of outages: less is not believed
_PRONE = 0.01  # outages per hour from which a site has to expect them
_SPREAD = 0.02  # of the weight of an hour's choice is on every charge alike: the forecast may be wrong
_LASTS_H = 0.5  # for which the critical load must last once bus voltage has started a spared genset
_UP, _OFF, _ON = range(3)


@dataclass(frozen=True, slots=True)
class Words:
    """What a plan says of an hour, and what is expected of it: mean charge at its end, share of genset."""

    charge: int
    reserve: int
    genset: int
    soc: float
    genset_share: float


class _Passage:
    """Where an hour leads: costs, charges after it as places between levels, [.., level]."""

    def __init__(self, soc: Any, cost: Any, on: Any = None, ran: Any = None) -> None:
        import numpy as np

        at = soc * (_LEVELS - 1)
        self.low = np.minimum(at.astype(int), _LEVELS - 2)
        self.share = at - self.low
        self.cost, self.on, self.ran = cost, on, ran

    def read(self, values: Any) -> Any:
        """`values` [level] at the charges after the hour."""
        low = values[self.low]
        return low + (values[self.low + 1] - low) * self.share

    def move(self, mass: Any, into: Any, which: Any = slice(None)) -> None:
        """Add `mass` [level] to `into`, where it is after the hour."""
        import numpy as np

        low, share = self.low[which], self.share[which]
        into += np.bincount(low, mass * (1.0 - share), _LEVELS)
        into += np.bincount(low + 1, mass * share, _LEVELS)


class Dispatch:
    """The programme of one site over one forecast; `prices` per kWh of each of its hours."""

    def __init__(
        self,
        forecast: Forecast,
        plant: PlantConfig,
        params: Mapping[str, int],
        prices: Sequence[float],
        diesel_per_l: float,
    ) -> None:
        import numpy as np

        self._forecast, self._prices = forecast, prices
        self._model = model = HourModel(plant, params, diesel_per_l)
        self._levels = np.linspace(0.0, 1.0, _LEVELS)
        self._failing, self._returning = changes(forecast, plant)
        self._offers = self._grid_offers(plant, params["battery.reserve_permille"])
        self._words = [NO_OPINION]
        if model.has_genset:
            lasts = model.lasts_h(params["lvd.tier1_mv"]) >= _LASTS_H
            self._words += [SPARE, RUN] if lasts else [RUN]
        self._has_grid = plant.grid.present
        self._hours: dict[int, tuple[Any, list[list[Any]]]] = {}

    def _grid_offers(self, plant: PlantConfig, floor: int) -> list[tuple[int, int]]:
        """(charge, reserve) to choose from while the grid is there; the first is what weak grids get."""
        offers = [(FULL, floor)]
        if not self._model.has_genset and site_rate(plant) > _PRONE:
            return offers
        for reserve in range(floor, _FULL_PERMILLE, _RESERVE_STEP):
            offers += [(HOLD, reserve), (CARRY, reserve)]
        return offers

    def _passages(self, hour: int) -> tuple[Any, list[list[Any]]]:
        """Of an hour: with the grid, [offer, level]; without, of the states off and on for each word."""
        import numpy as np

        found = self._hours.get(hour)
        if found is None:
            model, levels = self._model, self._levels
            sun_kw = self._forecast.solar_wh[hour] / 1_000.0
            load_kw, price = self._forecast.load_wh[hour] / 1_000.0, self._prices[hour]
            kind, reserve = (np.array(each)[:, None] for each in zip(*self._offers, strict=True))
            charge_to = np.where(kind == FULL, 1.0, reserve / 1_000.0)
            up = _Passage(*model.grid_hour(levels[None, :], sun_kw, load_kw, price, charge_to, kind == CARRY))
            dark = [
                [
                    _Passage(
                        *model.dark_hour(levels, np.full(_LEVELS, running), sun_kw, load_kw, price, word)
                    )
                    for word in self._words
                ]
                for running in (False, True)
            ]
            found = self._hours[hour] = up, dark
        return found

    # Backwards -------------------------------------------------------------------------------------------

    @cached_property
    def _values(self) -> list[Any]:
        """Cost to come from the end of each hour, [state, level]."""
        import numpy as np

        model = self._model
        usual = min(self._prices) if self._has_grid else model.genset_kwh
        end = np.tile(-usual * model.capacity_kwh * self._levels, (3, 1))
        for _ in range(_AGAIN):
            for hour in reversed(range(HORIZON_H - _DAY_H, HORIZON_H)):
                end = self._before(hour, end)
        values = [end]
        for hour in reversed(range(1, HORIZON_H)):
            values.append(self._before(hour, values[-1]))
        return values[::-1]

    def _before(self, hour: int, after: Any) -> Any:
        """Cost to come from the beginning of an hour: for each charge the best words."""
        import numpy as np

        up, dark = self._passages(hour)
        off, on = (
            np.min([self._dark_cost(hour, passage, after) for passage in words], axis=0) for words in dark
        )
        with_grid = self._grid_cost(hour, up, after).min(axis=0) if self._has_grid else off
        return np.array([with_grid, off, on])

    def _grid_cost(self, hour: int, up: _Passage, after: Any) -> Any:
        fails = self._failing[hour]
        return up.cost + (1.0 - fails) * up.read(after[_UP]) + fails * up.read(after[_OFF])

    def _dark_cost(self, hour: int, passage: _Passage, after: Any) -> Any:
        import numpy as np

        back = self._returning[hour]
        stays = np.where(passage.on, passage.read(after[_ON]), passage.read(after[_OFF]))
        return passage.cost + back * passage.read(after[_UP]) + (1.0 - back) * stays

    # Forwards --------------------------------------------------------------------------------------------

    def words(self, hours: int, soc: float, grid: float, running: bool) -> list[Words]:
        """The words of the first `hours`, from a charge and the probability that the grid is there."""
        import numpy as np

        now = np.zeros((3, _LEVELS))
        here = np.maximum(0.0, 1.0 - np.abs(self._levels - soc) * (_LEVELS - 1))
        now[_UP] = grid * here
        now[_ON if running and self._model.has_genset else _OFF] = (1.0 - grid) * here
        found = []
        for hour in range(hours):
            words, now = self._hour(hour, now)
            found.append(words)
        return found

    def _hour(self, hour: int, now: Any) -> tuple[Words, Any]:
        import numpy as np

        after, following = self._values[hour], np.zeros_like(now)
        up, dark = self._passages(hour)
        offer = int(np.argmin(self._grid_cost(hour, up, after) @ _likely(now[_UP])))
        fails = self._failing[hour]
        up.move((1.0 - fails) * now[_UP], following[_UP], offer)
        up.move(fails * now[_UP], following[_OFF], offer)
        likely = _likely(now[_OFF]), _likely(now[_ON])
        costs = [
            sum(
                float(weight @ self._dark_cost(hour, words[i], after))
                for weight, words in zip(likely, dark, strict=True)
            )
            for i in range(len(self._words))
        ]
        word, ran = int(np.argmin(costs)), 0.0
        for mass, words in zip(now[_OFF:], dark, strict=True):
            passage, back = words[word], self._returning[hour]
            ran += float(mass @ passage.ran)
            passage.move(back * mass, following[_UP])
            passage.move((1.0 - back) * mass * passage.on, following[_ON])
            passage.move((1.0 - back) * mass * ~passage.on, following[_OFF])
        charge, reserve = self._offers[offer]
        mean = float((following @ self._levels).sum())
        return Words(charge, reserve, self._words[word], mean, ran), following


def _likely(mass: Any) -> Any:
    """`mass` [level] and a little of every charge."""
    return mass + _SPREAD * (float(mass.sum()) or 1.0) / _LEVELS


def site_rate(plant: PlantConfig) -> float:
    """Outages per hour with the grid there, as the site file has them."""
    grid = plant.grid
    present = min(max(grid.supply_h_per_day / 24.0, 0.01), 1.0)
    return (1.0 - present) / present / grid.mean_outage_h if grid.present else 0.0


def changes(forecast: Forecast, plant: PlantConfig) -> tuple[list[float], list[float]]:
    """Probability, hour by hour, that the grid, if there, has failed by the next, and if not, has returned.

    Such that it is there as often as foreseen, and outages last as long as is usual where that allows it.
    """
    if not plant.grid.present:
        return [1.0] * HORIZON_H, [0.0] * HORIZON_H
    usual = 1.0 - exp(-1.0 / plant.grid.mean_outage_h)
    least = 1.0 - exp(-_STEADIER * site_rate(plant))
    failing, returning = [], []
    for hour in range(HORIZON_H):
        here = forecast.grid[hour]
        then = forecast.grid[hour + 1] if hour + 1 < HORIZON_H else here
        if forecast.certain:
            failing.append(1.0 - then)
            returning.append(then)
            continue
        back = usual
        if here < 1.0:
            back = min(max(usual, (then - here) / (1.0 - here)), then / (1.0 - here))
        fails = 1.0 - (then - (1.0 - here) * back) / here if here > 0.0 else 1.0
        failing.append(min(max(fails, least), 1.0))
        returning.append(min(max(back, 0.0), 1.0))
    return failing, returning
