"""Rows of a file of values in time: read, and refused with line and remedy where they cannot be.

Owns the rules for times and the mapping of a year's rows onto the days of a run. Must not know
what the values mean: the caller names the columns and what is plausible in them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone

from greenmast.simulate.findings import Findings, Limits, number
from greenmast.site import near

MAX_STEP_S = 10_800.0
YEARS = range(1900, 2201)
DAY_S = 86_400.0


@dataclass
class Rows:
    """Lines of a file: local times without offset, and the values of each column. `lines` count from 1."""

    path: str
    lines: list[int] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    columns: dict[str, list[float]] = field(default_factory=dict)
    # Months are from different years, so that it can only be a typical year.
    typical: bool = False


@dataclass(frozen=True)
class Placed:
    """Rows as they come in a run: `rows[i]` is the number of the row that holds at `times_s[i]`, in seconds
    after local midnight of the first day. Times ascend by three hours at most.
    """

    times_s: list[float]
    rows: list[int]

    def of(self, column: list[float]) -> list[float]:
        return [column[row] for row in self.rows]


def read_csv(path: str, lines: list[str], known: Mapping[str, Limits], zone: timezone) -> Rows:
    """A file with the header `time,..`, its columns of `known`. Times with an offset become those of `zone`.

    Raises UserError (exit code 5) that lists what is wrong.
    """
    findings = Findings(path)
    header: list[str] | None = None
    rows = Rows(path)
    aware: bool | None = None
    for line, cells in cells_of(findings, lines):
        if header is None:
            header = _header(findings, line, cells, known)
            rows.columns = {name: [] for name in header if name != "time"}
            continue
        if len(cells) != len(header):
            findings.add(line, f"{len(cells)} values for {len(header)} columns", "one value for each column")
            continue
        texts = dict(zip(header, cells, strict=True))
        when = _time(findings, line, texts.pop("time"))
        numbers = [number(findings, line, name, text, known[name]) for name, text in texts.items()]
        usable = [value for value in numbers if value is not None]
        if when is None or len(usable) < len(numbers):
            continue
        if aware is None:
            aware = when.tzinfo is not None
        elif aware != (when.tzinfo is not None):
            findings.add(line, "a time with an offset among times without", "write all times alike")
            continue
        rows.times.append(when if when.tzinfo is None else when.astimezone(zone).replace(tzinfo=None))
        rows.lines.append(line)
        for column, value in zip(rows.columns.values(), usable, strict=True):
            column.append(value)
    if header is None:
        raise findings.refuse(None, "empty", f"begin with a header of time and {', '.join(known)}")
    findings.tell()
    check_order(findings, rows)
    return rows


def cells_of(findings: Findings, lines: list[str], first: int = 1) -> Iterator[tuple[int, list[str]]]:
    """Number and cells of each line from line `first` on that has any and is no comment."""
    for line, text in enumerate(lines[first - 1 :], first):
        try:
            cells = [cell.strip() for cell in next(csv.reader([text]), ())]
        except csv.Error as error:
            findings.add(line, str(error), "see that it is the right file")
            continue
        if any(cells) and not cells[0].startswith("#"):
            yield line, cells


def check_order(findings: Findings, rows: Rows) -> None:
    """Times must ascend without a gap; where it goes on in another year, or skips a 29 February, it is a
    typical year.
    """
    if len(rows.times) < 2:
        raise findings.refuse(None, f"{len(rows.times)} rows", "at least two are needed")
    for i in range(1, len(rows.times)):
        before, now = rows.times[i - 1], rows.times[i]
        step_s = (now - before).total_seconds()
        if 0.0 < step_s <= MAX_STEP_S:
            continue
        if (now.year, now.month) != (before.year, before.month) and 0.0 < _year_step_s(
            before, now
        ) <= MAX_STEP_S:
            rows.typical = True
        elif step_s == 0.0:
            remedy = "delete one; local times go on without daylight saving, or write the offset (+01:00)"
            findings.add(rows.lines[i], f"the same time as in line {rows.lines[i - 1]}", remedy)
        elif step_s < 0.0:
            findings.add(rows.lines[i], f"{now} comes after {before}", "sort the lines by time")
        else:
            gap = f"nothing between {before} and {now}"
            findings.add(rows.lines[i], gap, "fill the gap: rows are at most 3 h apart")
    findings.tell()


def place(rows: Rows, midnight: datetime, begin_s: float, end_s: float) -> Placed:
    """The rows for a run from `begin_s` to `end_s` after `midnight` of its first day, local time.

    They are taken as they are if they cover the run. Else those of a whole year are taken for any year:
    29 February has its own rows or those of the 28th. Raises UserError when neither is so.
    """
    times_s = [(time - midnight).total_seconds() for time in rows.times]
    if not rows.typical and times_s[0] <= begin_s + MAX_STEP_S and times_s[-1] >= end_s - MAX_STEP_S:
        return Placed(times_s, list(range(len(times_s))))
    findings = Findings(rows.path)
    by_day = _by_day(rows.times)
    placed = Placed([], [])
    for days in range(int(begin_s // DAY_S) - 1, int(end_s // DAY_S) + 2):
        day = midnight + timedelta(days=days)
        for row in _of_day(by_day, day):
            time = rows.times[row]
            placed.times_s.append(
                days * DAY_S + (time - datetime.combine(time, datetime.min.time())).total_seconds()
            )
            placed.rows.append(row)
    bounds = [begin_s, *(time for time in placed.times_s if begin_s < time < end_s), end_s]
    first, last = rows.times[0], rows.times[-1]
    for i in range(1, len(bounds)):
        if bounds[i] - bounds[i - 1] > MAX_STEP_S:
            when = midnight + timedelta(seconds=bounds[i - 1])
            what = f"from {first} to {last} it has nothing for {when} and after"
            raise findings.refuse(
                None, what, "give it the dates of the run, or a whole year, which serves for any"
            )
    return placed


def _header(findings: Findings, line: int, cells: list[str], known: Mapping[str, Limits]) -> list[str]:
    names = ["time", *known]
    if len(cells) == 1 and any(mark in cells[0] for mark in ";\t"):
        raise findings.refuse(line, "no commas", "separate columns by commas and decimals by a point")
    for name in cells:
        if name not in names:
            remedy = f"columns are {', '.join(names)}, with their unit in the name{near(name, names)}"
            findings.add(line, f"no such column {name!r}", remedy)
        elif cells.count(name) > 1:
            findings.add(line, f"column {name} more than once", "keep one")
    if "time" not in cells:
        findings.add(line, "no column time", "put it first; ISO 8601 such as 2025-03-31T14:00")
    findings.tell()
    return cells


def _time(findings: Findings, line: int, text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        findings.add(line, f"{text!r} is no time", "write ISO 8601 such as 2025-03-31T14:00 or with +05:30")
        return None
    if time.year not in YEARS:
        findings.add(line, f"{text} is of no year from {YEARS[0]} to {YEARS[-1]}", "see the time")
        return None
    return time


def _year_step_s(before: datetime, now: datetime) -> float:
    """Seconds between two times of the year; 29 February counts as the 28th."""
    year_s = 365 * DAY_S
    return (_in_year_s(now) - _in_year_s(before)) % year_s


def _in_year_s(time: datetime) -> float:
    day = 28 if (time.month, time.day) == (2, 29) else time.day
    return (time.replace(year=2025, day=day) - datetime(2025, 1, 1)).total_seconds()


def _by_day(times: list[datetime]) -> dict[tuple[int, int], list[int]]:
    """Rows of each day of the year. Of a day that comes several times the fullest counts, the first of such;
    the others give what it lacks at its ends.
    """
    turn = 0
    by_date: dict[tuple[int, int, int], list[int]] = {}
    for row, time in enumerate(times):
        if row and time.replace(year=2024) <= times[row - 1].replace(year=2024):
            turn += 1
        by_date.setdefault((turn, time.month, time.day), []).append(row)
    by_day: dict[tuple[int, int], list[int]] = {}
    for (_, month, day), rows in sorted(by_date.items(), key=lambda item: -len(item[1])):
        known = by_day.setdefault((month, day), rows)
        first, last = times[known[0]].time(), times[known[-1]].time()
        before = [row for row in rows if times[row].time() < first]
        by_day[month, day] = before + known + [row for row in rows if times[row].time() > last]
    return by_day


def _of_day(by_day: Mapping[tuple[int, int], list[int]], day: date) -> list[int]:
    key = (day.month, day.day)
    if key not in by_day and key == (2, 29):
        key = (2, 28)
    return by_day.get(key, [])
