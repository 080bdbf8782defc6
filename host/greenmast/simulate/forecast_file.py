"""Forecasts and histories as CSV: what an operator knows better, or has recorded.

Owns the columns and what is plausible in them. Must not know what is planned with them.

Header `time` and at least one of the columns below; rows at most 3 h apart, in any number an hour. What a
file does not say, whole columns and the hours after its end, is left to the climatology.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any

from greenmast.simulate.findings import Findings, Limits, lines_of
from greenmast.simulate.forecast import Forecast
from greenmast.simulate.rows import Rows, read_csv

COLUMNS: dict[str, Limits] = {
    "solar_w": (0.0, 200_000.0, "it is watts at the charger's output, never negative"),
    "load_w": (0.0, 100_000.0, "it is watts on the DC side, never negative"),
    "grid": (0.0, 1.0, "it is the probability of supply, or the share of the time with it: 0 .. 1"),
    "ambient_c": (-60.0, 70.0, "it is degrees Celsius"),
}
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class History:
    """Hours that have been, in the shape that forecasts are made from."""

    start: datetime
    columns: dict[str, list[float]]


def forecast(path: str, usual: Forecast) -> Forecast:
    """The file's forecast over `usual`, which says all that it does not.

    Raises UserError, exit code 5, with line and remedy for a file that is not right.
    """
    hours = _hours(path, usual.start)
    if usual.start.replace(tzinfo=None) not in hours:
        when = f"{usual.start:%Y-%m-%dT%H:%M}"
        raise Findings(path).refuse(
            None, f"says nothing of {when}, where the plan begins", "bring a newer one"
        )
    made: dict[str, Any] = {
        field: [_of(hours, usual, at, column, known) for at, known in enumerate(getattr(usual, field))]
        for field, column in (
            ("solar_wh", "solar_w"), ("load_wh", "load_w"), ("grid", "grid"), ("ambient_c", "ambient_c"),
        )
    }  # fmt: skip
    return replace(usual, **made)


def history(path: str, start: datetime) -> History:
    """The hours of the file before `start`. Raises UserError as `forecast`, and where it ends earlier."""
    hours = _hours(path, start)
    findings = Findings(path)
    known = sorted(hour for hour in hours if hour < start.replace(tzinfo=None))
    if not known or known[-1] != start.replace(tzinfo=None) - _HOUR:
        raise findings.refuse(
            None, f"does not reach {start:%Y-%m-%dT%H:%M}", "bring what has been until then"
        )
    missing = [name for name in COLUMNS if name not in hours[known[0]]]
    if missing:
        raise findings.refuse(None, f"no column {', '.join(missing)}", "a history has all columns")
    columns = {
        "solar_available_wh": "solar_w",
        "demand_wh": "load_w",
        "grid_live_s": "grid",
        "ambient_c": "ambient_c",
    }
    scale = {"grid_live_s": 3_600.0}
    return History(
        known[0].replace(tzinfo=start.tzinfo),
        {name: [hours[hour][of] * scale.get(name, 1.0) for hour in known] for name, of in columns.items()},
    )


def _of(
    hours: dict[datetime, dict[str, float]], usual: Forecast, at: int, column: str, known: float
) -> float:
    hour = usual.start.replace(tzinfo=None) + at * _HOUR
    return hours.get(hour, {}).get(column, known)


def _hours(path: str, start: datetime) -> dict[datetime, dict[str, float]]:
    """Mean values of each hour; one without a row has those of the last before it."""
    offset = start.utcoffset()
    if offset is None:
        raise ValueError("start needs a UTC offset")
    rows = read_csv(path, lines_of(path), COLUMNS, timezone(offset))
    if rows.typical:
        raise Findings(path).refuse(None, "its months are of different years", "bring one stretch of time")
    if not rows.columns:
        raise Findings(path).refuse(None, "no values", f"columns are {', '.join(COLUMNS)}")
    found: dict[datetime, list[int]] = {}
    for row, time in enumerate(rows.times):
        hour = time.replace(minute=0, second=0, microsecond=0)
        if row:
            last = max(found)
            while last + _HOUR < hour:
                last += _HOUR
                found[last] = [row - 1]
        found.setdefault(hour, []).append(row)
    return {hour: _means(rows, places) for hour, places in found.items()}


def _means(rows: Rows, places: list[int]) -> dict[str, float]:
    return {name: sum(column[i] for i in places) / len(places) for name, column in rows.columns.items()}
