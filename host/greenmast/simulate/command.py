"""The command `simulate`: cases from its options, runs, limit, and what is shown of them.

Owns which runs a comparison consists of. Prints for people and scripts; knows no typer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

from greenmast.errors import DONE, REFUSED, USAGE, UserError
from greenmast.simulate import native, runner
from greenmast.simulate.case import FORECASTS, Case, Value, split, value
from greenmast.simulate.result import Result, summary

_CELLS_MAX = 400


@dataclass(frozen=True)
class Wanted:
    """What the options ask for. `sweep`: (key, values); `compare`: names of baselines."""

    case: Case
    seeds: tuple[int, ...]
    compare: tuple[str, ...] = ()
    bound: bool = False
    sweep: tuple[tuple[str, tuple[Value, ...]], ...] = ()
    figure: str = "cost"
    outage_h: int = 0
    report: Path | None = None
    jobs: int | None = None
    dask: str | None = None
    keep: Path | None = None
    as_json: bool = False


def run(wanted: Wanted) -> int:
    """Exit code 0; 1 when an invariant was broken. Raises UserError before anything runs."""
    _check(wanted)
    native.built(_say)
    if wanted.outage_h:
        return _outages(wanted)
    if wanted.sweep:
        return _sweep(wanted)
    cases = [
        replace(wanted.case, seed=seed, controller=name, plan=wanted.case.plan if not n else None)
        for n, name in enumerate((wanted.case.controller, *wanted.compare))
        for seed in wanted.seeds
    ]
    results = _results(wanted, cases)
    limits = (
        {r.case["seed"]: _limit(r, wanted.case) for r in results[: len(wanted.seeds)]} if wanted.bound else {}
    )
    _show(wanted, results, limits)
    return REFUSED if any(r.violations for r in results[: len(wanted.seeds)]) else DONE


def _check(wanted: Wanted) -> None:
    """What can be known beforehand to be wrong, in a comparison of many hours."""
    from greenmast.simulate.baselines import catalogue

    case = wanted.case
    site = case.load_site()
    if case.plan is not None and case.plan not in FORECASTS:
        raise UserError(f"--plan {case.plan}: one of {', '.join(FORECASTS)}", USAGE)
    for name in wanted.compare:
        why = catalogue.find(name).why_not(site)
        if why:
            raise UserError(why, USAGE)
    for path in (case.weather, case.load):
        if path is not None and not Path(path).is_file():
            raise UserError(f"no such file: {path}", USAGE)


def _outages(wanted: Wanted) -> int:
    """How long each controller keeps the critical load on in a long outage that begins whenever."""
    names = (wanted.case.controller, *wanted.compare)
    cases = [
        replace(wanted.case, seed=seed, controller=name).with_outage(wanted.outage_h)
        for name in names
        for seed in wanted.seeds
    ]
    results = _results(wanted, cases)
    for n, name in enumerate(names):
        runs = results[n * len(wanted.seeds) : (n + 1) * len(wanted.seeds)]
        powered = sorted(r.totals["outage_powered_h"] for r in runs)
        found = {
            "site": wanted.case.site,
            "controller": name,
            "outage_h": wanted.outage_h,
            "starts": len(powered),
            "powered_h": {"least": powered[0], "median": median(powered), "most": powered[-1]},
            "whole": sum(h >= wanted.outage_h - 1e-6 for h in powered),
            "violations": sum(sum(r.violations.values()) for r in runs),
        }
        if wanted.as_json:
            print(json.dumps(found, ensure_ascii=False))
        else:
            print(
                f"{name}: powered for {median(powered):.1f} of {wanted.outage_h} h in the median of "
                f"{len(powered)} outages ({powered[0]:.1f} .. {powered[-1]:.1f}), "
                f"through all of it in {found['whole']}"
            )
    return REFUSED if any(r.violations for r in results[: len(wanted.seeds)]) else DONE


def _results(wanted: Wanted, cases: Sequence[Case]) -> list[Result]:
    return runner.run_all(cases, jobs=wanted.jobs, dask=wanted.dask, keep=wanted.keep, tell=_progress)


def _limit(result: Result, case: Case) -> dict[str, float]:
    from greenmast.plant.config import PlantConfig
    from greenmast.simulate import bound

    plant = PlantConfig.from_site(case.load_site().plant)
    diesel_per_l = float(result.site["diesel_per_l"])
    served = sum(result.hours["load_wh"]) < 0.9999 * sum(result.hours["demand_wh"])
    best = bound.limit(result.hours, plant, diesel_per_l, served=served)
    return {
        "cost": best.by_cost.cost,
        "grid_kwh": best.by_cost.grid_kwh,
        "diesel_l": best.by_diesel.diesel_l,
        "seconds": best.by_cost.seconds + best.by_diesel.seconds,
    }


def _show(wanted: Wanted, results: Sequence[Result], limits: dict[int, dict[str, float]]) -> None:
    from greenmast.simulate import report, text

    if wanted.report is not None:
        report.write(results, limits, wanted.report)
        _say(f"report: {wanted.report}")
    if not wanted.as_json:
        print(text.text(results, limits))
        return
    for n, seed in enumerate(wanted.seeds):
        others = [r for r in results[len(wanted.seeds) :] if r.case["seed"] == seed]
        print(json.dumps(summary(results[n], others, limits.get(seed)), ensure_ascii=False))


def _sweep(wanted: Wanted) -> int:
    from greenmast.simulate import cost_map

    keys = [key for key, _ in wanted.sweep]
    cells = list(product(*(values for _, values in wanted.sweep)))
    if len(keys) > 2 or len(cells) * len(wanted.seeds) > _CELLS_MAX:
        raise UserError(
            f"--sweep: two keys and {_CELLS_MAX} runs at most; these are {len(cells)} cells", USAGE
        )
    cases = [
        replace(wanted.case, seed=seed, overrides=(*wanted.case.overrides, *zip(keys, cell, strict=True)))
        for cell in cells
        for seed in wanted.seeds
    ]
    split(cases[0].overrides)
    results = _results(wanted, cases)
    count = len(wanted.seeds)
    groups = [results[n : n + count] for n in range(0, len(results), count)]

    def matrix(name: str) -> tuple[tuple[float | None, ...], ...]:
        """Rows are values of the second key, where there is one."""
        flat = [median(r.totals[name] for r in group) for group in groups]
        high = len(wanted.sweep[1][1]) if len(keys) > 1 else 1
        return tuple(tuple(flat[x * high + y] for x in range(len(wanted.sweep[0][1]))) for y in range(high))

    axes = [cost_map.Axis(key, tuple(float(v) for v in values)) for key, values in wanted.sweep]
    currency = str(results[0].site["currency"])
    found = cost_map.CostMap(
        site=str(results[0].site["name"]),
        figure=wanted.figure,
        unit={"cost": currency, "diesel_l": "L", "grid_kwh": "kWh", "co2_kg": "kg"}.get(wanted.figure, ""),
        across=axes[0],
        down=axes[1] if len(axes) > 1 else None,
        cells=matrix(wanted.figure),
        availability=matrix("availability"),
        others={name: matrix(name) for name in ("cost", "diesel_l", "grid_kwh") if name != wanted.figure},
        note=f"{wanted.case.days} days, seeds {', '.join(map(str, wanted.seeds))}; medians",
    )
    if wanted.report is not None:
        cost_map.write(found, wanted.report)
        _say(f"map: {wanted.report}")
    if wanted.as_json:
        for cell, group in zip(cells, groups, strict=True):
            for result in group:
                print(json.dumps({"sweep": dict(zip(keys, cell, strict=True)), **summary(result)}))
    else:
        print(cost_map.text(found))
    return REFUSED if any(r.violations for r in results) else DONE


def sweep_of(text: str) -> tuple[str, tuple[Value, ...]]:
    """`key=first:last:step` or `key=a,b,c`. Raises UserError."""
    key, _, words = text.partition("=")
    try:
        if ":" in words:
            first, last, step = (float(word) for word in words.split(":"))
            count = int((last - first) / step + 1e-9) + 1 if step > 0 else 0
            values: tuple[Value, ...] = tuple(value(f"{first + n * step:.10g}") for n in range(count))
        else:
            values = tuple(value(word) for word in words.split(","))
        numbers = [float(each) for each in values]
    except ValueError:
        numbers = []
    if not key or not numbers:
        raise UserError(
            f"--sweep {text!r}: write KEY=FIRST:LAST:STEP or KEY=A,B,C, as in solar.kwp=3:9:1", USAGE
        ) from None
    return key, values


def _say(line: str) -> None:
    print(f"greenmast: {line}", file=sys.stderr, flush=True)


def _progress(done: int, count: int, result: Any) -> None:
    if result is None:
        if done:
            _say(f"{done} of {count} runs are there already")
        return
    case = result.case
    speed = result.totals["speed"]
    _say(f"{done} of {count}: {case['controller']}, seed {case['seed']}, {speed:,.0f} simulated s/s")
