"""Every baseline on the plant, through an outage: it keeps the load up, harms nothing, stops its genset."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from importlib import resources
from pathlib import Path

import pytest

from greenmast import site as sites
from greenmast.plant import Plant, PlantConfig
from greenmast.scenario.invariants import Invariants
from greenmast.scenario.sensors import Sensors
from greenmast.simulate.baselines.catalogue import BASELINES, Baseline, for_site
from greenmast_fw.core.site import LOAD1, LOAD2, LOAD3, from_config
from greenmast_protocol import params, points

MINUTE = 60
HOUR = 3_600
CASES = [
    pytest.param(name, baseline, id=f"{name}-{baseline.name}")
    for name in sites.names()
    for baseline in for_site(sites.load(name))
]


def on_hardware(name: str, baseline: Baseline, folder: Path) -> sites.Site:
    """The reference site with the baseline's overrides written into its file."""
    text = (resources.files("greenmast") / "sites" / f"{name}.toml").read_text()
    for path, value in baseline.overrides:
        section, key = path.split(".")
        written = f'"{value}"' if isinstance(value, str) else str(value)
        before, after = text.split(f"[{section}]\n")
        after, found = re.subn(rf"(?m)^{key} = .*$", f"{key} = {written}", after, count=1)
        assert found
        text = f"{before}[{section}]\n{after}"
    file = folder / f"{name}.toml"
    file.write_text(text)
    return sites.load(str(file))


class Run:
    """One baseline on one site in simulated time, in the dark unless `plant` is told otherwise."""

    def __init__(self, site: sites.Site, baseline: Baseline, soc_permille: int, hour: int = 12) -> None:
        parameters = params.complete(dict(site.params))
        begins = datetime(2025, 4, 1, hour, tzinfo=site.timezone)
        self.plant = Plant(PlantConfig.from_site(site.plant), 1, start=begins, sun=False)
        self.plant.set_truth("battery.soc_permille", soc_permille)
        if any(output.name == "grid" for output in site.outputs):
            self.plant.set_truth("grid.voltage_mv", 215_000)
        self.controller = baseline.controller(site, parameters)
        self.broken: list[str] = []
        self.time_s = 0
        self._minute = int((begins.replace(tzinfo=None) - datetime(2000, 1, 1)).total_seconds()) // 60
        self._sensors = Sensors(site, self.plant, parameters, 1)
        self._invariants = Invariants(
            site, self.plant, parameters, lambda what, saw: self.broken.append(f"{what}: {saw}")
        )
        idle = from_config(site.board_config()).idle
        self._invariants.booted(0, idle)
        self.outputs = idle
        self._coils = [
            (points.OUTPUTS.index(output.name), output.name, output.idle == "closed")
            for output in site.outputs
        ]

    def run(self, seconds: int, until: Callable[[], bool] = lambda: False) -> int:
        """Scan once a second; returns the seconds until `until` held, else all of them."""
        for passed in range(seconds):
            if until():
                return passed
            snapshot = self._sensors.scan(1_000, self._minute + self.time_s // 60)
            told = self.controller.step(snapshot, 1_000)
            self.outputs = bytes(told.outputs)
            for i, name, idle_closed in self._coils:
                self.plant.coil(name, bool(self.outputs[i]) != idle_closed)
            if told.setpoints:
                self._sensors.write(told.setpoints)
            self._invariants.decided(1_000, snapshot.v, told.outputs, told.points, {})
            self.plant.step(1.0)
            self.time_s += 1
            self._invariants.truth(self.time_s * 1_000, 1_000, {}, True)
        return seconds

    def outage(self, on: bool = True) -> None:
        self.plant.set_truth("grid.voltage_mv", 0 if on else 215_000)


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., Run]:
    def begin(name: str, baseline: str, soc_permille: int, hour: int = 12) -> Run:
        row = BASELINES[baseline]
        return Run(on_hardware(name, row, tmp_path), row, soc_permille, hour)

    return begin


