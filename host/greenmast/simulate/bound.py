"""The limit: what a year would have cost at best, to one who knew all of it beforehand.

Owns a linear programme whose optimum is a lower bound on cost, and on diesel, for any controller on the plant
of `greenmast.plant` with the same hardware, weather, load and outages. Must not know a controller.

Whatever the plant does in a run is a solution of the programme at no higher a cost, so its optimum is no
dearer. Each line of the programme is a relaxation of the plant:
- Hours are accounts of energy: within one anything may follow anything, and storage binds at its end only.
- The sun is taken or left. The grid delivers while its voltage is within what the rectifier takes. One source
  feeds the rectifier at a time. Walk-in and low-line derating cost nothing.
- The rectifier's input is convex in its output, so an hour at changing power takes no less than one at the
  mean over the time with AC, and that is no less than a tangent. It is without AC whenever it likes.
- The genset is there at once and always starts; it burns its idle rate at least while it feeds.
  (Who stops it under load gets some 3 Wh of its flywheel each time, which the plant does not meter.)
- The battery stores the integral of the open-circuit curve: exact, whatever the voltage. Charging adds the
  coulombic share of what reaches the cells, discharging takes what leaves them. The ohmic loss is that of the
  mean power at the highest voltage and the least resistance. Charge does not leak, and of the BMS only the
  current limit is kept. It is empty where the loads' electronics give up.
- Cooling takes nothing, and there is always fuel in the tank.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from math import isfinite
from typing import Any, Protocol

from greenmast.errors import BAD_INPUT_FILE, UserError
from greenmast.plant import PlantConfig
from greenmast.simulate.best_case import Storage, tangents

COLUMNS = ("demand_wh", "solar_available_wh", "grid_live_s", "price")
_BATTERY_AT = (0.15, 0.4, 1.0)  # of the largest power


class Hours(Protocol):
    """What a run knows of each hour; see `greenmast.simulate.result`."""

    @property
    def columns(self) -> Mapping[str, Sequence[float]]: ...


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best of one kind, with what it costs and burns. `seconds`: how long the solver took."""

    cost: float
    diesel_l: float
    grid_kwh: float
    status: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Limit:
    """No controller is below `by_cost.cost`, none below `by_diesel.diesel_l`; hardly one year has both.

    What `by_diesel` says of cost and grid is of one of the many years that burn as little.
    """

    by_cost: Optimum
    by_diesel: Optimum


def limit(
    hours: Hours,
    plant: PlantConfig,
    diesel_per_l: float,
    *,
    first_permille: float | None = None,
    last_permille: float | None = None,
    served: bool = False,
) -> Limit:
    """The limit of the hours of a run.

    The battery begins at `first_permille` (None: as the plant is configured) and ends no lower than at
    `last_permille` (None: the last of the column `soc_permille`), so that nothing is gained by emptying it.
    With `served` only the load that the run has served need be: a run that has shed load may be below the
    limit without. Raises UserError for missing libraries, columns or values and for a load that nobody could
    have powered.
    """
    _need_libraries()
    known = _columns(hours, served)
    if first_permille is None:
        first_permille = float(plant.battery.soc_permille)
    if last_permille is None:
        last_permille = known["soc_permille"][-1] if "soc_permille" in known else first_permille
    demand_wh = known["demand_wh"]
    if served:
        demand_wh = [min(pair) for pair in zip(demand_wh, known["load_wh"], strict=True)]
    programme = _Programme(plant, demand_wh, known, first_permille, last_permille)
    cheapest = programme.solve(diesel_per_l)
    if cheapest.diesel_l <= 0.0:
        return Limit(cheapest, cheapest)
    return Limit(cheapest, programme.solve(diesel_per_l, diesel_only=True))


def _need_libraries() -> None:
    missing = [name for name in ("numpy", "scipy") if find_spec(name) is None]
    if missing:
        raise UserError(f"the limit needs {', '.join(missing)}: pip install 'greenmast[sim]'")


def _columns(hours: Hours, served: bool) -> dict[str, Sequence[float]]:
    """The columns needed, checked: all there, of one length, finite and not negative."""
    columns = hours.columns
    names = [*COLUMNS, *(["load_wh"] if served else [])]
    for name in names:
        if name not in columns:
            raise UserError(f"the limit needs the hours' column {name}", BAD_INPUT_FILE)
    if "soc_permille" in columns:
        names.append("soc_permille")
    count = len(columns["demand_wh"])
    if count == 0:
        raise UserError("the limit needs at least one hour", BAD_INPUT_FILE)
    for name in names:
        column = columns[name]
        if len(column) != count:
            raise UserError(f"{name} has {len(column)} hours, demand_wh has {count}", BAD_INPUT_FILE)
        for index, value in enumerate(column):
            if not isfinite(value) or value < 0.0:
                raise UserError(f"{name}, hour {index}: {value} is not usable", BAD_INPUT_FILE)
    return {name: columns[name] for name in names}


# Variables of an hour, kWh and h. On grid and genset: the rectifier's output, its time with AC, its input.
# At the battery's terminals, then in and out of its store. The store at the end of the hour.
_KINDS = 11
_GRID, _GRID_H, _GRID_AC, _GENSET, _GENSET_H, _GENSET_AC = range(6)
_CHARGE, _DISCHARGE, _GAIN, _DRAIN, _STORE = range(6, _KINDS)


