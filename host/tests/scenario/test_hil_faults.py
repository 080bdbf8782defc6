"""Which part of a running world a fault of a scenario befalls."""

from __future__ import annotations

from datetime import datetime
from types import SimpleNamespace

import pytest

from greenmast import site as sites
from greenmast.emulator import server
from greenmast.emulator.emulate import EmulatedSite
from greenmast.plant import Plant, PlantConfig, Weather
from greenmast.scenario import faults
from greenmast.scenario.hil_faults import HilFaults

METERS = {"grid": 1, "genset": 10, "battery": 0xD2, "load": 3}


class FakeWire:
    def __init__(self) -> None:
        self.faults: list[str] = []

    def fault(self, name: str) -> None:
        assert name not in self.faults
        self.faults.append(name)

    def clear(self, name: str) -> None:
        self.faults.remove(name)


@pytest.fixture
def world() -> SimpleNamespace:
    site = sites.load("india-rural")
    start = datetime(2026, 6, 15, 12, 0, tzinfo=site.timezone)
    plant = Plant(PlantConfig.from_site(site.plant), 1, start=start, weather=Weather.constant(600.0, 30.0))
    wires = {bus.name: FakeWire() for bus in site.buses}
    return SimpleNamespace(site=site, plant=plant, emulated=EmulatedSite(site, plant), wires=wires)


def device(world: SimpleNamespace, role: str):
    return world.emulated.buses["meters"].devices[METERS[role]]


@pytest.mark.parametrize("kind", [kind for kind in faults.DEVICE if kind != "babble"])
def test_a_fault_of_a_device_is_one_of_its_server(world: SimpleNamespace, kind: str) -> None:
    assert kind in server.FAULTS
    hil = HilFaults(world)  # type: ignore[arg-type]
    hil.set("grid", kind, True)
    assert device(world, "grid").faults == {kind}
    assert not device(world, "load").faults
    assert hil.active == {"grid": {kind}}
    hil.set("grid", kind, False)
    assert not device(world, "grid").faults
    assert hil.active == {"grid": set()}


def test_a_late_device_is_later_than_the_board_waits_for_it(world: SimpleNamespace) -> None:
    HilFaults(world)  # type: ignore[arg-type]
    assert device(world, "grid").late_s == pytest.approx(0.36)
    assert device(world, "genset").late_s == pytest.approx(1.2)


def test_a_babbling_device_jams_its_line_as_long_as_anybody_babbles(world: SimpleNamespace) -> None:
    hil = HilFaults(world)  # type: ignore[arg-type]
    for on in ("load", "grid", "bus.meters"):
        hil.set(on, "babble", True)
        assert world.wires["meters"].faults == ["babble"]
    assert world.wires["power"].faults == []
    for on in ("grid", "load"):
        hil.set(on, "babble", False)
        assert world.wires["meters"].faults == ["babble"]
    hil.set("bus.meters", "babble", False)
    assert world.wires["meters"].faults == []


def test_a_babbling_device_that_is_on_no_line_babbles_when_asked(world: SimpleNamespace) -> None:
    del world.wires["meters"]
    HilFaults(world).set("load", "babble", True)  # type: ignore[arg-type]
    assert device(world, "load").faults == {"babble"}
    assert not device(world, "grid").faults


def test_bus_is_every_line_and_a_name_is_one(world: SimpleNamespace) -> None:
    hil = HilFaults(world)  # type: ignore[arg-type]
    hil.set("bus", "noise", True)
    hil.set("bus.power", "cut", True)
    assert world.wires["meters"].faults == ["noise"]
    assert world.wires["power"].faults == ["noise", "cut"]
    hil.set("bus", "noise", False)
    assert world.wires["power"].faults == ["cut"]


def test_contactors_and_genset_are_the_plants(world: SimpleNamespace) -> None:
    hil = HilFaults(world)  # type: ignore[arg-type]
    hil.set("grid", "welded", True)
    hil.set("genset", "stalls", True)
    assert world.plant.contactors["grid"].welded
    assert world.plant.genset.stalls
    assert not device(world, "grid").faults
