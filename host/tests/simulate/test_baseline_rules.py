"""The parts and the table of the baselines, without a plant."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from greenmast import site as sites
from greenmast.errors import USAGE, UserError
from greenmast.simulate.baselines.catalogue import BASELINES, find, for_site
from greenmast.simulate.baselines.condition import Condition
from greenmast.simulate.baselines.fixed_reserve import FixedReserve
from greenmast.simulate.baselines.fixed_thresholds import FixedThresholds
from greenmast.simulate.baselines.transfer import PhaseRelay
from greenmast_protocol import params, points

DOCS = Path(__file__).parents[3] / "docs"
SECOND = 1_000


def seen(**values: int) -> tuple[int | None, ...]:
    """A snapshot's values: `grid__voltage_mv=230_000`."""
    v: list[int | None] = [None] * points.COUNT
    for name, value in values.items():
        v[points.index(name.replace("__", "."))] = value
    return tuple(v)


def test_a_condition_begins_and_ends_after_its_times_and_not_between_its_values() -> None:
    condition = Condition(300, 800, 60 * SECOND, 10 * SECOND)
    for value, seconds, active in (
        (300, 59, False),
        (301, 1, False),  # interrupted: the time counts anew
        (300, 59, False),
        (300, 1, True),
        (799, 3_600, True),
        (800, 9, True),
        (800, 1, False),
        (301, 3_600, False),
    ):
        for _ in range(seconds):
            condition.step(value, SECOND)
        assert condition.active is active, (value, seconds)


def test_an_unknown_value_ends_a_condition() -> None:
    condition = Condition(300, 800, 0, 0)
    condition.step(200, SECOND)
    assert condition.active
    condition.step(None, SECOND)
    assert not condition.active


def test_fixed_thresholds_run_until_every_condition_that_began_has_ended() -> None:
    site = sites.load("off-grid")
    rules = FixedThresholds(site, params.complete(dict(site.params)))
    wanted = False
    for _ in range(120):
        wanted = rules.wants_genset(seen(battery__soc_permille=250, dc__bus_mv=47_900), SECOND)
    assert wanted
    for _ in range(600):  # charged enough, but the bus has not come up to its stop voltage
        wanted = rules.wants_genset(seen(battery__soc_permille=900, dc__bus_mv=50_900), SECOND)
    assert wanted
    for _ in range(120):
        wanted = rules.wants_genset(seen(battery__soc_permille=900, dc__bus_mv=51_100), SECOND)
    assert not wanted


def test_without_a_clock_or_a_charge_a_fixed_reserve_charges() -> None:
    site = sites.load("japan-urban")
    rules = FixedReserve(site, params.complete(dict(site.params)))
    rules.grid.usable = True
    noon = 12 * 60
    full = seen(battery__soc_permille=950)
    carrying = rules.charging(full, noon)
    assert carrying != rules.charging(full, None)
    assert rules.charging(seen(), noon) == rules.charging(full, None)
    assert rules.charging(full, noon) == carrying


def test_the_grid_counts_after_its_return_delay_and_is_lost_after_the_loss_delay() -> None:
    parameters = params.complete({"grid.return_delay_s": 60, "grid.loss_delay_s": 3})
    relay = PhaseRelay(parameters, True)
    good, low = seen(grid__voltage_mv=230_000), seen(grid__voltage_mv=180_000)
    for v, seconds, usable in ((good, 1, True), (low, 2, True), (low, 1, False), (good, 59, False)):
        for _ in range(seconds):
            relay.step(v, SECOND)
        assert relay.usable is usable
    relay.step(low, SECOND)
    for _ in range(59):
        relay.step(good, SECOND)
    assert not relay.usable
    relay.step(good, SECOND)
    assert relay.usable


def test_a_baseline_that_is_not_there_is_refused_with_the_near_names() -> None:
    with pytest.raises(
        UserError, match=r"unknown baseline: vrla_legacy; did you mean: .*vrla-legacy"
    ) as refused:
        find("vrla_legacy")
    assert refused.value.exit_code == USAGE


@pytest.mark.parametrize(
    ("name", "site", "reason"),
    [
        ("dg-first", "japan-urban", "needs a genset"),
        ("grid-only", "off-grid", "needs a grid"),
        ("fixed-reserve", "india-rural", "without a genset"),
        ("fixed-reserve", "off-grid", "needs a grid: off-grid has none; .*without a genset"),
    ],
)
def test_a_baseline_says_why_it_means_nothing_at_a_site(name: str, site: str, reason: str) -> None:
    assert re.search(reason, find(name).why_not(sites.load(site)))


@pytest.mark.parametrize("site", sites.names())
def test_every_reference_site_has_one_on_its_own_hardware(site: str) -> None:
    rows = for_site(sites.load(site))
    assert [row for row in rows if not row.overrides]
    assert all(row.name in BASELINES for row in rows)


def test_a_rule_with_other_hardware_is_there_on_the_sites_hardware_too() -> None:
    for row in BASELINES.values():
        if row.overrides and row.name != "grid-only":
            same = [other for other in BASELINES.values() if other.controller is row.controller]
            assert [other for other in same if not other.overrides], row.name


def test_the_document_tells_of_every_baseline() -> None:
    text = (DOCS / "simulation.md").read_text(encoding="utf-8")
    for name in BASELINES:
        assert f"| `{name}` |" in text, name
