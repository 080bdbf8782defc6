"""The report shows the run that it is given, whatever its length, hardware and name."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

import pytest

from greenmast.errors import UserError
from greenmast.simulate import report
from greenmast.simulate.calendar import Calendar
from greenmast.simulate.picture import months
from greenmast.simulate.result import Hours, Result
from greenmast.simulate.text import text

from .made_up import hours, result

_SVG = "{http://www.w3.org/2000/svg}"


def drawings(page: str) -> list[ElementTree.Element]:
    """Every SVG of the page, parsed."""
    found = [ElementTree.fromstring(each) for each in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]
    assert found
    return found


@pytest.mark.parametrize(
    ("days", "how"),
    [
        (1, {"grid": False, "genset": False}),
        (3, {}),
        (13, {"genset": False}),
        (14, {"grid": False}),
        (30, {"dark_hours": (100, 101)}),
        (60, {"start": datetime(2025, 2, 26, 7, tzinfo=ZoneInfo("Asia/Tokyo"))}),
        (120, {"start": datetime(2025, 2, 1, tzinfo=ZoneInfo("Europe/Berlin"))}),
        (800, {}),
    ],
)
def test_every_drawing_is_xml_with_a_name_and_its_places_are_numbers(days: int, how: dict[str, Any]) -> None:
    page = report.html([result(days, **how), result(days, controller="dg-first", **how)], {1: {"cost": 1.0}})
    for drawing in drawings(page):
        assert drawing.get("role") == "img"
        title = drawing.find(f"{_SVG}title")
        assert title is not None
        assert title.text
        assert title.text == drawing.get("aria-label")
        _, _, width, height = (float(part) for part in (drawing.get("viewBox") or "").split())
        for mark in drawing.iter(f"{_SVG}rect"):
            x, y, w, h = (float(mark.get(name) or 0) for name in ("x", "y", "width", "height"))
            assert -1 <= x <= x + w <= width + 1
            assert -1 <= y <= y + h <= height + 1
    assert not re.search(r"\b(nan|inf)\b", page)


def test_the_page_needs_nothing_from_elsewhere() -> None:
    page = report.html([result()])
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!data:)', page)
    assert not re.findall(r'https?://(?!www\.w3\.org/2000/svg")', page)


@pytest.mark.parametrize(
    "name",
    [
        "cost",
        "diesel_l",
        "grid_kwh",
        "co2_kg",
        "availability",
        "genset_hours",
        "genset_starts",
        "battery_cycles",
        "switches",
    ],
)
def test_each_total_reaches_the_page_and_the_terminal(name: str) -> None:
    run, other = result(), result(controller="dg-first")
    changed = replace(run, totals={**run.totals, name: 0.91234})
    assert report.html([changed, other]) != report.html([run, other])
    shown = "91.234" if name == "availability" else "0.912"
    assert shown in text([changed, other])
    assert shown in report.html([changed, other])


@pytest.mark.parametrize(
    "name",
    [
        "solar_available_wh",
        "solar_wh",
        "grid_wh",
        "genset_wh",
        "fuel_l",
        "load_wh",
        "grid_live_s",
        "dark_s",
        "genset_s",
        "price",
        "soc_permille",
    ],
)
def test_each_hour_reaches_the_page(name: str) -> None:
    run = result(20)
    columns = {column: values[:] for column, values in run.hours.columns.items()}
    # Day 5, 4 in the morning: the grid is there and bought from.
    columns[name][100] += 500.0 if name != "grid_live_s" else -3_000.0
    changed = replace(run, hours=Hours(run.hours.start, columns))
    assert report.html([changed]) != report.html([run])


def test_reasons_events_and_violations_are_told() -> None:
    page = report.html([result(violations={"two sources at once": 3})])
    assert "two sources at once × 3" in page
    assert "grid within its limits" in page  # the words of the code grid_available
    assert "123 h" in page
    assert "3 starts" in page
    assert "fuel low: 14 % below 15 %" in page
    assert "longest genset run: 2.0 h" in page
    assert "longest grid outage: 6.0 h" in page
    assert "did not hold" not in report.html([result()])


def test_names_are_told_as_they_are_and_never_as_markup() -> None:
    name = "東京 <b>&\"'</b>"
    run = result(2, site={"name": name}, controller="<i>mine")
    run = replace(run, events=[(0.0, "<script>alert(1)</script>")], reasons={"<ac>": {"<why>": 1.0}})
    page = report.html([run, result(2, controller="</svg><u>")])
    assert "東京 &lt;b&gt;" in page
    for tag in ("<b>", "<i>", "<script", "<why>", "<ac>", "<u>"):
        assert tag not in page
    drawings(page)


def test_seeds_are_shown_as_median_and_range_and_the_middle_one_is_drawn() -> None:
    ours = [result(seed=seed, scale=scale) for seed, scale in ((1, 3.0), (2, 1.0), (3, 2.0))]
    dear = [result(seed=seed, scale=4.0, controller="dg-first") for seed in (3, 2, 1)]
    page = report.html([*ours, *dear])
    assert "pictures: seed 3" in page
    # 201.6 L at scale 1: 60 days of two hours at 1.68 L.
    assert "202 – 605" in page
    assert "−50 % vs dg-first" in page
    told = text([*ours, *dear])
    assert "202..605" in told
    assert "0.50 ×" in told


def test_ratios_to_the_limit_compare_the_same_seed() -> None:
    ours = [result(seed=1), result(seed=2, scale=10.0)]
    limits = {2: {"cost": ours[1].totals["cost"] / 1.25}, 1: {"cost": ours[0].totals["cost"] / 1.25}}
    assert "1.25 × the limit" in report.html(ours, limits)
    assert "1.25 ×" in text(ours, limits)


def test_availability_is_never_rounded_up() -> None:
    run = result(60, dark_hours=(5,))
    run.totals["availability"] = 0.9999999
    assert "99.999" in text([run])
    assert "never dark" in report.html([result(60)])
    assert "never dark" not in report.html([replace(run, totals={**run.totals, "availability": 0.99})])


def test_a_site_that_was_never_powered_still_shows_its_availability() -> None:
    run = result(2)
    run.totals["availability"] = 0.0
    assert "0.000" in text([run])
    assert "dark for 2 d" in report.html([run])


def test_months_of_cost_and_co2_add_up_to_the_totals() -> None:
    run = result(90)
    calendar = Calendar(run.hours)
    assert [each.label for each in calendar.months] == ["Jan", "Feb", "Mar"]
    for share, total in ((months.cost, "cost"), (months.co2, "co2_kg")):
        assert sum(share(run, calendar, each) for each in calendar.months) == pytest.approx(run.totals[total])


def test_days_follow_the_clock_of_the_site_over_its_changes() -> None:
    calendar = Calendar(hours(4, start=datetime(2025, 3, 29, tzinfo=ZoneInfo("Europe/Berlin"))))
    assert [len(day) for day in calendar.days] == [24, 23, 24, 24, 1]
    assert sum(len(each.hours) for each in calendar.months) == 96


def test_the_worst_week_is_the_one_without_power() -> None:
    spans = Calendar(hours(60, dark_hours=(700,))).weeks()
    assert len(spans) == 2
    assert spans[1].first <= 700 < spans[1].last
    assert "without power" in spans[1].text


def test_a_long_stretch_ends_with_a_part_of_an_hour() -> None:
    course = hours(4)
    course["genset_s"][10:14] = type(course["genset_s"])("d", [1_800.0, 3_600.0, 900.0, 900.0])
    course["genset_s"][20:22] = type(course["genset_s"])("d", [0.0, 0.0])
    for day in (1, 2, 3):
        course["genset_s"][24 * day + 20] = course["genset_s"][24 * day + 21] = 0.0
    assert (10, "longest genset run: 1.8 h") in Calendar(course).notable()


def test_a_wide_comparison_breaks_into_blocks_beside_ours() -> None:
    names = [f"baseline-number-{n}" for n in range(9)]
    told = text([result(2), *(result(2, controller=name) for name in names)], width=80)
    assert all(len(line) <= 80 for line in told.splitlines())
    assert all(name in told for name in names)


def test_what_cannot_be_shown_or_written_is_said(tmp_path: Path) -> None:
    empty = Hours(hours(1).start, {name: values[:0] for name, values in hours(1).columns.items()})
    run: Result = replace(result(1), hours=empty)
    for broken in ([run], []):
        with pytest.raises(UserError):
            report.html(broken)
    with pytest.raises(UserError, match="cannot be written"):
        report.write([result(1)], None, tmp_path / "no" / "where.html")