class _Programme:
    """The constraints, once for any objective. Variable `kind` of hour `t` is column `kind * hours + t`."""

    def __init__(
        self,
        plant: PlantConfig,
        demand_wh: Sequence[float],
        known: Mapping[str, Sequence[float]],
        first_permille: float,
        last_permille: float,
    ) -> None:
        import numpy as np

        self._plant = plant
        self._demand = np.asarray(demand_wh, dtype=float) / 1_000.0
        self._sun = np.asarray(known["solar_available_wh"], dtype=float) / 1_000.0
        self._price = np.asarray(known["price"], dtype=float)
        self._count = len(self._demand)
        self._rows: list[tuple[dict[int, float], Any, bool]] = []
        storage = Storage(plant.battery)
        self._first = storage.stored(first_permille, best=True)
        self._upper = np.full((_KINDS, self._count), np.inf)
        self._lower = np.zeros((_KINDS, self._count))
        self._lower[_STORE] = storage.low
        self._upper[_STORE] = max(storage.high, self._first)
        self._lower[_STORE, -1] = storage.stored(last_permille, best=False)
        self._upper[_CHARGE] = storage.charge_kw
        live = np.clip(np.asarray(known["grid_live_s"], dtype=float) / 3_600.0, 0.0, 1.0)
        self._upper[_GRID_H] = live if plant.grid.present else 0.0
        self._upper[_GENSET_H] = 1.0 if plant.genset.present else 0.0
        self._add({_CHARGE: 1.0, _GRID: -1.0, _GENSET: -1.0, _DISCHARGE: -1.0}, self._sun - self._demand)
        self._add({_GRID_H: 1.0, _GENSET_H: 1.0}, 1.0)
        self._add_rectifier()
        self._add_battery(storage)

    def _add(self, row: dict[int, float], most: Any, chained: bool = False) -> None:
        """The sum of factor x variable is at most `most` in each hour; `chained`: less the store before."""
        self._rows.append((row, most, chained))

    def _add_rectifier(self) -> None:
        rating_kw = self._plant.rectifier.rating_w / 1_000.0
        planes = tangents(self._plant.rectifier)
        for output, hours, taken in ((_GRID, _GRID_H, _GRID_AC), (_GENSET, _GENSET_H, _GENSET_AC)):
            self._add({output: 1.0, hours: -rating_kw}, 0.0)
            for per_kwh, per_h in planes:
                self._add({output: per_kwh, hours: per_h, taken: -1.0}, 0.0)

    def _add_battery(self, storage: Storage) -> None:
        self._add({_STORE: 1.0, _GAIN: -1.0, _DRAIN: 1.0}, 0.0, chained=True)
        charge_kw = self._plant.rectifier.rating_w / 1_000.0 + float(self._sun.max())
        share = storage.coulombic
        for part in (0.0, *_BATTERY_AT):
            at = part * charge_kw
            loss = storage.charge_loss * at
            self._add({_GAIN: 1.0, _CHARGE: -share * (1.0 - 2.0 * loss)}, share * loss * at)
            at = part * float(self._demand.max())
            loss = storage.loss * at
            self._add({_DISCHARGE: 1.0 + 2.0 * loss, _DRAIN: -1.0}, loss * at)

    def _matrix(self) -> tuple[Any, Any]:
        import numpy as np
        from scipy import sparse

        count = self._count
        one, before = sparse.identity(count), sparse.eye(count, k=-1)
        blocks: list[list[Any]] = []
        most = []
        for row, limit_, chained in self._rows:
            line: list[Any] = [None] * _KINDS
            for kind, factor in row.items():
                line[kind] = factor * one - before if chained and kind == _STORE else factor * one
            bound = np.broadcast_to(np.asarray(limit_, dtype=float), (count,)).copy()
            if chained:
                bound[0] += self._first
            blocks.append(line)
            most.append(bound)
        return sparse.block_array(blocks, format="csr"), np.concatenate(most)

    def solve(self, diesel_per_l: float, *, diesel_only: bool = False) -> Optimum:
        """The least cost, or the least diesel whatever the grid costs."""
        import numpy as np
        from scipy.optimize import linprog

        began = time.monotonic()
        genset = self._plant.genset
        per_l, price = (1.0, 0.0) if diesel_only else (diesel_per_l, self._price)
        cost = np.zeros((_KINDS, self._count))
        cost[_GRID_AC] = price
        cost[_GENSET_H] = per_l * genset.fuel_l_per_h_idle
        cost[_GENSET_AC] = per_l * genset.fuel_l_per_kwh
        matrix, most = self._matrix()
        bounds = np.column_stack((self._lower.ravel(), self._upper.ravel()))
        found = linprog(cost.ravel(), A_ub=matrix, b_ub=most, bounds=bounds, method="highs")
        if found.status == 2:
            raise UserError(
                "nobody could have powered this load with this hardware: there is not enough sun, grid and "
                "battery, or the battery cannot end as full as asked; "
                "the limit of the load that was served exists (served)"
            )
        if found.status != 0:
            raise UserError(f"the limit was not found: {found.message}")
        value = found.x.reshape(_KINDS, self._count)
        litres = genset.fuel_l_per_h_idle * value[_GENSET_H] + genset.fuel_l_per_kwh * value[_GENSET_AC]
        diesel_l, grid_kwh = float(litres.sum()), float(value[_GRID_AC].sum())
        bill = float((self._price * value[_GRID_AC]).sum())
        return Optimum(
            bill + diesel_per_l * diesel_l, diesel_l, grid_kwh, "optimal", time.monotonic() - began
        )
