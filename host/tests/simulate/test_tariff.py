"""Tariffs: bands of the day, their first match, means of hours, and what is refused with its place."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

import pytest

from greenmast import site as sites
from greenmast.config import problems
from greenmast.simulate.tariff import Tariff
from greenmast.site import NotAcceptedError

URBAN = sites.load("japan-urban")
RURAL = (Path(sites.__file__).parent / "sites" / "india-rural.toml").read_text(encoding="utf-8")
PRICE = "grid_per_kwh = 8.5\n"


def at(month: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2025, month, 15, hour, minute, tzinfo=URBAN.timezone)


def with_bands(tmp_path: Path, bands: str, price: str = PRICE) -> str:
    """Path of the rural site with other prices; what follows `[tariff]` in the text is left where it is."""
    head, _, rest = RURAL.partition("[tariff]\n")
    section, _, tail = rest.partition("# ----")
    file = tmp_path / "site.toml"
    file.write_text(f"{head}[tariff]\n{section.replace(PRICE, price)}{bands}\n# ----{tail}", encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("name", ["japan-urban", "japan-disaster"])
def test_the_night_the_day_and_summer_afternoons_of_the_japanese_sites_have_their_prices(name: str) -> None:
    tariff = Tariff.of(sites.load(name))
    assert tariff.currency == "JPY"
    for month in range(1, 13):
        summer = month in (7, 8, 9)
        for hour in range(24):
            price = 9.17 if hour >= 23 or hour < 7 else 44.6 if summer and 13 <= hour < 16 else 26.53
            assert tariff.price(at(month, hour)) == price, (month, hour)
            assert tariff.price(at(month, hour, 59)) == price, (month, hour)


def test_prices_and_emissions_are_those_of_the_file_and_nothing_costs_nothing() -> None:
    rural, off_grid = Tariff.of(sites.load("india-rural")), Tariff.of(sites.load("off-grid"))
    assert (rural.price(at(1, 3)), rural.diesel_per_l) == (8.5, 90.0)
    assert (rural.co2_kg_per_l, rural.co2_kg_per_kwh) == (2.68, 0.727)
    assert (off_grid.price(at(1, 3)), off_grid.co2_kg_per_kwh, off_grid.diesel_per_l) == (0.0, 0.0, 90.0)
    assert Tariff.of(URBAN).diesel_per_l == 0.0


def test_the_price_of_an_hour_is_the_mean_of_its_minutes() -> None:
    tariff = Tariff.of(URBAN)
    start = datetime(2025, 6, 30, 22, 45, tzinfo=URBAN.timezone)
    hours = tariff.hourly(start, 20)
    for number, price in enumerate(hours):
        begin = start + timedelta(hours=number)
        minutes = [tariff.price(begin + timedelta(minutes=minute)) for minute in range(60)]
        assert price == pytest.approx(sum(minutes) / 60, abs=1e-9)
    assert hours[0] == pytest.approx((15 * 26.53 + 45 * 9.17) / 60)


def test_the_first_band_that_holds_counts_and_bands_may_pass_midnight(tmp_path: Path) -> None:
    bands = (
        '[[tariff.band]]\nfrom = "22:30"\nto = "24:00"\nmonths = [1]\ngrid_per_kwh = 1\n'
        '[[tariff.band]]\nfrom = "22:00"\nto = "06:15"\ngrid_per_kwh = 2\n'
    )
    tariff = Tariff.of(sites.load(with_bands(tmp_path, bands)))
    prices = [
        tariff.price(at(*when))
        for when in ((1, 22, 29), (1, 22, 30), (1, 0), (2, 23), (2, 6, 14), (2, 6, 15))
    ]
    assert prices == [2, 1, 2, 2, 2, 8.5]


def test_a_year_of_prices_is_had_at_once_and_has_every_hour() -> None:
    tariff = Tariff.of(URBAN)
    before_s = perf_counter()
    prices = tariff.hourly(datetime(2025, 1, 1, tzinfo=URBAN.timezone), 8_760)
    assert perf_counter() - before_s < 1.0
    counts = {price: prices.count(price) for price in set(prices)}
    assert counts == {9.17: 365 * 8, 44.6: 92 * 3, 26.53: 365 * 16 - 92 * 3}


@pytest.mark.parametrize(
    ("band", "place", "part", "line"),
    [
        (
            'from = "25:00"\nto = "07:00"\ngrid_per_kwh = 1',
            "[tariff] band 2",
            "from: '25:00' is no time",
            "25:00",
        ),
        ('from = 13\nto = "07:00"\ngrid_per_kwh = 1', "[tariff] band 2", "from: 13 is no time", "from = 13"),
        ('from = "24:00"\nto = "07:00"\ngrid_per_kwh = 1', "[tariff] band 2", "'24:00' is no time", "24:00"),
        ('from = "07:00"\nto = "07:00"\ngrid_per_kwh = 1', "[tariff] band 2", "no length", 'to = "07:00"'),
        ('from = "06:00"\nto = "07:00"', "[tariff] band 2", "grid_per_kwh: missing", "[[tariff.band]]"),
        ('from = "06:00"\nto = "07:00"\ngrid_per_kwh = -4', "[tariff] band 2", "from 0 on", "-4"),
        ('from = "06:00"\nto = "07:00"\ngrid_per_kwh = nan', "[tariff] band 2", "from 0 on", "nan"),
        (
            'from = "06:00"\nto = "07:00"\ngrid_per_kwh = 1\nmonths = [13]',
            "[tariff] band 2",
            "no list",
            "[13]",
        ),
        (
            'from = "06:00"\nto = "07:00"\ngrid_per_kwh = 1\nmonths = 7',
            "[tariff] band 2",
            "no list",
            "months = 7",
        ),
        (
            'from = "06:00"\nto = "07:00"\ngrid_per_kwh = 1\ndays = [6]',
            "[tariff] band 2",
            "days: no such",
            "days",
        ),
    ],
)
def test_a_bad_band_is_named_with_its_line_and_a_remedy(
    tmp_path: Path, band: str, place: str, part: str, line: str
) -> None:
    good = '[[tariff.band]]\nfrom = "08:00"\nto = "09:00"\ngrid_per_kwh = 3\n'
    path = with_bands(tmp_path, f"{good}[[tariff.band]]\n{band}\n")
    [found] = problems.of(path)
    assert (found.place, part in found.text) == (place, True), found
    assert found.remedy
    assert found.line is not None
    assert line in Path(path).read_text(encoding="utf-8").splitlines()[found.line - 1]


def test_every_reason_against_a_tariff_is_listed(tmp_path: Path) -> None:
    band = '[[tariff.band]]\nfrom = "a"\nto = "b"\ngrid_per_kwh = 3\n'
    path = with_bands(tmp_path, "diesel = 3\n")
    with pytest.raises(NotAcceptedError, match=r"\[tariff\] diesel: no such key; did you mean: diesel_per_l"):
        sites.load(path)
    path = with_bands(tmp_path, band, price="")
    with pytest.raises(NotAcceptedError) as told:
        sites.load(path)
    assert len(told.value.reasons) == 3
    with pytest.raises(NotAcceptedError, match=r"double brackets"):
        sites.load(with_bands(tmp_path, '[tariff.band]\nfrom = "08:00"\n'))
