"""The invariants, on controllers that break them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import pytest

from greenmast import site as sites
from greenmast.plant import Plant, PlantConfig, Weather
from greenmast.scenario.invariants import Invariants
from greenmast_fw.core.site import GENSET, GRID, LOAD1
from greenmast_protocol import params, points, reasons

IDLE = bytes([1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0])


class Cabinet:
    """A plant whose outputs a test drives, one scan a second."""

    def __init__(self, name: str = "india-rural") -> None:
        site = sites.load(name, {"grid.return_delay_s": 1, "lvd.reconnect_s": 1})
        start = datetime(2026, 6, 15, 12, 0, tzinfo=site.timezone)
        self.plant = Plant(
            PlantConfig.from_site(site.plant), 1, start=start, weather=Weather.constant(0.0, 25.0)
        )
        for name, value in (
            ("grid.voltage_mv", 230_000),
            ("grid.frequency_chz", 5_000),
            ("load.power_w", 2_000),
        ):
            self.plant.set_truth(name, value)
        self.failures: list[tuple[str, str]] = []
        self.faults: dict[str, set[str]] = {}
        self.reason = reasons.code("ok")
        self.out = bytearray(IDLE)
        self.time_ms = 0
        self.invariants = Invariants(
            site,
            self.plant,
            params.complete(dict(site.params)),
            lambda *failure: self.failures.append(failure),
        )
        self.invariants.booted(0, IDLE)

    def scan(self, count: int = 1, **outputs: int) -> Cabinet:
        for name, closed in outputs.items():
            self.out[points.OUTPUTS.index(name)] = closed
        for _ in range(count):
            v: list[int | None] = [None] * points.COUNT
            for name in points.FEEDBACKS[:7]:
                v[points.index(f"feedback.{name}")] = int(self.plant.feedback(name))
            told: list[int | None] = [None] * points.COUNT
            told[points.index("reason.ac")] = self.reason
            self.invariants.decided(1_000, tuple(v), self.out, told, self.faults)
            for i, name in enumerate(points.OUTPUTS):
                self.plant.coil(name, self.out[i] != IDLE[i])
            self.plant.step(1.0)
            self.time_ms += 1_000
            self.invariants.truth(self.time_ms, 1_000, self.faults, True)
        return self

    @property
    def broken(self) -> list[str]:
        return [what.split()[1] for what, _ in self.failures]


@pytest.fixture
def cabinet() -> Cabinet:
    return Cabinet().scan(10)


def running(cabinet: Cabinet) -> Cabinet:
    return cabinet.scan(30, genset_start=1)


def test_a_proper_transfer_breaks_nothing(cabinet: Cabinet) -> None:
    running(cabinet).scan(3, grid=0).scan(20, genset=1).scan(3, genset=0).scan(20, grid=1)
    assert cabinet.failures == []


def test_two_sources_together_break_i1(cabinet: Cabinet) -> None:
    running(cabinet).scan(20, genset=1)
    assert cabinet.broken == ["I1", "I1"]  # closed without dead time, and together
    assert "both closed for" in cabinet.failures[1][1]


def test_two_contactors_together_break_i1_even_with_one_source_dead(cabinet: Cabinet) -> None:
    cabinet.plant.set_truth("grid.voltage_mv", 0)
    running(cabinet).scan(3, genset=1)
    assert "invariant I1 never two AC sources together" in [what for what, _ in cabinet.failures]


def test_a_site_with_one_ac_source_cannot_break_i1() -> None:
    cabinet = Cabinet("off-grid").scan(60, genset_start=1).scan(20, genset=1)
    assert cabinet.plant.violations["both_ac_closed_s"] > 10
    assert cabinet.failures == []


def test_dead_time_counts_from_proven_open(cabinet: Cabinet) -> None:
    running(cabinet).scan(1, grid=0).scan(1, genset=1)
    assert cabinet.failures == [
        ("invariant I1 dead time from proven open", "genset closed with grid proven open for 0 ms of 1000 ms")
    ]


def test_what_idle_contacts_do_during_a_reset_is_not_the_controllers_doing(cabinet: Cabinet) -> None:
    running(cabinet).scan(3, grid=0).scan(20, genset=1)
    cabinet.plant.contactors["genset"].welded = True
    for name in points.OUTPUTS:
        cabinet.plant.coil(name, False)
    cabinet.plant.step(2.0)
    cabinet.invariants.truth(cabinet.time_ms, 2_000, {}, False)
    assert cabinet.plant.violations["both_ac_closed_s"] > 1
    cabinet.invariants.booted(cabinet.time_ms, IDLE)
    cabinet.scan(1, grid=0, genset=0)
    cabinet.scan(20)
    assert cabinet.failures == []


@pytest.mark.parametrize("source", ["grid", "genset"])
def test_closing_onto_a_dead_source_breaks_i2(cabinet: Cabinet, source: str) -> None:
    cabinet.plant.set_truth("grid.voltage_mv", 0)
    cabinet.scan(20, grid=0).scan(1, **{source: 1})
    assert cabinet.broken == ["I2"]
    assert cabinet.failures[0][1].startswith(f"{source} closed, dead for")


def test_closing_onto_a_source_that_has_just_died_does_not(cabinet: Cabinet) -> None:
    cabinet.scan(20, grid=0)
    cabinet.plant.set_truth("grid.voltage_mv", 0)
    cabinet.scan(3).scan(1, grid=1)
    assert cabinet.failures == []


@pytest.mark.parametrize(
    ("faults", "reason"), [({"grid": {"frozen"}}, "ok"), ({}, "default_state")], ids=["frozen", "default"]
)
def test_a_lying_meter_or_the_default_state_excuses_i2(
    cabinet: Cabinet, faults: dict[str, set[str]], reason: str
) -> None:
    cabinet.plant.set_truth("grid.voltage_mv", 0)
    cabinet.faults = faults
    cabinet.reason = reasons.code(reason)
    cabinet.scan(20, grid=0).scan(1, grid=1)
    assert cabinet.failures == []


def dark(cabinet: Cabinet, seconds: int) -> Cabinet:
    return cabinet.scan(seconds, load1=0)


def test_a_dark_critical_load_beside_a_good_grid_breaks_i7_in_the_end(cabinet: Cabinet) -> None:
    dark(cabinet, 2_300)
    assert cabinet.failures == []
    dark(cabinet, 500)
    assert cabinet.broken == ["I7"]


def test_a_bad_grid_a_command_or_a_fault_on_the_way_explains_the_dark(cabinet: Cabinet) -> None:
    cabinet.plant.set_truth("grid.voltage_mv", 100_000)
    assert dark(cabinet, 3_000).failures == []
    cabinet.plant.set_truth("grid.voltage_mv", 230_000)
    args: Mapping[str, object] = {"tier": 1, "for_s": 3_000}
    cabinet.invariants.command(cabinet.time_ms, "load.shed", args)
    assert dark(cabinet, 3_000).failures == []
    cabinet.faults = {"load1": {"wont_close"}}
    assert dark(cabinet, 3_000).failures == []


def test_the_outputs_are_those_of_the_site() -> None:
    facts = [(o.name, o.idle == "closed") for o in sites.load("india-rural").outputs]
    assert all(IDLE[points.OUTPUTS.index(name)] == closed for name, closed in facts)
    assert (GRID, GENSET, LOAD1) == (0, 1, 4)