@pytest.mark.parametrize(("name", "baseline"), CASES)
def test_an_outage_passes_with_the_load_up_and_no_two_sources_together(
    name: str, baseline: Baseline, tmp_path: Path
) -> None:
    site = on_hardware(name, baseline, tmp_path)
    run = Run(site, baseline, 501 if baseline.name.startswith("vrla") else 315)
    has_grid = any(output.name == "grid" for output in site.outputs)
    has_genset = any(output.name == "genset" for output in site.outputs)
    run.run(3 * MINUTE)
    if has_grid:
        run.outage()
    run.run(20 * MINUTE)
    assert (run.plant.genset.run_s > 0) == (has_genset and baseline.name != "grid-only")
    if has_grid:
        assert run.plant.grid.power_w == 0
        run.outage(False)
        run.run(3 * MINUTE)
        assert run.plant.grid.power_w > 1_000
        run.run(25 * MINUTE, lambda: not run.plant.genset.running)
        assert not run.plant.genset.running
        assert run.plant.violations["both_ac_closed_s"] == 0
    assert run.plant.unpowered_s == 0
    assert run.broken == []


def test_dg_first_runs_for_as_long_as_there_is_no_grid(start: Callable[..., Run]) -> None:
    run = start("india-rural", "dg-first@site", 950)
    run.run(MINUTE)
    assert not run.plant.genset.running
    run.outage()
    run.run(2 * MINUTE)
    assert run.plant.genset.power_w > 1_000
    run.run(45 * MINUTE)
    assert run.plant.genset.power_w > 1_000
    assert run.plant.battery.soc_permille > 945


def test_vrla_legacy_starts_at_half_and_stops_when_charged(start: Callable[..., Run]) -> None:
    run = start("off-grid", "vrla-legacy", 503)
    assert run.controller.charger.charged is False
    reached = run.run(HOUR, lambda: run.plant.genset.running)
    assert reached < HOUR
    assert 495 < run.plant.battery.soc_permille < 502
    run.run(5 * MINUTE)
    charging_a = run.plant.battery.current_a
    assert 55 < charging_a < 65  # 15 % of 400 Ah
    run.plant.set_truth("battery.soc_permille", 970)
    assert run.run(2 * HOUR, lambda: not run.plant.genset.running) < 2 * HOUR
    assert run.plant.battery.soc_permille > 960
    assert run.plant.unpowered_s == 0


def test_fixed_thresholds_start_at_the_charge_and_stop_at_the_charge(start: Callable[..., Run]) -> None:
    run = start("off-grid", "fixed-thresholds", 303)
    assert run.run(HOUR, lambda: run.plant.genset.running) < HOUR
    assert 294 < run.plant.battery.soc_permille < 301
    run.run(30 * MINUTE)
    assert run.plant.genset.power_w > 4_000
    run.plant.set_truth("battery.soc_permille", 799)
    assert run.run(10 * MINUTE, lambda: not run.plant.genset.running) < 10 * MINUTE
    assert run.plant.genset.starts == 1


@pytest.mark.parametrize(("baseline", "kept"), [("fixed-reserve", 800), ("fixed-reserve-40", 400)])
def test_by_day_the_battery_carries_down_to_the_reserve_and_no_further(
    start: Callable[..., Run], baseline: str, kept: int
) -> None:
    run = start("japan-urban", baseline, kept + 22)
    run.run(10 * MINUTE)
    assert run.plant.rectifier.output_w < 10
    run.run(80 * MINUTE)
    assert kept - 5 < run.plant.battery.soc_permille < kept + 5
    assert 1_300 < run.plant.rectifier.output_w < 1_700
    run.outage()
    run.run(20 * MINUTE)
    assert run.plant.battery.soc_permille < kept - 10
    assert run.plant.unpowered_s == 0


