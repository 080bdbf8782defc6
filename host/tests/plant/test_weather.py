"""Weather: yields of the reference places, cloudy spells, determinism, and what is said without the extra."""

from __future__ import annotations

import sys
from datetime import date, datetime, timedelta, timezone
from statistics import correlation, mean

import pytest

from greenmast.errors import UserError
from greenmast.plant import Weather
from greenmast.plant import sky as sky_module
from greenmast.plant.config import LocationConfig, SolarConfig
from greenmast.plant.solar import Solar
from greenmast.plant.weather import SiteWeather

PATNA = LocationConfig(25.6, 85.1)
TOKYO = LocationConfig(35.7, 139.7)
STEP_S = 1_800
# At noon, of the day and at midnight: W/m2, clearness, degC on the days below.
PINNED = (
    (589.049661, 0.77492072, 10.31513777),
    (856.128145, 0.90021663, 13.93287134),
    (913.513983, 0.99787827, 31.39116425),
    (789.687859, 0.94758823, 10.31243232),
)


def weather(location: LocationConfig, seed: int, start: datetime, permille: int = 1_000) -> SiteWeather:
    site = Weather.for_site(location, SolarConfig(kwp=1.0, irradiance_permille=permille), seed, start)
    assert isinstance(site, SiteWeather)
    return site


def yearly_kwh_per_kwp(site: SiteWeather) -> float:
    solar = Solar(SolarConfig(kwp=1.0), 52_000.0)
    return sum(
        solar.potential_w(site.poa_w_m2(time_s), site.ambient_c(time_s)) * STEP_S / 3.6e6
        for time_s in range(STEP_S // 2, 365 * 86_400, STEP_S)
    )


def test_a_year_at_patna_yields_1615_kwh_per_kwp_and_bad_days_come_in_spells() -> None:
    site = weather(PATNA, 1, datetime(2025, 1, 1, tzinfo=timezone(timedelta(hours=5.5))))
    assert yearly_kwh_per_kwp(site) == pytest.approx(1_615.0, rel=0.07)
    clearness = [site.day(day)[1] for day in range(365)]
    assert correlation(clearness[:-1], clearness[1:]) > 0.3
    assert mean(site.ambient_c(day * 86_400.0) for day in range(365)) == pytest.approx(24.0, abs=6.0)


def test_a_year_in_tokyo_scaled_by_0_87_yields_1200_kwh_per_kwp() -> None:
    site = weather(TOKYO, 2, datetime(2025, 1, 1, tzinfo=timezone(timedelta(hours=9))), permille=870)
    assert yearly_kwh_per_kwp(site) == pytest.approx(1_200.0, rel=0.08)


def test_weather_of_a_date_depends_on_the_seed_and_not_on_the_start(start: datetime) -> None:
    early, late, other = (
        weather(PATNA, 1, start),
        weather(PATNA, 1, start + timedelta(days=2, hours=3)),
        weather(PATNA, 2, start),
    )
    shift_s = (2 * 24 + 3) * 3_600.0
    for hour in range(48):
        time_s = hour * 3_600.0 + 100.0
        assert early.poa_w_m2(time_s + shift_s) == pytest.approx(late.poa_w_m2(time_s), abs=1e-6)
        assert early.ambient_c(time_s + shift_s) == pytest.approx(late.ambient_c(time_s), abs=1e-9)
    assert early.day(1) != other.day(1)


def test_nights_are_dark_and_noons_are_not(start: datetime) -> None:
    site = weather(PATNA, 1, start)
    for day in range(10):
        midnight_s = day * 86_400.0 + 18 * 3_600.0
        assert site.poa_w_m2(midnight_s) == 0.0
        assert 10.0 < site.poa_w_m2(midnight_s + 12 * 3_600.0) < 1_400.0


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, start: datetime) -> None:
    monkeypatch.setattr(sky_module, "find_spec", lambda name: None if name == "pvlib" else sys)
    with pytest.raises(UserError, match=r"pvlib.*greenmast\[sim\]"):
        Weather.for_site(PATNA, SolarConfig(), 1, start)


def test_a_start_without_utc_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="UTC offset"):
        Weather.for_site(PATNA, SolarConfig(), 1, datetime(2025, 3, 21))


@pytest.mark.parametrize(("latitude_deg", "longitude_deg", "hours"), [(25.6, 85.1, 5.5), (78.0, 15.0, 1.0)])
def test_a_day_is_the_same_whatever_days_are_made_with_it(
    latitude_deg: float, longitude_deg: float, hours: float
) -> None:
    sky = sky_module.Sky(latitude_deg, longitude_deg, timedelta(hours=hours), 25.6)
    first = date(2024, 2, 20)
    scores = [number / 5.0 - 1.5 for number in range(15)]
    together = sky.days(first, scores)
    for number, score in enumerate(scores):
        [alone] = sky.days(first + timedelta(days=number), [score])
        assert alone == together[number]


def test_the_weather_of_a_seed_stays_what_it_was() -> None:
    """Runs are compared with recorded ones, so it is part of what a release promises."""
    site = weather(PATNA, 1, datetime(2025, 1, 1, tzinfo=timezone(timedelta(hours=5.5))))
    found = [
        (site.day(day)[0][48], site.day(day)[1], site.ambient_c(day * 86_400.0)) for day in (0, 58, 200, 364)
    ]
    for row, pinned in zip(found, PINNED, strict=True):
        assert row == pytest.approx(pinned, rel=1e-5)
