"""What a kilowatt-hour and a litre cost and emit: the section `[tariff]` of a site file.

Owns the bands of the day, their rules and the prices that follow. Must not know what was bought.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from greenmast.site import Site

_NUMBERS = ("grid_per_kwh", "diesel_per_l", "co2_kg_per_l", "co2_kg_per_kwh")
KEYS = ("currency", *_NUMBERS, "band")
BAND_KEYS = ("from", "to", "months", "grid_per_kwh")
DAY_MIN = 1_440
HOUR_MIN = 60


@dataclass(frozen=True)
class Band:
    """A price from one minute of the local day to another, past midnight if that comes first, in `months`."""

    start_min: int
    end_min: int
    months: frozenset[int]
    grid_per_kwh: float

    def holds(self, month: int, minute: int) -> bool:
        if month not in self.months:
            return False
        if self.start_min < self.end_min:
            return self.start_min <= minute < self.end_min
        return minute >= self.start_min or minute < self.end_min


@dataclass(frozen=True)
class Tariff:
    """Prices in `currency`, emissions in kg of CO2; what a site file does not say is 0."""

    currency: str
    grid_per_kwh: float
    diesel_per_l: float
    co2_kg_per_l: float
    co2_kg_per_kwh: float
    bands: tuple[Band, ...] = ()

    @classmethod
    def of(cls, site: Site) -> Tariff:
        """The tariff of a site that has been loaded, so that `problems` has found nothing."""
        section: Mapping[str, Any] = site.plant.get("tariff", {})
        numbers = {key: float(section.get(key, 0.0)) for key in _NUMBERS}
        return cls(
            currency=str(section.get("currency", "")),
            **numbers,
            bands=tuple(
                Band(
                    _minute(band["from"]),
                    _minute(band["to"]),
                    frozenset(band.get("months", range(1, 13))),
                    float(band["grid_per_kwh"]),
                )
                for band in section.get("band", [])
            ),
        )

    def price(self, when: datetime) -> float:
        """Of a kWh from the grid at local time `when`: the first band that holds, else the base price."""
        return self._at(when.month, when.hour * HOUR_MIN + when.minute)

    def hourly(self, start: datetime, hours: int) -> list[float]:
        """Mean price per kWh of each hour from local time `start` on, whose UTC offset holds throughout."""
        hour = timedelta(hours=1)
        known: dict[tuple[int, int, int], float] = {}
        prices = []
        when = start.replace(tzinfo=None)
        for _ in range(hours):
            following = when + hour
            key = (when.month, following.month, when.hour * HOUR_MIN + when.minute)
            if key not in known:
                known[key] = self._mean(*key)
            prices.append(known[key])
            when = following
        return prices

    def _at(self, month: int, minute: int) -> float:
        for band in self.bands:
            if band.holds(month, minute):
                return band.grid_per_kwh
        return self.grid_per_kwh

    def _mean(self, month: int, next_month: int, minute: int) -> float:
        """Over the hour from `minute` of the day on; what lies past midnight is in `next_month`."""
        minutes = [
            self._at(month if at < DAY_MIN else next_month, at % DAY_MIN)
            for at in range(minute, minute + HOUR_MIN)
        ]
        # One price is told as it is written, without the rounding of a mean.
        return minutes[0] if len(set(minutes)) == 1 else sum(minutes) / HOUR_MIN


def problems(section: Mapping[str, Any]) -> list[str]:
    """Reasons "place: text" against the section `[tariff]` of a site file."""
    found = []
    if not isinstance(section.get("currency", ""), str):
        found.append('[tariff] currency: must be a string such as "INR"')
    found += [f"[tariff] {key}: must be a number from 0 on" for key in _NUMBERS if _is_bad(section, key)]
    bands = section.get("band", [])
    if not isinstance(bands, list) or not all(isinstance(band, Mapping) for band in bands):
        return [*found, "[[tariff.band]]: write it with double brackets"]
    if bands and "grid_per_kwh" not in section:
        found.append("[tariff] grid_per_kwh: missing: the price outside the bands")
    for number, band in enumerate(bands, 1):
        found += [f"[tariff] band {number}: {text}" for text in _band_problems(band)]
    return found


def _band_problems(band: Mapping[str, Any]) -> list[str]:
    found = [
        f"{key}: no such key of a band; there are: {', '.join(BAND_KEYS)}"
        for key in band
        if key not in BAND_KEYS
    ]
    found += [f"{key}: missing" for key in ("from", "to", "grid_per_kwh") if key not in band]
    found += [
        f"{key}: {band[key]!r} is no time of day"
        for key in ("from", "to")
        if key in band and _is_no_time(band, key)
    ]
    if not found and band["from"] == band["to"]:
        found.append(f"to: a band from {band['from']} to {band['to']} has no length")
    months = band.get("months", [1])
    if not isinstance(months, list) or not months or not all(type(m) is int and 1 <= m <= 12 for m in months):
        found.append(f"months: {months!r} is no list of months")
    if "grid_per_kwh" in band and _is_bad(band, "grid_per_kwh"):
        found.append("grid_per_kwh: must be a number from 0 on")
    return found


def _is_bad(table: Mapping[str, Any], key: str) -> bool:
    value = table.get(key, 0)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    return not isfinite(value) or value < 0


_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


def _is_no_time(band: Mapping[str, Any], key: str) -> bool:
    time = band[key]
    if key == "to" and time == "24:00":
        return False
    return not isinstance(time, str) or _TIME.fullmatch(time) is None


def _minute(time: str) -> int:
    hour, _, minute = time.partition(":")
    return int(hour) * HOUR_MIN + int(minute)
