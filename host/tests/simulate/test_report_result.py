"""Results lie on disk exactly, and what is no whole result is never counted."""

from __future__ import annotations

import json
from array import array
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from greenmast import site
from greenmast.errors import BAD_INPUT_FILE, UserError
from greenmast.simulate import result as results
from greenmast.simulate.result import Hours, Result

from .made_up import hours, result

SUMMARY_KEYS = [
    *("site", "policy", "days", "seed", "diesel_l", "grid_kwh", "cost", "co2_kg", "availability"),
    *("genset_starts", "genset_hours", "switches", "battery_cycles", "violations", "speed"),
    *("baselines", "bound"),
]


def test_a_result_comes_back_from_its_file_bit_for_bit(tmp_path: Path) -> None:
    run = result(days=3, violations={"one source": 2}, site={"name": "パトナ"})
    run.hours["price"][0] = 0.1 + 0.2
    run.totals["cost"] = 1 / 3
    results.save(run, tmp_path / "run.json")
    again = results.load(tmp_path / "run.json")
    assert again == run
    assert again.hours.start.tzinfo == ZoneInfo("Asia/Kolkata")
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def test_an_hour_of_a_zone_that_changes_its_clock_lies_where_the_clock_says() -> None:
    course = hours(3, start=datetime(2025, 3, 29, tzinfo=ZoneInfo("Europe/Berlin")))
    again = results.loads(results.dumps(Result({}, {}, {}, course))).hours
    assert [again.at(n).hour for n in (24, 25, 26)] == [0, 1, 3]


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda text: text[: len(text) // 2], "not a whole result file"),
        (lambda text: "[" * 100_000, "not a whole result file"),
        (lambda text: "[1, 2]", "another version"),
        (lambda text: text.replace('"format": 1', '"format": 0'), "another version"),
        (lambda text: text.replace('"seed": 1', '"seed": 2'), "damaged"),
        (lambda text: text.replace("weak-grid", "weak_grid"), "damaged"),
    ],
)
def test_a_file_that_is_not_whole_is_refused_with_the_remedy(damage, says, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "run.json"
    path.write_text(damage(results.dumps(result(days=1))), encoding="utf-8")
    with pytest.raises(UserError, match=says) as refused:
        results.load(path)
    assert str(path) in refused.value.message
    assert "delete it" in refused.value.message
    assert refused.value.exit_code == BAD_INPUT_FILE


def test_a_sound_file_that_is_no_result_is_refused() -> None:
    for body in ({}, {"start": "2025-01-01T00:00:00+00:00", "zone": "Nowhere/None"}, [], None):
        text = json.dumps({"format": 1, "crc32": results._check(body), "result": body})
        with pytest.raises(ValueError, match="not the result of a run"):
            results.loads(text)


def test_hours_need_every_column_at_one_length_and_a_zone() -> None:
    columns = dict(hours(1).columns)
    with pytest.raises(ValueError, match="time zone"):
        Hours(datetime(2025, 1, 1), columns)
    with pytest.raises(ValueError, match="lengths"):
        Hours(datetime(2025, 1, 1, tzinfo=UTC), {**columns, "price": array("d", [1.0])})
    del columns["price"]
    with pytest.raises(ValueError, match="missing: price"):
        Hours(datetime(2025, 1, 1, tzinfo=UTC), columns)


def test_the_summary_has_exactly_the_keys_of_the_command() -> None:
    run = result(days=2, violations={"dead time": 1})
    summary = results.summary(run, [result(days=2, controller="dg-first", scale=2.0)], {"cost": 1.5})
    assert list(summary) == SUMMARY_KEYS
    assert list(summary["baselines"]["dg-first"]) == SUMMARY_KEYS[:-2]
    assert summary["baselines"]["dg-first"]["diesel_l"] == 2 * summary["diesel_l"]
    assert summary["violations"] == {"dead time": 1}
    assert summary["bound"] == {"cost": 1.5}
    assert isinstance(summary["genset_starts"], int)
    assert json.loads(json.dumps(summary)) == summary


def test_site_facts_tell_what_the_site_file_says() -> None:
    india, japan = (site.load(name) for name in ("india-rural", "japan-urban"))
    facts = results.site_facts(india.id, india.name, india.plant)
    assert (facts["currency"], facts["diesel_per_l"], facts["solar.kwp"]) == ("INR", 90.0, 4.0)
    assert facts["battery.chemistry"] == india.plant["battery"]["chemistry"]
    assert results.site_facts(japan.id, japan.name, japan.plant)["diesel_per_l"] == 0.0
