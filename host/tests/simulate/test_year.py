"""Whole runs, short ones: what is counted adds up, and what a case changes is changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from greenmast.errors import UserError
from greenmast.plant.config import PlantConfig
from greenmast.simulate import bound, runner, year
from greenmast.simulate.case import Case, split
from greenmast.simulate.result import Result, dumps, loads, summary

DAY = Case("india-rural", days=1, seed=3, overrides=(("battery.soc_permille", 330),))


OTHER_SEED = replace(DAY, seed=4)
OUTAGE = Case("japan-disaster", days=1, start=date(2025, 6, 1), policy="disaster", outage_h=20, outage_at_h=2)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[Result]:
    """DAY twice, as two processes make it, then the others."""
    first = runner.run_all([DAY, OTHER_SEED, OUTAGE], jobs=2, keep=tmp_path_factory.mktemp("runs"))
    return [*first, *runner.run_all([DAY], jobs=1)]


@pytest.fixture
def day(results: list[Result]) -> Result:
    """A day with outages that begins with a low battery."""
    return results[0]


def test_energy_is_neither_made_nor_lost(day: Result) -> None:
    hours = day.hours
    got = sum(hours["solar_wh"]) + sum(hours["rectifier_wh"]) + sum(hours["battery_out_wh"])
    went = sum(hours["load_wh"]) + sum(hours["battery_in_wh"])
    assert got == pytest.approx(went, rel=2e-3)
    ac_wh = sum(hours["grid_wh"]) + sum(hours["genset_wh"])
    assert 1.0 < ac_wh / sum(hours["rectifier_wh"]) < 1.12


def test_totals_are_those_of_the_hours(day: Result) -> None:
    hours, totals = day.hours, day.totals
    assert totals["grid_kwh"] == pytest.approx(sum(hours["grid_wh"]) / 1e3)
    assert totals["diesel_l"] == pytest.approx(sum(hours["fuel_l"]))
    assert totals["cost"] == pytest.approx(8.5 * totals["grid_kwh"] + 90 * totals["diesel_l"])
    assert totals["genset_starts"] == sum(day.reasons["genset"].values()) >= 1
    assert sum(day.reasons["ac"].values()) == pytest.approx(24.0)
    assert totals["availability"] == 1.0
    assert day.violations == {}


def test_a_result_lies_on_disk_as_it_was(day: Result) -> None:
    again = loads(dumps(day))
    assert again == day
    assert summary(again)["genset_starts"] == day.totals["genset_starts"]


def test_no_run_is_better_than_its_limit(day: Result) -> None:
    plant = PlantConfig.from_site(DAY.load_site().plant)
    best = bound.limit(day.hours, plant, 90.0)
    assert best.by_cost.cost <= day.totals["cost"]
    assert best.by_diesel.diesel_l <= day.totals["diesel_l"]


def test_the_same_case_gives_the_same_run_and_another_seed_another(results: list[Result]) -> None:
    day, other, _, again = results
    day.totals["speed"] = again.totals["speed"] = 0.0
    assert dumps(again) == dumps(day)
    assert list(other.hours["grid_live_s"]) != list(day.hours["grid_live_s"])


def test_a_long_outage_begins_at_its_hour(results: list[Result]) -> None:
    run = results[2]
    live = list(run.hours["grid_live_s"])
    assert live[:2] == [3_600.0, 3_600.0]
    assert sum(live[3:21]) == 0.0
    assert live[23] == 3_600.0
    assert run.totals["outage_powered_h"] == 20.0


def test_long_outages_begin_at_any_hour_of_the_year_and_end_within_the_run() -> None:
    cases = [Case("japan-disaster", seed=seed).with_outage(72) for seed in range(200)]
    assert {case.start.month for case in cases} == set(range(1, 13))
    assert {case.outage_at_h % 24 for case in cases} == set(range(24))
    for case in cases:
        assert case.outage_at_h >= 24
        assert case.outage_at_h + 72 <= 24 * case.days


def test_overrides_reach_site_and_parameters() -> None:
    case = replace(DAY, overrides=(("solar.kwp", 7.5), ("battery.reserve_permille", 500)), policy="off-grid")
    site = case.load_site()
    assert PlantConfig.from_site(site.plant).solar.kwp == 7.5
    assert site.params["battery.reserve_permille"] == 500


def test_a_key_that_is_none_is_named_with_near_ones() -> None:
    with pytest.raises(UserError, match=r"solar\.kwpp.*solar\.kwp"):
        split((("solar.kwpp", 1),))


def test_a_plan_is_for_greenmast() -> None:
    with pytest.raises(UserError, match="takes no plans"):
        year.run(replace(DAY, controller="dg-first", plan="climatology"))
