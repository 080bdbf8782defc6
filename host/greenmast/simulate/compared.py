"""Runs of one comparison, sorted: ours, each baseline, the limit; figures over the seeds.

Owns what a table of them says. Knows neither HTML nor terminals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import floor
from statistics import median

from greenmast.errors import UserError
from greenmast.simulate.result import Result
from greenmast.svg import number

OURS = "greenmast"
LIMIT = "limit"
Limit = Mapping[str, float]  # the bound of one seed: figures by their names in `Result.totals`
# Name, heading, unit (None: the currency's), whether less is better, factor.
ROWS: tuple[tuple[str, str, str | None, bool, float], ...] = (
    ("cost", "cost", None, True, 1.0),
    ("diesel_l", "diesel", "L", True, 1.0),
    ("grid_kwh", "grid", "kWh", True, 1.0),
    ("co2_kg", "CO₂", "kg", True, 1.0),
    ("availability", "availability", "%", False, 100.0),
    ("genset_hours", "genset", "h", True, 1.0),
    ("genset_starts", "starts", "", True, 1.0),
    ("battery_cycles", "cycles", "", True, 1.0),
    ("switches", "switchings", "", True, 1.0),
)
_SYMBOLS = {"INR": "₹", "JPY": "¥", "EUR": "€", "USD": "$", "GBP": "£", "": ""}


@dataclass(frozen=True)
class Spread:
    """One figure over the seeds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread | None:
        """None where there is no value."""
        return cls(median(values), min(values), max(values)) if values else None


@dataclass(frozen=True)
class Compared:
    """`ours` and each of `baselines`: one run for each seed. `limits`: by seed, or none."""

    ours: tuple[Result, ...]
    baselines: Mapping[str, tuple[Result, ...]]
    limits: Mapping[int, Limit] = field(default_factory=dict)

    @classmethod
    def of(cls, results: Iterable[Result], limits: Mapping[int, Limit] | None = None) -> Compared:
        """Sorts by controller, in the order of coming. Raises UserError when there is none."""
        by_name: dict[str, list[Result]] = {}
        for result in results:
            by_name.setdefault(result.name, []).append(result)
        # Without a run of ours the first controller stands for it: a baseline can be looked at alone.
        ours = OURS if OURS in by_name else next(iter(by_name), None)
        if ours is None:
            raise UserError("no run to report on")
        first = tuple(by_name.pop(ours))
        return cls(first, {name: tuple(runs) for name, runs in by_name.items()}, dict(limits or {}))

    @property
    def name(self) -> str:
        return self.ours[0].name

    @property
    def shown(self) -> Result:
        """Ours of the seed whose cost is in the middle: what the pictures show."""
        ranked = sorted(self.ours, key=lambda result: result.totals["cost"])
        return ranked[(len(ranked) - 1) // 2]

    def beside(self) -> dict[str, Result]:
        """Each baseline's run of the seed that is shown, where there is one."""
        seed = self.shown.case["seed"]
        found = {
            name: next((run for run in runs if run.case["seed"] == seed), None)
            for name, runs in self.baselines.items()
        }
        return {name: run for name, run in found.items() if run is not None}

    @property
    def columns(self) -> list[str]:
        return [self.name, *self.baselines, *([LIMIT] if self.limits else [])]

    def spread(self, column: str, figure: str) -> Spread | None:
        """None where the column does not know the figure."""
        sources: Sequence[Mapping[str, float]]
        if column == LIMIT and self.limits:
            sources = list(self.limits.values())
        else:
            sources = [
                run.totals for run in ([*self.ours] if column == self.name else self.baselines[column])
            ]
        return Spread.of([source[figure] for source in sources if figure in source])

    def ratio(self, figure: str, to: str) -> float | None:
        """Ours by theirs, the median over the seeds that both have; None where theirs is 0 or unknown."""
        if to == LIMIT and self.limits:
            theirs = {seed: limit.get(figure, 0.0) for seed, limit in self.limits.items()}
        else:
            theirs = {run.case["seed"]: run.totals[figure] for run in self.baselines[to]}
        pairs = [(run.totals[figure], theirs.get(run.case["seed"], 0.0)) for run in self.ours]
        ratios = [ours / other for ours, other in pairs if other]
        return median(ratios) if ratios else None

    @property
    def rows(self) -> list[tuple[str, str, str | None, bool, float]]:
        """Those of ROWS that say something: availability, and what is not 0 in every column."""
        spreads = {row[0]: [self.spread(column, row[0]) for column in self.columns] for row in ROWS}
        return [
            row
            for row in ROWS
            if row[0] == "availability" or any(each and each.high for each in spreads[row[0]])
        ]

    @property
    def currency(self) -> str:
        code = str(self.shown.site.get("currency", ""))
        return _SYMBOLS.get(code, code)

    @property
    def seeds(self) -> list[int]:
        return [int(run.case["seed"]) for run in self.ours]

    @property
    def days(self) -> int:
        return int(self.shown.case["days"])


def unit_of(unit: str | None, currency: str) -> str:
    return currency if unit is None else unit


def shown(figure: str, value: float) -> str:
    """A figure as tables show it: of most three digits at least; availability is never rounded up to 100."""
    if figure == "availability":
        return f"{floor(value * 1e3 + 1e-6) / 1e3:.3f}"
    return number(value)


def change(ratio: float) -> str:
    """−81 %, +7 %, from a ratio of ours by theirs."""
    percent = round((ratio - 1) * 100)
    if percent == 0:
        return "±0 %"
    return f"{'+' if percent > 0 else '−'}{abs(percent)} %"
