"""Irradiance on the array and outside temperature as functions of time: drawn, constant or measured.

Owns the interface `Weather`, the temperature model, cloud flicker and the cache of days. Must not know PV
power. The heavy libraries are imported by `sky` on the first day asked for, never here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from math import cos, pi, sqrt

from greenmast.plant.config import LocationConfig, SolarConfig
from greenmast.plant.noise import normal, smooth, stream
from greenmast.plant.series import Series
from greenmast.plant.sky import DAY_STEPS, STEP_S, Sky

DAY_S = 86_400.0
CORRELATION = 0.55  # of the daily normal score with the day before
MEMORY_DAYS = 12  # 0.55 ** 12 is below 0.001
BLOCK_DAYS = 32  # made at once: much cheaper than one by one, and hardly dearer than a single day


class Weather:
    """What the plant asks for; a weather of your own is a subclass with these two methods.

    Times are seconds since the start of the plant, in any order; the same time gives the same value.
    """

    def poa_w_m2(self, time_s: float) -> float:
        """Irradiance in the plane of the array, W/m2."""
        raise NotImplementedError

    def ambient_c(self, time_s: float) -> float:
        """Outside air temperature in the shade, degC."""
        raise NotImplementedError

    @staticmethod
    def constant(irradiance_w_m2: float, ambient_c: float) -> Weather:
        """The same irradiance and temperature for ever; needs no library."""
        return ConstantWeather(irradiance_w_m2, ambient_c)

    @staticmethod
    def for_site(
        location: LocationConfig, solar: SolarConfig, seed: int, start: datetime, *, sun: bool = True
    ) -> Weather:
        """Weather drawn for a place and a seed; depends on the date, not on where the plant starts.

        The UTC offset of `start` holds throughout (no daylight saving).
        Without `sun` it is the same in the dark, for those who say themselves what the array offers. With
        it, raises greenmast.errors.UserError when the `sim` extra is not installed.
        """
        return SiteWeather(location, solar, seed, start, sun=sun)


class ConstantWeather(Weather):
    __slots__ = ("_ambient_c", "_irradiance_w_m2")

    def __init__(self, irradiance_w_m2: float, ambient_c: float) -> None:
        self._irradiance_w_m2 = irradiance_w_m2
        self._ambient_c = ambient_c

    def poa_w_m2(self, time_s: float) -> float:
        return self._irradiance_w_m2

    def ambient_c(self, time_s: float) -> float:
        return self._ambient_c


class MeasuredWeather(Weather):
    """Irradiance in the plane of the array as measured, and the temperature, or else that of `otherwise`."""

    __slots__ = ("_ambient_c", "_otherwise", "_poa_w_m2")

    def __init__(self, poa_w_m2: Series, ambient_c: Series | None, otherwise: Weather) -> None:
        self._poa_w_m2 = poa_w_m2
        self._ambient_c = ambient_c
        self._otherwise = otherwise

    def poa_w_m2(self, time_s: float) -> float:
        return self._poa_w_m2.at(time_s)

    def ambient_c(self, time_s: float) -> float:
        if self._ambient_c is None:
            return self._otherwise.ambient_c(time_s)
        return self._ambient_c.at(time_s)


class SiteWeather(Weather):
    """Days drawn from the monthly distributions of daily irradiance, made by the month and kept."""

    __slots__ = (
        "_days", "_first_day", "_flicker_key", "_latitude_deg", "_mean_c", "_mean_day", "_scale",
        "_score_key", "_sky", "_start_s", "_temperature_key",
    )  # fmt: skip

    def __init__(
        self, location: LocationConfig, solar: SolarConfig, seed: int, start: datetime, *, sun: bool = True
    ) -> None:
        offset = start.utcoffset()
        if offset is None:
            raise ValueError("start needs a UTC offset: the sun does not know local time")
        self._first_day = start.date()
        self._start_s = start.hour * 3_600.0 + start.minute * 60.0 + start.second + start.microsecond / 1e6
        self._latitude_deg = location.latitude_deg
        self._sky: Sky | None = None
        if sun:
            self._sky = Sky(location.latitude_deg, location.longitude_deg, offset, solar.tilt_deg)
        self._score_key = stream(seed, "weather.day")
        self._flicker_key = stream(seed, "weather.flicker")
        self._temperature_key = stream(seed, "weather.temperature")
        self._days: dict[int, tuple[list[float], float]] = {}
        self._mean_day = -1
        self._mean_c = self._day_mean_c(-1)
        self._scale = solar.irradiance_permille / 1_000.0

    def poa_w_m2(self, time_s: float) -> float:
        if self._sky is None:
            return 0.0
        day_s = time_s + self._start_s
        day = int(day_s // DAY_S)
        poa, clearness = self.day(day)
        position = (day_s - day * DAY_S) / STEP_S
        index = min(int(position), DAY_STEPS - 1)
        base = poa[index] + (poa[index + 1] - poa[index]) * (position - index)
        if base <= 0.0:
            return 0.0
        # Broken cloud flickers most; a clear or an overcast sky hardly does.
        depth = 2.4 * clearness * (1.0 - clearness) if clearness < 1.0 else 0.0
        key = self._flicker_key
        flicker = 0.6 * smooth(key, self._year_s(day_s), 420.0) + 0.4 * smooth(key, self._year_s(day_s), 60.0)
        return base * max(0.05, 1.0 + depth * flicker)

    def ambient_c(self, time_s: float) -> float:
        day_s = time_s + self._start_s
        day = int(day_s // DAY_S)
        hour = (day_s - day * DAY_S) / 3_600.0
        if day != self._mean_day:
            self._mean_day = day
            self._mean_c = self._day_mean_c(day)
        daily = 5.5 * cos(2.0 * pi * (hour - 14.5) / 24.0)
        return self._mean_c + daily + 4.0 * smooth(self._temperature_key, self._year_s(day_s), 3.0 * DAY_S)

    def _day_mean_c(self, day: int) -> float:
        """Of the place and the season."""
        latitude = abs(self._latitude_deg)
        warmest_day = 200 if self._latitude_deg >= 0 else 17
        day_of_year = (self._first_day + timedelta(days=day)).timetuple().tm_yday
        mean = 28.5 - 0.8 * max(0.0, latitude - 20.0)
        return mean + 0.31 * latitude * cos(2.0 * pi * (day_of_year - warmest_day) / 365.25)

    def day(self, day: int) -> tuple[list[float], float]:
        """Irradiance of local day `day` (0: that of the start) at 97 quarter hours, and its clearness."""
        known = self._days.get(day)
        if known is None:
            if self._sky is None:
                raise RuntimeError("there is no sun in this weather")
            first = self._first_day + timedelta(days=day)
            scores = [self._score(first.toordinal() + number) for number in range(BLOCK_DAYS)]
            for number, (poa, clearness) in enumerate(self._sky.days(first, scores)):
                self._days[day + number] = ([value * self._scale for value in poa], clearness)
            known = self._days[day]
        return known

    def _score(self, ordinal: int) -> float:
        """Standard normal score of a date: AR(1) as a moving average, so that any day can be had alone."""
        scale = sqrt(1.0 - CORRELATION * CORRELATION)
        return scale * sum(
            CORRELATION**lag * normal(self._score_key, ordinal - lag) for lag in range(MEMORY_DAYS)
        )

    def _year_s(self, day_s: float) -> float:
        """Seconds on a scale that does not depend on where the plant started."""
        return self._first_day.toordinal() * DAY_S + day_s
