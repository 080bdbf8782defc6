"""The hours of a run by month, day, season and week of the site's own clock.

Owns how hours fall into bins and what is remarkable among them. Draws nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from statistics import median

from greenmast.simulate.result import Hours

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS_AS_BINS = 45  # up to so many days each is a bin of its own
_SEASONS = ("Dec – Feb", "Mar – May", "Jun – Aug", "Sep – Nov")
WEEK_H = 168
_YEAR_DAYS = 366


@dataclass(frozen=True)
class Bin:
    """A month or a day: its `label`, a longer `name`, and its hours' numbers."""

    label: str
    name: str
    hours: range


@dataclass(frozen=True)
class Span:
    """A stretch of a run: hours `first` .. `last` (not included) and what is said of it."""

    first: int
    last: int
    text: str


class Calendar:
    """Bins of one run's hours."""

    def __init__(self, hours: Hours) -> None:
        self.hours = hours
        self._local = [hours.at(n) for n in range(len(hours))]
        self.first_day: date = self._local[0].date()

    @cached_property
    def days(self) -> list[range]:
        """Hours of each local day: 24, fewer at the ends, 23 or 25 where the clock changes."""
        return self._grouped([at.date() for at in self._local])

    def day(self, n: int) -> date:
        return self._local[self.days[n].start].date()

    def clock(self, hour: int) -> int:
        """The local hour of the day, 0 .. 23."""
        return self._local[hour].hour

    @cached_property
    def months(self) -> list[Bin]:
        """Months in order; days instead when there are few."""
        if len(self.days) <= _DAYS_AS_BINS:
            return [self._bin(day, f"{self._local[day.start].day}") for day in self.days]
        grouped = self._grouped([(at.year, at.month) for at in self._local])
        return [self._bin(hours, _MONTHS[self._local[hours.start].month - 1]) for hours in grouped]

    @property
    def by_days(self) -> bool:
        """Whether `months` are days."""
        return len(self.days) <= _DAYS_AS_BINS

    def total(self, name: str, hours: range) -> float:
        return sum(self.hours[name][hours.start : hours.stop])

    @cached_property
    def month_starts(self) -> list[tuple[int, str]]:
        """Number of the day with which each month begins, and the month's name."""
        found = []
        for n, hours in enumerate(self.days):
            at = self._local[hours.start]
            if at.day == 1 or n == 0:
                year = f" {at.year}" if at.month == 1 and len(self.days) > _YEAR_DAYS else ""
                found.append((n, f"{_MONTHS[at.month - 1]}{year}"))
        return found

    @cached_property
    def seasons(self) -> list[tuple[str, list[int]]]:
        """Name and hours of the quarters of the year that the run has a day of."""
        found: list[list[int]] = [[], [], [], []]
        for n, at in enumerate(self._local):
            found[at.month % 12 // 3].append(n)
        return [(name, hours) for name, hours in zip(_SEASONS, found, strict=True) if len(hours) >= 24]

    def mean_day(self, name: str, hours: Sequence[int]) -> list[float]:
        """Mean of a column at each hour of the clock; 0 where there is none."""
        sums, counts = [0.0] * 24, [0] * 24
        values = self.hours[name]
        for n in hours:
            clock = self._local[n].hour
            sums[clock] += values[n]
            counts[clock] += 1
        return [total / count if count else 0.0 for total, count in zip(sums, counts, strict=True)]

    def weeks(self) -> list[Span]:
        """What is worth seeing hour by hour: a typical week and the worst, or all of a short run."""
        if len(self.hours) < 2 * WEEK_H:
            return [Span(0, len(self.hours), "The whole run")]
        # From a midnight, so that days stand under their names.
        starts = [day.start for day in self.days if day.start + WEEK_H <= len(self.hours)]
        typical = starts[self._nearest(self._features(starts))]
        worst, why = self._worst(starts)
        return [
            Span(typical, typical + WEEK_H, "A typical week: nearest to the middle in sun, grid, genset"),
            Span(worst, worst + WEEK_H, f"The worst week: {why}"),
        ]

    def _features(self, starts: list[int]) -> list[tuple[float, ...]]:
        names = ("solar_available_wh", "grid_live_s", "genset_s", "grid_wh")
        return [tuple(sum(self.hours[name][s : s + WEEK_H]) for name in names) for s in starts]

    @staticmethod
    def _nearest(features: list[tuple[float, ...]]) -> int:
        distance = [0.0] * len(features)
        for values in zip(*features, strict=True):
            middle = median(values)
            spread = median(abs(value - middle) for value in values) or 1.0
            for n, value in enumerate(values):
                distance[n] += abs(value - middle) / spread
        return distance.index(min(distance))

    def _worst(self, starts: list[int]) -> tuple[int, str]:
        for name, why in (
            ("dark_s", "most time without power"),
            ("genset_s", "most hours on the genset"),
        ):
            sums = [sum(self.hours[name][s : s + WEEK_H]) for s in starts]
            if max(sums) > 0:
                return starts[sums.index(max(sums))], why
        lows = [min(self.hours["soc_permille"][s : s + WEEK_H]) for s in starts]
        return starts[lows.index(min(lows))], "the lowest state of charge"

    def notable(self) -> list[tuple[int, str]]:
        """(hour, text) of the longest genset run, grid outage and darkness, and of the lowest charge."""
        away = [3_600.0 - live for live in self.hours["grid_live_s"]]
        found = []
        for seconds, text in (
            (self.hours["dark_s"], "longest time without power"),
            (self.hours["genset_s"], "longest genset run"),
            (away if min(away) < 3_600 else [], "longest grid outage"),  # a site without grid has none
        ):
            hour, longest = _longest(seconds)
            if longest > 0:
                found.append((hour, f"{text}: {duration(longest)}"))
        soc = self.hours["soc_permille"]
        low = min(range(len(soc)), key=soc.__getitem__)
        found.append((low, f"lowest state of charge: {soc[low] / 10:.0f} %"))
        return sorted(found)

    def _bin(self, hours: range, label: str) -> Bin:
        at = self._local[hours.start]
        month = _MONTHS[at.month - 1]
        return Bin(label, f"{at.day} {month} {at.year}" if self.by_days else f"{month} {at.year}", hours)

    @staticmethod
    def _grouped(keys: Sequence[object]) -> list[range]:
        found, begun = [], 0
        for n in range(1, len(keys) + 1):
            if n == len(keys) or keys[n] != keys[begun]:
                found.append(range(begun, n))
                begun = n
        return found


def duration(seconds: float) -> str:
    """3 d 4 h, 4.5 h, 12 min, 30 s."""
    if seconds >= 48 * 3_600:
        days, hours = divmod(round(seconds / 3_600), 24)
        return f"{days} d {hours} h" if hours else f"{days} d"
    if seconds >= 3_600:
        return f"{seconds / 3_600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"


def _longest(seconds: Sequence[float]) -> tuple[int, float]:
    """Hour in which the longest stretch begins, and its seconds, from how long it lasted in each hour.

    A part of an hour ends one stretch or begins the next, and whole hours join it: all that hours can tell.
    """
    best, begun, length = (0, 0.0), 0, 0.0
    for n, on in enumerate(seconds):
        if length == 0:
            begun = n
        if length + on > best[1]:
            best = (begun, length + on)
        if on >= 3_600:
            length += on
        else:
            begun, length = n, on
    return best