def test_by_night_the_grid_charges(start: Callable[..., Run]) -> None:
    run = start("japan-urban", "fixed-reserve", 810, hour=22)
    run.run(30 * MINUTE)
    assert run.plant.battery.soc_permille < 812
    run.run(60 * MINUTE)
    assert run.plant.battery.soc_permille > 900


def test_a_reserve_of_everything_keeps_everything_by_day(start: Callable[..., Run]) -> None:
    run = start("japan-disaster", "fixed-reserve-100", 980)
    run.run(2 * HOUR)
    assert run.plant.battery.soc_permille > 975  # what the float voltage holds


def test_shedding_takes_two_tiers_below_half_and_only_in_an_outage(start: Callable[..., Run]) -> None:
    run = start("japan-disaster", "fixed-reserve-100-shed", 480)
    run.run(5 * MINUTE)
    assert run.outputs[LOAD2]
    assert run.outputs[LOAD3]
    run.plant.set_truth("battery.soc_permille", 505)
    run.outage()
    run.run(5 * MINUTE)
    assert run.outputs[LOAD2]
    assert run.outputs[LOAD3]
    run.run(20 * MINUTE)
    assert run.outputs[LOAD1]
    assert not run.outputs[LOAD2]
    assert not run.outputs[LOAD3]
    assert run.plant.loads.power_w == pytest.approx(0.55 * run.plant.loads.demand_w)
    run.outage(False)
    run.run(3 * MINUTE)
    assert run.outputs[LOAD2]
    assert run.outputs[LOAD3]


def test_a_low_bus_disconnects_the_loads_and_the_grid_brings_them_back(start: Callable[..., Run]) -> None:
    run = start("india-rural", "grid-only", 45)
    run.run(5)
    run.outage()
    assert run.run(HOUR, lambda: not run.outputs[LOAD1]) < HOUR
    assert not run.outputs[LOAD2]
    assert not run.outputs[LOAD3]
    assert run.plant.battery.soc_permille > 5
    run.outage(False)
    assert run.run(10 * MINUTE, lambda: bool(run.outputs[LOAD1])) < 10 * MINUTE


def test_staged_disconnection_keeps_the_critical_tier_longest(start: Callable[..., Run]) -> None:
    run = start("japan-disaster", "fixed-thresholds", 90)
    run.run(5)
    run.outage()
    assert run.run(3 * HOUR, lambda: not run.outputs[LOAD3]) < 3 * HOUR
    assert run.outputs[LOAD1]
    assert run.outputs[LOAD2]


def test_a_welded_genset_contactor_keeps_the_grid_out(start: Callable[..., Run]) -> None:
    run = start("india-rural", "dg-first@site", 700)
    run.outage()
    run.run(3 * MINUTE)
    assert run.plant.genset.power_w > 1_000
    run.plant.contactors["genset"].welded = True
    run.outage(False)
    run.run(5 * MINUTE)
    assert run.plant.violations["both_ac_closed_s"] == 0


def test_an_engine_that_will_not_start_is_tried_three_times_then_left_alone(
    start: Callable[..., Run],
) -> None:
    run = start("india-rural", "dg-first@site", 700)
    run.plant.genset.wont_start = True
    run.run(5)
    run.outage()
    cranks = 0
    was = run.plant.genset.state
    for _ in range(5 * MINUTE):
        run.run(1)
        cranks += run.plant.genset.state == "cranking" != was
        was = run.plant.genset.state
    assert cranks == 3
    assert was == "off"


def test_a_dry_tank_stops_the_engine(start: Callable[..., Run]) -> None:
    run = start("off-grid", "dg-first@site", 700)
    run.run(5 * MINUTE)
    run.plant.set_truth("genset.fuel_permille", 95)
    assert run.run(5 * MINUTE, lambda: not run.plant.genset.running) < 5 * MINUTE
    run.plant.set_truth("genset.fuel_permille", 500)
    assert run.run(5 * MINUTE, lambda: run.plant.genset.power_w > 1_000) < 5 * MINUTE
