"""Days of sunshine over a place: daily energy from a climatology, shaped by the course of the sun; and what
measured sunshine is in the plane of an array.

Owns the use of pvlib and gsee-climate-data, imported when the first day is asked for. Must not know seeds:
the caller brings the day's standard normal score.

The climatology is MERRA-2 (2011-2015): per 3 x 3 degree cell and month the distribution of the daily mean of
the global horizontal irradiance. Quantiles are blended between mid-months: no step at the first of a month.
"""

from __future__ import annotations

import warnings
from calendar import monthrange
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta, timezone
from importlib.util import find_spec
from statistics import NormalDist
from typing import Any

from greenmast.errors import UserError

STEP_S = 900.0
DAY_STEPS = 96
CLEARNESS_RANGE = (0.03, 1.12)
ALBEDO = 0.2


@contextmanager
def _quiet() -> Iterator[None]:
    """Without a deprecation of pvlib 0.16 with pandas 3.1 that nobody here can act on."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="DatetimeIndex.dayofyear", category=DeprecationWarning)
        yield


class Sky:
    """Maker of days for one place and a fixed array that faces the equator; `tilt_deg` None: the latitude."""

    def __init__(
        self, latitude_deg: float, longitude_deg: float, utc_offset: timedelta, tilt_deg: float | None
    ) -> None:
        """Raises UserError when the libraries are not installed."""
        missing = [
            name for name in ("numpy", "pandas", "pvlib", "gsee_climate_data") if find_spec(name) is None
        ]
        if missing:
            raise UserError(f"weather needs {', '.join(missing)}: pip install 'greenmast[sim]'")
        self._latitude_deg = latitude_deg
        self._longitude_deg = longitude_deg
        self._timezone = timezone(utc_offset)
        self._tilt_deg = abs(latitude_deg) if tilt_deg is None else tilt_deg
        self._azimuth_deg = 180.0 if latitude_deg >= 0.0 else 0.0
        self._quantiles: list[tuple[Any, Any]] = []
        self._turbidity: list[float] = []

    def days(self, first: date, scores: Sequence[float]) -> list[tuple[list[float], float]]:
        """A day for each of `scores`, from local day `first` on: in-plane irradiance (W/m2) at 97 quarter
        hours, and its clearness (1: clear sky).

        What a day is like does not depend on the days that are asked for with it.
        """
        with _quiet():
            return self._made(first, scores)

    def measured(
        self,
        midnight: datetime,
        times_s: Sequence[float],
        ghi_w_m2: Sequence[float],
        beam_w_m2: tuple[Sequence[float], Sequence[float]] | None,
    ) -> list[float]:
        """In-plane irradiance (W/m2) for what has been measured `times_s` after `midnight`, local and naive:
        on the horizontal, and if `beam_w_m2` is given its parts, direct normal and diffuse horizontal.
        """
        import pandas

        with _quiet():
            sun = self._sun(self._times(midnight, times_s))
            ghi = pandas.Series(ghi_w_m2, index=sun.index)
            parts = None
            if beam_w_m2 is not None:
                dni, dhi = beam_w_m2
                parts = pandas.DataFrame({"dni": dni, "dhi": dhi}, index=sun.index)
            values: list[float] = self._plane(sun, ghi, parts).tolist()
            return values

    def zenith_deg(self, midnight: datetime, times_s: Sequence[float]) -> list[float]:
        """Of the sun's centre, `times_s` after `midnight`, local and naive."""
        with _quiet():
            values: list[float] = self._sun(self._times(midnight, times_s))["zenith"].tolist()
            return values

    def _made(self, first: date, scores: Sequence[float]) -> list[tuple[list[float], float]]:
        import numpy
        import pandas
        from pvlib import atmosphere, clearsky

        if not self._quantiles:
            self._load_climate()
        dates = [first + timedelta(days=number) for number in range(len(scores))]
        times = pandas.date_range(first, periods=DAY_STEPS * len(dates) + 1, freq="15min", tz=self._timezone)
        # Every day has both its midnights: the last quarter hour of one is the first of the next.
        of_day = numpy.arange(len(dates))[:, None] * DAY_STEPS + numpy.arange(DAY_STEPS + 1)[None, :]
        # Day by day: how far pvlib iterates depends on all the times that it is given.
        sun = pandas.concat([self._sun(times[row]) for row in of_day])
        zenith = sun["apparent_zenith"]
        turbidity = numpy.repeat([self._blend(day, self._turbidity) for day in dates], DAY_STEPS + 1)
        clear = clearsky.ineichen(zenith, atmosphere.get_relative_airmass(zenith), turbidity)["ghi"]
        clear_means = clear.to_numpy().reshape(of_day.shape)[:, :-1].mean(axis=1)
        clearness = [
            self._clearness(day, score, float(clear_mean))
            for day, score, clear_mean in zip(dates, scores, clear_means, strict=True)
        ]
        horizontal = clear * numpy.repeat(clearness, DAY_STEPS + 1)
        rows = self._plane(sun, horizontal, None).to_numpy().reshape(of_day.shape).tolist()
        return list(zip(rows, clearness, strict=True))

    def _times(self, midnight: datetime, times_s: Sequence[float]) -> Any:
        import pandas

        start = pandas.Timestamp(midnight).tz_localize(self._timezone)
        return start + pandas.to_timedelta(list(times_s), unit="s")

    def _sun(self, times: Any) -> Any:
        from pvlib import solarposition

        return solarposition.ephemeris(times, self._latitude_deg, self._longitude_deg)

    def _plane(self, sun: Any, horizontal: Any, parts: Any) -> Any:
        """Of `horizontal` irradiance with its `parts` dni and dhi, which are estimated when they are None."""
        from pvlib import irradiance

        if parts is None:
            parts = irradiance.erbs(horizontal, sun["zenith"], sun.index)
        plane = irradiance.get_total_irradiance(
            self._tilt_deg, self._azimuth_deg, sun["apparent_zenith"], sun["azimuth"],
            parts["dni"], horizontal, parts["dhi"], albedo=ALBEDO,
        )["poa_global"]  # fmt: skip
        return plane.fillna(0.0).clip(lower=0.0)

    def _clearness(self, day: date, score: float, clear_mean: float) -> float:
        """Of a day that is as sunny as `score` says and would have `clear_mean` W/m2 under a clear sky."""
        if clear_mean <= 0.0:  # polar night
            return 0.0
        probability = NormalDist().cdf(score)
        daily_mean = self._blend(day, [self._quantile(month, probability) for month in range(12)])
        low, high = CLEARNESS_RANGE
        return min(max(daily_mean / clear_mean, low), high)

    def _load_climate(self) -> None:
        import gsee_climate_data
        import numpy
        import pandas
        from pvlib import clearsky

        climate = gsee_climate_data.load()
        weights = climate["pk"]
        usable = numpy.nansum(weights, axis=(2, 3)) > 0.0
        east_deg = (climate["lon"][None, :] - self._longitude_deg + 180.0) % 360.0 - 180.0
        distance = numpy.hypot(climate["lat"][:, None] - self._latitude_deg, east_deg)
        row, column = numpy.unravel_index(
            numpy.argmin(numpy.where(usable, distance, numpy.inf)), distance.shape
        )
        values = climate["xk"][row, column]
        for month in range(12):
            cumulative = numpy.cumsum(numpy.nan_to_num(weights[row, column, month]))
            if cumulative[-1] > 0.0:
                self._quantiles.append((cumulative / cumulative[-1], values[month]))
            else:  # beyond the polar circles: a month without sun has no distribution
                self._quantiles.append(((0.0, 1.0), (0.0, 0.0)))
        mid_months = pandas.to_datetime([f"2025-{month:02d}-15" for month in range(1, 13)]).tz_localize("UTC")
        turbidity = clearsky.lookup_linke_turbidity(mid_months, self._latitude_deg, self._longitude_deg)
        self._turbidity = [float(value) for value in turbidity]

    def _quantile(self, month: int, probability: float) -> float:
        import numpy

        cumulative, values = self._quantiles[month]
        return float(numpy.interp(probability, cumulative, values))

    def _blend(self, day: date, monthly: list[float]) -> float:
        """Linear between the values of the two nearest mid-months."""
        position = (day.day - 0.5) / monthrange(day.year, day.month)[1] - 0.5
        neighbour = (day.month - 1 + (1 if position >= 0.0 else -1)) % 12
        return monthly[day.month - 1] * (1.0 - abs(position)) + monthly[neighbour] * abs(position)
